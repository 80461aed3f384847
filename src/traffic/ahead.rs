//! The requests of a class, made a block at a time where they come by themselves: what makes them is then at hand for the
//! whole block, where the gateway and the providers would push it out of the processor between one request and the next
//! (`bench-full`: half of the missed lines of code, 7% of the time). The slow twin is [`ClassStream`], one at a time.

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
}

/// Requests of a block: a few lines of memory each, which have to stay at hand for every class.
const BLOCK: usize = 16;

impl Ahead {
    pub(super) const fn new(class: ClassStream) -> Self {
        Self { class, made: Vec::new(), next: 0 }
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
        let block = if self.class.comes_by_itself() { BLOCK } else { 1 };
        self.made.resize(block, Request::default());
        self.next = 0;
        let is_there = |request| self.class.take(request);
        let there = self.made.iter_mut().map(is_there).take_while(|is_there| *is_there).count();
        self.made.truncate(there);
    }
}
