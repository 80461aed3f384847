//! What processes of one proxy share, and when each of them gets to know of it: Redis, if there
//! is one, and the database.
//!
//! Measured with four workers and described per store: cooldowns are read at most once a second, budgets of deployments
//! are pushed and read every second, requests of the usage-based strategy ten times a second; counters of allowed
//! failures, limits and budgets of keys and cached answers are exact. Percent-rule counters, picks for pre-call checks,
//! slots and latencies stay in each process whatever is configured.

use crate::gateway::litellm::keyring::AccountId;
use crate::gateway::litellm::minute_lives::{Counted, MinuteLives};
use crate::gateway::litellm::plan::{BudgetReset, Plan, Redis};
use crate::gateway::litellm::state::State;
use crate::gateway::litellm::strategy::StrategyState;
use crate::gateway::parts::{Cooldowns, MinuteCounter};
use crate::random::mix;
use crate::units::{DeploymentId, SimDuration, SimTime};

/// Reads of one cooldown are at least this far apart (`DEFAULT_COOLDOWN_REDIS_READ_INTERVAL_SECONDS`).
const REST_READS: SimDuration = SimDuration::from_secs(1);
/// Between two pushes of usage-based-routing-v2 (`default_sync_interval`).
const MINUTE_PUSHES: SimDuration = SimDuration(100_000_000);
/// Reads of one missing counter of a minute are at least this far apart (`default_redis_batch_cache_expiry`).
const MINUTE_READS: SimDuration = SimDuration::from_secs(10);
/// Between two synchronisations of budgets (`DEFAULT_REDIS_SYNC_INTERVAL` of `budget_limiter.py`).
pub(super) const BUDGET_SYNC: SimDuration = SimDuration::from_secs(1);
/// Life of a process's own counter of a key's spend; then the database is asked (`in_memory_cache_ttl`).
pub(super) const SPEND_COUNTER_LIFE: SimDuration = SimDuration::from_secs(60);
/// Least time between two writes of spend to the database (`PROXY_BATCH_WRITE_AT`).
const FLUSH_SECS: i64 = 10;
/// A process adds up to this many whole seconds, drawn when it starts.
const FLUSH_JITTER_SECS: u64 = 5;

const LONG_AGO: SimTime = SimTime(i64::MIN);

/// Which process this is, and what it has read.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Its number.
    pub seat: u32,
    /// Random bits of its own.
    pub identity: u64,
    /// When each cooldown was asked for last.
    rests_read: Vec<SimTime>,
    /// Before this moment none is asked for again.
    rests_due: SimTime,
    /// For which minute and when requests and tokens were asked for last, by deployment.
    minutes_read: Vec<[(i64, SimTime); 2]>,
}

/// What all processes share.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    /// What is known of the rests in Redis, by deployment; empty without Redis.
    rests: Vec<Option<Rest>>,
    /// Requests and tokens of the minute in Redis, by deployment; empty without Redis.
    minutes: Vec<MinuteCounter>,
    /// When those are forgotten before their minute is over, if they are.
    lives: Option<Box<MinuteLives>>,
    pushes: Vec<Push>,
    learned: Vec<Learned>,
    /// Spend of accounts in the database.
    spent: Vec<f64>,
    /// How many of the plan's resets of budgets the database has seen.
    resets: usize,
    unwritten: Vec<Unwritten>,
}

/// A cooldown in Redis.
#[derive(Debug, Clone, Copy)]
struct Rest {
    until: SimTime,
    span: SimDuration,
}

/// Requests on their way to Redis.
#[derive(Debug, Clone, Copy)]
struct Push {
    due: SimTime,
    seat: u32,
    deployment: DeploymentId,
    minute: i64,
    requests: u64,
}

/// What a push has told the process that made it: the count of all.
#[derive(Debug, Clone, Copy)]
struct Learned {
    seat: u32,
    deployment: DeploymentId,
    minute: i64,
    requests: u64,
}

/// Spend on its way to the database.
#[derive(Debug, Clone, Copy)]
struct Unwritten {
    due: SimTime,
    seat: u32,
    account: AccountId,
    dollars: f64,
}

impl Default for Place {
    fn default() -> Self {
        Self::new(0, 0)
    }
}

