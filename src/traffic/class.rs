//! A class of traffic: requests of one kind. Draws what a request asks for and what it will be answered.

use crate::random::{Choice, Copula, Dist, Here, Purpose, Unit};
use crate::traffic::again::{MOST_RETRIES, Retries};
use crate::traffic::arrivals::{Arrivals, TrafficError};
use crate::traffic::request::{Fate, Leave};
use crate::units::{BodyId, ClassId, KeyId, NameId, SimDuration, Tokens};

/// The mean factor on a class's volume.
const MOST_VOLUME: f64 = 1_000.0;

/// What requests of one kind look like. Made with [`Class::new`], then adjusted field by field.
#[derive(Debug, Clone)]
pub struct Class {
    /// When requests come.
    pub arrivals: Arrivals,
    /// Input tokens of a request (of the first turn's new text in a session).
    pub input: Dist,
    /// Output tokens of a complete answer; `None` for embeddings, which have no output.
    pub output: Option<Dist>,
    /// Correlation of the normal scores of input and output (a Gaussian copula), from -1 to 1; 0
    /// draws them independently.
    pub correlation: f64,
    /// Share of the output that is reasoning, from 0 to 1.
    pub reasoning_share: Option<Dist>,
    /// Tokens of the shared beginning of the prompts (system prompt, tools).
    pub prefix: Option<Dist>,
    /// Share of requests that ask for a stream.
    pub stream_share: f64,
    /// `max_tokens` that clients send; also bounds the output.
    pub max_tokens: Option<Tokens>,
    /// Input and output together never exceed this; the input is cut first to leave room for one token of output.
    pub context_tokens: Option<Tokens>,
    /// Characters of prompt text per input token.
    pub chars_per_token: f64,
    /// The gateway's count of input tokens over the provider's.
    pub tokenizer_ratio: f64,
    /// Model names with weights.
    pub models: Vec<(NameId, f64)>,
    /// Virtual keys with weights.
    pub keys: Vec<(KeyId, f64)>,
    /// The other parameters of the body.
    pub body: BodyId,
    /// Exact repetitions of earlier prompts.
    pub repeats: Option<Repeats>,
    /// How clients give up.
    pub patience: Option<Patience>,
    /// How long the SDK of the clients waits for an answer, or for the beginning of a stream.
    pub timeout: Option<SimDuration>,
    /// How the SDK of the clients sends failed requests again.
    pub retries: Option<Retries>,
    /// The class of the embedding call that comes with each request (retrieval, semantic cache).
    pub embeds: Option<ClassId>,
    /// Factor on this class's volume, drawn once per replication.
    pub volume: Option<Dist>,
}

/// Requests that repeat an earlier prompt of their class word for word.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeats {
    /// Share of requests that are repetitions.
    pub share: f64,
    /// A repetition repeats an original that is at most this old.
    pub window: SimDuration,
    /// Of this many candidates the longest is repeated: 1 makes size and repetition independent.
    pub longest_of: u32,
}

/// How clients give up.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Share of clients that give up after some time, answered or not.
    pub leaving_share: f64,
    /// Seconds after which those leave.
    pub wait_s: Dist,
    /// Share of the streaming clients that stop reading.
    pub stops_reading_share: f64,
    /// Streamed pieces after which those stop.
    pub reads_chunks: Dist,
}

impl Class {
    /// A class with the plain defaults: no stream, no repeats, patient clients, 4 characters a token.
    pub fn new(arrivals: Arrivals, model: NameId, key: KeyId, input: Dist, output: Option<Dist>) -> Self {
        Self {
            arrivals,
            input,
            output,
            correlation: 0.0,
            reasoning_share: None,
            prefix: None,
            stream_share: 0.0,
            max_tokens: None,
            context_tokens: None,
            chars_per_token: 4.0,
            tokenizer_ratio: 1.0,
            models: vec![(model, 1.0)],
            keys: vec![(key, 1.0)],
            body: BodyId(0),
            repeats: None,
            patience: None,
            timeout: None,
            retries: None,
            embeds: None,
            volume: None,
        }
    }

