//! The requests of a class, made a block at a time where they come by themselves: what makes them is then at hand
//! for the whole block, where the gateway and the providers would push it out of the processor between one
//! request and the next (`bench-full`: half of the missed lines of code, 7% of the time). The slow twin is
//! [`ClassStream`], one at a time.

use crate::traffic::class_stream::ClassStream;
use crate::traffic::request::Request;
use crate::units::SimTime;

/// The requests of one class in order of time, some of them made ahead.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) class: ClassStream,
    made: Vec<Request>,
    /// The first of them that nobody has taken.
    next: usize,
    /// Whether requests come whatever becomes of others: only then can they be made ahead.
    pub(super) comes_by_itself: bool,
    /// How many are made at a time.
    block: usize,
}

/// Requests that are made ahead in all classes together: a few lines of memory each, which have to stay at hand.
const AHEAD: usize = 256;

impl Ahead {
    /// The requests of one of so many classes.
    pub(super) fn new(class: ClassStream, classes: usize) -> Self {
        let comes_by_itself = class.comes_by_itself();
        let block = if comes_by_itself { (AHEAD / classes.max(1)).clamp(8, 128) } else { 1 };
        Self { class, made: Vec::new(), next: 0, comes_by_itself, block }
    }

    /// The moment of the next request, or never.
    #[inline]
    pub(super) fn next_at(&self) -> SimTime {
        match self.made.get(self.next) {
            Some(request) => request.at,
            None => self.class.next_at(),
        }
    }

    /// Takes the next request. `false` if there is none.
    #[inline(always)]
    pub(super) fn take(&mut self, next: &mut Request) -> bool {
        if self.next == self.made.len() {
            self.make();
        }
        let Some(request) = self.made.get(self.next) else { return false };
        *next = *request;
        self.next += 1;
        true
    }

    /// Makes the next block.
    #[inline(never)]
    fn make(&mut self) {
        self.made.resize(self.block, Request::default());
        self.next = 0;
        let is_there = |request| self.class.take(request);
        let there = self.made.iter_mut().map(is_there).take_while(|is_there| *is_there).count();
        self.made.truncate(there);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Addressed, Dist, DistSpec, Intensity, Replication, Seed};
    use crate::traffic::arrivals::Arrivals;
    use crate::traffic::class::{Attributes, Class, Repeats};
    use crate::traffic::crowd::Crowd;
    use crate::traffic::excited::Excites;
    use crate::units::{ClassId, KeyId, NameId, SimDuration};
    use std::sync::Arc;

    const HOUR: SimDuration = SimDuration::from_secs(3600);

    fn dist(text: &str) -> Dist {
        text.parse::<DistSpec>().unwrap().compile().unwrap()
    }

    fn class(arrivals: Arrivals, repeats: bool) -> Class {
        let output = Some(dist("lognormal(median=250, sigma=0.8)"));
        let plain = Class::new(arrivals, NameId(0), KeyId(0), dist("lognormal(median=800, sigma=0.9)"), output);
        let window = SimDuration::from_secs(60);
        let repeats = repeats.then_some(Repeats { share: 0.3, window, longest_of: 2 });
        Class { repeats, correlation: 0.4, stream_share: 0.5, ..plain }
    }

    /// One class of each kind.
    fn classes() -> Vec<Class> {
        let even = || Arc::new(Intensity::constant(0.3, HOUR));
        let gaps = Dist::unit_exponential();
        let open = || Arrivals::poisson(Intensity::constant(0.3, HOUR));
        let excited = || Arrivals::Excited { intensity: even(), excites: Excites { share: 0.6, within_s: 5.0 } };
        let crowd = Crowd { count: 9, sigma: 1.0 };
        let clients = || Arrivals::Clients { intensity: even(), gaps: gaps.clone(), crowd };
        let (start, ramp) = (SimDuration::ZERO, SimDuration::from_secs(9));
        let workers = Arrivals::Workers { count: 5, think_s: dist("20"), start, ramp, end: HOUR };
        let (turns, think_s, follow_up) = (dist("4"), dist("20"), dist("100"));
        let sessions =
            Arrivals::Sessions { intensity: even(), gaps: gaps.clone(), turns, think_s, follow_up, end: HOUR };
        let by_themselves = [open(), excited(), clients()];
        let repeating = [open(), excited(), clients()].map(|arrivals| class(arrivals, true));
        let closed = [workers, sessions].map(|arrivals| class(arrivals, false));
        by_themselves.map(|arrivals| class(arrivals, false)).into_iter().chain(repeating).chain(closed).collect()
    }

    /// There are more classes than a prompt has room for in its first byte.
    #[test]
    fn classes_have_no_prompts_in_common() {
        let class = class(Arrivals::poisson(Intensity::constant(0.3, HOUR)), false);
        let attributes = Attributes::new(&class).unwrap();
        let mut prompts: Vec<u64> = Vec::new();
        for id in [0, 1, 255, 256, 257, 512, 4096].map(ClassId) {
            let draws = Addressed::new(Seed(5), Replication(1));
            let mut stream = Ahead::new(ClassStream::new(id, &class, attributes.clone(), draws, 1.0), 7);
            let mut request = Request::default();
            while stream.take(&mut request) {
                prompts.push(request.view.prompt.0);
            }
        }
        let all = prompts.len();
        prompts.sort_unstable();
        prompts.dedup();
        assert!(all > 7_000 && prompts.len() == all, "{} of {all}", prompts.len());
    }

    #[test]
    fn requests_are_those_that_come_one_by_one() {
        for (kind, class) in classes().into_iter().enumerate() {
            let attributes = Attributes::new(&class).unwrap();
            let draws = Addressed::new(Seed(5), Replication(1));
            let stream = || ClassStream::new(ClassId(2), &class, attributes.clone(), draws, 1.0);
            let (mut slow, mut fast) = (stream(), Ahead::new(stream(), 16));
            let mut count = 0;
            loop {
                assert_eq!(fast.next_at(), slow.next_at(), "kind {kind}, request {count}");
                let (mut one, mut other) = (Request::default(), Request::default());
                let is_there = slow.take(&mut one);
                assert_eq!(fast.take(&mut other), is_there, "kind {kind}, request {count}");
                if !is_there {
                    break;
                }
                assert_eq!(one, other, "kind {kind}, request {count}");
                let answered = one.at + SimDuration::from_secs(2);
                slow.responded(answered, one.view.id, true);
                fast.class.responded(answered, one.view.id, true);
                count += 1;
            }
            assert!(count > 300, "kind {kind}: {count}");
        }
    }
}
