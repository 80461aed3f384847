//! Watches a run and keeps sums: the books, counters by step of time, by deployment and by class.

use crate::engine::billed::Billed;
use crate::engine::capacity::{Capacities, Drawer, over_parts};
use crate::engine::demand::Meter;
use crate::engine::lane::Plain;
use crate::engine::observer::{AttemptRecord, Observer, RequestRecord};
use crate::engine::room::MOST_AHEAD;
use crate::engine::run::{DeploymentTotals, ErrorClass, Run, StepTotals};
use crate::engine::steps::Steps;
use crate::engine::tab::Tabs;
use crate::gateway::{Attempt, AttemptRole, Notes, Response, Source};
use crate::ledger::{Cause, Charge, DeploymentTariff, Ledger, Shape, Tariffs};
use crate::pricing::{CompiledRates, RateSchedule};
use crate::provider::Service;
use crate::stats::Spool;
use crate::units::{
    CallId, DeploymentId, GroupId, Money, NameId, Outcome, SimDuration, SimTime, Stage, TokenKind, Usage, UsageSum,
};

/// Records one run.
pub struct Recorder<'a> {
    tariffs: &'a Tariffs,
    steps: Steps,
    horizon: SimTime,
    desks: Vec<Desk<'a>>,
    capacities: Capacities<'a>,
    /// Ends of calls that are known ahead, at all deployments.
    ahead: usize,
    /// From request to answer of what did not stand on tabs.
    latency: Spool,
    run: Run,
}

/// What is counted at one deployment, together with its prices: one row of memory for a call.
struct Desk<'a> {
    tariff: &'a DeploymentTariff,
    /// It draws on paid capacity.
    is_paid_ahead: bool,
    /// What the provider bills is what the gateway reports.
    same_prices: bool,
    /// Its prices, if they are the same throughout and for all names.
    only_rates: Option<&'a CompiledRates>,
    /// Calls that know only input and output, at prices that do not change: multiplied at the end.
    plain: UsageSum,
    tabs: Tabs<'a>,
    /// From request to answer of what stood on tabs.
    tab_latency: Spool,
    /// From call to answer of the other calls.
    latency: Spool,
    meter: Meter,
    cooling_until: SimTime,
    totals: DeploymentTotals,
}

impl<'a> Desk<'a> {
    /// What a call of this name costs at a moment.
    #[inline(always)]
    fn rates(&self, name: NameId, at: SimTime) -> Option<&'a CompiledRates> {
        self.only_rates.or_else(|| self.tariff.billed_as(name).map(|schedule| schedule.at(at)))
    }
}

impl<'a> Recorder<'a> {
    /// A recorder for a run of length `horizon`, with counters per `step` of time.
    pub fn new(tariffs: &'a Tariffs, shape: Shape, horizon: SimDuration, step: SimDuration, replication: u64) -> Self {
        let steps = Steps::new(horizon, step);
        let capacities = Capacities::new(&tariffs.capacities, shape.deployments, horizon);
        let desk = |(index, tariff): (usize, &'a DeploymentTariff)| Desk {
            tariff,
            is_paid_ahead: capacities.has(DeploymentId::from_index(index)),
            same_prices: tariff.is_reported_as_billed(),
            only_rates: tariff.billed.as_ref().filter(|_| tariff.by_name.is_empty()).and_then(RateSchedule::only),
            plain: UsageSum::default(),
            tabs: Tabs::new(tab_rates(tariff).filter(|_| !capacities.has(DeploymentId::from_index(index))), shape),
            tab_latency: Spool::default(),
            latency: Spool::default(),
            meter: Meter::default(),
            cooling_until: SimTime::ZERO,
            totals: DeploymentTotals::default(),
        };
        Self {
            tariffs,
            horizon: SimTime::ZERO + horizon,
            desks: tariffs.deployments.iter().take(shape.deployments).enumerate().map(desk).collect(),
            capacities,
            ahead: 0,
            latency: Spool::default(),
            run: Run {
                replication,
                ledger: Ledger::new(shape),
                steps: vec![StepTotals::default(); steps.count()],
                spend_by_deployment: vec![Money::ZERO; steps.count() * shape.deployments],
                classes: vec![Default::default(); shape.classes],
                keys: vec![Default::default(); shape.keys],
                why_not: vec![Default::default(); shape.keys],
                ..Run::default()
            },
            steps,
        }
    }

