//! Calls at the gates of their deployment: the limits of its model, then those of its account.

use crate::provider::attempt::Attempt;
use crate::provider::deployment::Deployment;
use crate::provider::fault::whole_seconds_up;
use crate::provider::gate::{Gate, Refused};
use crate::provider::limits::{CallDemand, Charges};
use crate::provider::service::{Service, UpstreamCall};
use crate::provider::world::State;
use crate::units::{Outcome, RetryAfter, SimDuration, SimTime, Usage};

impl State {
    /// The limits of the model, then those of the account: how long the call waits in line, or which of them refuses
    /// it. What the refusal is made of is asked for only then: nothing of the call stands in memory before.
    #[inline(always)]
    pub(super) fn enter_gates(
        &mut self,
        now: SimTime,
        deployment: &Deployment,
        charges: &Charges,
    ) -> Result<SimDuration, (usize, Refused)> {
        let mut line = SimDuration::ZERO;
        if let Some(limits) = deployment.limits {
            line = self.gates[limits].admit(now, charges).map_err(|refused| (limits, refused))?;
        }
        if let Some(account) = deployment.account {
            match self.gates[account].admit(now, charges) {
                Ok(longer) => line = line.max(longer),
                Err(refused) => {
                    // What the limits before this have let in is out again.
                    if let Some(limits) = deployment.limits {
                        self.gates[limits].withdraw();
                    }
                    return Err((account, refused));
                }
            }
        }
        Ok(line)
    }

    /// The answer to a call that a gate has refused.
    #[cold]
    #[inline(never)]
    pub(super) fn refusal(&mut self, at: Attempt<'_>, (gate, refused): (usize, Refused)) -> Service {
        // What is said of an account's limits is not said of a model's.
        self.hit = (Some(gate) == at.deployment.limits).then_some(refused.by);
        refusal(&self.gates[gate], at, refused)
    }

    /// A call has been let in that will end then.
    #[inline]
    pub(super) fn will_end(&mut self, deployment: &Deployment, end: SimTime) {
        if self.has_lines {
            self.stand_in_lines(deployment, end);
        }
    }

    #[cold]
    fn stand_in_lines(&mut self, deployment: &Deployment, end: SimTime) {
        for gate in deployment.gates() {
            self.gates[gate].will_end(end);
        }
    }

    /// A call is over that began then and was to end then; it is charged at the prices of its beginning.
    pub(super) fn leave_gates(
        &mut self,
        deployment: &Deployment,
        now: SimTime,
        (began, planned): (SimTime, SimTime),
        billed: Usage,
    ) {
        let dollars = if deployment.account.is_some() { deployment.cost.of(began, &billed) } else { 0.0 };
        let output = f64::from(billed.output);
        for gate in deployment.gates() {
            self.gates[gate].leave(now, planned, output, dollars);
        }
    }
}

/// The answer to a call that a gate does not let in: 429, or a connection that is closed after a long wait.
fn refusal(gate: &Gate, at: Attempt<'_>, refused: Refused) -> Service {
    if let Some(line) = refused.after_line {
        return at.refused(Outcome::ConnectionError, RetryAfter::None).after(line);
    }
    let is_known = gate.says_when() && refused.wait < SimDuration::FOREVER;
    let wait = RetryAfter::Seconds(whole_seconds_up(refused.wait).max(1));
    at.refused(Outcome::Status(429), if is_known { wait } else { RetryAfter::None })
}

/// What a call is charged at the gates.
#[inline(always)]
pub(super) fn charges(call: &UpstreamCall, usage: &Usage) -> Charges {
    let demand = CallDemand {
        uncached_input: f64::from(usage.input - usage.cached),
        input: f64::from(usage.input),
        max_tokens: call.max_tokens.map_or(0.0, f64::from),
    };
    demand.charges()
}
