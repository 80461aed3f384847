//! One replication of a world.

use crate::engine::charges::{ChargeKey, ChargeSum, Charges};
use crate::engine::machine::{Arrival, Arrivals, Engine};
use crate::engine::recorder::Recorder;
use crate::engine::run::Run;
use crate::gateway::litellm::LiteLlm;
use crate::gateway::{RequestView, Response};
use crate::ledger::Shape;
use crate::random::{Addressed, Replication, Seed};
use crate::scenario::World;
use crate::traffic::{Fate, Request, Stream};
use crate::units::{ClassId, RequestId, SimDuration, SimTime};

/// Plays one replication from its start until nothing is left to happen, with counters per `step` of time.
pub fn simulate(world: &World, seed: Seed, replication: Replication, step: SimDuration) -> Run {
    let mut gateway = LiteLlm::new(world.gateway.clone());
    let mut upstream = world.providers.replicate(seed, replication);
    let stream = world.traffic.replicate(seed, replication);
    let mut arrivals = Requests { stream, horizon: SimTime::ZERO + world.horizon };
    let mut draws = Addressed::new(seed, replication);
    let mut recorder = Recorder::new(&world.tariffs, shape(world), world.horizon, step, replication.0);
    Engine::new(&mut gateway, &mut upstream, &mut arrivals, &mut draws, &mut recorder).run();
    recorder.finish()
}

/// Plays a replication once more and says what it is charged, line by line.
pub fn charges(world: &World, seed: Seed, replication: Replication) -> Vec<(ChargeKey, ChargeSum)> {
    let mut gateway = LiteLlm::new(world.gateway.clone());
    let mut upstream = world.providers.replicate(seed, replication);
    let stream = world.traffic.replicate(seed, replication);
    let mut arrivals = Requests { stream, horizon: SimTime::ZERO + world.horizon };
    let mut draws = Addressed::new(seed, replication);
    let day_nanos = world.start.timestamp().as_nanosecond().rem_euclid(86_400_000_000_000);
    let offset = SimDuration(i64::try_from(day_nanos).unwrap_or_default());
    let mut observer = Charges::new(&world.tariffs, offset, world.horizon);
    Engine::new(&mut gateway, &mut upstream, &mut arrivals, &mut draws, &mut observer).run();
    observer.finish()
}

/// How many of each thing a world has.
fn shape(world: &World) -> Shape {
    Shape {
        deployments: world.names.deployments.len(),
        groups: world.names.groups.len(),
        keys: world.names.keys.len(),
        classes: world.names.classes.len(),
    }
}

/// The requests of a replication, as long as the horizon lasts.
struct Requests {
    stream: Stream,
    horizon: SimTime,
}

impl Arrivals for Requests {
    type Fate = Fate;

    fn next_at(&self) -> SimTime {
        let at = self.stream.next_at();
        if at < self.horizon { at } else { SimTime::NEVER }
    }

    fn take(&mut self) -> Option<Arrival<Fate>> {
        self.stream.take().map(arrival)
    }

    fn responded(&mut self, now: SimTime, class: ClassId, request: RequestId, response: &Response) {
        self.stream.responded(now, class, request, response.ok);
    }
}

/// Parts a request into what the gateway sees and what it does not.
fn arrival(request: Request) -> Arrival<Fate> {
    let view = RequestView {
        id: request.id,
        model: request.model,
        key: request.key,
        body: request.body,
        prompt: request.prompt,
        prompt_chars: request.prompt_chars,
        prompt_tokens: request.prompt_tokens,
        max_tokens: request.max_tokens,
        stream: request.stream,
    };
    Arrival { at: request.at, class: request.class, view, fate: request.fate, leave: request.leave }
}
