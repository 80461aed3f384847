//! Providers as they are written in `models/providers/*.yaml` and under a provider or deployment in a scenario. Every
//! field may be left out: a deployment takes what it lacks from its provider, a provider from its preset.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::provider::billing::{Billed, Billing};
use crate::provider::deployment::{CacheWrites, Deployment, Latency, LaterLatency, PromptCache};
use crate::provider::ending::Ending;
use crate::provider::fault::{BackgroundError, Fault};
use crate::provider::limit_spec::{LimitSpec, Tier};
use crate::provider::limits::Limits;
use crate::provider::providers::{ProviderError, Trouble};
use crate::provider::trouble_spec::{BurstSpec, IncidentSpec, OutageSpec};
use crate::random::{Calendar, Dist, DistSpec, address_of};
use crate::traffic::Source;
use crate::units::{Count, Seconds, Share, SimDuration, SimTime, Tokens};

/// How a provider answers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderModel {
    /// Which provider this is.
    pub about: Option<String>,
    /// How long answers take: the whole answer in one distribution, or first token and pace.
    pub latency: Option<LatencySpec>,
    /// The same for single models; the longest name that the model's name begins with holds.
    pub models: BTreeMap<String, LatencySpec>,
    /// Seconds until an error answer.
    pub error_answer: Option<DistSpec>,
    /// Shares of calls that fail at any time, by HTTP status, `connection`, `hang`, `cut` or `content-policy`.
    pub errors: BTreeMap<FaultSpec, Share>,
    /// Seconds until the error answer, where it differs from `error_answer`.
    pub error_answers: BTreeMap<FaultSpec, DistSpec>,
    /// Bursts of rate-limit errors.
    pub bursts: Option<BurstSpec>,
    /// Incidents: times at which the service is down or slow.
    pub incidents: Option<IncidentSpec>,
    /// Slow periods: like incidents, usually without failures.
    pub slow: Option<IncidentSpec>,
    /// Outages at known times.
    pub outages: Vec<OutageSpec>,
    /// Rate limits of the account.
    pub limits: Option<LimitSpec>,
    /// Rate limits by tier and model; the scenario says which tier the account has.
    pub tiers: BTreeMap<String, Tier>,
    /// What is billed when a call does not end well.
    pub billing: Option<BillingSpec>,
    /// The provider's cache of prompt prefixes.
    pub prompt_cache: Option<PromptCacheSpec>,
    /// Context window: longer input is refused.
    pub context: Option<Count>,
    /// Output tokens in one piece of a stream.
    pub tokens_per_chunk: Option<u32>,
    /// From this long after the start on the API key is refused (401).
    pub unauthorized_from: Option<Seconds>,
    /// From this long after the start on the model is gone (404); `never` where the price table knows a
    /// day and it still answers.
    pub retired_from: Option<Ending>,
    /// From some moment on the provider answers with another model, and bills that one.
    pub redirected: Option<RedirectSpec>,
    /// Where the numbers come from, by field.
    pub sources: BTreeMap<String, Source>,
}

/// A name that leads to another model from some moment on.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedirectSpec {
    /// When, after the start.
    pub at: Seconds,
    /// The model that answers then, as the price table calls it. If `models` has a latency for it, that holds as well.
    pub to: String,
}

/// How long answers take.
#[derive(Debug, Clone, PartialEq)]
pub enum LatencySpec {
    /// Seconds until the whole answer.
    Total(DistSpec),
    /// Parts of the answer.
    Parts(LatencyParts),
}

/// How long the parts of an answer take.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencyParts {
    /// Seconds until output begins.
    pub first_token: DistSpec,
    /// Seconds per output token; 0.01 is 100 tokens a second.
    pub per_token: DistSpec,
}

/// A kind of failure as written: an HTTP status, `connection`, `hang`, `cut` or `content-policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultSpec(pub Fault);

