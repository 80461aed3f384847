//! Rate limits as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::provider::limits::{Counted, Limits, Meter, Refill, TokenCharge};
use crate::provider::providers::ProviderError;
use crate::provider::spec::longest_prefix;
use crate::units::{Count, Seconds, Share, SimDuration};

/// The rate limits of an account for one model, and how they are counted.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSpec {
    /// Requests per minute.
    pub rpm: Option<Count>,
    /// Requests per day.
    pub rpd: Option<Count>,
    /// Tokens per minute, counted as `charge` says.
    pub tpm: Option<Count>,
    /// Input tokens per minute that the prompt cache does not provide.
    pub input_tpm: Option<Count>,
    /// Output tokens per minute.
    pub output_tpm: Option<Count>,
    /// Calls at once.
    pub concurrency: Option<u32>,
    /// Calls beyond `concurrency` wait in line, at most this long; then the connection is closed.
    pub queue: Option<Seconds>,
    /// US dollars that the whole account may spend in any ten minutes.
    pub spend_10min: Option<Count>,
    /// US dollars that the whole account may spend in a calendar month of UTC.
    pub spend_month: Option<Count>,
    /// US dollars of `spend_month` that were spent in the month of the run's start, before it.
    pub spent: Option<Count>,
    /// How `tpm` counts a call.
    pub charge: Option<ChargeSpec>,
    /// Whether limits are refilled at once each minute or continuously.
    pub refill: Option<RefillSpec>,
    /// What a full bucket holds, as a share of the limit.
    pub burst: Option<Share>,
    /// Whether calls that fail count.
    pub failures_count: Option<bool>,
    /// Whether a 429 says when to come back.
    pub retry_after: Option<bool>,
}

/// How tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChargeSpec {
    /// Input plus `max_tokens`.
    InputAndMaxTokens,
    /// The larger of input and `max_tokens`.
    LargerOfInputAndMaxTokens,
    /// Input at the start, output when it is there.
    Used,
}

/// How limits are refilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RefillSpec {
    /// At once, at each full minute.
    Minute,
    /// Continuously.
    Bucket,
}

/// The limits of one tier by model; `default` holds for models that are not named, `account` says what the account may
/// spend.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Tier(BTreeMap<String, LimitSpec>);

impl Tier {
    /// The limits of a model: those of the longest name that the model's name begins with.
    pub fn limits_of(&self, model: &str) -> Option<&LimitSpec> {
        longest_prefix(&self.0, model).or_else(|| self.0.get("default"))
    }

    /// What holds for the account as a whole.
    pub fn of_account(&self) -> Option<&LimitSpec> {
        self.0.get("account")
    }
}

impl LimitSpec {
    /// These fields, and the base's where there are none.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        Self {
            rpm: self.rpm.or(base.rpm),
            rpd: self.rpd.or(base.rpd),
            tpm: self.tpm.or(base.tpm),
            input_tpm: self.input_tpm.or(base.input_tpm),
            output_tpm: self.output_tpm.or(base.output_tpm),
            concurrency: self.concurrency.or(base.concurrency),
            queue: self.queue.or(base.queue),
            spend_10min: self.spend_10min.or(base.spend_10min),
            spend_month: self.spend_month.or(base.spend_month),
            spent: self.spent.or(base.spent),
            charge: self.charge.or(base.charge),
            refill: self.refill.or(base.refill),
            burst: self.burst.or(base.burst),
            failures_count: self.failures_count.or(base.failures_count),
            retry_after: self.retry_after.or(base.retry_after),
        }
    }

    /// The limits to run with.
    ///
    /// # Errors
    /// [`ProviderError::Limit`] when a number is impossible.
    pub fn compile(&self) -> Result<Limits, ProviderError> {
        let charge = match self.charge.unwrap_or(ChargeSpec::Used) {
            ChargeSpec::InputAndMaxTokens => TokenCharge::InputAndLimit,
            ChargeSpec::LargerOfInputAndMaxTokens => TokenCharge::LargerOfInputAndLimit,
            ChargeSpec::Used => TokenCharge::Used,
        };
        let refill = match self.refill.unwrap_or(RefillSpec::Minute) {
            RefillSpec::Minute => Refill::Window { offset: SimDuration::ZERO },
            RefillSpec::Bucket => Refill::Bucket { burst: self.burst.map_or(1.0, |share| share.0) },
        };
        const MINUTE: SimDuration = SimDuration::from_secs(60);
        const DAY: SimDuration = SimDuration::from_secs(86_400);
        let meters = [
            (self.rpm, Counted::Requests, MINUTE),
            (self.rpd, Counted::Requests, DAY),
            (self.tpm, Counted::Tokens(charge), MINUTE),
            (self.input_tpm, Counted::Tokens(TokenCharge::UncachedInput), MINUTE),
            (self.output_tpm, Counted::Tokens(TokenCharge::Output), MINUTE),
        ];
        let written = meters.into_iter().filter_map(|(limit, counted, period)| {
            limit.map(|limit| Meter { counted, limit: limit.0, period, refill })
        });
        let limits = Limits {
            meters: written.collect(),
            concurrency: self.concurrency,
            queue: self.queue.map(|longest| SimDuration::from_secs_f64(longest.0)),
            failures_count: self.failures_count.unwrap_or(false),
            retry_after: self.retry_after.unwrap_or(false),
        };
        limits.check()?;
        Ok(limits)
    }

    /// What the account may spend, all models together; `None` if nothing limits it. The run starts so
    /// many seconds after 1970.
    ///
    /// # Errors
    /// [`ProviderError::Limit`] when a number is impossible.
    pub fn compile_spend(&self, start: i64) -> Result<Option<Limits>, ProviderError> {
        const WHILE: SimDuration = SimDuration::from_secs(600);
        let spent = self.spent.map_or(0.0, |spent| spent.0);
        let meters = [(self.spend_10min, Refill::Rolling), (self.spend_month, Refill::Monthly { spent, start })];
        let dollars = |(limit, refill): (Option<Count>, Refill)| {
            limit.map(|limit| Meter { counted: Counted::Dollars, limit: limit.0, period: WHILE, refill })
        };
        let meters: Vec<Meter> = meters.into_iter().filter_map(dollars).collect();
        if meters.is_empty() {
            return Ok(None);
        }
        let limits = Limits { meters, retry_after: self.retry_after.unwrap_or(false), ..Limits::default() };
        limits.check()?;
        Ok(Some(limits))
    }
}
