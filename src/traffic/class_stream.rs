//! The requests of one class: one arrival process, one kind of request.

use std::sync::Arc;

use crate::random::{Addressed, Dist, Here, mix};
use crate::traffic::arrivals::{Arrivals, MOST_WORKERS};
use crate::traffic::class::{Attributes, Class};
use crate::traffic::closed::{Sessions, Workers, turn_of};
use crate::traffic::crowd::{Clients, client_of};
use crate::traffic::excited::Excited;
use crate::traffic::open::{OpenArrivals, switched};
use crate::traffic::recent::Recent;
use crate::traffic::repeater::Repeater;
use crate::traffic::replay::{TraceRow, Walk};
use crate::traffic::request::{Fate, Request};
use crate::units::{ClassId, PromptId, RequestId, RequestView, SimTime};

/// The requests of one class.
#[derive(Debug)]
pub(super) struct ClassStream {
    id: ClassId,
    class: Class,
    attributes: Attributes,
    source: Source,
    draws: Addressed,
    /// What makes its prompts others than those of every other class.
    prompts: u64,
}

#[derive(Debug)]
enum Source {
    Open(OpenArrivals),
    Repeating(OpenArrivals, Repeater),
    Workers(Workers),
    Sessions(Sessions),
    Replay(Box<Walk>),
    Excited(Excited, Option<Recent>),
    Clients(Clients, Option<Recent>),
    /// Requests of another class bring them along; whether with its input tokens.
    Beside(bool),
}

/// Where the draws of a request are.
#[derive(Clone, Copy)]
struct Places {
    /// Those of the request whose words it uses.
    what: Here,
    /// Those of the request whose key it comes with.
    who: Here,
    /// Its own.
    own: Here,
}

/// Keeps the draws of an on/off switch apart from those of the requests.
const SWITCH_STREAM: u64 = 1 << 62;
/// The class in a prompt's id stands above all request numbers.
const PROMPT_CLASS_SHIFT: u32 = 56;

impl ClassStream {
    pub(super) fn new(id: ClassId, class: &Class, attributes: Attributes, mut draws: Addressed, volume: f64) -> Self {
        let stream = u64::from(id.0);
        draws.begin_request(stream, 0);
        let source = match &class.arrivals {
            Arrivals::Open { intensity, gaps, on_off } => {
                let intensity = match on_off {
                    None => Arc::clone(intensity),
                    Some(o) => Arc::new(switched(intensity, o, &mut draws.clone(), SWITCH_STREAM | stream)),
                };
                let walk = OpenArrivals::new(intensity, volume, gaps.clone(), draws, stream);
                match &class.repeats {
                    Some(repeats) if repeats.share > 0.0 => {
                        let repeater = Repeater::new(repeats.clone(), &walk);
                        Source::Repeating(walk, repeater)
                    }
                    _ => Source::Open(walk),
                }
            }
            Arrivals::Workers { count, think_s, start, ramp, end } => {
                let scaled = ((f64::from(*count) * volume).round() as u32).min(MOST_WORKERS);
                Source::Workers(Workers::new(scaled, think_s.clone(), SimTime(start.0), *ramp, SimTime(end.0)))
            }
            Arrivals::Excited { intensity, excites } => {
                let (unit, scale) = (Dist::unit_exponential(), volume * excites.immigrants());
                let roots = OpenArrivals::new(Arc::clone(intensity), scale, unit, draws, stream);
                Source::Excited(Excited::new(roots, *excites, draws, stream), Recent::of(class.repeats.as_ref()))
            }
            Arrivals::Clients { intensity, gaps, crowd } => {
                let clients = Clients::new(*crowd, intensity, volume, gaps, draws, stream);
                Source::Clients(clients, Recent::of(class.repeats.as_ref()))
            }
            Arrivals::Beside { same_input } => Source::Beside(*same_input),
            Arrivals::Replay(replay) => Source::Replay(Box::new(Walk::new(replay, volume, draws, stream))),
            Arrivals::Sessions { intensity, gaps, turns, think_s, follow_up, end } => {
                let starts = OpenArrivals::new(Arc::clone(intensity), volume, gaps.clone(), draws, stream);
                let (turns, think_s, follow_up) = (turns.clone(), think_s.clone(), follow_up.clone());
                Source::Sessions(Sessions::new(starts, turns, think_s, follow_up, SimTime(end.0)))
            }
        };
        // There may be more classes than the upper bits have room for.
        let prompts = stream << PROMPT_CLASS_SHIFT ^ mix(stream >> (u64::BITS - PROMPT_CLASS_SHIFT));
        Self { id, class: class.clone(), attributes, source, draws, prompts }
    }

