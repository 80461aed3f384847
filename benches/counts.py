#!/usr/bin/env python3
"""Counts instructions of the hot path with callgrind and compares them with benches/counts.json.

    benches/counts.py            fails when a count has moved by more than its tolerance
    benches/counts.py --record   writes the counts of today

Each piece runs twice, with different numbers of repetitions; the difference of the counts divided by the difference of
the repetitions is free of start-up. Needs valgrind; without it nothing is counted and that is said.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
RECORDED = HERE / "counts.json"
# Pieces repeat to the instruction on one machine; another processor may choose other routines of the C library.
TOLERANCE = 0.05
REPETITIONS = {
    "queue": (50_000, 60_000),
    "draw": (1_000, 11_000),
    "lognormal": (1_000, 11_000),
    "arrival": (1_000, 11_000),
    "charge": (1_000, 11_000),
    "histogram": (1_000, 11_000),
    # As many a minute as in the benchmark, or the counters of the minutes weigh more than the requests.
    "w1": (50_000, 150_000),
    # Tenths of an hour, each of about 2,000 requests.
    "full": (5, 10),
}


def build():
    command = ["cargo", "build", "--release", "--bench", "counts", "--message-format=json-render-diagnostics"]
    lines = subprocess.run(command, cwd=HERE.parent, check=True, capture_output=True, text=True).stdout.splitlines()
    for message in map(json.loads, lines):
        if message.get("executable") and message["target"]["name"] == "counts":
            return message["executable"]
    raise SystemExit("cargo built no `counts`")


def instructions(program, piece, times):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, piece, str(times)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return int(re.search(r"refs:\s+([\d,]+)", told).group(1).replace(",", ""))


def per_repetition(program, piece):
    few, many = REPETITIONS[piece]
    return (instructions(program, piece, many) - instructions(program, piece, few)) / (many - few)


def main():
    if shutil.which("valgrind") is None:
        print("no valgrind: instruction counts are not checked")
        return
    program = build()
    counts = {piece: round(per_repetition(program, piece), 1) for piece in REPETITIONS}
    if "--record" in sys.argv:
        RECORDED.write_text(json.dumps(counts, indent=2) + "\n")
    recorded = json.loads(RECORDED.read_text())
    slower = []
    for piece, count in counts.items():
        before = recorded.get(piece, count)
        print(f"{piece:10} {count:11.1f} instructions, recorded {before:11.1f}, {count / before - 1:+.1%}")
        if count > before * (1 + TOLERANCE):
            slower.append(piece)
    if slower:
        raise SystemExit(f"more instructions than recorded: {', '.join(slower)} (if that is meant: --record)")


main()