    /// Checks the numbers that no type has checked yet.
    ///
    /// # Errors
    /// [`TrafficError`] naming the field.
    pub fn check(&self) -> Result<(), TrafficError> {
        share("stream_share", self.stream_share)?;
        if !(-1.0..=1.0).contains(&self.correlation) {
            return Err(TrafficError::Parameter("correlation", self.correlation, "a number between -1 and 1"));
        }
        for (name, ratio) in [("chars_per_token", self.chars_per_token), ("tokenizer_ratio", self.tokenizer_ratio)] {
            if !(ratio > 0.0 && ratio <= 1e3) {
                return Err(TrafficError::Parameter(name, ratio, "a positive number up to 1000"));
            }
        }
        if let Some(repeats) = &self.repeats {
            share("repeats.share", repeats.share)?;
            let repeatable =
                matches!(self.arrivals, Arrivals::Open { .. } | Arrivals::Excited { .. } | Arrivals::Clients { .. });
            if repeats.share > 0.0 && !repeatable {
                return Err(TrafficError::RepeatsNeedOpenArrivals);
            }
        }
        if let Some(patience) = &self.patience {
            share("patience.leaving_share", patience.leaving_share)?;
            share("patience.stops_reading_share", patience.stops_reading_share)?;
        }
        if let Some(retries) = &self.retries
            && retries.most > MOST_RETRIES
        {
            return Err(TrafficError::Parameter("retries.most", f64::from(retries.most), "at most 255"));
        }
        Choice::new(&weights(&self.models))?;
        Choice::new(&weights(&self.keys))?;
        let volume = self.volume.as_ref().map_or(1.0, Dist::mean);
        if !(0.0..=MOST_VOLUME).contains(&volume) {
            return Err(TrafficError::Parameter("volume", volume, "a factor of 0 to 1,000 on average"));
        }
        self.arrivals.check(volume)
    }
}

fn share(name: &'static str, value: f64) -> Result<(), TrafficError> {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(TrafficError::Parameter(name, value, "a share between 0 and 1"))
    }
}

fn weights<T>(pairs: &[(T, f64)]) -> Vec<f64> {
    pairs.iter().map(|(_, weight)| *weight).collect()
}

/// The attributes of a class as the loop draws them.
#[derive(Debug, Clone)]
pub(super) struct Attributes {
    input: Dist,
    output: Option<Dist>,
    /// Couples the output to the input, when they are correlated.
    copula: Option<Copula>,
    reasoning_share: Option<Dist>,
    prefix: Option<Dist>,
    stream_share: f64,
    output_limit: Tokens,
    context_tokens: Tokens,
    models: Choice,
    keys: Choice,
    patience: Option<Patience>,
    timeout: Option<SimDuration>,
}

impl Attributes {
    /// Prepares the draws of a checked class.
    pub(super) fn new(class: &Class) -> Result<Self, TrafficError> {
        class.check()?;
        Ok(Self {
            input: class.input.clone(),
            output: class.output.clone(),
            copula: Copula::new(class.correlation),
            reasoning_share: class.reasoning_share.clone(),
            prefix: class.prefix.clone(),
            stream_share: class.stream_share,
            output_limit: class.max_tokens.unwrap_or(Tokens::MAX),
            context_tokens: class.context_tokens.unwrap_or(Tokens::MAX),
            models: Choice::new(&weights(&class.models))?,
            keys: Choice::new(&weights(&class.keys))?,
            patience: class.patience.clone(),
            timeout: class.timeout,
        })
    }

    /// What the request at which `draws` stands asks and is answered.
    #[inline(always)]
    pub(super) fn fate(&self, draws: Here) -> Fate {
        self.turn(draws, &self.input, 0)
    }