    fn stream(&self) -> u64 {
        u64::from(self.id.0)
    }

    /// The moment of the next request, or never.
    #[inline]
    pub(super) fn next_at(&self) -> SimTime {
        match &self.source {
            Source::Open(walk) | Source::Repeating(walk, _) => walk.next_at,
            Source::Workers(workers) => workers.next_at(),
            Source::Sessions(sessions) => sessions.next_at(),
            Source::Replay(walk) => walk.next_at(),
            Source::Excited(excited, _) => excited.next_at(),
            Source::Clients(clients, _) => clients.next_at(),
            Source::Beside(_) => SimTime::NEVER,
        }
    }

    /// Takes the next request; it is written where it will be read, for it is large. `false` if there is none.
    #[inline(always)]
    pub(super) fn take(&mut self, next: &mut Request) -> bool {
        let stream = self.stream();
        let mut client = None;
        let (at, id, here, asked) = match &mut self.source {
            Source::Open(walk) => {
                let (at, here) = (walk.next_at, walk.here);
                (at, RequestId(walk.step()), here, None)
            }
            Source::Repeating(walk, repeater) => {
                let (at, here) = (walk.next_at, walk.here);
                let number = walk.step();
                let there = |original| at_request(self.draws, stream, original);
                let original = repeater.original(at, number, here, there, |here| self.attributes.length(here));
                (at, RequestId(number), here, original)
            }
            Source::Workers(workers) => {
                let Some((at, id)) = workers.take() else { return false };
                self.draws.begin_request(stream, id.0);
                (at, id, self.draws.here(), None)
            }
            Source::Sessions(sessions) => {
                let Some((at, id)) = sessions.take() else { return false };
                *next = self.turn(at, id);
                return true;
            }
            Source::Excited(excited, recent) => {
                let Some((at, id)) = excited.take() else { return false };
                self.draws.begin_request(stream, id.0);
                (at, id, self.draws.here(), original(recent.as_mut(), at, id, &self.draws, stream, &self.attributes))
            }
            Source::Clients(clients, recent) => {
                let Some((at, id)) = clients.take() else { return false };
                self.draws.begin_request(stream, id.0);
                client = Some(client_of(id));
                (at, id, self.draws.here(), original(recent.as_mut(), at, id, &self.draws, stream, &self.attributes))
            }
            Source::Beside(_) => return false,
            Source::Replay(walk) => {
                let Some((at, id, row)) = walk.take() else { return false };
                *next = self.recorded(at, id, &row);
                return true;
            }
        };
        if at == SimTime::NEVER {
            return false;
        }
        let what = asked.map_or(here, |original| at_request(self.draws, stream, original));
        let prompt = asked.unwrap_or(id.0);
        let fate = self.attributes.fate(what);
        // A client has one key.
        let who = client.map_or(here, |first: RequestId| at_request(self.draws, stream, first.0));
        *next = self.made(at, id, prompt, fate, Places { what, who, own: here });
        true
    }

    /// Whether requests come by themselves, whatever becomes of others.
    pub(super) const fn comes_by_itself(&self) -> bool {
        match self.source {
            Source::Workers(_) | Source::Sessions(_) | Source::Beside(_) => false,
            Source::Open(_) | Source::Repeating(..) | Source::Replay(_) | Source::Excited(..) | Source::Clients(..) => {
                true
            }
        }
    }

