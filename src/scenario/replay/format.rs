//! The formats of recorded traffic, told apart by the names of their columns (CSV) or keys (JSON lines).

use crate::scenario::replay::moment::Unit;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// When the request came.
    Time,
    /// Input tokens.
    Input,
    /// Output tokens.
    Output,
    /// Of those: reasoning.
    Reasoning,
    /// Input tokens from the provider's prompt cache.
    Cached,
    /// The model name that the client sent.
    Model,
    /// The virtual key.
    Key,
    /// Something that is equal for equal prompts.
    Prompt,
    /// Hashes of the prompt's blocks, from its beginning.
    Blocks,
    /// LiteLLM's `metadata`: JSON with the alias of the key, the model asked for, and the usage in detail.
    Metadata,
}

impl Role {
    /// Number of roles.
    pub const COUNT: usize = 10;
}

/// A format of recorded traffic.
#[derive(Debug, PartialEq, Eq)]
pub struct Format {
    /// Its name in `replay: { format: … }`.
    pub name: &'static str,
    /// Whose format it is.
    pub about: &'static str,
    /// What a bare number in the column of times counts.
    pub unit: Unit,
    /// Names without which it is another format, as [`plain`] makes them.
    needs: &'static [&'static str],
    /// What the columns hold.
    columns: &'static [(&'static str, Role)],
}

/// All formats; the first that a file has the columns of is its format.
pub const ALL: [Format; 6] = [
    Format {
        name: "litellm",
        about: "LiteLLM spend logs (`LiteLLM_SpendLogs`, `/spend/logs`)",
        unit: Unit::Seconds,
        needs: &["starttime", "prompttokens", "completiontokens"],
        columns: &[
            ("starttime", Role::Time),
            ("prompttokens", Role::Input),
            ("completiontokens", Role::Output),
            ("modelgroup", Role::Model),
            ("cachekey", Role::Prompt),
            ("metadata", Role::Metadata),
        ],
    },
    Format {
        name: "azure",
        about: "Azure LLM inference traces 2023 and 2024",
        unit: Unit::Seconds,
        needs: &["timestamp", "contexttokens", "generatedtokens"],
        columns: &[("timestamp", Role::Time), ("contexttokens", Role::Input), ("generatedtokens", Role::Output)],
    },
    Format {
        name: "burstgpt",
        about: "BurstGPT, all versions",
        unit: Unit::Seconds,
        needs: &["timestamp", "requesttokens", "responsetokens"],
        columns: &[
            ("timestamp", Role::Time),
            ("requesttokens", Role::Input),
            ("responsetokens", Role::Output),
            ("model", Role::Model),
        ],
    },
    Format {
        name: "ragpulse",
        about: "RAGPulse",
        unit: Unit::Seconds,
        needs: &["timestamp", "inputlength", "outputlength", "sessionid"],
        columns: &[("timestamp", Role::Time), ("inputlength", Role::Input), ("outputlength", Role::Output)],
    },
    Format {
        name: "mooncake",
        about: "Mooncake traces",
        unit: Unit::Millis,
        needs: &["timestamp", "inputlength", "outputlength"],
        columns: &[
            ("timestamp", Role::Time),
            ("inputlength", Role::Input),
            ("outputlength", Role::Output),
            ("hashids", Role::Blocks),
        ],
    },
    Format {
        name: "plain",
        about: "any table with `time`, `input` and `output`; perhaps `model`, `key`, `prompt`, `reasoning`, `cached`",
        unit: Unit::Seconds,
        needs: &["time", "input", "output"],
        columns: &[
            ("time", Role::Time),
            ("input", Role::Input),
            ("output", Role::Output),
            ("model", Role::Model),
            ("key", Role::Key),
            ("prompt", Role::Prompt),
            ("reasoning", Role::Reasoning),
            ("cached", Role::Cached),
        ],
    },
];

impl Format {
    /// The format of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|format| format.name == name)
    }

    /// The format of a file with these columns.
    pub fn of_columns(names: &[String]) -> Option<&'static Self> {
        let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
        ALL.iter().find(|format| format.needs.iter().all(|needed| names.iter().any(|name| name == needed)))
    }

    /// What a column of this name holds.
    pub fn role(&self, name: &[u8]) -> Option<Role> {
        let is = |known: &str| {
            let letters = name.iter().filter(|c| c.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase);
            letters.eq(known.bytes())
        };
        self.columns.iter().find(|(known, _)| is(known)).map(|(_, role)| *role)
    }

    /// The columns that a file of this format must have and these names lack.
    pub fn missing(&self, names: &[String]) -> Vec<&'static str> {
        let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
        self.needs.iter().copied().filter(|needed| !names.iter().any(|name| name == needed)).collect()
    }
}

/// A name in lower case, letters and digits only: `Request tokens`, `request_tokens` and `requestTokens` are one.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart_by_their_columns() {
        let of = |header: &str| {
            let names: Vec<String> = header.split(',').map(str::to_owned).collect();
            Format::of_columns(&names).map(|format| format.name)
        };
        assert_eq!(of("TIMESTAMP,ContextTokens,GeneratedTokens"), Some("azure"));
        let v1 = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type";
        let v3 = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type";
        assert_eq!((of(v1), of(v3)), (Some("burstgpt"), Some("burstgpt")));
        assert_eq!(of("timestamp,input_length,output_length,hash_ids"), Some("mooncake"));
        assert_eq!(of("timestamp,input_length,output_length,session_id"), Some("ragpulse"));
        assert_eq!(of("request_id,spend,prompt_tokens,completion_tokens,startTime,model_group"), Some("litellm"));
        assert_eq!(of("time,input,output"), Some("plain"));
        assert_eq!(of("hour,requests"), None);
    }
}
