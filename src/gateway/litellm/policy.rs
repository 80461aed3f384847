//! Numbers by class of failure: retries that are granted, failures that are allowed.

use crate::gateway::litellm::failure::Class;

/// `retry_policy`: retries by class of failure (`router_utils/get_retry_from_policy.py`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetryPolicy {
    /// `BadRequestErrorRetries`
    pub bad_request: Option<u32>,
    /// `AuthenticationErrorRetries`
    pub authentication: Option<u32>,
    /// `TimeoutErrorRetries`
    pub timeout: Option<u32>,
    /// `RateLimitErrorRetries`
    pub rate_limit: Option<u32>,
    /// `ContentPolicyViolationErrorRetries`
    pub content_policy: Option<u32>,
    /// `InternalServerErrorRetries`
    pub internal_server: Option<u32>,
    /// `ServiceUnavailableErrorRetries`
    pub service_unavailable: Option<u32>,
    /// `DefaultRetries`
    pub default: Option<u32>,
}

impl RetryPolicy {
    /// The retries granted: the class itself, then what it is a kind of, then the default [T 70, 74].
    pub fn retries(&self, class: Class) -> Option<u32> {
        let own = match class {
            Class::Authentication => self.authentication,
            Class::Timeout => self.timeout,
            Class::RateLimit => self.rate_limit,
            Class::ContentPolicy => self.content_policy.or(self.bad_request),
            Class::BadRequest | Class::ContextWindow => self.bad_request,
            Class::ServiceUnavailable | Class::MidStream => self.service_unavailable,
            Class::InternalServer => self.internal_server,
            _ => None,
        };
        own.or(self.default)
    }
}

/// `allowed_fails_policy`: failures allowed by class (`router_utils/cooldown_handlers.py`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailsPolicy {
    /// `BadRequestErrorAllowedFails`
    pub bad_request: Option<i64>,
    /// `AuthenticationErrorAllowedFails`
    pub authentication: Option<i64>,
    /// `TimeoutErrorAllowedFails`
    pub timeout: Option<i64>,
    /// `RateLimitErrorAllowedFails`
    pub rate_limit: Option<i64>,
    /// `ContentPolicyViolationErrorAllowedFails`
    pub content_policy: Option<i64>,
    /// `InternalServerErrorAllowedFails`
    pub internal_server: Option<i64>,
    /// `ServiceUnavailableErrorAllowedFails`
    pub service_unavailable: Option<i64>,
    /// `BadGatewayErrorAllowedFails`
    pub bad_gateway: Option<i64>,
    /// `NotFoundErrorAllowedFails`
    pub not_found: Option<i64>,
}

impl FailsPolicy {
    /// The failures allowed for a class, by the first entry that fits.
    pub fn allowed(&self, class: Class) -> Option<i64> {
        match class {
            Class::ContentPolicy => self.content_policy.or(self.bad_request),
            Class::BadRequest | Class::ContextWindow => self.bad_request,
            Class::Authentication => self.authentication,
            Class::Timeout => self.timeout,
            Class::RateLimit => self.rate_limit,
            Class::InternalServer => self.internal_server,
            Class::ServiceUnavailable | Class::MidStream => self.service_unavailable,
            Class::BadGateway => self.bad_gateway,
            Class::NotFound => self.not_found,
            _ => None,
        }
    }
}