impl Place {
    pub const fn new(seat: u32, identity: u64) -> Self {
        Self { seat, identity, rests_read: Vec::new(), rests_due: LONG_AGO, minutes_read: Vec::new() }
    }

    /// The first moment after `now` of a clock with this period and a phase of the process's own.
    pub fn next_tick(&self, now: SimTime, period: SimDuration) -> SimTime {
        let phase = (self.identity % period.0.unsigned_abs()) as i64;
        SimTime(now.0 - (now.0 - phase).rem_euclid(period.0) + period.0)
    }

    /// The last moment of that clock, `now` included.
    pub fn last_tick(&self, now: SimTime, period: SimDuration) -> SimTime {
        SimTime(self.next_tick(now, period).0 - period.0)
    }

    /// A coin for what is left to chance at one of those moments.
    pub const fn coin(&self, tick: SimTime) -> bool {
        mix(self.identity ^ tick.0.unsigned_abs()) & 1 == 0
    }

    /// The process's next write of spend.
    fn next_flush(&self, now: SimTime) -> SimTime {
        let jitter = (mix(self.identity) % (FLUSH_JITTER_SECS + 1)) as i64;
        self.next_tick(now, SimDuration::from_secs(FLUSH_SECS + jitter))
    }
}

impl Shared {
    /// Nothing has happened yet.
    pub fn new(plan: &Plan) -> Self {
        let stored = if plan.redis == Redis::None { 0 } else { plan.deployments.len() };
        Self {
            rests: vec![None; stored],
            minutes: vec![MinuteCounter::EMPTY; stored],
            lives: MinuteLives::new(plan.router.minute_lives[1]),
            spent: plan.keys.spent.clone(),
            ..Self::default()
        }
    }

    /// A process puts a deployment to rest; a rest that is there is replaced.
    pub fn rest(&mut self, deployment: DeploymentId, now: SimTime, span: SimDuration) {
        if let Some(rest) = self.rests.get_mut(deployment.index()) {
            *rest = Some(Rest { until: now + span, span });
        }
    }

    /// Counts a request in Redis at once; the count of all.
    pub fn count_request(&mut self, now: SimTime, deployment: DeploymentId, minute: i64) -> Option<u64> {
        self.begin_life(now, deployment, Counted::Requests, minute);
        Some(self.minutes.get_mut(deployment.index())?.add_request(minute))
    }

    /// Counts tokens in Redis at once.
    pub fn count_tokens(&mut self, now: SimTime, deployment: DeploymentId, minute: i64, tokens: u64) {
        self.begin_life(now, deployment, Counted::Tokens, minute);
        if let Some(counter) = self.minutes.get_mut(deployment.index()) {
            counter.add_tokens(minute, tokens);
        }
    }

    /// Something is counted that Redis forgets before its minute is over.
    fn begin_life(&mut self, now: SimTime, deployment: DeploymentId, counted: Counted, minute: i64) {
        self.forget_minutes(now);
        if let Some(lives) = &mut self.lives {
            lives.counted_by_strategy(now, (deployment, None), counted, minute);
        }
    }

    fn forget_minutes(&mut self, now: SimTime) {
        let Some(lives) = &mut self.lives else { return };
        for over in lives.over(now) {
            if let Some(counter) = self.minutes.get_mut(over.0.0.index()) {
                over.forget(counter);
            }
        }
    }

    /// A request that has been counted here is pushed to Redis with the next ones.
    pub fn push_request(&mut self, now: SimTime, place: &Place, deployment: DeploymentId, minute: i64) {
        if self.minutes.is_empty() {
            return;
        }
        let due = place.next_tick(now, MINUTE_PUSHES);
        let seat = place.seat;
        let same =
            |push: &&mut Push| (push.due, push.seat, push.deployment, push.minute) == (due, seat, deployment, minute);
        match self.pushes.iter_mut().find(same) {
            Some(push) => push.requests += 1,
            None => self.pushes.push(Push { due, seat, deployment, minute, requests: 1 }),
        }
    }

