//! Counter-based draws: what a request is goes through a 64-bit mixer once, and each of its draws through half of
//! one, with the draw's address in it. No state, any order.

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
    /// Pause of a provider's client before it calls again by itself.
    ClientPause = 32,
}

/// Spreads the parts of an address over 64 bits (odd, from the golden ratio).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
/// Stafford's 13th constants.
const MULTIPLIERS: [u64; 2] = [0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB];
const UNITS_PER_BIT: f64 = 1.0 / (1u64 << 53) as f64;

/// A bijective 64-bit mixer (the SplitMix64 finaliser).
pub const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(MULTIPLIERS[0]);
    x = (x ^ (x >> 27)).wrapping_mul(MULTIPLIERS[1]);
    x ^ (x >> 31)
}

/// [`mix`] without its first and last step, for a number that is mixed already in which an address has been put: the
/// upper 53 bits of draws at any two addresses, and of those that follow each other at one, are as independent as can
/// be told (see the tests), for half the instructions. The lowest bits are not, and nobody reads them.
const fn stir(x: u64) -> u64 {
    let x = x.wrapping_mul(MULTIPLIERS[0]);
    (x ^ (x >> 32)).wrapping_mul(MULTIPLIERS[1])
}

/// The address of a thing that has a name (a deployment, a process): draws then stay with the name, whatever its place
/// in a file. FNV-1a, mixed.
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
        let what = (purpose as u64 | (nth as u64) << 8).wrapping_mul(SPREAD);
        stir(self.0 ^ what ^ deployment as u64)
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
        assert_eq!(first, 7_425_950_154_178_532_075, "a changed draw is value-breaking: say so in the changelog");
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

    const CELLS: usize = 16;

    /// Fisher's score of pairs of cells against independence: normal, beyond 5 in one of 3.5 million.
    fn score_of_pairs(pairs: impl Iterator<Item = (u8, u8)>) -> f64 {
        let (mut counts, mut all) = ([0u32; CELLS * CELLS], 0.0);
        for (one, other) in pairs {
            counts[usize::from(one) * CELLS + usize::from(other)] += 1;
            all += 1.0;
        }
        let expected = all / counts.len() as f64;
        let chi2: f64 = counts.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
        (2.0 * chi2).sqrt() - (2.0 * counts.len() as f64 - 3.0).sqrt()
    }

    /// The cell of a draw by its highest bits, or by those behind the first twenty.
    const fn cell(bits: u64, skipped: u32) -> u8 {
        (bits << skipped >> 60) as u8
    }

    #[test]
    fn draws_at_any_two_addresses_are_independent() {
        use Purpose::{Arrival, Duplicate, Failure, InputTokens, Key, Kind, Offspring, OutputTokens, Pace, Patience};
        let firsts =
            [Arrival, InputTokens, OutputTokens, Kind, Key, Patience, Offspring].map(|purpose| (purpose, 0, 0));
        let following = (0..8).flat_map(|nth| [(Duplicate, 0, nth), (Pace, 0, nth << 20)]);
        let deployments = (1..8).map(|k| mix(k) as u32).chain(1..8);
        let attempts = deployments.flat_map(|d| [(Failure, d, 0), (Pace, d, 0), (Pace, d, 1)]);
        let addresses: Vec<(Purpose, u32, u32)> = firsts.into_iter().chain(following).chain(attempts).collect();
        // 2,080 pairs twice.
        for skipped in [0, 20] {
            let cells = addresses.iter().map(|&(purpose, deployment, nth)| {
                let of = |request| Here::of(Seed(5), Replication(2), 1, request).bits(purpose, deployment, nth);
                (0..1 << 14).map(|request| cell(of(request), skipped)).collect()
            });
            let cells: Vec<Vec<u8>> = cells.collect();
            for (first, one) in cells.iter().enumerate() {
                for (second, other) in cells.iter().enumerate().skip(first + 1) {
                    let score = score_of_pairs(one.iter().copied().zip(other.iter().copied()));
                    assert!(score.abs() < 5.0, "{:?} and {:?}: {score}", addresses[first], addresses[second]);
                }
            }
        }
    }

    /// Processes of failures draw one gap after the other at one place.
    #[test]
    fn draws_that_follow_each_other_at_one_place_are_independent() {
        for place in 0..50 {
            let here = Here::of(Seed(5), Replication(place), 1, u64::MAX);
            for skipped in [0, 20] {
                let of = |nth| cell(here.bits(Purpose::Incident, 0, nth), skipped);
                for lag in 1..=4 {
                    let score = score_of_pairs((0..1 << 16).map(|nth| (of(nth), of(nth + lag))));
                    assert!(score.abs() < 5.0, "place {place}, {lag} apart: {score}");
                }
            }
        }
    }
}
