"""Records what the real LiteLLM charges for random usages of random price cards.

Needs `pip install litellm==1.102.4`. Writes `map.json` (a made-up price map in LiteLLM's format, with odd combinations
of price fields) and `costs.csv` (one row a usage: what `litellm.cost_per_token` returned, or `error`).
The clock that cheaper hours are read from is fixed per row.

    python record.py --seed 1 --models 100 --rows 1500
"""

import argparse
import csv
import datetime
import json
import logging
import os
import pathlib
import random

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm  # noqa: E402
from litellm.litellm_core_utils.llm_cost_calc import utils as cost_utils  # noqa: E402
from litellm.types.utils import (  # noqa: E402
    CacheCreationTokenDetails,
    CompletionTokensDetailsWrapper,
    PromptTokensDetailsWrapper,
    Usage,
)

HERE = pathlib.Path(__file__).parent
PROVIDERS = (
    "openai azure azure_ai anthropic bedrock bedrock_converse gemini vertex_ai-language-models vertex_ai-mistral_models "
    "xai dashscope qwencloud qwen_ai_platform fireworks_ai perplexity databricks deepseek tencent groq openrouter "
    "together_ai volcengine lemonade mistral"
).split()
KINDS = (
    "input_cost_per_token output_cost_per_token cache_read_input_token_cost cache_creation_input_token_cost "
    "cache_creation_input_token_cost_above_1hr output_cost_per_reasoning_token"
).split()
TIERS = ("flex", "priority", "ultrafast")
BOUNDS = [0, 1, 2, 31999, 32000, 32001, 127999, 128000, 128001, 199999, 200000, 200001, 256000, 256001, 272000, 272001]
MOMENTS = ["2026-11-18T01:30:00+00:00", "2026-11-20T17:00:00+00:00", "2026-11-21T08:59:59+00:00", "2026-11-22T14:00:00+00:00"]
COLUMNS = (
    "model,custom_llm_provider,prompt_tokens,completion_tokens,cached_tokens,cache_creation_5m_tokens,"
    "cache_creation_1h_tokens,reasoning_tokens,service_tier,at,cost_usd"
).split(",")


def price(draw):
    kind = draw.random()
    if kind < 0.1:
        return 0.0
    if kind < 0.25:
        return draw.randint(1, 999) / 7 * 1e-8
    return round(draw.uniform(1, 9999)) * 1e-9


def tiered(draw):
    bounds = sorted(set(draw.sample([0, 32000, 128000, 200000, 256000, 1000000], draw.randint(2, 4))))
    tiers = []
    for start, end in zip(bounds, bounds[1:]):
        tier = {"range": [start, float(end) if draw.random() < 0.5 else end]}
        for kind, share in zip(KINDS, (0.95, 0.8, 0.4, 0.4, 0.3, 0.3)):
            if draw.random() < share:
                tier[kind] = price(draw)
        tiers.append(tier)
    draw.shuffle(tiers)
    return tiers


def off_peak(draw):
    block = {}
    if draw.random() < 0.7:
        block["hours_utc"] = draw.choice(["00:00-12:00", "12:00-00:00", ["01:00-04:00", "14:00-14:00"], "bad", "00:00-24:00"])
    if draw.random() < 0.5:
        days = draw.choice([["mon", "tue", "wed", "thu", "fri"], ["sat", "sun"], [6, 7], None])
        block["windows"] = [{"weekdays": days, "hours_utc": draw.choice(["00:00-00:00", "02:00-18:00"])}]
        block["weekday_timezone"] = draw.choice(["Asia/Shanghai", "America/New_York", "bogus"])
    for kind in KINDS[:4] + KINDS[5:]:
        if draw.random() < 0.6:
            block[kind] = price(draw)
    return block


def entry(draw):
    card = {"litellm_provider": draw.choice(PROVIDERS), "mode": "chat"}
    for kind, share in zip(KINDS + ["output_cost_per_image_token"], (0.93, 0.9, 0.6, 0.5, 0.4, 0.3, 0.15)):
        if draw.random() < share:
            card[kind] = price(draw)
    for tier in TIERS:
        if draw.random() < 0.35:
            card.update({f"{kind}_{tier}": price(draw) for kind in KINDS[:4] + KINDS[5:] if draw.random() < 0.6})
    if draw.random() < 0.5:
        for above in draw.sample(["128k", "200k", "256k", "272k", "32k", "1000"], draw.randint(1, 3)):
            for kind in KINDS[:5]:
                for suffix in ("", *(f"_{tier}" for tier in TIERS)):
                    if draw.random() < (0.2 if suffix else 0.8):
                        card[f"{kind}_above_{above}_tokens{suffix}"] = price(draw)
    if draw.random() < 0.2:
        card["tiered_pricing"] = tiered(draw)
    if draw.random() < 0.2:
        card["off_peak_pricing"] = off_peak(draw)
    return card


