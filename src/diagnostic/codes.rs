//! Every code a diagnostic can carry, with what it means: the one place where codes are given out. A code is never used
//! again for something else.

/// A code and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The stable id.
    pub id: &'static str,
    /// What it stands for, in one sentence.
    pub summary: &'static str,
}

/// Gives out codes: a constant for each, and the list of all.
macro_rules! codes {
    ($(#[doc = $summary:literal] $name:ident = $id:literal;)*) => {
        $(#[doc = $summary] pub const $name: &str = $id;)*

        /// All codes, in order.
        pub const ALL: &[Code] = &[$(Code { id: $id, summary: $summary },)*];
    };
}

codes! {
    /// The file is larger than what is read.
    TOO_LARGE = "BC001";
    /// The file is not UTF-8.
    NOT_UTF8 = "BC002";
    /// The text breaks the rules of YAML or JSON.
    SYNTAX = "BC003";
    /// The file holds nothing.
    EMPTY = "BC004";
    /// Nested too deeply, or aliases that stand for too much.
    TOO_DEEP = "BC005";
    /// A key stands twice in one map; the last one counts.
    DUPLICATE_KEY = "BC006";
    /// A key that is not read as text.
    KEY_NOT_TEXT = "BC007";
    /// A file that cannot be read at all.
    UNREADABLE = "BC008";
    /// More findings than are listed.
    AND_MORE = "BC009";
    /// A value of another type than expected.
    WRONG_TYPE = "BC101";
    /// A number that cannot be used: not finite, too large, or with too many digits.
    OUT_OF_RANGE = "BC102";
    /// A value that only the gateway's environment knows.
    FROM_ENVIRONMENT = "BC103";
    /// The gateway drops this deployment when it starts.
    DROPPED_DEPLOYMENT = "BC104";
    /// The gateway does not start with this.
    BREAKS_START = "BC105";
    /// A key that must be there is not.
    MISSING_KEY = "BC106";
    /// No deployments.
    NO_MODELS = "BC107";
    /// The gateway starts with this, and calls fail.
    BREAKS_CALLS = "BC108";
    /// Text where a list of fallbacks belongs: each letter is tried.
    FALLBACK_LETTERS = "BC109";
    /// A key that the gateway does not know.
    UNKNOWN_KEY = "BC201";
    /// A key that does nothing where it stands.
    INERT_KEY = "BC202";
    /// A key that works in the gateway and is not simulated.
    NOT_SIMULATED = "BC203";
    /// A fallback that leads to no deployment.
    FALLBACK_TO_NOTHING = "BC301";
    /// Fallbacks of a group that does not exist.
    FALLBACK_OF_NOTHING = "BC302";
    /// Two lists of fallbacks for the same group.
    FALLBACK_TWICE = "BC303";
    /// A group as its own fallback.
    FALLBACK_TO_ITSELF = "BC304";
    /// Fallbacks that run inside each attempt.
    FALLBACK_IN_PARAMS = "BC305";
    /// `max_fallbacks` is a depth, not a count.
    FALLBACK_DEPTH = "BC306";
    /// Groups whose too long prompts have no fallback.
    CONTEXT_FALLBACK_MISSING = "BC307";
    /// An alias with the name of a group.
    ALIAS_HIDES_GROUP = "BC311";
    /// An alias that leads to no deployment.
    ALIAS_OF_NOTHING = "BC312";
    /// Two deployments with the same id.
    DUPLICATE_ID = "BC313";
    /// A setting that another one overrides.
    OVERRIDDEN = "BC314";
    /// An alias of an alias, or of itself.
    ALIAS_CHAIN = "BC315";
    /// `allowed_fails` in a place or with a value that changes nothing.
    ALLOWED_FAILS = "BC321";
    /// A cooldown of 0 seconds, which means the default.
    COOLDOWN_ZERO = "BC322";
    /// A deployment that gets traffic only when the others are out.
    STANDBY = "BC323";
    /// rpm or tpm that are weights, not limits.
    LIMIT_IS_WEIGHT = "BC324";
    /// A provider's client that calls again by itself.
    CLIENT_CALLS_AGAIN = "BC325";
    /// Streams whose failures the gateway does not hear of.
    UNHEARD_STREAMS = "BC326";
    /// Timeouts that do not reach streams.
    UNTOLD_TIMEOUT = "BC327";
    /// Parameters of a deployment that its provider does not take.
    PARAMS_NOT_TAKEN = "BC328";
    /// A budget without a period, or a period without a budget.
    BUDGET_WITHOUT_PERIOD = "BC331";
    /// A period that cannot be read.
    BUDGET_PERIOD = "BC332";
    /// The budget of the whole proxy, and what it needs.
    GLOBAL_BUDGET = "BC333";
    /// Prices that leave something free.
    FREE_OUTPUT = "BC334";
    /// Parameters of a cache that is off.
    CACHE_OFF = "BC341";
    /// Redis without an address.
    REDIS_ADDRESS = "BC342";
    /// A Python package that must be installed.
    NEEDS_PACKAGE = "BC343";
    /// A threshold in seconds that looks like a share.
    ALERTING_SECONDS = "BC344";
    /// A setting that needs a licence.
    NEEDS_LICENCE = "BC345";
    /// Text that looks like a variable and is not replaced.
    NOT_EXPANDED = "BC346";
    /// A number below zero where it makes no sense, and what the gateway makes of it.
    NEGATIVE = "BC351";
    /// A deployment whose answers the gateway makes up.
    MADE_UP_ANSWERS = "BC352";
    /// Deployments of which there are too many for the router's cache.
    CROWDED_CACHE = "BC353";
    /// A fallback that goes up in price.
    FALLBACK_UPWARD = "BC401";
    /// Retries that multiply along a chain of fallbacks.
    RETRIES_MULTIPLY = "BC402";
    /// No budget that ever stops anything.
    NO_BUDGET = "BC403";
    /// A fallback into the same provider.
    SAME_PROVIDER = "BC404";
    /// A model whose price nobody knows.
    UNPRICED_MODEL = "BC405";
    /// A model that its provider has retired.
    RETIRED_MODEL = "BC406";
    /// A single deployment in its group, so that rate limits never put it to rest.
    LONE_DEPLOYMENT = "BC407";
    /// Requests that repeat word for word, and no response cache.
    NO_CACHE = "BC408";
    /// Retries of the clients and of the gateway, which multiply.
    CLIENT_RETRIES = "BC409";
    /// A gateway that waits longer than its clients.
    PATIENCE = "BC410";
    /// Rate limits that are answered with retries.
    RETRIED_LIMITS = "BC411";
    /// A key that a scenario file does not have.
    SCENARIO_KEY = "BC501";
    /// A value that cannot stand at this place of a scenario file.
    SCENARIO_VALUE = "BC502";
    /// A name in a scenario file that stands for nothing: a model, key, provider or preset.
    SCENARIO_NAME = "BC503";
    /// A change on the command line that does not fit: its path leads nowhere, or its value cannot be read.
    EDIT = "BC504";
    /// A policy of `--fail-if` or `--warn-if` that cannot be read.
    POLICY = "BC505";
    /// Something that a scenario plans for after the end of its run.
    BEYOND_HORIZON = "BC506";

    /// The format of a trace is not known, or its columns are not those of the format.
    TRACE_FORMAT = "BC511";
    /// A row of a trace that cannot be used.
    TRACE_ROW = "BC512";
    /// Rows of a trace that are not played as they stand.
    TRACE_PART = "BC513";

    /// A price file is not JSON or CSV, or not UTF-8, or empty.
    PRICE_SYNTAX = "BC601";
    /// A price or another value of a price file is not what it has to be.
    PRICE_VALUE = "BC602";
    /// A model or row occurs twice in a price file.
    PRICE_TWICE = "BC603";
    /// A column of a price file is missing or unknown.
    PRICE_COLUMN = "BC604";
}

/// What a code stands for.
pub fn summary(id: &str) -> Option<&'static str> {
    ALL.iter().find(|code| code.id == id).map(|code| code.summary.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_given_out_once() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert!(ALL.iter().all(|code| code.summary.ends_with('.')));
        assert_eq!(summary("BC001"), Some("The file is larger than what is read."));
    }
}