    /// The finished run.
    pub fn finish(mut self) -> Run {
        self.pay_tabs();
        self.steps.close(&mut self.run);
        self.run.latency = std::mem::take(&mut self.latency).finish();
        for mut desk in std::mem::take(&mut self.desks) {
            let on_tabs = desk.tab_latency.finish();
            self.run.latency.merge(&on_tabs);
            desk.totals.latency = desk.latency.finish();
            desk.totals.latency.merge(&on_tabs);
            desk.meter.close(self.horizon, &mut desk.totals.demand);
            if let Some(parts) = desk.only_rates.and_then(|rates| rates.sums(&desk.plain)) {
                desk.totals.billed.add_parts(&parts);
            }
            self.run.deployments.push(desk.totals);
        }
        self.post_capacities();
        self.run
    }

    /// Something is about to happen at `now`, which is never in the past.
    #[inline(always)]
    fn enter(&mut self, now: SimTime) {
        if !self.steps.holds(now) {
            self.turn(now);
        }
    }

    /// A step is over: what stands on tabs belongs to it.
    #[cold]
    fn turn(&mut self, now: SimTime) {
        self.pay_tabs();
        self.steps.turn(now, &mut self.run);
    }

    /// Puts a plain request on the tab of its class and key at its deployment, if it can be billed there and is over
    /// within this step of time; `false` if not.
    #[inline(always)]
    fn put_on_tab(&mut self, plain: &Plain, until: SimTime) -> bool {
        // What others answer than those who were asked has a cause of its own, and a premium.
        if plain.role != AttemptRole::First {
            return false;
        }
        self.enter(plain.started);
        let desk = &mut self.desks[plain.deployment.index()];
        // A plain request is answered by the group that it asks for.
        debug_assert!(self.tariffs.homes[plain.view.model.index()].is_none_or(|home| home == desk.tariff.group));
        let is_short = until <= plain.started || !self.steps.holds(until);
        if is_short || !desk.tabs.take(&plain.usage) || plain.usage.total() == 0 {
            return false;
        }
        let Some(tab) = desk.tabs.of(plain.class, plain.view.key) else { return false };
        tab.add(&plain.usage);
        desk.tab_latency.add(until - plain.started);
        true
    }

    /// More ends may be known ahead at a deployment. Where it becomes too many, nothing is put on tabs any more.
    #[cold]
    fn look_ahead(&mut self, deployment: DeploymentId) {
        self.ahead = self.ahead.saturating_add_signed(self.desks[deployment.index()].meter.more_ahead());
        if self.ahead > MOST_AHEAD {
            self.desks.iter_mut().for_each(|desk| desk.tabs.close());
        }
    }

    fn pay_tabs(&mut self) {
        for (index, desk) in self.desks.iter_mut().enumerate() {
            let (deployment, group) = (DeploymentId::from_index(index), desk.tariff.group);
            desk.tabs.pay(deployment, group, &mut desk.totals, &mut self.run);
        }
    }

    /// The sums so far.
    pub(super) const fn run(&self) -> &Run {
        &self.run
    }

    /// Counts and charges an attempt that has ended.
    #[inline(always)]
    fn book(&mut self, request: &RequestRecord, attempt: &AttemptRecord<'_>) {
        let desk = &mut self.desks[attempt.attempt.deployment.index()];
        match ErrorClass::of(attempt.ended.outcome) {
            Some(class) => desk.totals.errors[class as usize] += 1,
            None => {
                desk.totals.answered(attempt.ended.usage);
                desk.latency.add(attempt.at - attempt.ended.started);
            }
        }
        let is_booked = !attempt.billed.is_nothing() && self.charge(request, attempt);
        if !is_booked && is_logged(request, attempt) {
            let tariff = self.desks[attempt.attempt.deployment.index()].tariff;
            self.run.reported_spend += reported(tariff, attempt.attempt.name, attempt.at, attempt.ended.usage);
        }
    }

