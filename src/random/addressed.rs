//! Counter-based draws: a 64-bit mixer over the address. About 3 ns a draw, no state, any order.

use crate::random::Draws;

/// The seed of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

/// Number of the replication (one simulated horizon), from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replication(pub u64);

/// What a draw decides. The numbers are part of the address: never renumber, only append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// Time of an arrival.
    Arrival = 0,
    /// Number of input tokens.
    InputTokens = 1,
    /// Number of output tokens.
    OutputTokens = 2,
    /// Which of several kinds a request is (stream or not, mixture component …).
    Kind = 3,
    /// Which deployment a gateway picks.
    Pick = 4,
    /// Jitter of a back-off.
    Jitter = 5,
    /// Whether and how an upstream attempt fails.
    Failure = 6,
    /// Time to the first token.
    FirstToken = 7,
    /// Time between tokens, or total latency.
    Pace = 8,
    /// Sojourns of a failure process (bursts, incidents).
    Incident = 9,
    /// When a client gives up.
    Patience = 10,
    /// Which earlier prompt is repeated.
    Duplicate = 11,
    /// Volume of a replication.
    Volume = 12,
    /// Prompt-cache hit at the provider.
    PromptCache = 13,
    /// Length of an error answer.
    ErrorLatency = 14,
    /// Which virtual key sends the request.
    Key = 15,
    /// Time between an answer and the next request of the same user.
    Think = 16,
    /// Length of a session.
    Turns = 17,
    /// Which part of the input is shared with other requests.
    Prefix = 18,
    /// Pause of a client before it sends a request again.
    ClientRetry = 19,
    /// Requests that a request brings along.
    Offspring = 20,
    /// Which process of the gateway takes a request.
    Worker = 30,
    /// Time that the gateway itself takes.
    Overhead = 31,
}

/// Odd multipliers that spread the parts of an address over 64 bits (golden ratio and two mixers' constants).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
const UNITS_PER_BIT: f64 = 1.0 / (1u64 << 53) as f64;

/// A bijective 64-bit mixer (the SplitMix64 finaliser with Stafford's 13th constants).
pub const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The address of a thing that has a name (a deployment, a process): draws then stay with the name, whatever its place in
/// a file. FNV-1a, mixed.
pub const fn address_of(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash: u64 = 0xCBF2_9CE4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01B3);
        at += 1;
    }
    mix(hash)
}

/// The base of all draws of one stream (traffic class, deployment, process) in one replication.
pub const fn stream(seed: Seed, replication: Replication, stream: u64) -> u64 {
    let base = mix(seed.0.wrapping_add(SPREAD));
    let base = mix(base ^ replication.0.wrapping_mul(SPREAD).wrapping_add(1));
    mix(base ^ stream.wrapping_mul(SPREAD).wrapping_add(2))
}

/// Addressed draws of one replication, standing at one request.
#[derive(Debug, Clone, Copy)]
pub struct Addressed {
    seed: Seed,
    replication: Replication,
    stream: u64,
    base: u64,
    here: Here,
}

/// The draws of one request: all that its draws depend on, mixed into one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Here(u64);

/// A uniform number in [0, 1) as a multiple of 2⁻⁵³: the bits choose a cell of a table without being converted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit(u64);

impl Unit {
    /// Bits of a unit.
    pub const BITS: u32 = 53;

    /// So many multiples of 2⁻⁵³.
    #[cfg(test)]
    pub(super) const fn of(lattice: u64) -> Self {
        Self(lattice)
    }

    /// How many multiples of 2⁻⁵³.
    #[inline(always)]
    pub const fn lattice(self) -> u64 {
        self.0
    }

    /// The number.
    #[inline(always)]
    pub const fn as_f64(self) -> f64 {
        // 53 bits fit a signed integer, whose conversion is one instruction.
        self.0 as i64 as f64 * UNITS_PER_BIT
    }
}