def price_map(draw, models):
    out = {
        "azure_ai/model_router": {"litellm_provider": "azure_ai", "mode": "chat", "input_cost_per_token": 1.4e-07},
        "fireworks-ai-default": {"litellm_provider": "fireworks_ai", "input_cost_per_token": 1e-07},
        "us.anthropic.claude-9-v1:0": {"litellm_provider": "bedrock_converse", "input_cost_per_token": 3e-06},
        "anthropic.claude-9-v1:0": {"litellm_provider": "bedrock_converse", "input_cost_per_token": 2e-06},
    }
    for number in range(models):
        card = entry(draw)
        provider = card["litellm_provider"].split("-")[0].replace("bedrock_converse", "bedrock")
        out[f"{provider}/m{number}" if draw.random() < 0.7 else f"m{number}"] = card
    return out


def call(draw, prices):
    key = draw.choice(list(prices))
    provider = prices[key]["litellm_provider"].split("-")[0].replace("bedrock_converse", "bedrock")
    spelling = draw.random()
    if spelling < 0.6:
        return key, provider
    if spelling < 0.7:
        return key, ""
    if spelling < 0.8:
        return f"{provider}/{key}", provider
    if spelling < 0.88:
        return key.upper(), provider
    if spelling < 0.92:
        return draw.choice(["eu.", "us-east-1/", "converse/"]) + key, provider
    return draw.choice([key.split("/")[-1], key + "-001", "azure_ai/model-router-2", "nowhere/x-7b"]), draw.choice(
        [provider, "azure_ai", "openai", "bedrock", "fireworks_ai", "github", "litellm_proxy", "vertex_ai_beta"]
    )


def tokens(draw):
    return draw.choice(BOUNDS) if draw.random() < 0.3 else int(10 ** draw.uniform(0, 6))


def row(draw, prices):
    model, provider = call(draw, prices)
    prompt, completion = tokens(draw), tokens(draw)
    cached = draw.randint(0, prompt) if draw.random() < 0.5 else 0
    short = draw.randint(0, prompt - cached) if draw.random() < 0.3 else 0
    long = draw.randint(0, prompt - cached - short) if draw.random() < 0.3 else 0
    reasoning = draw.randint(0, completion) if draw.random() < 0.4 else 0
    tier = draw.choice(["", "", "", "flex", "priority", "fast", "Priority", "ultrafast", "batch", "default", "auto"])
    return [model, provider, prompt, completion, cached, short, long, reasoning, tier, draw.choice(MOMENTS)]


def cost(model, provider, prompt, completion, cached, short, long, reasoning, tier, at):
    cost_utils.current_billing_time = lambda: datetime.datetime.fromisoformat(at)
    written = CacheCreationTokenDetails(ephemeral_5m_input_tokens=short, ephemeral_1h_input_tokens=long)
    usage = Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptTokensDetailsWrapper(
            cached_tokens=cached, cache_creation_tokens=short + long, cache_creation_token_details=written
        ),
        completion_tokens_details=CompletionTokensDetailsWrapper(reasoning_tokens=reasoning),
    )
    try:
        parts = litellm.cost_per_token(
            model=model, custom_llm_provider=provider or None, usage_object=usage, service_tier=tier or None,
            prompt_tokens=prompt, completion_tokens=completion,
        )  # fmt: skip
        return repr(sum(parts))
    except Exception:  # noqa: BLE001
        return "error"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--models", type=int, default=100)
    options.add_argument("--rows", type=int, default=1500)
    options.add_argument("--map", type=pathlib.Path, help="a price map to use instead of a made-up one")
    options.add_argument("--out", type=pathlib.Path, default=HERE)
    asked = options.parse_args()
    logging.disable(logging.CRITICAL)
    litellm.suppress_debug_info = True
    draw = random.Random(asked.seed)
    prices = json.loads(asked.map.read_text()) if asked.map else price_map(draw, asked.models)
    litellm.model_cost = prices
    litellm.utils._invalidate_model_cost_lowercase_map()
    litellm.add_known_models()
    if not asked.map:
        (asked.out / "map.json").write_text(json.dumps(prices, indent=1) + "\n")
    with open(asked.out / "costs.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for _ in range(asked.rows):
            usage = row(draw, prices)
            out.writerow([*usage, cost(*usage)])


if __name__ == "__main__":
    main()
