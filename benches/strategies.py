#!/usr/bin/env python3
"""How long a request takes by routing strategy and by the size of its group, in nanoseconds.

    benches/strategies.py [--sizes 2,10,100,1000] [--limits]

The traffic is that of the preset `chat`, 20 requests a second for ten hours; nothing rests for long, so that whole
groups are asked at each pick. The fastest of three runs, after the world has been read.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
STRATEGIES = [
    "simple-shuffle", "least-busy", "latency-based-routing", "cost-based-routing", "usage-based-routing",
    "usage-based-routing-v2",
]
SCENARIO = "gateway: config.yaml\nhours: 10\ntraffic:\n  all: { preset: chat, model: chat, rate: 20/s }\n"


def config(strategy, size, limited):
    is_limited = limited or strategy.startswith("usage")
    limits = "\n      rpm: 6000\n      tpm: 100000000" if is_limited else ""
    deployment = f"  - model_name: chat\n    litellm_params:\n      model: openai/gpt-4o-mini{limits}\n"
    deployments = "".join(f"{deployment}      api_base: https://host-{n}.example/v1\n" for n in range(size))
    return f"model_list:\n{deployments}router_settings:\n  routing_strategy: {strategy}\n"


def build():
    command = ["cargo", "build", "--release", "--bench", "w1", "--message-format=json-render-diagnostics"]
    lines = subprocess.run(command, cwd=HERE.parent, check=True, capture_output=True, text=True).stdout.splitlines()
    programs = [message["executable"] for message in map(json.loads, lines)
                if message.get("executable") and message["target"]["name"] == "w1"]
    return programs[-1]


def nanoseconds(program, folder):
    told = subprocess.run([program, "play", folder, "3", "7"], check=True, capture_output=True, text=True).stdout
    return min(run["wall"] * 1e9 / run["requests"] for run in map(json.loads, told.splitlines()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="2,10,100,1000")
    parser.add_argument("--limits", action="store_true", help="deployments with rpm and tpm for all strategies")
    parser.add_argument("--program", help="instead of building one")
    arguments = parser.parse_args()
    program, sizes = arguments.program or build(), arguments.sizes.split(",")
    print("| strategy | " + " | ".join(f"{size} deployments" for size in sizes) + " |")
    print("|---|" + "---:|" * len(sizes))
    for strategy in STRATEGIES:
        row = []
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                pathlib.Path(folder, "config.yaml").write_text(config(strategy, int(size), arguments.limits))
                pathlib.Path(folder, "scenario.yaml").write_text(SCENARIO)
                row.append(f"{nanoseconds(program, folder):,.0f}")
        print(f"| {strategy} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
