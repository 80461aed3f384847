//! What can go wrong with an attempt, as LiteLLM sees it (`exceptions.py`). What each provider's
//! failures become is in `client`.

use crate::units::{DeploymentId, Mention, RetryAfter, WhyNot};

/// The class of an exception: retry policies and allowed failures go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// `BadRequestError`: 400 and 422.
    BadRequest,
    /// `ContextWindowExceededError`, a kind of `BadRequestError`.
    ContextWindow,
    /// `ContentPolicyViolationError`, a kind of `BadRequestError`.
    ContentPolicy,
    /// `AuthenticationError`: 401.
    Authentication,
    /// `PermissionDeniedError`: 403, where the provider's failures are mapped so.
    PermissionDenied,
    /// `NotFoundError`: 404.
    NotFound,
    /// `Timeout`: 408, 504 and the proxy's own timeouts.
    Timeout,
    /// `RateLimitError`: 429.
    RateLimit,
    /// `InternalServerError`: 500 and lost connections.
    InternalServer,
    /// `BadGatewayError`: 502.
    BadGateway,
    /// `ServiceUnavailableError`: 503.
    ServiceUnavailable,
    /// `APIError`: every other status.
    Api,
    /// `APIConnectionError`: never a reason for a cooldown. A stream that broke, or code that failed inside the SDK.
    ApiConnection,
    /// `MidStreamFallbackError`, a kind of `ServiceUnavailableError`: a stream that broke before its first content.
    MidStream,
    /// The own exception of a provider's client, of no class that a policy or a fallback knows.
    Raw,
    /// `RouterRateLimitError`: no deployment is left (a `ValueError`, without status).
    NoDeployment,
    /// Another `ValueError` of the router, without status: budgets, tags.
    Refused,
}

/// What the text of an exception tells, whatever its class: others look for these words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told(u8);

impl Told {
    /// Nothing that counts.
    pub const NOTHING: Self = Self(0);
    /// The name of the class of lost connections: it leads to no rest.
    pub const LOST: Self = Self(1);
    /// No deployment has the tags that were asked for: the proxy answers 401.
    pub const NO_TAGS: Self = Self(2);
    /// No deployment is available: the proxy answers 429, whatever else is told.
    pub const NO_DEPLOYMENT: Self = Self(4);

    /// This and that.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether this is told as well.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What an exception of a class tells in any case.
    const fn by(class: Class) -> Self {
        if matches!(class, Class::ApiConnection) { Self::LOST } else { Self::NOTHING }
    }
}

/// One failure, as it travels through retries and fallbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The exception's class.
    pub class: Class,
    /// Its `status_code`; `None` for the router's own refusals.
    pub status: Option<u16>,
    /// The upstream's `Retry-After`.
    pub retry_after: RetryAfter,
    /// The deployment that is named on the exception.
    pub deployment: Option<DeploymentId>,
    /// Retries that the exception itself asks for (`num_retries` of the deployment or of a limit).
    pub num_retries: Option<u32>,
    /// What its text tells.
    pub told: Told,
    /// What stood in the way: a provider, or the router itself.
    pub why: WhyNot,
    /// The HTTP status that the client would see.
    pub http_status: u16,
}

impl Failure {
    /// A failure with a status.
    pub const fn with_status(class: Class, status: u16) -> Self {
        Self {
            class,
            status: Some(status),
            retry_after: RetryAfter::None,
            deployment: None,
            num_retries: None,
            told: Told::by(class),
            why: WhyNot::Upstream,
            http_status: status,
        }
    }

    /// No deployment is left to try. The proxy answers 429 [T 57].
    pub const NO_DEPLOYMENT: Self = Self::without_status(Class::NoDeployment, 429).because(WhyNot::NoHealthyDeployment);

    /// A failure without a status.
    pub const fn without_status(class: Class, http_status: u16) -> Self {
        Self {
            class,
            status: None,
            retry_after: RetryAfter::None,
            deployment: None,
            num_retries: None,
            told: if http_status == 429 { Told::NO_DEPLOYMENT } else { Told::by(class) },
            why: WhyNot::Upstream,
            http_status,
        }
    }