    /// Whether requests come by themselves, and none repeats another.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.source, Source::Open(_))
    }

    /// The next request and the moment of the one after; only where the class
    /// [is open](Self::is_open).
    #[inline(always)]
    pub(super) fn take_open(&mut self) -> Option<(Request, SimTime)> {
        let Source::Open(walk) = &mut self.source else { return None };
        let (at, here) = (walk.next_at, walk.here);
        if at == SimTime::NEVER {
            return None;
        }
        let id = RequestId(walk.step());
        let next_at = walk.next_at;
        let places = Places { what: here, who: here, own: here };
        Some((self.made(at, id, id.0, self.attributes.fate(here), places), next_at))
    }

    /// A turn of a session: all that was said before it stands in front of its new text.
    #[inline(never)]
    fn turn(&mut self, at: SimTime, id: RequestId) -> Request {
        let stream = self.stream();
        let (first, turn) = turn_of(id);
        let mut draws = self.draws;
        let mut context = 0u32;
        let mut fate = Fate::default();
        for earlier in 0..=u64::from(turn) {
            draws.begin_request(stream, first.0 + earlier);
            let new = match &self.source {
                Source::Sessions(sessions) if earlier > 0 => &sessions.follow_up,
                _ => &self.class.input,
            };
            fate = self.attributes.turn(draws.here(), new, context);
            context = fate.input.saturating_add(fate.output);
        }
        fate.session = true;
        self.draws = draws;
        let mut of_session = draws;
        of_session.begin_request(stream, first.0);
        let places = Places { what: of_session.here(), who: of_session.here(), own: draws.here() };
        self.made(at, id, id.0, fate, places)
    }

    /// The request that comes beside one of another class: the embedding of its prompt, or of its question.
    pub(super) fn beside(&mut self, other: &Request) -> Request {
        self.draws.begin_request(self.stream(), other.view.id.0);
        let here = self.draws.here();
        let mut fate = self.attributes.fate(here);
        if let Source::Beside(true) = self.source {
            fate = self.attributes.capped(Fate { input: other.fate.input, ..fate });
        }
        let prompt = other.view.prompt.0 & ((1 << PROMPT_CLASS_SHIFT) - 1);
        let places = Places { what: here, who: here, own: here };
        let mut request = self.made(other.at, other.view.id, prompt, fate, places);
        request.view.key = other.view.key;
        request
    }

    /// A row of a recorded trace: what it does not say is drawn.
    #[inline(never)]
    fn recorded(&mut self, at: SimTime, id: RequestId, row: &TraceRow) -> Request {
        self.draws.begin_request(self.stream(), id.0);
        let here = self.draws.here();
        let fate = Walk::fate(row, &self.attributes.fate(here));
        let prompt = if row.prompt == 0 { id.0 } else { row.prompt >> (64 - PROMPT_CLASS_SHIFT) };
        let places = Places { what: here, who: here, own: here };
        let mut request = self.made(at, id, prompt, self.attributes.capped(fate), places);
        let Source::Replay(walk) = &self.source else { return request };
        let view = &mut request.view;
        view.model = walk.model(row).unwrap_or(view.model);
        view.key = walk.key(row).unwrap_or(view.key);
        request
    }

    /// Puts a request together.
    #[inline(always)]
    fn made(&self, at: SimTime, id: RequestId, prompt: u64, fate: Fate, places: Places) -> Request {
        let class = &self.class;
        let Places { what, who, own } = places;
        let stream = self.attributes.streams(what);
        let view = RequestView {
            id,
            model: class.models[self.attributes.model(what)].0,
            key: class.keys[self.attributes.key(who)].0,
            body: class.body,
            prompt: PromptId(self.prompts ^ prompt),
            prompt_chars: (f64::from(fate.input) * class.chars_per_token) as u32,
            prompt_tokens: (f64::from(fate.input) * class.tokenizer_ratio + 0.5) as u32,
            max_tokens: class.max_tokens,
            stream,
        };
        Request { at, class: self.id, view, fate, leave: self.attributes.leave(own, stream), here: own }
    }

    /// How many conversations wait for their next turn, requests are still to come because of others, and prompts are
    /// young enough to be repeated.
    pub(super) fn waiting(&self) -> usize {
        match &self.source {
            Source::Sessions(sessions) => sessions.waiting(),
            Source::Excited(excited, recent) => excited.waiting() + recent.as_ref().map_or(0, Recent::waiting),
            Source::Clients(_, recent) => recent.as_ref().map_or(0, Recent::waiting),
            _ => 0,
        }
    }

    /// Whether the moment of the next request may have changed.
    #[inline]
    pub(super) fn responded(&mut self, now: SimTime, id: RequestId, ok: bool) -> bool {
        let stream = self.stream();
        match &mut self.source {
            Source::Workers(workers) => {
                self.draws.begin_request(stream, id.0);
                workers.responded(now, id, ok, &self.draws);
            }
            Source::Sessions(sessions) => sessions.responded(now, id, ok, &mut self.draws, stream),
            Source::Open(_)
            | Source::Repeating(..)
            | Source::Replay(_)
            | Source::Excited(..)
            | Source::Clients(..)
            | Source::Beside(_) => return false,
        }
        true
    }
}

/// The draws of another request of the stream.
#[inline]
fn at_request(mut draws: Addressed, stream: u64, request: u64) -> Here {
    draws.begin_request(stream, request);
    draws.here()
}

/// The earlier request that this one repeats, if the class repeats any.
fn original(
    recent: Option<&mut Recent>,
    at: SimTime,
    id: RequestId,
    draws: &Addressed,
    stream: u64,
    attributes: &Attributes,
) -> Option<u64> {
    recent?.original(at, id, draws, stream, |draws| attributes.length(draws.here()))
}