    /// Lets all pushes arrive that are due, in order of time.
    fn settle_pushes(&mut self, now: SimTime) {
        while let Some(next) = (0..self.pushes.len()).min_by_key(|at| (self.pushes[*at].due, self.pushes[*at].seat)) {
            if self.pushes[next].due > now {
                break;
            }
            let push = self.pushes.swap_remove(next);
            self.begin_life(push.due, push.deployment, Counted::Requests, push.minute);
            let requests = self.minutes[push.deployment.index()].add_requests(push.minute, push.requests);
            let Push { seat, deployment, minute, .. } = push;
            self.learned.retain(|old| (old.seat, old.deployment) != (seat, deployment));
            self.learned.push(Learned { seat, deployment, minute, requests });
        }
    }

    /// A process spends from an account; it is written to the database with its next batch.
    pub fn spend(&mut self, now: SimTime, place: &Place, account: AccountId, dollars: f64) {
        self.unwritten.push(Unwritten { due: place.next_flush(now), seat: place.seat, account, dollars });
    }

    /// What the database knows of an account, where budgets begin anew at these moments.
    pub fn spent(&mut self, now: SimTime, account: AccountId, resets: &[BudgetReset]) -> f64 {
        while let Some(reset) = resets.get(self.resets)
            && reset.at <= now
        {
            self.write_spend(reset.at);
            reset.accounts.iter().for_each(|account| self.spent[account.index()] = 0.0);
            self.resets += 1;
        }
        self.write_spend(now);
        self.spent[account.index()]
    }

    /// Writes all spend to the database that is due.
    fn write_spend(&mut self, now: SimTime) {
        let spent = &mut self.spent;
        self.unwritten.retain(|entry| {
            let is_due = entry.due <= now;
            if is_due {
                spent[entry.account.index()] += entry.dollars;
            }
            !is_due
        });
    }

    /// A process has ended without warning: what it had not told anybody is gone.
    pub fn crashed(&mut self, seat: u32) {
        self.pushes.retain(|push| push.seat != seat);
        self.unwritten.retain(|entry| entry.seat != seat);
    }
}

impl Place {
    /// Asks Redis for rests that are not in memory, each at most once a second.
    fn read_rests(&mut self, now: SimTime, shared: &Shared, cooldowns: &mut Cooldowns) {
        if now >= self.rests_due {
            self.rests_due = self.read_due_rests(now, shared, cooldowns);
        }
    }

    /// The same whether one is due or not. When the next one may be: a second after each was asked for, but at once
    /// where something rests, for that is asked for again as soon as it does no longer.
    fn read_due_rests(&mut self, now: SimTime, shared: &Shared, cooldowns: &mut Cooldowns) -> SimTime {
        let mut due = SimTime::NEVER;
        self.rests_read.resize(shared.rests.len(), LONG_AGO);
        for (index, (read, rest)) in self.rests_read.iter_mut().zip(&shared.rests).enumerate() {
            let deployment = DeploymentId::from_index(index);
            if cooldowns.rests(deployment, now) {
                due = now;
                continue;
            }
            if now.since(*read) >= REST_READS {
                *read = now;
                if let Some(rest) = rest.filter(|rest| now < rest.until) {
                    cooldowns.learn(deployment, rest.until, rest.span);
                }
            }
            due = due.min(*read + REST_READS);
        }
        due
    }

    /// Asks Redis for counts of the minute that are not in memory, each at most once in ten seconds.
    fn read_minutes(
        &mut self,
        now: SimTime,
        minute: i64,
        shared: &Shared,
        counters: &mut [MinuteCounter],
        wanted: &[DeploymentId],
    ) {
        self.minutes_read.resize(counters.len(), [(i64::MIN, LONG_AGO); 2]);
        for id in wanted {
            let (own, there) = (&mut counters[id.index()], &shared.minutes[id.index()]);
            let [requests, tokens] = &mut self.minutes_read[id.index()];
            let may_ask = |read: &mut (i64, SimTime)| {
                let may = read.0 != minute || now.since(read.1) >= MINUTE_READS;
                if may {
                    *read = (minute, now);
                }
                may
            };
            if own.requests(minute).is_none() && may_ask(requests) {
                own.set_requests(minute, there.requests(minute));
            }
            if own.tokens(minute).is_none() && may_ask(tokens) {
                own.set_tokens(minute, there.tokens(minute));
            }
        }
    }
}

