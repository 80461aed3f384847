//! One replication of a world.

use crate::engine::charges::{ChargeKey, ChargeSum, Charges};
use crate::engine::machine::{Arrivals, Asked, Engine};
use crate::engine::observer::{Observer, RequestRecord};
use crate::engine::recorder::Recorder;
use crate::engine::room::MOST_A_SECOND;
use crate::engine::run::Run;
use crate::engine::watch::{Watched, Watcher};
use crate::gateway::Gateway;
use crate::gateway::fleet::Fleet;
use crate::gateway::litellm::LiteLlm;
use crate::ledger::Shape;
use crate::provider::{Upstream, UpstreamWorld};
use crate::random::{Addressed, Here, Replication, Seed};
use crate::scenario::World;
use crate::traffic::{Ending, Fate, Request, Stream};
use crate::units::{ClassId, RequestId, SimDuration, SimTime};

/// Plays one replication from its start until nothing is left to happen, with counters per `step` of time. A run in
/// which more is in flight than is kept ends early: then the world's `room` is exceeded, and the run says nothing.
pub fn simulate(world: &World, seed: Seed, replication: Replication, step: SimDuration) -> Run {
    let mut upstream = world.providers.replicate(seed, replication);
    let mut recorder = recorder(world, replication, step);
    play(world, seed, replication, &mut upstream, &mut recorder);
    Run { luck: upstream.luck(), ..recorder.finish() }
}

/// The same run, with everything that happens in it shown to a watcher.
pub fn simulate_watched<W: Watcher>(
    world: &World,
    seed: Seed,
    replication: Replication,
    step: SimDuration,
    watcher: &mut W,
) -> Run {
    let mut upstream = world.providers.replicate(seed, replication);
    let mut watched = Watched { recorder: recorder(world, replication, step), watcher };
    play(world, seed, replication, &mut upstream, &mut watched);
    Run { luck: upstream.luck(), ..watched.recorder.finish() }
}

/// The same run, with something between the gateway and the providers that sees every call; `wrap` puts it there.
pub fn simulate_metered<U: Upstream<Fate = Fate>, W: Watcher>(
    world: &World,
    seed: Seed,
    replication: Replication,
    wrap: impl FnOnce(UpstreamWorld) -> U,
    watcher: &mut W,
) -> (Run, U) {
    let mut upstream = wrap(world.providers.replicate(seed, replication));
    let mut watched = Watched { recorder: recorder(world, replication, world.horizon), watcher };
    play(world, seed, replication, &mut upstream, &mut watched);
    (watched.recorder.finish(), upstream)
}

fn recorder(world: &World, replication: Replication, step: SimDuration) -> Recorder<'_> {
    Recorder::new(&world.tariffs, shape(world), world.horizon, step, replication.0)
}

fn play<U: Upstream<Fate = Fate>, O: Observer>(
    world: &World,
    seed: Seed,
    replication: Replication,
    upstream: &mut U,
    observer: &mut O,
) {
    let gateway = LiteLlm::new(world.gateway.clone());
    match &world.fleet {
        None => drive(world, gateway, seed, replication, upstream, observer),
        Some(plan) => {
            let gateway = Fleet::new(plan, gateway, seed, replication, SimTime::ZERO + world.horizon);
            drive(world, gateway, seed, replication, upstream, observer);
        }
    }
}

fn drive<G: Gateway, U: Upstream<Fate = Fate>, O: Observer>(
    world: &World,
    mut gateway: G,
    seed: Seed,
    replication: Replication,
    upstream: &mut U,
    observer: &mut O,
) {
    let stream = world.traffic.replicate(seed, replication);
    let horizon = SimTime::ZERO + world.horizon;
    let mut arrivals = Requests { stream, horizon, looked: 0, is_overfull: false, second: SimTime::ZERO, looks: 0 };
    let mut draws = Addressed::new(seed, replication);
    let played = Engine::new(&mut gateway, upstream, &mut arrivals, &mut draws, observer).run();
    if played.is_err() || arrivals.is_overfull {
        world.room.exceed();
    }
}

/// Plays a replication once more and says what it is charged, line by line.
pub fn charges(world: &World, seed: Seed, replication: Replication) -> Vec<(ChargeKey, ChargeSum)> {
    let mut upstream = world.providers.replicate(seed, replication);
    let day_nanos = world.start.timestamp().as_nanosecond().rem_euclid(86_400_000_000_000);
    let offset = SimDuration(i64::try_from(day_nanos).unwrap_or_default());
    let mut observer = Charges::new(&world.tariffs, offset, world.horizon);
    play(world, seed, replication, &mut upstream, &mut observer);
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
    /// How often something may have come to wait in it.
    looked: u32,
    is_overfull: bool,
    /// When the current second began, and how often something was looked at in it.
    second: SimTime,
    looks: u32,
}

/// What waits is counted once in so many requests and answers.
const LOOK_EVERY: u32 = 1 << 16;

impl Requests {
    /// A request may wait now to be sent. Where too many do, no more come.
    #[inline(always)]
    fn look(&mut self) {
        self.looked = self.looked.wrapping_add(1);
        if self.looked.is_multiple_of(LOOK_EVERY) && (self.stream.is_overfull() || self.is_flooded()) {
            (self.horizon, self.is_overfull) = (SimTime::ZERO, true);
        }
    }

    /// Whether more is sent within a second than any gateway takes: workers that do not think and are refused in no
    /// time send hundreds of millions of requests a second, and their run does not come to an end.
    #[cold]
    fn is_flooded(&mut self) -> bool {
        const SECOND_NANOS: i64 = 1_000_000_000;
        let now = self.stream.next_at();
        if now.0.saturating_sub(self.second.0) >= SECOND_NANOS {
            (self.second, self.looks) = (now, 0);
        }
        self.looks += 1;
        self.looks > MOST_A_SECOND / LOOK_EVERY
    }
}

impl Arrivals for Requests {
    type Fate = Fate;

    #[inline(always)]
    fn next_at(&self) -> SimTime {
        let at = self.stream.next_at();
        if at < self.horizon { at } else { SimTime::NEVER }
    }

    #[inline(always)]
    fn take(&mut self, next: &mut Request) -> bool {
        // Requests may bring others along, and leave prompts behind that may be repeated.
        self.look();
        self.stream.take_into(next)
    }

    fn is_open(&self) -> bool {
        self.stream.is_open()
    }

    #[inline(always)]
    fn take_open(&mut self) -> Option<Request> {
        self.stream.take_open()
    }

    #[inline(always)]
    fn answered(&mut self, now: SimTime, class: ClassId, request: RequestId) {
        if self.stream.responded(now, class, request, true) {
            self.look();
        }
    }

    #[inline(always)]
    fn responded(&mut self, now: SimTime, record: &RequestRecord, asked: Asked<Fate>, ending: Ending) {
        if ending != Ending::Good && self.stream.failed(now, &request(record, asked), ending) {
            return self.look();
        }
        if self.stream.responded(now, record.class, record.view.id, ending == Ending::Good) {
            self.look();
        }
    }
}

/// The request that its client has sent; sent again it has other draws.
fn request(record: &RequestRecord, asked: Asked<Fate>) -> Request {
    let RequestRecord { arrived: at, class, view, .. } = *record;
    Request { at, class, view, fate: asked.fate, leave: asked.leave, here: Here::default() }
}
