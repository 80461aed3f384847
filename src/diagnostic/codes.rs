//! Every code a diagnostic can carry, with what it means: the one place where codes are given out.

/// The file is larger than what is read.
pub const TOO_LARGE: &str = "BC001";
/// The file is not UTF-8.
pub const NOT_UTF8: &str = "BC002";
/// The text breaks the rules of YAML or JSON.
pub const SYNTAX: &str = "BC003";
/// The file holds nothing.
pub const EMPTY: &str = "BC004";
/// Nested too deeply, or aliases that stand for too much.
pub const TOO_DEEP: &str = "BC005";
/// A key stands twice in one map; the last one counts.
pub const DUPLICATE_KEY: &str = "BC006";
/// A key that is not read as text.
pub const KEY_NOT_TEXT: &str = "BC007";
/// A file that cannot be read at all.
pub const UNREADABLE: &str = "BC008";
/// A key that a scenario file does not have.
pub const UNKNOWN_KEY: &str = "BC501";
/// A value that cannot stand at this place of a scenario file.
pub const BAD_VALUE: &str = "BC502";
/// A name that stands for nothing: a model, key, provider, preset or scenario.
pub const UNKNOWN_NAME: &str = "BC503";
/// A value of another type than expected.
pub const WRONG_TYPE: &str = "BC101";
/// A number that cannot be used: not finite, too large, or with too many digits.
pub const OUT_OF_RANGE: &str = "BC102";
/// A value that only the gateway's environment knows.
pub const FROM_ENVIRONMENT: &str = "BC103";
/// The gateway drops this deployment when it starts.
pub const DROPPED_DEPLOYMENT: &str = "BC104";
/// The gateway does not start with this.
pub const BREAKS_START: &str = "BC105";
/// A key that must be there is not.
pub const MISSING_KEY: &str = "BC106";
/// No deployments.
pub const NO_MODELS: &str = "BC107";
/// The gateway starts with this, and calls fail.
pub const BREAKS_CALLS: &str = "BC108";
/// Text where a list of fallbacks belongs: each letter is tried.
pub const FALLBACK_LETTERS: &str = "BC109";