impl State {
    /// Gets to know of rests that other processes have begun.
    #[inline]
    pub fn learn_rests(&mut self, now: SimTime) {
        if let Some(shared) = &self.shared
            && !shared.rests.is_empty()
        {
            self.place.read_rests(now, shared, &mut self.cooldowns);
        }
    }

    /// Gets to know of the requests and tokens of this minute in other processes, as far as
    /// usage-based-routing-v2 does.
    #[inline]
    pub fn learn_minutes(&mut self, now: SimTime, minute: i64, wanted: Option<DeploymentId>) {
        let Some(shared) = self.shared.as_mut().filter(|shared| !shared.minutes.is_empty()) else { return };
        shared.settle_pushes(now);
        shared.forget_minutes(now);
        let (seat, counters) = (self.place.seat, &mut self.minutes);
        shared.learned.retain(|learned| {
            let is_ours = learned.seat == seat;
            if is_ours {
                let own = &mut counters[learned.deployment.index()];
                if own.requests(learned.minute).is_some_and(|count| count < learned.requests) {
                    own.set_requests(learned.minute, Some(learned.requests));
                }
            }
            !is_ours
        });
        // A check before the call looks at the memory only; a pick asks for what is missing.
        if wanted.is_none() {
            self.place.read_minutes(now, minute, shared, counters, &self.candidates);
        }
    }

    /// Changes places with the memory of another process; what both share stays with this one.
    pub fn exchange(&mut self, other: &mut Self, plan: &Plan) {
        use std::mem::swap;
        swap(self, other);
        swap(&mut self.shared, &mut other.shared);
        if plan.proxy.cache.is_some_and(|cache| cache.shared) {
            swap(&mut self.responses, &mut other.responses);
        }
        if plan.redis == Redis::None {
            return;
        }
        swap(&mut self.fail_counters, &mut other.fail_counters);
        swap(&mut self.budgets, &mut other.budgets);
        swap(&mut self.pins, &mut other.pins);
        if let StrategyState::LeastBusy(_) = self.strategy {
            swap(&mut self.strategy, &mut other.strategy);
        }
        if plan.redis == Redis::Proxy {
            swap(&mut self.keys, &mut other.keys);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEPLOYMENTS: usize = 3;

    fn millis(ms: i64) -> SimDuration {
        SimDuration(ms * 1_000_000)
    }

    proptest! {
        /// The slow twin looks at every deployment each time.
        #[test]
        fn rests_that_are_asked_for_when_one_is_due_are_those_of_asking_each_time(
            steps in prop::collection::vec((0i64..900, 0u32..DEPLOYMENTS as u32, 0u8..8, 1i64..5_000), 0..200),
        ) {
            let mut shared = Shared { rests: vec![None; DEPLOYMENTS], ..Shared::default() };
            let (mut fast, mut slow) = (Place::new(0, 1), Place::new(0, 1));
            let (mut known, mut known_to_slow) = (Cooldowns::new(DEPLOYMENTS), Cooldowns::new(DEPLOYMENTS));
            let mut now = SimTime::ZERO;
            for (later, deployment, step, span) in steps {
                now += millis(later);
                let (deployment, span) = (DeploymentId(deployment), millis(span));
                match step {
                    0 => shared.rest(deployment, now, span),
                    1 => {
                        known.add(deployment, now, span);
                        known_to_slow.add(deployment, now, span);
                    }
                    _ => {}
                }
                fast.read_rests(now, &shared, &mut known);
                slow.read_due_rests(now, &shared, &mut known_to_slow);
                prop_assert_eq!(&fast.rests_read, &slow.rests_read);
                prop_assert_eq!(format!("{known:?}"), format!("{known_to_slow:?}"));
            }
        }
    }

    #[test]
    fn while_nothing_rests_deployments_are_looked_at_once_a_second() {
        let shared = Shared { rests: vec![None; DEPLOYMENTS], ..Shared::default() };
        let (mut place, mut known) = (Place::new(0, 1), Cooldowns::new(DEPLOYMENTS));
        let looks = |ms: &i64| {
            let now = SimTime::ZERO + millis(*ms);
            let is_due = now >= place.rests_due;
            place.read_rests(now, &shared, &mut known);
            is_due
        };
        assert_eq!((0..10_000).filter(looks).count(), 10);
    }
}
