//! What one answered call consumed.

/// A number of tokens.
pub type Tokens = u32;

/// Token usage of one upstream call, as OpenAI-compatible providers report it: `input` includes cached and
/// cache-writing tokens, `output` includes reasoning tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Usage {
    /// All input tokens.
    pub input: Tokens,
    /// Input tokens read from the provider's prompt cache.
    pub cached: Tokens,
    /// Input tokens written to the provider's prompt cache for 5 minutes.
    pub cache_write: Tokens,
    /// Input tokens written to the provider's prompt cache for 1 hour.
    pub cache_write_1h: Tokens,
    /// All output tokens.
    pub output: Tokens,
    /// Output tokens spent on reasoning.
    pub reasoning: Tokens,
}

impl Usage {
    /// Plain usage without caching or reasoning.
    pub const fn plain(input: Tokens, output: Tokens) -> Self {
        Self { input, cached: 0, cache_write: 0, cache_write_1h: 0, output, reasoning: 0 }
    }

    /// Whether there is nothing but input and output.
    pub const fn is_plain(&self) -> bool {
        (self.cached | self.cache_write | self.cache_write_1h | self.reasoning) == 0
    }

    /// Whether nothing was used at all.
    pub const fn is_nothing(&self) -> bool {
        // One question, not two: half of the calls are not plain, and which cannot be foreseen.
        let Self { input, cached, cache_write, cache_write_1h, output, reasoning } = *self;
        (input | cached | cache_write | cache_write_1h | output | reasoning) == 0
    }

    /// Whether its kinds are no more than the whole.
    pub const fn is_whole(&self) -> bool {
        let apart = self.cached as u64 + self.cache_write as u64 + self.cache_write_1h as u64;
        (apart <= self.input as u64) & (self.reasoning <= self.output)
    }

    /// Input and output together, as rate limiters count.
    pub const fn total(&self) -> u64 {
        self.input as u64 + self.output as u64
    }
}

/// What several calls consumed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageSum {
    /// How many calls.
    pub calls: u64,
    /// All input tokens.
    pub input: u64,
    /// Input tokens read from prompt caches.
    pub cached: u64,
    /// Input tokens written to prompt caches for 5 minutes.
    pub cache_write: u64,
    /// Input tokens written to prompt caches for 1 hour.
    pub cache_write_1h: u64,
    /// All output tokens.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

impl UsageSum {
    /// Adds a call.
    #[inline(always)]
    pub fn add(&mut self, usage: &Usage) {
        self.calls += 1;
        self.input += u64::from(usage.input);
        self.cached += u64::from(usage.cached);
        self.cache_write += u64::from(usage.cache_write);
        self.cache_write_1h += u64::from(usage.cache_write_1h);
        self.output += u64::from(usage.output);
        self.reasoning += u64::from(usage.reasoning);
    }
}

/// What a charge is for: the meters that providers bill by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// Plain input tokens.
    Input,
    /// Input tokens read from the provider's prompt cache.
    CacheRead,
    /// Input tokens written to the provider's prompt cache.
    CacheWrite,
    /// Output tokens without reasoning.
    Output,
    /// Output tokens spent on reasoning, where they have a price of their own.
    Reasoning,
    /// The call itself.
    Call,
    /// Minutes of paid capacity, used or idle.
    Capacity,
}

impl TokenKind {
    /// All kinds, in the order of reports.
    pub const ALL: [Self; 7] =
        [Self::Input, Self::CacheRead, Self::CacheWrite, Self::Output, Self::Reasoning, Self::Call, Self::Capacity];

    /// The name in files: `input`, `cache_read` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CacheRead => "cache_read",
            Self::CacheWrite => "cache_write",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
            Self::Call => "call",
            Self::Capacity => "capacity",
        }
    }
}
