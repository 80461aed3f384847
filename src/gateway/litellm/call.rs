//! One request on its way: which groups have been visited, what has been tried, what is in flight.

use crate::gateway::litellm::failure::Failure;
use crate::gateway::litellm::plan::{CustomTarget, ListId, Target};
use crate::units::{DeploymentId, NameId, SimTime, Tokens};

/// A few deployments; nearly always none, which costs nothing.
pub(super) type Few = Vec<DeploymentId>;

/// A group that is being tried (`Router.async_function_with_fallbacks`): a *hop*.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    /// The group, as it was asked for.
    pub name: NameId,
    /// Only deployments of this order (`_target_order`).
    pub order: Option<i32>,
    /// Deployments that weighted failover leaves out (`_excluded_deployment_ids`), here and in all that follows.
    pub excluded: Few,
    /// Deployments that weighted failover knows to have failed (`_failover_excluded_ids` of the metadata).
    pub failed: Few,
    /// Deployments that refused this request for good: others go first (`_retry_skipped_deployment_ids`).
    pub refused: Few,
    /// Fallback targets tried before this hop (`fallback_depth`).
    pub depth: i64,
    /// What the fallback entry says, and those before it.
    pub own: CustomTarget,
    /// Whether the hop belongs to a fallback walk, whose memory of attempted targets it shares.
    pub in_walk: bool,
    /// Retries begun.
    pub retries: u32,
    /// What the first failure decided about retries.
    pub retry: Option<RetryRule>,
}

/// What the first failure of a hop decided about retries.
#[derive(Debug, Clone, Copy)]
pub(super) struct RetryRule {
    /// How many.
    pub allowed: u32,
    /// A retry policy granted them: then no failure is looked at again.
    pub by_policy: bool,
}

/// A list of fallback targets that is being walked (`run_async_fallback`).
#[derive(Debug, Clone)]
pub(super) struct Walk {
    /// What is walked.
    pub targets: Targets,
    /// Index of the next target.
    pub next: usize,
    /// The group that failed.
    pub from: NameId,
    /// Targets tried so far, those of enclosing walks included.
    pub depth: i64,
    /// What the entries so far said: it stays for all that follow.
    pub own: CustomTarget,
    /// The failure that started the walk.
    pub cause: Failure,
    /// The failure of the target tried last.
    pub last: Failure,
    /// Deployments that weighted failover leaves out.
    pub excluded: Few,
    /// Those that it knows to have failed.
    pub failed: Few,
}

/// What a walk visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Targets {
    /// A list: if it fails, the failure that started the walk is raised.
    List(ListId),
    /// The higher orders of the same group, then a list: if it fails, the last failure is raised [T 41].
    Orders {
        /// Only orders above this one.
        above: i32,
        /// The list after them.
        then: Option<ListId>,
    },
    /// The other deployments of the same group: if it fails, the group's fallbacks are next [T 43].
    Others,
}

/// A level of the recursion.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    /// A group.
    Hop(Hop),
    /// A list of fallbacks.
    Walk(Walk),
}

/// What the request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Waiting {
    /// Nothing, or an attempt.
    #[default]
    Nothing,
    /// A pause before the next try.
    Pause,
    /// A pause of the provider's client, which then calls again by itself.
    Client,
    /// The end of an answer that is made up.
    Mock,
    /// A slot of this deployment, of the semaphore with this number.
    Slot(DeploymentId, u32),
    /// A failure that is answered only now.
    Failed(Failure),
}

/// The logging object of the request (`litellm_core_utils/litellm_logging.py`): in the proxy there is one for all
/// attempts, and it speaks for whatever was called last.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    /// A failure has been logged: without a stream, later ones are not.
    pub failed: bool,
    /// What was called last, and as which group.
    pub about: Option<(DeploymentId, NameId)>,
    /// Failures whose logging waits for the event loop: they are put down to whatever has been called by then.
    pub deferred: Vec<Failure>,
}

/// What the request holds of its key's limits, and what they have made of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    /// What is asked for: what the client sent, or the fallback that a limit of the key has led to.
    pub model: NameId,
    /// `max_tokens` that a small token limit imposes on the request.
    pub output_cap: Option<Tokens>,
    /// The slot of its deployment, of the semaphore with this number, while nothing else is kept of it.
    pub slot: Option<u32>,
    /// A place among the parallel requests.
    pub parallel: bool,
    /// Tokens taken out of the window.
    pub tokens: u64,
    /// Tokens that an answer had used when it broke off.
    pub tokens_used: u64,
    /// A failure has given them back.
    pub tokens_returned: bool,
    /// Dollars taken out of the budget.
    pub dollars: Option<f64>,
}

