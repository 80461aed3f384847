#!/usr/bin/env python3
"""Runs billcast and its peers on the shared workload W1, side by side, and prints nanoseconds a request and ratios.

    benches/run.py                    1M requests, 5 rounds, pinned to one core
    benches/run.py --requests 100000 --rounds 9
    benches/run.py --check            first compares billcast's statistics with those of an independent program

One command: it builds billcast and the Rust peers (release) and makes a virtual environment for the Python peers in
target/peers. Programs take turns within a round, so that what disturbs the machine disturbs all of them; ratios are
medians of the ratios within a round.
"""
import argparse
import json
import math
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BUILT = ROOT / "target" / "peers"
RUST_PEERS = ["nexo1", "min_heap", "full", "full-wheel", "fast_crn"]
# What the issue asks for: billcast at least so many times as fast.
TARGETS = {"simpy": 100, "nexo1": 8, "min_heap": 1.5}
STATISTICS = ["requests", "a_calls", "a_429", "b_calls", "cooldowns", "fallback_share", "p50", "p95", "p99", "bill"]
# Quantiles come from histograms with buckets of up to this relative width: a smaller difference says nothing.
BUCKET = 1 / 64


def build_billcast():
    """Builds the bench target; returns the program and its environment."""
    command = ["cargo", "build", "--release", "--bench", "w1", "--message-format=json-render-diagnostics"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    for message in map(json.loads, lines):
        if message.get("executable") and message["target"]["name"] == "w1":
            return message["executable"]
    raise SystemExit("cargo built no `w1`")


def build_peers(with_python):
    environment = dict(os.environ, CARGO_TARGET_DIR=str(BUILT))
    command = ["cargo", "build", "--release", "--quiet"]
    subprocess.run(command, cwd=HERE / "peers" / "rust", env=environment, check=True)
    python = BUILT / "venv" / "bin" / "python"
    if with_python and not python.exists():
        venv.create(BUILT / "venv", with_pip=True)
        requirements = HERE / "peers" / "python" / "requirements.txt"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    return python


def programs(billcast, python, with_python):
    """Name -> command without its numbers, and what follows them."""
    release = BUILT / "release"
    found = {"billcast": ([billcast], []), "billcast-full": ([billcast, "full"], [])}
    for name in RUST_PEERS:
        binary, _, variant = name.partition("-")
        found[name] = ([release / binary], [variant] if variant else [])
    if with_python:
        for name in ["simpy", "numpy"]:
            found[name] = ([python, HERE / "peers" / "python" / f"{name}_w1.py"], [])
    return found


def pinned(command, core):
    if hasattr(os, "sched_setaffinity"):
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def measure(program, numbers, core):
    """Seconds of processor time of the whole process, peak memory in MiB, and its lines."""
    first, last = program
    command = [str(part) for part in [*first, *numbers, *last]]
    process = pinned(command, core)
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, [json.loads(line) for line in lines]


def check(found, replications, core):
    """z-scores of billcast's means against the independent program with LiteLLM's rules."""
    found = dict(found, litellm_rules=([BUILT / "release" / "litellm_rules"], []))
    samples = {}
    for fixed in [1, 0]:
        for seed, name in enumerate(["billcast", "litellm_rules"]):
            # Different seeds: the two programs share no draws anyway.
            samples[name] = measure(found[name], [100_000, replications, 7 + seed, fixed], core)[2]
        print(f"\nBillcast against an independent program with LiteLLM's rules, 100k requests, "
              f"{replications} replications, {'fixed' if fixed else 'random'} bursts:")
        for statistic in STATISTICS:
            print_z(statistic, *[[line[statistic] for line in samples[name]] for name in samples])


def print_z(statistic, ours, theirs):
    error = math.sqrt(statistics.variance(ours) / len(ours) + statistics.variance(theirs) / len(theirs))
    ours, theirs = statistics.mean(ours), statistics.mean(theirs)
    z = 0.0 if ours == theirs else (ours - theirs) / error
    within_bucket = statistic.startswith("p") and abs(ours / theirs - 1) < BUCKET
    verdict = "" if abs(z) < 3.5 or within_bucket else "   <-- DISAGREES"
    print(f"  {statistic:15} {ours:14.5f} {theirs:14.5f}   z = {z:+5.2f}{verdict}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--check", action="store_true", help="compare statistics first")
    parser.add_argument("--replications", type=int, default=100, help="for --check")
    parser.add_argument("--no-python", action="store_true", help="leave SimPy and NumPy out")
    options = parser.parse_args()
    billcast = build_billcast()
    python = build_peers(not options.no_python)
    found = programs(billcast, python, not options.no_python)
    if options.check:
        check(found, options.replications, options.core)
    seconds = {name: [] for name in found}
    memory, last = {}, {}
    for turn in range(options.rounds):
        for name, program in found.items():
            seed = options.seed + turn
            numbers = [1, seed] if name == "billcast-full" else [options.requests, 1, seed, 0]
            took, memory[name], lines = measure(program, numbers, options.core)
            seconds[name].append(took)
            last[name] = lines[-1]
            print(f"\rround {turn + 1} of {options.rounds}: {name:12}", end="", file=sys.stderr, flush=True)
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    table(seconds, memory, last, options)


def table(seconds, memory, last, options):
    print(f"\n{options.requests:,} requests, {options.rounds} rounds, core {options.core}, "
          f"{time.strftime('%Y-%m-%d')}; whole processes, processor time")
    print(f"{'program':13} {'ns/request':>11} {'peak MiB':>9} {'fallback':>9} {'bill':>10} {'billcast is':>14}  target")
    ours = seconds["billcast"]
    # A child's peak includes that of this process at the fork: smaller ones cannot be told.
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for name, all_seconds in sorted(seconds.items(), key=lambda item: -statistics.median(item[1])):
        nanos = statistics.median(all_seconds) / last[name]["requests"] * 1e9
        ratio = statistics.median(theirs / mine for theirs, mine in zip(all_seconds, ours))
        target = f"{TARGETS[name]} x" if name in TARGETS else ""
        told = "" if name.startswith("billcast") else f"{ratio:8.2f} x"
        line = last[name]
        peak = f"< {floor:.0f}" if memory[name] <= floor * 1.05 else f"{memory[name]:.1f}"
        print(f"{name:13} {nanos:11.1f} {peak:>9} {line['fallback_share']:9.4f} {line['bill']:10.2f} "
              f"{told:>14}  {target}")


main()
