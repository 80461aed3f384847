//! Small random worlds in which much happens at the same instant: times are multiples of a coarse tick.

use billcast::engine::{Arrival, Arrivals, Asked, RequestRecord};
use billcast::gateway::RequestView;
use billcast::provider::{Service, Upstream, UpstreamCall};
use billcast::random::{Addressed, Draws, Here, Purpose, Replication, Seed};
use billcast::traffic::{Ending, Leave};
use billcast::units::{
    BodyId, ClassId, KeyId, NameId, Outcome, PromptId, RequestId, RetryAfter, SimDuration, SimTime, Usage,
};

/// Coarse enough for ties, and no multiple of the numbers of chunks, so that divisions leave a rest.
pub const TICK: i64 = 1_000;

/// What a random world is made of.
#[derive(Debug, Clone, Copy)]
pub struct Knobs {
    /// Seed of everything below.
    pub seed: u64,
    /// Requests of the open-loop class.
    pub requests: u64,
    /// Users of the closed-loop class: each sends its next request when the last one is answered.
    pub users: u64,
    /// Requests that each of these users sends.
    pub rounds: u64,
    /// Ticks between arrivals, at most.
    pub spread: u32,
    /// Deployments behind the gateway.
    pub deployments: u32,
    /// Calls in flight that the gateway allows before it parks requests.
    pub parallel: u32,
}

/// Draws about one thing of the world.
fn draws(knobs: &Knobs, about: u64, which: u64) -> Addressed {
    let mut draws = Addressed::new(Seed(knobs.seed), Replication(about));
    draws.begin_request(about, which);
    draws
}

/// `n` ticks, for a random `n` below `bound`.
pub fn ticks(draws: &mut impl Draws, nth: u32, bound: u32) -> SimDuration {
    SimDuration(i64::from(draws.below(Purpose::Kind, nth, bound)) * TICK)
}

/// The scripted side of a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Script {
    class: ClassId,
    request: RequestId,
}

/// Two classes: arrivals at random, and users that wait for their answers.
pub struct Traffic {
    knobs: Knobs,
    pending: Vec<Arrival<Script>>,
    asked: u64,
}

impl Traffic {
    /// All the arrivals that do not depend on answers.
    pub fn new(knobs: Knobs) -> Self {
        let mut traffic = Self { knobs, pending: Vec::new(), asked: 0 };
        let mut at = SimTime::ZERO;
        for request in 0..knobs.requests {
            at += ticks(&mut draws(&knobs, 1, request), 0, knobs.spread.max(1));
            traffic.add(at, ClassId(0), RequestId(request));
        }
        for _ in 0..knobs.users {
            traffic.ask(SimTime::ZERO);
        }
        traffic
    }

    fn ask(&mut self, at: SimTime) {
        if self.asked < self.knobs.users * (1 + self.knobs.rounds) {
            self.add(at, ClassId(1), RequestId(self.asked));
            self.asked += 1;
        }
    }

    fn add(&mut self, at: SimTime, class: ClassId, id: RequestId) {
        let mut draws = draws(&self.knobs, 2 + u64::from(class.0), id.0);
        let leave = match draws.below(Purpose::Patience, 0, 6) {
            0 => Leave::After(ticks(&mut draws, 1, 40)),
            1 => Leave::AfterChunks(draws.below(Purpose::Patience, 2, 5).into()),
            2 => Leave::TimesOut(ticks(&mut draws, 1, 40)),
            _ => Leave::Never,
        };
        let view = RequestView {
            id,
            model: NameId(0),
            key: KeyId(0),
            body: BodyId(0),
            prompt: PromptId(id.0),
            prompt_chars: 4,
            prompt_tokens: 1 + draws.below(Purpose::InputTokens, 0, 50),
            max_tokens: None,
            stream: draws.below(Purpose::Kind, 9, 2) == 0,
        };
        let here = Here::of(Seed(self.knobs.seed), Replication(0), class.0.into(), id.0);
        let position = self.pending.partition_point(|other| other.at <= at);
        self.pending.insert(position, Arrival { at, class, view, fate: Script { class, request: id }, leave, here });
    }
}

impl Arrivals for Traffic {
    type Fate = Script;

    fn next_at(&self) -> SimTime {
        self.pending.first().map_or(SimTime::NEVER, |arrival| arrival.at)
    }

    fn take(&mut self, next: &mut Arrival<Script>) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        *next = self.pending.remove(0);
        true
    }

    fn responded(&mut self, now: SimTime, request: &RequestRecord, _: Asked<Script>, _: Ending) {
        if request.class == ClassId(1) {
            let think = ticks(&mut draws(&self.knobs, 4, self.asked), 0, 8);
            self.ask(now + think);
        }
    }
}

/// Providers that answer by a script: each call has its fate, whatever happened before it.
pub struct Providers {
    /// What the script is drawn from.
    pub knobs: Knobs,
}

const OUTCOMES: [Outcome; 8] = [
    Outcome::Ok,
    Outcome::Ok,
    Outcome::Ok,
    Outcome::Ok,
    Outcome::Status(429),
    Outcome::Status(500),
    Outcome::ConnectionError,
    Outcome::Cut,
];

impl Upstream for Providers {
    type Fate = Script;

    fn serve(&mut self, _: SimTime, _: Here, call: &UpstreamCall, fate: &Script) -> Service {
        let which = fate.request.0 * 100 + u64::from(call.deployment.0 * 10 + call.nth_try);
        let mut draws = draws(&self.knobs, 8 + u64::from(fate.class.0), which);
        let mut outcome = OUTCOMES[draws.below(Purpose::Failure, 0, 8) as usize];
        if outcome == Outcome::Cut && !call.stream {
            outcome = Outcome::ConnectionError;
        }
        let streams = call.stream && matches!(outcome, Outcome::Ok | Outcome::Cut);
        let hangs = !streams && draws.below(Purpose::Failure, 1, 20) == 0;
        let headers = ticks(&mut draws, 0, 12);
        let first_token = headers + ticks(&mut draws, 1, 8);
        let chunks = if streams { 1 + draws.below(Purpose::OutputTokens, 1, 7) } else { 0 };
        let total = match chunks {
            0 => headers,
            1 => first_token, // The first piece is the last.
            _ => first_token + ticks(&mut draws, 2, 30),
        };
        Service {
            outcome,
            retry_after: RetryAfter::None,
            headers: if hangs { SimDuration::FOREVER } else { headers },
            first_token: if streams { first_token } else { headers },
            total: if hangs { SimDuration::FOREVER } else { total },
            chunks,
            usage: Usage::plain(draws.below(Purpose::InputTokens, 1, 50), draws.below(Purpose::OutputTokens, 0, 90)),
            alive: if draws.below(Purpose::Kind, 3, 4) == 0 { headers } else { SimDuration::ZERO },
        }
    }

    fn ended(&mut self, _: SimTime, _: &UpstreamCall, s: &Service, outcome: Outcome, elapsed: SimDuration) -> Usage {
        match outcome {
            Outcome::Ok => s.usage,
            Outcome::Cancelled | Outcome::Cut => s.usage_by(elapsed),
            _ => Usage::default(),
        }
    }
}