    /// The same, where the router itself was in the way.
    pub const fn because(self, why: WhyNot) -> Self {
        Self { why, ..self }
    }

    /// Whether weighted failover passes it on and nothing more is tried: it expects the exceptions that LiteLLM maps
    /// failures to, and that no deployment is left (`router.py:_maybe_run_weighted_failover`) [T 217].
    pub fn ends_failover(&self) -> bool {
        let is_mapped = self.status.is_some() && self.class != Class::Raw;
        !is_mapped && self.class != Class::NoDeployment
    }

    /// No deployment has the tags that were asked for. The proxy answers 401 [T 180, 180f].
    pub const NO_TAGS: Self =
        Self { told: Told::NO_TAGS, why: WhyNot::Tags, ..Self::without_status(Class::Refused, 401) };

    /// This failure after its fallbacks have failed: their last failure is told in its text. Exceptions of the router
    /// itself and those of clients have no such text, and of a stream that broke it is the provider's own exception
    /// that comes out in the end [T 116k].
    pub fn telling(self, last: &Self) -> Self {
        match self.status {
            Some(_) if !matches!(self.class, Class::MidStream | Class::Raw) => {
                Self { told: self.told.and(last.told), ..self }
            }
            _ => self,
        }
    }

    /// This failure with words in its text that are looked for later.
    pub fn mentioning(self, mention: Mention) -> Self {
        let told = match mention {
            Mention::Nothing | Mention::CallAgain | Mention::LeaveAlone => Told::NOTHING,
            Mention::LostConnection => Told::LOST,
            Mention::NoTags => Told::NO_TAGS,
            Mention::NoDeployment => Told::NO_DEPLOYMENT,
            Mention::LostNoDeployment => Told::LOST.and(Told::NO_DEPLOYMENT),
            Mention::LostNoTags => Told::LOST.and(Told::NO_TAGS),
        };
        Self { told: self.told.and(told), ..self }
    }

    /// The status that the proxy answers with (`proxy/_types.py:ProxyException`).
    pub const fn answered_with(&self) -> u16 {
        match self.told {
            told if told.has(Told::NO_DEPLOYMENT) => 429,
            told if told.has(Told::NO_TAGS) => 401,
            _ => self.http_status,
        }
    }

    /// Whether the SDK's rule calls the status worth another try (`utils.py:_should_retry`).
    pub const fn status_is_transient(status: u16) -> bool {
        matches!(status, 408 | 409 | 429) || status >= 500
    }
}

impl Class {
    /// The class that OpenAI's statuses are mapped to.
    pub const fn of_status(status: u16) -> Self {
        match status {
            400 | 422 => Self::BadRequest,
            401 => Self::Authentication,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            429 => Self::RateLimit,
            500 => Self::InternalServer,
            502 => Self::BadGateway,
            503 => Self::ServiceUnavailable,
            _ => Self::Api,
        }
    }

    /// Whether this class has fallbacks of its own.
    pub const fn has_own_fallbacks(self) -> bool {
        matches!(self, Self::ContextWindow | Self::ContentPolicy)
    }

    /// What a person calls it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::BadRequest => "bad request",
            Self::ContextWindow => "context window exceeded",
            Self::ContentPolicy => "content policy violation",
            Self::Authentication => "authentication error",
            Self::PermissionDenied => "permission denied",
            Self::NotFound => "not found",
            Self::Timeout => "timeout",
            Self::RateLimit => "rate limit",
            Self::InternalServer => "internal server error",
            Self::BadGateway => "bad gateway",
            Self::ServiceUnavailable => "service unavailable",
            Self::Api => "API error",
            Self::ApiConnection => "connection error",
            Self::MidStream => "stream broken",
            Self::Raw => "error of the provider's client",
            Self::NoDeployment => "no deployment available",
            Self::Refused => "refused by the router",
        }
    }
}