    /// Books what paid capacity costs, evenly over the run.
    fn post_capacities(&mut self) {
        let span = self.horizon - SimTime::ZERO;
        for share in self.capacities.shares(span) {
            let Drawer { deployment, key, class } = share.who;
            let group = self.tariffs.deployments[deployment.index()].group;
            let (cause, amount) = (Cause::Commitment, share.amount);
            let (home, premium) = (group, Some(Money::ZERO));
            self.run.ledger.post(&Charge { cause, deployment, key, class, home, group, amount, premium });
            let totals = &mut self.run.deployments[deployment.index()];
            totals.billed.add(TokenKind::Capacity, share.seconds, amount);
            self.steps.spread(amount, deployment, span, &mut self.run);
        }
    }

    /// Books what the provider bills for an attempt, and what the gateway takes it to cost; `false`
    /// if nobody knows a price.
    #[inline(always)]
    fn charge(&mut self, request: &RequestRecord, attempt: &AttemptRecord<'_>) -> bool {
        let deployment = attempt.attempt.deployment;
        let desk = &mut self.desks[deployment.index()];
        let (usage, group) = (attempt.billed, desk.tariff.group);
        if desk.is_paid_ahead {
            return self.charge_over(request, attempt);
        }
        let Some(rates) = desk.rates(attempt.attempt.name, attempt.at) else {
            self.count_unpriced(request, attempt);
            return false;
        };
        let (amount, writing) = match rates.plain_charge(&usage) {
            Some(amount) if desk.only_rates.is_some() => {
                desk.plain.add(&usage);
                (amount, Money::ZERO)
            }
            _ => priced(rates, usage, &mut desk.totals.billed),
        };
        let same_prices = desk.same_prices;
        self.post(request, attempt, group, (amount, writing));
        if is_logged(request, attempt) {
            let is_same = same_prices && attempt.billed == attempt.ended.usage;
            self.run.reported_spend += if is_same {
                amount
            } else {
                let tariff = self.desks[deployment.index()].tariff;
                reported(tariff, attempt.attempt.name, attempt.at, attempt.ended.usage)
            };
        }
        true
    }

    /// Counts a call of which nobody knows what it costs, also with those who cause it.
    #[cold]
    fn count_unpriced(&mut self, request: &RequestRecord, attempt: &AttemptRecord<'_>) {
        let Desk { totals, tariff, .. } = &mut self.desks[attempt.attempt.deployment.index()];
        let answered = Some(attempt.ended.usage).filter(|_| attempt.ended.outcome == Outcome::Ok);
        totals.unpriced(attempt.billed, answered, tariff.model_of(attempt.attempt.name));
        self.run.classes[request.class.index()].unpriced += 1;
        self.run.keys[request.view.key.index()].unpriced += 1;
    }

    /// Posts what an attempt costs, with what of it is for writing to a prompt cache.
    #[inline(always)]
    fn post(
        &mut self,
        request: &RequestRecord,
        attempt: &AttemptRecord<'_>,
        group: GroupId,
        (amount, writing): (Money, Money),
    ) {
        let home = home(self.tariffs, request, group);
        let charge = Charge {
            cause: cause_of(request, attempt),
            deployment: attempt.attempt.deployment,
            key: request.view.key,
            class: request.class,
            home,
            group,
            amount: amount - writing,
            premium: match home != group {
                true => premium(self.tariffs, (home, request.view.model), attempt.billed, attempt.at, amount),
                false => Some(Money::ZERO),
            },
        };
        self.run.ledger.post(&charge);
        if writing != Money::ZERO {
            let premium = charge.premium.map(|_| Money::ZERO);
            self.run.ledger.post(&Charge { cause: Cause::CacheWrite, amount: writing, premium, ..charge });
        }
    }