    /// The same for a turn of a conversation: `new` text after `context` tokens that have been said before.
    #[inline(always)]
    pub(super) fn turn(&self, draws: Here, new: &Dist, context: Tokens) -> Fate {
        let unit = draws.unit(Purpose::InputTokens, 0, 0);
        let most_input = self.context_tokens.saturating_sub(1);
        let input = new.draw_count(unit).saturating_add(context).min(most_input);
        let output = match &self.output {
            None => 0,
            Some(dist) => self.output(dist, draws, unit),
        };
        let output = output.min(self.output_limit).min(self.context_tokens - input);
        let reasoning = match &self.reasoning_share {
            None => 0,
            Some(dist) => part(output, dist.sample(draws.unit(Purpose::OutputTokens, 0, 1).as_f64())),
        };
        let prefix = match &self.prefix {
            None => context,
            Some(dist) => context.max(dist.sample_count(draws.unit(Purpose::Prefix, 0, 0).as_f64())),
        };
        Fate { input, output, reasoning, prefix: prefix.min(input), session: false }
    }

    /// How long the request at which `draws` stands is, with its answer, in tokens.
    pub(super) fn length(&self, draws: Here) -> u64 {
        let fate = self.fate(draws);
        u64::from(fate.input) + u64::from(fate.output)
    }

    /// Recorded lengths within the caps of the class.
    pub(super) fn capped(&self, fate: Fate) -> Fate {
        let input = fate.input.min(self.context_tokens.saturating_sub(1));
        let output = fate.output.min(self.output_limit).min(self.context_tokens - input);
        Fate { input, output, reasoning: fate.reasoning.min(output), prefix: fate.prefix.min(input), ..fate }
    }

    /// The output length: coupled to that of the input where a correlation is given.
    #[inline(always)]
    fn output(&self, dist: &Dist, draws: Here, of_input: Unit) -> Tokens {
        let own = draws.unit(Purpose::OutputTokens, 0, 0);
        match self.copula {
            None => dist.draw_count(own),
            Some(copula) => dist.count_at_score(copula.score(of_input, own)),
        }
    }

    /// Which of the models.
    #[inline]
    pub(super) fn model(&self, draws: Here) -> usize {
        pick(&self.models, draws, Purpose::Kind, 1)
    }

    /// Which of the keys.
    #[inline]
    pub(super) fn key(&self, draws: Here) -> usize {
        pick(&self.keys, draws, Purpose::Key, 0)
    }

    /// Whether a stream is asked for.
    #[inline]
    pub(super) fn streams(&self, draws: Here) -> bool {
        self.stream_share > 0.0 && draws.unit(Purpose::Kind, 0, 0).as_f64() < self.stream_share
    }

    /// When the client gives up.
    #[inline]
    pub(super) fn leave(&self, draws: Here, stream: bool) -> Leave {
        let leave = self.patience.as_ref().map_or(Leave::Never, |patience| patience.leave(draws, stream));
        match (leave, self.timeout) {
            (_, None) | (Leave::AfterChunks(_) | Leave::AtFirst(_), _) => leave,
            (Leave::After(patience), Some(timeout)) if patience <= timeout => leave,
            (_, Some(timeout)) => Leave::TimesOut(timeout),
        }
    }
}

impl Patience {
    /// A streaming client that stops reading does so whatever its other patience; the rest may leave after a time.
    fn leave(&self, draws: Here, stream: bool) -> Leave {
        let unit = |nth| draws.unit(Purpose::Patience, 0, nth).as_f64();
        if stream && self.stops_reading_share > 0.0 && unit(0) < self.stops_reading_share {
            return Leave::AfterChunks(self.reads_chunks.sample_count(unit(1)).into());
        }
        if self.leaving_share > 0.0 && unit(2) < self.leaving_share {
            return Leave::After(SimDuration::from_secs_f64(self.wait_s.sample(unit(3))));
        }
        Leave::Never
    }
}

#[inline(always)]
fn pick(choice: &Choice, draws: Here, purpose: Purpose, nth: u32) -> usize {
    if choice.is_single() { 0 } else { choice.pick(draws.unit(purpose, 0, nth).as_f64()) }
}

/// A share of a number of tokens.
fn part(tokens: Tokens, share: f64) -> Tokens {
    (f64::from(tokens) * share.clamp(0.0, 1.0)) as Tokens
}
