//! CPython's `random.Random`: the Mersenne twister MT19937 with Python's seeding and derived draws, so that a trace
//! follows the picks of a recording. Matsumoto and Nishimura, ACM TOMACS 8(1), 1998; `Modules/_randommodule.c` and
//! `Lib/random.py` of CPython 3.11.

use crate::random::{Draws, Here, Purpose};

const SIZE: usize = 624;
const SHIFT: usize = 397;
const UPPER: u32 = 0x8000_0000;
const LOWER: u32 = 0x7fff_ffff;
const TWIST: u32 = 0x9908_b0df;

/// One Mersenne twister.
#[derive(Clone)]
pub struct Mersenne {
    words: [u32; SIZE],
    next: usize,
}

impl Mersenne {
    /// The generator that `random.Random(seed)` is.
    pub fn seeded(seed: i64) -> Self {
        let seed = seed.unsigned_abs();
        let key = [seed as u32, (seed >> 32) as u32];
        let key = if key[1] == 0 { &key[..1] } else { &key[..] };
        let mut twister = Self { words: initial(19_650_218), next: SIZE };
        twister.mix_in(key);
        twister
    }

    /// `init_by_array`: stirs the key into the state.
    fn mix_in(&mut self, key: &[u32]) {
        let words = &mut self.words;
        let (mut i, mut j) = (1, 0);
        for _ in 0..SIZE.max(key.len()) {
            let last = words[i - 1];
            words[i] =
                (words[i] ^ (last ^ (last >> 30)).wrapping_mul(1_664_525)).wrapping_add(key[j]).wrapping_add(j as u32);
            i = wrapped(i + 1, words);
            j = (j + 1) % key.len();
        }
        for _ in 0..SIZE - 1 {
            let last = words[i - 1];
            words[i] = (words[i] ^ (last ^ (last >> 30)).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            i = wrapped(i + 1, words);
        }
        words[0] = UPPER;
    }

    fn refill(&mut self) {
        for i in 0..SIZE {
            let joined = (self.words[i] & UPPER) | (self.words[(i + 1) % SIZE] & LOWER);
            let twist = if joined & 1 == 0 { 0 } else { TWIST };
            self.words[i] = self.words[(i + SHIFT) % SIZE] ^ (joined >> 1) ^ twist;
        }
        self.next = 0;
    }

    /// The next 32 uniform bits.
    pub fn bits(&mut self) -> u32 {
        if self.next >= SIZE {
            self.refill();
        }
        let mut word = self.words[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// `random()`: a uniform number in [0, 1) with 53 bits.
    pub fn unit(&mut self) -> f64 {
        let (high, low) = (self.bits() >> 5, self.bits() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// `_randbelow(n)`: a uniform integer in [0, `n`), by rejection as Python does it; 0 for `n` = 0.
    pub fn below(&mut self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        let shift = n.leading_zeros();
        loop {
            let drawn = self.bits() >> shift;
            if drawn < n {
                return drawn;
            }
        }
    }
}

/// `init_genrand`.
fn initial(seed: u32) -> [u32; SIZE] {
    let mut words = [seed; SIZE];
    for i in 1..SIZE {
        let last = words[i - 1];
        words[i] = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
    }
    words
}

/// The next index of the stirring loops: after the last word comes word 1, and word 0 becomes the last word.
const fn wrapped(i: usize, words: &mut [u32; SIZE]) -> usize {
    if i < SIZE {
        return i;
    }
    words[0] = words[SIZE - 1];
    1
}

/// The draws of a recording: picks and jitters each come from a generator of their own, in the
/// order they are asked for.
#[derive(Clone)]
pub struct Recorded {
    picks: Mersenne,
    jitter: Mersenne,
    client: Mersenne,
}

impl Recorded {
    /// The generators of a case with this seed: `Random(seed)` for picks, `Random(seed + 1)` for jitter,
    /// `Random(seed + 2)` for that of a provider's client.
    pub fn seeded(seed: i64) -> Self {
        let of = |after: i64| Mersenne::seeded(seed.saturating_add(after));
        Self { picks: of(0), jitter: of(1), client: of(2) }
    }

    const fn generator(&mut self, purpose: Purpose) -> &mut Mersenne {
        match purpose {
            Purpose::Jitter => &mut self.jitter,
            Purpose::ClientPause => &mut self.client,
            _ => &mut self.picks,
        }
    }
}

impl Draws for Recorded {
    const RECORDED: bool = true;

    fn stand_at(&mut self, _here: Here) {}

    fn unit(&mut self, purpose: Purpose, _nth: u32) -> f64 {
        self.generator(purpose).unit()
    }

    fn below(&mut self, purpose: Purpose, _nth: u32, n: u32) -> u32 {
        self.generator(purpose).below(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values printed by CPython 3.11.
    #[test]
    fn draws_are_those_of_cpython() {
        let mut one = Mersenne::seeded(1);
        assert_eq!(one.unit(), 0.134_364_244_112_401_22);
        assert_eq!(one.unit(), 0.847_433_736_937_232_7);
        let mut big = Mersenne::seeded(1 << 40);
        let mut negative = Mersenne::seeded(-5);
        let mut positive = Mersenne::seeded(5);
        assert_eq!(big.unit(), 0.103_639_456_281_237_5);
        assert_eq!(negative.unit(), positive.unit());
        let mut choices = Mersenne::seeded(42);
        let drawn: Vec<u32> = (0..8).map(|_| choices.below(10)).collect();
        assert_eq!(drawn, [1, 0, 4, 3, 3, 2, 1, 8]);
    }
}