/// What is billed when a call does not end well; what is left out follows the usual rules ([`Billing::default`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct BillingSpec {
    /// A call without a stream that is closed before its answer.
    pub closed_call: Option<Billed>,
    /// A stream that is closed by its reader.
    pub closed_stream: Option<Billed>,
    /// A stream that the provider breaks off.
    pub broken_stream: Option<Billed>,
    /// A call that is never answered.
    pub hung_call: Option<Billed>,
    /// An answer of 4xx.
    pub refused: Option<Billed>,
    /// An answer of 5xx, or a lost connection.
    pub server_error: Option<Billed>,
    /// An answer that the content was refused.
    pub content_policy: Option<Billed>,
}

/// A cache of prompt prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptCacheSpec {
    /// A prefix is forgotten this long after its last use.
    pub ttl: Seconds,
    /// Shorter prefixes are not kept.
    pub least_tokens: u32,
    /// Share of the calls with a warm prefix that find it.
    pub hit: Share,
    /// How writes are billed: free, 5m or 1h.
    pub writes: CacheWrites,
}

fn either<K: Ord, V>(own: BTreeMap<K, V>, base: BTreeMap<K, V>) -> BTreeMap<K, V> {
    if own.is_empty() { base } else { own }
}

impl ProviderModel {
    /// These fields, and the base's where there are none. Lists and tables replace the base's as a whole; `models`,
    /// `tiers` and `sources` are joined, but an own `latency` hides the base's `models`.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        let base_models = if self.latency.is_some() { BTreeMap::new() } else { base.models };
        let joined_models = base_models.into_iter().chain(self.models).collect();
        let joined_tiers = base.tiers.into_iter().chain(self.tiers).collect();
        let joined_sources = base.sources.into_iter().chain(self.sources).collect();
        Self {
            about: self.about.or(base.about),
            latency: self.latency.or(base.latency),
            models: joined_models,
            error_answer: self.error_answer.or(base.error_answer),
            errors: either(self.errors, base.errors),
            error_answers: either(self.error_answers, base.error_answers),
            bursts: self.bursts.or(base.bursts),
            incidents: self.incidents.or(base.incidents),
            slow: self.slow.or(base.slow),
            outages: if self.outages.is_empty() { base.outages } else { self.outages },
            limits: self.limits.or(base.limits),
            tiers: joined_tiers,
            billing: self.billing.or(base.billing),
            prompt_cache: self.prompt_cache.or(base.prompt_cache),
            context: self.context.or(base.context),
            tokens_per_chunk: self.tokens_per_chunk.or(base.tokens_per_chunk),
            unauthorized_from: self.unauthorized_from.or(base.unauthorized_from),
            retired_from: self.retired_from.or(base.retired_from),
            redirected: self.redirected.or(base.redirected),
            sources: joined_sources,
        }
    }

    /// The troubles that these fields describe, each with its name (`bursts`, `incidents`, `slow`, `outages`). `owner`
    /// names who has them (a provider, or one deployment): their windows are drawn by that name, so deployments that
    /// share an owner share its fate.
    ///
    /// # Errors
    /// [`ProviderError`] naming what is impossible.
    pub fn troubles(&self, owner: &str, calendar: &Calendar) -> Result<Vec<(&'static str, Trouble)>, ProviderError> {
        let address = |name: &str| address_of(&format!("{owner}/{name}"));
        let mut troubles = Vec::new();
        if let Some(spec) = &self.bursts {
            troubles.push(("bursts", spec.compile(address("bursts"))?));
        }
        if let Some(spec) = &self.incidents {
            troubles.push(("incidents", spec.compile(address("incidents"), calendar)?));
        }
        if let Some(spec) = &self.slow {
            troubles.push(("slow", spec.compile(address("slow"), calendar)?));
        }
        for (index, spec) in self.outages.iter().enumerate() {
            troubles.push(("outages", spec.compile(address(&format!("outages/{index}")))?));
        }
        Ok(troubles)
    }

    /// The account's rate limits for a model: those written in `limits`, else those of the tier.
    ///
    /// # Errors
    /// [`ProviderError`] when a limit is impossible or the tier is unknown.
    pub fn limits_for(&self, tier: Option<&str>, model: &str) -> Result<Option<Limits>, ProviderError> {
        let Some(name) = tier else { return self.limits.as_ref().map(LimitSpec::compile).transpose() };
        let of_tier = self.tiers.get(name).ok_or_else(|| {
            let known = self.tiers.keys().cloned().collect::<Vec<_>>().join(", ");
            ProviderError::UnknownTier(name.to_owned(), known)
        })?;
        let rules = of_tier.limits_of(model).cloned().map(|limits| match &self.limits {
            Some(own) => own.clone().over(limits),
            None => limits,
        });
        rules.as_ref().or(self.limits.as_ref()).map(LimitSpec::compile).transpose()
    }

    /// What the account may spend: what `limits` says, else the tier. The run starts so many seconds after 1970.
    ///
    /// # Errors
    /// [`ProviderError`] when a limit is impossible.
    pub fn spend_for(&self, tier: Option<&str>, start: i64) -> Result<Option<Limits>, ProviderError> {
        let of_tier = tier.and_then(|name| self.tiers.get(name)).and_then(Tier::of_account).cloned();
        let own = self.limits.clone().unwrap_or_default();
        own.over(of_tier.unwrap_or_default()).compile_spend(start)
    }

    /// The deployment that these fields describe, for a provider's model. `name` is what its draws are addressed by;
    /// `troubles` and `limits` are indices into the world's lists.
    ///
    /// # Errors
    /// [`ProviderError`] naming what is missing or impossible.
    pub fn deployment(
        &self,
        name: &str,
        model: &str,
        troubles: Vec<usize>,
        limits: Option<usize>,
    ) -> Result<Deployment, ProviderError> {
        let latency = self.latency_for(model).ok_or(ProviderError::Missing("latency"))?.compile()?;
        let later = self.redirected.as_ref().map(|redirect| self.later(redirect)).transpose()?.flatten();
        let error_s = match &self.error_answer {
            Some(spec) => spec.compile()?,
            None => Dist::constant(DEFAULT_ERROR_S)?,
        };
        let at = |after: Option<Seconds>| after.map_or(SimTime::NEVER, |s| SimTime::from_secs_f64(s.0));
        Ok(Deployment {
            errors: self.background_errors()?,
            troubles,
            limits,
            billing: self.billing.unwrap_or_default().compile(),
            prompt_cache: self.prompt_cache.map(PromptCacheSpec::compile),
            context_tokens: self.context.map(|count| count.0 as Tokens),
            tokens_per_chunk: self.tokens_per_chunk.unwrap_or(1),
            later,
            unauthorized_from: at(self.unauthorized_from),
            retired_from: self.retired_from.map_or(SimTime::NEVER, Ending::moment),
            ..Deployment::new(address_of(name) as u32, latency, error_s)
        })
    }

    /// The latency of the model that answers after a redirection, where the provider's model names it.
    fn later(&self, redirect: &RedirectSpec) -> Result<Option<Box<LaterLatency>>, ProviderError> {
        let Some(spec) = longest_prefix(&self.models, &redirect.to) else { return Ok(None) };
        let from = SimTime::from_secs_f64(redirect.at.0);
        Ok(Some(Box::new(LaterLatency { from, latency: spec.compile()? })))
    }

    /// The latency of a model: that of the longest name in `models` with which the model's name begins, else the common
    /// one. A provider prefix (`openai/`) does not count.
    pub fn latency_for(&self, model: &str) -> Option<&LatencySpec> {
        longest_prefix(&self.models, model).or(self.latency.as_ref())
    }

    fn background_errors(&self) -> Result<Vec<BackgroundError>, ProviderError> {
        let error = |(fault, share): (&FaultSpec, &Share)| {
            let after_s = self.error_answers.get(fault).map(DistSpec::compile).transpose()?;
            Ok(BackgroundError { fault: fault.0, share: share.0, after_s })
        };
        self.errors.iter().map(error).collect()
    }
}