    /// The same at a deployment with paid capacity: only what does not fit is charged. The
    /// gateway knows nothing of that.
    #[cold]
    fn charge_over(&mut self, request: &RequestRecord, attempt: &AttemptRecord<'_>) -> bool {
        let (deployment, usage) = (attempt.attempt.deployment, attempt.billed);
        let who = Drawer { deployment, key: request.view.key, class: request.class };
        let over = self.capacities.draw(who, attempt.at, usage.total()).unwrap_or(usage.total());
        let desk = &mut self.desks[deployment.index()];
        let (name, tariff) = (attempt.attempt.name, desk.tariff);
        match tariff.billed_as(name).map(|schedule| schedule.at(attempt.at)) {
            Some(rates) => {
                let amounts = desk.totals.billed.add_parts(&over_parts(rates, usage, over));
                self.post(request, attempt, tariff.group, amounts);
            }
            None if over > 0 => {
                self.count_unpriced(request, attempt);
            }
            None => {}
        }
        if is_logged(request, attempt) {
            self.run.reported_spend += reported(tariff, name, attempt.at, attempt.ended.usage);
        }
        true
    }
}

/// The prices of what may stand on a tab: whoever asks for whatever at whatever time pays the same, and the gateway
/// reports the same.
fn tab_rates(tariff: &DeploymentTariff) -> Option<&CompiledRates> {
    let has_one_price = tariff.by_name.is_empty() && tariff.is_reported_as_billed();
    tariff.billed.as_ref().filter(|_| has_one_price).and_then(RateSchedule::only)
}

/// Whether the gateway writes the attempt into its own spend log: failures cost nothing there.
#[inline(always)]
const fn is_logged(request: &RequestRecord, attempt: &AttemptRecord<'_>) -> bool {
    !request.lost && matches!(attempt.ended.outcome, Outcome::Ok | Outcome::Cancelled)
}

/// The group that a request asked for.
#[inline(always)]
fn home(tariffs: &Tariffs, request: &RequestRecord, served: GroupId) -> GroupId {
    tariffs.homes[request.view.model.index()].unwrap_or(served)
}

/// What a fallback costs over what the home group would have charged, if that is known.
#[cold]
fn premium(
    tariffs: &Tariffs,
    (home, name): (GroupId, NameId),
    usage: Usage,
    at: SimTime,
    amount: Money,
) -> Option<Money> {
    tariffs.home_charge(home, name, &usage, at).map(|at_home| amount - at_home)
}

/// What the gateway itself takes an answer to cost.
#[inline(never)]
fn reported(tariff: &DeploymentTariff, name: NameId, at: SimTime, usage: Usage) -> Money {
    tariff.reported_as(name).map_or(Money::ZERO, |rates| rates.at(at).charge(&usage))
}

/// What a usage costs, and how much of that is for writing to a prompt cache; added to the meters. The usage is a copy:
/// while nobody keeps its address, nothing of the attempt has to stand in memory.
#[inline(never)]
fn priced(rates: &CompiledRates, usage: Usage, billed: &mut Billed) -> (Money, Money) {
    billed.add_parts(&rates.all_parts(&usage))
}

/// Why an attempt costs what it costs.
#[inline(always)]
pub(super) fn cause_of(request: &RequestRecord, attempt: &AttemptRecord<'_>) -> Cause {
    match (attempt.ended.outcome, attempt.attempt.role) {
        _ if request.client_gone => Cause::Abandoned,
        (Outcome::Ok, AttemptRole::First) => Cause::FirstAttempt,
        (Outcome::Ok, AttemptRole::Retry) => Cause::Retry,
        (Outcome::Ok, AttemptRole::Fallback) => Cause::Fallback,
        _ => Cause::FailedAttempt,
    }
}

impl Notes for Recorder<'_> {
    fn cooldown(&mut self, at: SimTime, deployment: DeploymentId, until: SimTime) {
        let Desk { totals, cooling_until, .. } = &mut self.desks[deployment.index()];
        // A deployment that rests already is not put to rest again.
        totals.cooldowns += u64::from(at >= *cooling_until);
        let from = at.max(*cooling_until).min(self.horizon);
        let until = until.min(self.horizon).max(from);
        totals.cooling = totals.cooling + (until - from);
        *cooling_until = until;
    }
}

