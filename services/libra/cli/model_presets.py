"""Presets of `libra models add`: where well-known providers and servers are, and what they need."""

from __future__ import annotations

from dataclasses import dataclass

from libra.v1.model_pb2 import Provider


@dataclass(frozen=True, slots=True)
class Preset:
    """The entry of a provider or server, as far as it is the same for everybody."""

    name: str
    provider: Provider.ValueType
    url: str
    """With capitals where one's own part belongs, for instance RESOURCE: then the user gives the URL."""

    key_variable: str = ""
    """The environment variable for the key; empty: none is needed, or the gateway has an account of its own."""

    token_limit_name: str = ""
    is_free: bool = False
    """It runs on one's own machine, and nobody is paid for its tokens."""

    @property
    def needs_url(self) -> bool:
        """Whether the URL has a part of one's own."""
        return any(part.isupper() and part.isalpha() for part in self.url.replace(".", "/").split("/"))


OPENAI, ANTHROPIC = Provider.PROVIDER_OPENAI, Provider.PROVIDER_ANTHROPIC
RESPONSES, GEMINI = Provider.PROVIDER_OPENAI_RESPONSES, Provider.PROVIDER_GEMINI
AZURE, BEDROCK = Provider.PROVIDER_AZURE_OPENAI, Provider.PROVIDER_BEDROCK
VERTEX_PATH = "projects/PROJECT/locations/LOCATION/publishers/google"
COMPLETION_TOKENS = "max_completion_tokens"

HOSTED = (
    Preset("openai", OPENAI, "https://api.openai.com/v1", "OPENAI_API_KEY", COMPLETION_TOKENS),
    Preset("openai-responses", RESPONSES, "https://api.openai.com/v1", "OPENAI_API_KEY"),
    Preset("anthropic", ANTHROPIC, "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    Preset("gemini", GEMINI, "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY"),
    Preset("vertex", GEMINI, f"https://LOCATION-aiplatform.googleapis.com/v1/{VERTEX_PATH}"),
    Preset("azure", AZURE, "https://RESOURCE.openai.azure.com/openai/v1", "AZURE_OPENAI_API_KEY"),
    Preset("bedrock", BEDROCK, "https://bedrock-runtime.REGION.amazonaws.com", "BEDROCK_API_KEY"),
    Preset("openrouter", OPENAI, "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    Preset("huggingface", OPENAI, "https://router.huggingface.co/v1", "HUGGINGFACE_API_KEY"),
    Preset("cerebras", OPENAI, "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", COMPLETION_TOKENS),
    Preset("cohere", OPENAI, "https://api.cohere.ai/compatibility/v1", "COHERE_API_KEY"),
    Preset("dashscope", OPENAI, "https://dashscope.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
    Preset("dashscope-intl", OPENAI, "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
    Preset("deepinfra", OPENAI, "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
    Preset("deepseek", OPENAI, "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    Preset("fireworks", OPENAI, "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    Preset("groq", OPENAI, "https://api.groq.com/openai/v1", "GROQ_API_KEY", COMPLETION_TOKENS),
    Preset("mistral", OPENAI, "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    Preset("moonshot", OPENAI, "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
    Preset("nvidia", OPENAI, "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    Preset("perplexity", OPENAI, "https://api.perplexity.ai", "PERPLEXITY_API_KEY"),
    Preset("sambanova", OPENAI, "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    Preset("together", OPENAI, "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    Preset("xai", OPENAI, "https://api.x.ai/v1", "XAI_API_KEY"),
    Preset("zai", OPENAI, "https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
)

LOCAL = (
    Preset("ollama", OPENAI, "http://localhost:11434/v1", is_free=True),
    Preset("vllm", OPENAI, "http://localhost:8000/v1", is_free=True),
    Preset("sglang", OPENAI, "http://localhost:30000/v1", is_free=True),
    Preset("llama.cpp", OPENAI, "http://localhost:8080/v1", is_free=True),
    Preset("lmstudio", OPENAI, "http://localhost:1234/v1", is_free=True),
    Preset("tgi", OPENAI, "http://localhost:8080/v1", is_free=True),
    Preset("litellm", OPENAI, "http://localhost:4000/v1"),
)
"""A LiteLLM proxy passes requests to providers that are paid, so its tokens are not free."""

PRESETS = {preset.name: preset for preset in (*HOSTED, *LOCAL)}