/// Seconds until an error answer where nothing is said: a quick refusal.
const DEFAULT_ERROR_S: f64 = 0.3;

/// The entry with the longest name that `model` begins with, after its provider prefix.
pub(super) fn longest_prefix<'a, V>(table: &'a BTreeMap<String, V>, model: &str) -> Option<&'a V> {
    let bare = model.rsplit('/').next().unwrap_or(model);
    let fits = table.iter().filter(|(name, _)| bare.starts_with(name.as_str()));
    fits.max_by_key(|(name, _)| name.len()).map(|(_, value)| value)
}

impl LatencySpec {
    fn compile(&self) -> Result<Latency, ProviderError> {
        /// Part of a total latency until a stream begins, where only totals are known: assumed.
        const FIRST_TOKEN_SHARE: f64 = 0.3;
        Ok(match self {
            Self::Total(spec) => Latency::Total { total_s: spec.compile()?, first_token_share: FIRST_TOKEN_SHARE },
            Self::Parts(parts) => {
                Latency::Paced { first_token_s: parts.first_token.compile()?, per_token_s: parts.per_token.compile()? }
            }
        })
    }
}

impl BillingSpec {
    fn compile(self) -> Billing {
        let usual = Billing::default();
        Billing {
            closed_call: self.closed_call.unwrap_or(usual.closed_call),
            closed_stream: self.closed_stream.unwrap_or(usual.closed_stream),
            broken_stream: self.broken_stream.unwrap_or(usual.broken_stream),
            hung_call: self.hung_call.unwrap_or(usual.hung_call),
            refused: self.refused.unwrap_or(usual.refused),
            server_error: self.server_error.unwrap_or(usual.server_error),
            content_policy: self.content_policy.unwrap_or(usual.content_policy),
        }
    }
}

