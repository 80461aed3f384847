//! Service tiers: the same model at another price for another promise of latency.

/// The tier a request is served at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ServiceTier {
    /// What a request without a tier gets.
    #[default]
    Standard,
    /// Cheaper and slower.
    Flex,
    /// Dearer and faster.
    Priority,
    /// Dearer still.
    Ultrafast,
    /// Asynchronous batches. LiteLLM's cost rules for single requests know no such tier.
    Batch,
}

impl ServiceTier {
    /// How many there are.
    pub const COUNT: usize = 5;
    /// All of them, in the order of their index.
    pub const ALL: [Self; Self::COUNT] = [Self::Standard, Self::Flex, Self::Priority, Self::Ultrafast, Self::Batch];

    /// The tier LiteLLM prices a request at whose `service_tier` is this text, in any letter case: `fast` is
    /// priority, and everything it has no prices for (`auto`, `default`, `batch` …) is standard.
    /// Source: LiteLLM 1.102.4, `_SERVICE_TIER_TO_COST_KEY_SUFFIX`.
    pub fn as_litellm_reads(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "flex" => Self::Flex,
            "priority" | "fast" => Self::Priority,
            "ultrafast" => Self::Ultrafast,
            _ => Self::Standard,
        }
    }

    /// The tier named in a price table; empty means standard.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == text).or((text.is_empty()).then_some(Self::Standard))
    }

    /// The tier's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Ultrafast => "ultrafast",
            Self::Batch => "batch",
        }
    }
}