/// The gateway's state of one request. Slots are reused; nothing in it is freed between requests.
#[derive(Debug, Default)]
pub struct CallState {
    pub(super) frames: Vec<Frame>,
    pub(super) attempted: Vec<Target>,
    /// When the request arrived: the logging object's start.
    pub(super) arrived: SimTime,
    pub(super) attempts: u32,
    pub(super) picks: u32,
    pub(super) pauses: u32,
    pub(super) waiting: Waiting,
    pub(super) log: Log,
    pub(super) held: Held,
    /// The attempt in flight.
    pub(super) flight: Option<Flight>,
    /// The deployment whose stream had begun and broke before its first content. From then on the request's own
    /// `num_retries` and fallbacks do not count any more: they have been taken out of its parameters.
    pub(super) streamed: Option<DeploymentId>,
    /// Deployments that had refused the request for good by then: whatever is tried next avoids them as well.
    pub(super) refused_before: Few,
    /// How many streams have broken so.
    pub(super) broken: u32,
    /// The client left while the upstream runs on.
    pub(super) client_left: bool,
    /// The failed attempts of inner fallbacks still to be made.
    pub(super) inner_left: u32,
    /// Times that the provider's client has called again by itself.
    pub(super) again: u32,
    /// LiteLLM has called again without parameters that the provider complained of.
    pub(super) dropped_params: bool,
}

/// The attempt in flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    /// Where.
    pub deployment: DeploymentId,
    /// As which group.
    pub name: NameId,
    /// Since when.
    pub started: SimTime,
    /// It holds a slot of the deployment, of the semaphore with this number.
    pub slot: Option<u32>,
}

impl CallState {
    /// Makes the slot ready for a request that arrives now. The frames stay until [`Self::begin`] reuses them.
    #[inline(always)]
    pub(super) fn reset(&mut self, now: SimTime, model: NameId) {
        self.arrived = now;
        self.attempted.clear();
        self.attempts = 0;
        self.picks = 0;
        self.pauses = 0;
        self.waiting = Waiting::Nothing;
        self.log.failed = false;
        self.log.about = None;
        self.log.deferred.clear();
        self.held = Held { model, ..Held::default() };
        self.flight = None;
        if self.streamed.is_some() {
            self.streamed = None;
            self.refused_before.clear();
        }
        self.broken = 0;
        self.client_left = false;
        self.inner_left = 0;
        self.again = 0;
        self.dropped_params = false;
    }

    /// Begins with a hop to this group. Nearly every request before this one has left a single hop,
    /// whose memory is used again.
    #[inline(always)]
    pub(super) fn begin(&mut self, name: NameId) {
        match self.frames.as_mut_slice() {
            [Frame::Hop(hop)] => hop.restart(name),
            _ => {
                self.frames.clear();
                self.frames.push(Frame::Hop(Hop::first(name)));
            }
        }
    }

    /// Numbers the next pick.
    pub(super) fn next_pick(&mut self) -> u32 {
        self.picks += 1;
        self.picks - 1
    }

    /// The innermost hop; there is one whenever the machine runs.
    #[inline]
    pub(super) fn hop(&mut self) -> Option<&mut Hop> {
        self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Hop(hop) => Some(hop),
            Frame::Walk(_) => None,
        })
    }
}

impl Hop {
    /// Whether nothing about the hop itself leaves any deployment out.
    #[inline]
    pub(super) fn takes_all(&self) -> bool {
        self.order.is_none() && self.excluded.is_empty() && self.refused.is_empty()
    }

    /// Makes this hop the first one of another request.
    #[inline]
    fn restart(&mut self, name: NameId) {
        let Self { excluded, failed, refused, .. } = self;
        excluded.clear();
        failed.clear();
        refused.clear();
        self.name = name;
        self.order = None;
        self.depth = 0;
        self.own = CustomTarget::default();
        self.in_walk = false;
        self.retries = 0;
        self.retry = None;
    }

    /// The first hop of a request.
    pub(super) fn first(name: NameId) -> Self {
        Self {
            name,
            order: None,
            excluded: Few::new(),
            failed: Few::new(),
            refused: Few::new(),
            depth: 0,
            own: CustomTarget::default(),
            in_walk: false,
            retries: 0,
            retry: None,
        }
    }
}
