//! What one replication is charged, line by line: by day, deployment, key, cause and kind of token. Costs more than the
//! sums that every run keeps, so only the few runs are played with it whose bills are told in detail.

use std::collections::BTreeMap;

use crate::engine::capacity::{Capacities, Drawer, over_parts};
use crate::engine::observer::{AttemptRecord, Observer, RequestRecord};
use crate::engine::recorder::cause_of;
use crate::gateway::{Attempt, Notes, Response};
use crate::ledger::{Cause, Tariffs, split};
use crate::provider::Service;
use crate::units::{CallId, DeploymentId, KeyId, Money, SimDuration, SimTime, TokenKind, Usage};

const DAY: SimDuration = SimDuration::from_secs(86_400);

/// What charges of one kind on one day have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChargeKey {
    /// Days since the begin of the UTC day in which the run starts.
    pub day: u32,
    /// Which deployment.
    pub deployment: DeploymentId,
    /// Which virtual key.
    pub key: KeyId,
    /// Behind a pattern: the number of the model that was called.
    pub model: Option<u32>,
    /// Why.
    pub cause: Cause,
    /// For what.
    pub kind: TokenKind,
}

/// Their sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ChargeSum {
    /// Tokens; calls where the charge is for a call, seconds of paid capacity.
    pub quantity: u64,
    /// Money.
    pub amount: Money,
}

/// Watches a run and keeps its charges apart.
#[derive(Debug)]
pub struct Charges<'a> {
    tariffs: &'a Tariffs,
    /// Since the begin of the UTC day in which the run starts.
    offset: SimDuration,
    last_day: u32,
    horizon: SimDuration,
    capacities: Capacities<'a>,
    sums: BTreeMap<ChargeKey, ChargeSum>,
}

impl<'a> Charges<'a> {
    /// Keeps the charges of a run that starts `offset` after the begin of its UTC day and lasts for `horizon`.
    pub fn new(tariffs: &'a Tariffs, offset: SimDuration, horizon: SimDuration) -> Self {
        let last = SimDuration((offset.0 + horizon.0 - 1).max(0));
        let capacities = Capacities::new(&tariffs.capacities, tariffs.deployments.len(), horizon);
        Self { tariffs, offset, last_day: day(last), horizon, capacities, sums: BTreeMap::new() }
    }

    /// The charges, in the order of their keys.
    pub fn finish(mut self) -> Vec<(ChargeKey, ChargeSum)> {
        self.add_capacities();
        self.sums.into_iter().collect()
    }

    /// Paid capacity, day by day. Classes are not told apart here.
    fn add_capacities(&mut self) {
        let lengths: Vec<u64> = (0..=self.last_day).map(|day| self.nanos_in(day)).collect();
        let mut shares: Vec<BTreeMap<(DeploymentId, KeyId), ChargeSum>> = Vec::new();
        for share in self.capacities.shares(self.horizon) {
            shares.resize_with(shares.len().max(share.capacity + 1), BTreeMap::new);
            let sum = shares[share.capacity].entry((share.who.deployment, share.who.key)).or_default();
            sum.quantity += share.seconds;
            sum.amount += share.amount;
        }
        for shares in shares {
            self.add_capacity(&shares, &lengths);
        }
    }

    /// One capacity. Each day has its seconds, in whole ones, and each share its own; both have the price of an hour.
    fn add_capacity(&mut self, shares: &BTreeMap<(DeploymentId, KeyId), ChargeSum>, lengths: &[u64]) {
        let mut left: Vec<u64> = shares.values().map(|share| share.quantity).collect();
        let mut days: Vec<Vec<u64>> = vec![Vec::new(); left.len()];
        for seconds in split(left.iter().copied().map(i128::from).sum(), lengths) {
            let parts = split(seconds, &left);
            for ((days, left), part) in days.iter_mut().zip(&mut left).zip(parts) {
                let part = u64::try_from(part).unwrap_or(0).min(*left);
                days.push(part);
                *left -= part;
            }
        }
        for (((deployment, key), share), seconds) in shares.iter().zip(days) {
            let amounts = split(share.amount.picos(), &seconds);
            for ((day, amount), seconds) in (0..).zip(amounts).zip(seconds).filter(|(_, seconds)| *seconds > 0) {
                let (deployment, key) = (*deployment, *key);
                let (cause, kind) = (Cause::Commitment, TokenKind::Capacity);
                let key = ChargeKey { day, deployment, key, model: None, cause, kind };
                let sum = self.sums.entry(key).or_default();
                sum.quantity += seconds;
                sum.amount += Money::from_picos(amount);
            }
        }
    }

    /// How much of a day belongs to the run.
    fn nanos_in(&self, day: u32) -> u64 {
        let begins = DAY.0.saturating_mul(i64::from(day)).max(self.offset.0);
        let ends = DAY.0.saturating_mul(i64::from(day) + 1).min(self.offset.0.saturating_add(self.horizon.0));
        u64::try_from(ends.saturating_sub(begins)).unwrap_or(0)
    }

    /// The day that a moment belongs to; what ends after the horizon belongs to its last day.
    fn day_of(&self, at: SimTime) -> u32 {
        day(self.offset + (at - SimTime::ZERO)).min(self.last_day)
    }
}

fn day(since: SimDuration) -> u32 {
    u32::try_from(since.0 / DAY.0).unwrap_or(u32::MAX)
}

impl Observer for Charges<'_> {
    fn arrived(&mut self, _: CallId, _: &RequestRecord) {}

    fn attempted(&mut self, _: CallId, _: &RequestRecord, _: &Attempt, _: &Service, _: SimTime) {}

    fn ended(&mut self, _: CallId, request: &RequestRecord, attempt: &AttemptRecord<'_>) {
        let deployment = attempt.attempt.deployment;
        let tariff = &self.tariffs.deployments[deployment.index()];
        if attempt.billed == Usage::default() {
            return;
        }
        let day = self.day_of(attempt.at);
        let who = Drawer { deployment, key: request.view.key, class: request.class };
        let tokens = attempt.billed.total();
        // What has no price draws on paid capacity, too.
        let over = self.capacities.draw(who, attempt.at, tokens).unwrap_or(tokens);
        let Some(schedule) = tariff.billed_as(attempt.attempt.name) else { return };
        let model = tariff.model_of(attempt.attempt.name);
        for part in over_parts(schedule.at(attempt.at), attempt.billed, over) {
            let cause = if part.kind == TokenKind::CacheWrite { Cause::CacheWrite } else { cause_of(request, attempt) };
            let key = ChargeKey { day, deployment, key: request.view.key, model, cause, kind: part.kind };
            let sum = self.sums.entry(key).or_default();
            sum.quantity += part.quantity;
            sum.amount += part.amount;
        }
    }

    fn responded(&mut self, _: CallId, _: &RequestRecord, _: &Response, _: SimTime) {}

    fn left_in_flight(&mut self, _: CallId, _: &RequestRecord) {}
}

impl Notes for Charges<'_> {
    fn cooldown(&mut self, _: SimTime, _: DeploymentId, _: SimTime) {}
}
