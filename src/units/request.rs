//! A request as its gateway sees it: what traffic makes and gateways read.

use crate::units::{BodyId, KeyId, NameId, PromptId, RequestId, Tokens};

/// What a gateway can know of a request when it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestView {
    /// Number of the request.
    pub id: RequestId,
    /// The model name that the client sent.
    pub model: NameId,
    /// The virtual key that it came with.
    pub key: KeyId,
    /// The other parameters of the body (and headers that the gateway reads).
    pub body: BodyId,
    /// What is asked: equal prompts have equal ids.
    pub prompt: PromptId,
    /// Characters of the prompt.
    pub prompt_chars: u32,
    /// Input tokens as the gateway's own tokenizer counts them.
    pub prompt_tokens: Tokens,
    /// `max_tokens` of the request.
    pub max_tokens: Option<Tokens>,
    /// Whether the client asked for a stream.
    pub stream: bool,
}