impl Here {
    /// The draws of a request of a stream (traffic class, deployment, process) in one replication.
    pub const fn of(seed: Seed, replication: Replication, stream_id: u64, request: u64) -> Self {
        Self::within(stream(seed, replication, stream_id), request)
    }

    /// The draws of a request of the stream with this base.
    #[inline(always)]
    const fn within(base: u64, request: u64) -> Self {
        Self(mix(base ^ request.wrapping_mul(SPREAD)))
    }

    /// 64 uniform bits for an address within the request.
    #[inline(always)]
    pub const fn bits(self, purpose: Purpose, deployment: u32, nth: u32) -> u64 {
        let address = ((purpose as u64) << 56) ^ ((deployment as u64) << 24) ^ nth as u64;
        mix(self.0 ^ address.wrapping_mul(SPREAD))
    }

    /// A uniform number in [0, 1) for an address within the request.
    #[inline(always)]
    pub const fn unit(self, purpose: Purpose, deployment: u32, nth: u32) -> Unit {
        Unit(self.bits(purpose, deployment, nth) >> (64 - Unit::BITS))
    }
}

impl Addressed {
    /// Draws for one replication; call [`Addressed::begin_request`] before drawing.
    pub const fn new(seed: Seed, replication: Replication) -> Self {
        let base = stream(seed, replication, 0);
        Self { seed, replication, stream: 0, base, here: Here::within(base, 0) }
    }

    /// The draws that follow belong to this request (`stream` separates traffic classes).
    #[inline(always)]
    pub const fn begin_request(&mut self, stream_id: u64, request: u64) {
        if stream_id != self.stream {
            self.stream = stream_id;
            self.base = stream(self.seed, self.replication, stream_id);
        }
        self.here = Here::within(self.base, request);
    }

    /// 64 uniform bits for an address within the current request.
    pub const fn bits(&self, purpose: Purpose, deployment: u32, nth: u32) -> u64 {
        self.here().bits(purpose, deployment, nth)
    }

    /// A uniform number in [0, 1) for an address within the current request.
    #[inline]
    pub const fn unit_at(&self, purpose: Purpose, deployment: u32, nth: u32) -> f64 {
        self.here().unit(purpose, deployment, nth).as_f64()
    }

    /// The draws of the current request.
    #[inline(always)]
    pub const fn here(&self) -> Here {
        self.here
    }
}

impl Draws for Addressed {
    #[inline(always)]
    fn stand_at(&mut self, here: Here) {
        self.here = here;
    }

    #[inline]
    fn unit(&mut self, purpose: Purpose, nth: u32) -> f64 {
        self.unit_at(purpose, 0, nth)
    }

    #[inline]
    fn below(&mut self, purpose: Purpose, nth: u32, n: u32) -> u32 {
        if n == 1 {
            return 0;
        }
        (((self.bits(purpose, 0, nth) >> 32) * u64::from(n)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_stable() {
        let mut draws = Addressed::new(Seed(7), Replication(3));
        draws.begin_request(1, 42);
        let first = draws.bits(Purpose::Pick, 0, 0);
        draws.begin_request(2, 42);
        draws.begin_request(1, 42);
        assert_eq!(draws.bits(Purpose::Pick, 0, 0), first, "a draw depends on its address only");
        assert_eq!(first, 12_360_870_327_698_730_172, "a changed draw is value-breaking: say so in the changelog");
    }

    #[test]
    fn uniform_draws_fill_the_unit_interval_evenly() {
        // Chi-square over 64 cells, 64,000 draws: the 0.1% point at 63 degrees of freedom is 103.4.
        let mut draws = Addressed::new(Seed(1), Replication(0));
        let mut cells = [0u32; 64];
        for request in 0..64_000 {
            draws.begin_request(0, request);
            cells[(draws.unit(Purpose::Failure, 0) * 64.0) as usize] += 1;
        }
        let chi2: f64 = cells.iter().map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi2 < 103.4, "chi-square {chi2}");
    }
}