impl Observer for Recorder<'_> {
    const ADDS_UP: bool = true;

    #[inline(always)]
    fn arrived(&mut self, _: CallId, request: &RequestRecord) {
        self.enter(request.arrived);
        self.run.requests += 1;
        self.run.client_retries += u64::from(request.view.id.tried() > 0);
        self.run.classes[request.class.index()].requests += 1;
        self.run.keys[request.view.key.index()].requests += 1;
    }

    #[inline(always)]
    fn attempted(&mut self, _: CallId, request: &RequestRecord, attempt: &Attempt, service: &Service, now: SimTime) {
        let tokens = match service.outcome {
            Outcome::Ok => service.usage.total(),
            _ => u64::from(request.view.prompt_tokens),
        };
        self.enter(now);
        let desk = &mut self.desks[attempt.deployment.index()];
        desk.meter.begin(now, tokens, &mut desk.totals.demand);
        desk.totals.attempts += 1;
        self.run.attempts += 1;
    }

    #[inline(always)]
    fn ended(&mut self, _: CallId, request: &RequestRecord, attempt: &AttemptRecord<'_>) {
        self.enter(attempt.at);
        let desk = &mut self.desks[attempt.attempt.deployment.index()];
        desk.meter.end(attempt.at, &mut desk.totals.demand);
        self.book(request, attempt);
    }

    #[inline(always)]
    fn tab_ahead(&mut self, plain: &Plain, until: SimTime) -> bool {
        if !self.put_on_tab(plain, until) {
            return false;
        }
        let desk = &mut self.desks[plain.deployment.index()];
        let is_more_ahead = desk.meter.begin(plain.started, plain.usage.total(), &mut desk.totals.demand);
        desk.meter.end_at(until);
        if is_more_ahead {
            self.look_ahead(plain.deployment);
        }
        true
    }

    #[inline(always)]
    fn tab(&mut self, plain: &Plain, until: SimTime) -> bool {
        let is_told = self.put_on_tab(plain, until);
        if is_told {
            let desk = &mut self.desks[plain.deployment.index()];
            desk.meter.begin(plain.started, plain.usage.total(), &mut desk.totals.demand);
            self.run.client_retries += u64::from(plain.view.id.tried() > 0);
        }
        is_told
    }

    #[inline(always)]
    fn tab_ended(&mut self, deployment: DeploymentId, now: SimTime) {
        let desk = &mut self.desks[deployment.index()];
        desk.meter.end(now, &mut desk.totals.demand);
    }

    #[inline(always)]
    fn responded(&mut self, _: CallId, request: &RequestRecord, response: &Response, now: SimTime) {
        let fell_back = response.ok
            && response.served_by.is_some_and(|deployment| {
                let group = self.desks[deployment.index()].tariff.group;
                home(self.tariffs, request, group) != group
            });
        if fell_back {
            self.run.fallbacks += 1;
            self.run.steps[self.steps.of(request.arrived)].fallbacks += 1;
        }
        let run = &mut self.run;
        match response.source {
            _ if request.client_gone => run.abandoned += 1,
            Source::ClientLeft => run.abandoned += 1,
            source if response.ok => {
                run.served += 1;
                run.cache_hits += u64::from(source == Source::Cache);
                self.latency.add(now - request.arrived);
            }
            source => {
                run.steps[self.steps.of(request.arrived)].failed += 1;
                run.classes[request.class.index()].failed += 1;
                run.keys[request.view.key.index()].failed += 1;
                let why = source.why_not();
                run.why_not[request.view.key.index()][why] += 1;
                match why.stage() {
                    Stage::Admission => run.rejected += 1,
                    Stage::Lost => run.lost += 1,
                    Stage::Router | Stage::Provider => run.failed += 1,
                }
            }
        }
        run.most_attempts = run.most_attempts.max(request.attempts);
    }

    fn left_in_flight(&mut self, _: CallId, request: &RequestRecord) {
        self.run.most_attempts = self.run.most_attempts.max(request.attempts);
        self.run.in_flight += 1;
    }
}