impl PromptCacheSpec {
    fn compile(self) -> PromptCache {
        let ttl = SimDuration::from_secs_f64(self.ttl.0);
        PromptCache { ttl, least_tokens: self.least_tokens, hit_share: self.hit.0, writes: self.writes }
    }
}

impl std::str::FromStr for FaultSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(match text {
            "connection" => Fault::Connection,
            "hang" => Fault::Hang,
            "cut" => Fault::Cut,
            "content-policy" => Fault::ContentPolicy,
            _ => match text.parse() {
                Ok(status @ 400..=599) => Fault::Status(status),
                _ => return Err(format!("`{text}` is not a failure; expected {FAULTS}")),
            },
        }))
    }
}

const FAULTS: &str = "an HTTP status from 400 to 599, connection, hang, cut or content-policy";

impl<'de> Deserialize<'de> for FaultSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl serde::de::Visitor<'_> for Reader {
            type Value = FaultSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(FAULTS)
            }

            fn visit_u64<E: serde::de::Error>(self, status: u64) -> Result<FaultSpec, E> {
                self.visit_str(&status.to_string())
            }

            fn visit_i64<E: serde::de::Error>(self, status: i64) -> Result<FaultSpec, E> {
                self.visit_str(&status.to_string())
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FaultSpec, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for FaultSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Failure".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["integer", "string"], "description": FAULTS })
    }
}

impl<'de> Deserialize<'de> for LatencySpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> serde::de::Visitor<'de> for Reader {
            type Value = LatencySpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a distribution of seconds, or first_token and per_token")
            }

            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<LatencySpec, E> {
                DistSpec::deserialize(serde::de::value::F64Deserializer::new(seconds)).map(LatencySpec::Total)
            }

            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<LatencySpec, E> {
                self.visit_f64(seconds as f64)
            }

            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<LatencySpec, E> {
                self.visit_f64(seconds as f64)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<LatencySpec, E> {
                DistSpec::deserialize(serde::de::value::StrDeserializer::new(text)).map(LatencySpec::Total)
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<LatencySpec, A::Error> {
                let fields = serde::de::value::MapAccessDeserializer::new(map);
                LatencyParts::deserialize(fields).map(LatencySpec::Parts)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for LatencySpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Latency".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (total, parts) = (generator.subschema_for::<DistSpec>(), generator.subschema_for::<LatencyParts>());
        schemars::json_schema!({ "oneOf": [total, parts] })
    }
}

#[cfg(test)]
mod tests;
