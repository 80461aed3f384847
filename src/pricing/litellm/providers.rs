//! The provider prefixes that LiteLLM 1.102.4 knows (`LlmProviders` and its JSON providers).

/// Sorted, for binary search.
const PROVIDERS: &[&str] = &[
    "a2a",
    "a2a_agent",
    "abliteration",
    "ai21",
    "ai21_chat",
    "aihubmix",
    "aiml",
    "aiohttp_openai",
    "amazon_nova",
    "anthropic",
    "anthropic_text",
    "apertis",
    "assemblyai",
    "auto_router",
    "aws_polly",
    "azure",
    "azure_ai",
    "azure_text",
    "baseten",
    "bedrock",
    "bedrock_mantle",
    "black_forest_labs",
    "bytez",
    "cerebras",
    "charity_engine",
    "chatgpt",
    "chutes",
    "clarifai",
    "cloudflare",
    "codestral",
    "cognition",
    "cohere",
    "cohere_chat",
    "cometapi",
    "compactifai",
    "crusoe",
    "cursor",
    "custom",
    "custom_openai",
    "darkbloom",
    "dashscope",
    "databricks",
    "datarobot",
    "deepgram",
    "deepinfra",
    "deepseek",
    "docker_model_runner",
    "dotprompt",
    "elevenlabs",
    "empiriolabs",
    "empower",
    "fal_ai",
    "featherless_ai",
    "fireworks_ai",
    "friendliai",
    "galadriel",
    "gdc",
    "gemini",
    "gigachat",
    "github",
    "github_copilot",
    "gmi",
    "gradient_ai",
    "groq",
    "helicone",
    "heroku",
    "hosted_vllm",
    "huggingface",
    "humanloop",
    "hyperbolic",
    "inception",
    "infinity",
    "jina_ai",
    "lambda_ai",
    "langflow",
    "langfuse",
    "langgraph",
    "lemonade",
    "libertai",
    "litellm_agent",
    "litellm_proxy",
    "llamafile",
    "llamagate",
    "lm_studio",
    "manus",
    "maritalk",
    "meta",
    "meta_llama",
    "milvus",
    "minimax",
    "mistral",
    "modelscope",
    "mongodb",
    "moonshot",
    "morph",
    "nano-gpt",
    "nebius",
    "neosantara",
    "nlp_cloud",
    "novita",
    "nscale",
    "nvidia_nim",
    "nvidia_riva",
    "oci",
    "ollama",
    "ollama_chat",
    "oobabooga",
    "openai",
    "openai_like",
    "openrouter",
    "ovhcloud",
    "parasail",
    "perplexity",
    "petals",
    "pg_vector",
    "pinstripes",
    "poe",
    "predibase",
    "publicai",
    "qwen_ai_platform",
    "qwencloud",
    "ragflow",
    "recraft",
    "reducto",
    "replicate",
    "runwayml",
    "s3_vectors",
    "sagemaker",
    "sagemaker_chat",
    "sagemaker_nova",
    "sambanova",
    "sap",
    "sarvam",
    "scaleway",
    "scx-ai",
    "snowflake",
    "soniox",
    "stability",
    "synthetic",
    "tencent",
    "tensormesh",
    "text-completion-codestral",
    "text-completion-inception",
    "text-completion-openai",
    "together_ai",
    "topaz",
    "triton",
    "v0",
    "valkey",
    "veniceai",
    "vercel_ai_gateway",
    "vertex_ai",
    "vertex_ai_beta",
    "vllm",
    "volcengine",
    "voyage",
    "wandb",
    "watsonx",
    "watsonx_text",
    "xai",
    "xiaomi_mimo",
    "xinference",
    "zai",
];

/// The regions of AWS Bedrock that may stand before a model name.
const BEDROCK_REGIONS: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Whether a model name's first segment is a provider.
pub fn is_provider(name: &str) -> bool {
    PROVIDERS.binary_search(&name).is_ok()
}

/// Whether a model name's first segment is a region of Bedrock.
pub fn is_bedrock_region(name: &str) -> bool {
    BEDROCK_REGIONS.contains(&name)
}

/// The provider of a call whose model is the bare key of a map entry, from the entry's `litellm_provider`. None where
/// LiteLLM wants the provider named.
pub fn of_bare_key(litellm_provider: &str) -> Option<&str> {
    match litellm_provider {
        "bedrock" | "bedrock_converse" => Some("bedrock"),
        "ai21" => Some("ai21_chat"),
        "anthropic"
        | "openai"
        | "text-completion-openai"
        | "cohere"
        | "cohere_chat"
        | "nlp_cloud"
        | "replicate"
        | "openrouter"
        | "maritalk"
        | "aleph_alpha"
        | "baseten"
        | "petals"
        | "watsonx"
        | "empower"
        | "gradient_ai" => Some(litellm_provider),
        vertex => {
            let family = vertex.strip_prefix("vertex_ai-")?.strip_suffix("-models")?;
            const BARE: [&str; 9] =
                ["chat", "code-chat", "text", "code-text", "language", "embedding", "vision", "image", "video"];
            BARE.contains(&family).then_some("vertex_ai")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(PROVIDERS.is_sorted());
        assert!(is_provider("openai") && !is_provider("gpt-4o"));
    }
}
