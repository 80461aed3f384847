//! Ids are dense indices: the hot path indexes arrays with them and never looks up a name.

macro_rules! index_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as an array index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The id of the element at `index`; an index beyond `u32` does not occur in a compiled world.
            pub fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).expect("fewer than 2^32 elements"))
            }
        }
    )+};
}

index_id! {
    /// One upstream deployment of the gateway (an entry of LiteLLM's `model_list`).
    DeploymentId,
    /// A model group: all deployments that share one `model_name`.
    GroupId,
    /// A virtual key of the gateway.
    KeyId,
    /// A traffic class of the scenario.
    ClassId,
    /// A model name as clients send it, interned by the gateway's plan.
    NameId,
    /// The parameters of a request body beside model and messages, interned by the gateway's plan.
    BodyId,
    /// A request in flight: the engine's slot for it, reused after the request has ended.
    CallId,
}

/// A client request, numbered from 0 in order of arrival within its class and replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RequestId(pub u64);

/// Above all numbers of requests: how often the client has tried before.
const TRY_SHIFT: u32 = 56;

impl RequestId {
    /// How many requests of the same client for the same answer have gone before this one.
    pub const fn tried(self) -> u32 {
        (self.0 >> TRY_SHIFT) as u32
    }

    /// The client's next request for the same answer. There are 255 at most.
    #[must_use]
    pub const fn next_try(self) -> Self {
        Self(self.0 + (1 << TRY_SHIFT))
    }

    /// The client's first request for the same answer.
    #[must_use]
    pub const fn first_try(self) -> Self {
        Self(self.0 & ((1 << TRY_SHIFT) - 1))
    }
}

/// What a request asks: two requests with the same id have the same prompt and parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PromptId(pub u64);
