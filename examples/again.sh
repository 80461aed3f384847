#!/bin/sh
# Writes the outputs of all examples again. Run it in the root of the repository; `billcast` must be in the PATH.
set -eu
example() {
    folder=examples/$1
    shift
    billcast compare "$@" --runs 200 --quiet --out "$folder/out" > "$folder/output.txt"
    mv "$folder/out/comment.md" "$folder/comment.md"
    mv "$folder/out/chart-where-it-comes-from.svg" "$folder/where-it-comes-from.svg"
    mv "$folder/out/chart-paired-differences.svg" "$folder/paired-differences.svg"
    rm -r "$folder/out"
}
example upward-or-sideways weekend-upward weekend-sideways
example cache weekend-sideways --unset gateway.litellm_settings.cache
example key-budget examples/key-budget --set keys.agents.max_budget=20
example retry-policy examples/retry-policy --with examples/retry-policy/gateway-with-policy.yaml
