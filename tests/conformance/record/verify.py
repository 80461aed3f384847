#!/usr/bin/env python3
"""Do freshly recorded traces equal the committed ones?   verify.py FRESH_DIR [TRACES_DIR ...]

Uses the same rules as compare_trace.py. Without TRACES_DIR: ../traces and ../random/traces.
Only traces present in both folders are compared. Exit status 1 if any differs.
"""
import json, os, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import compare_trace  # noqa: E402


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    fresh = sys.argv[1]
    dirs = sys.argv[2:] or [os.path.join(HERE, "..", "traces"), os.path.join(HERE, "..", "random", "traces")]
    n = bad = 0
    for d in dirs:
        for f in sorted(os.listdir(d)):
            if not f.endswith(".json") or not os.path.exists(os.path.join(fresh, f)):
                continue
            n += 1
            diffs, _, _ = compare_trace.compare(json.load(open(os.path.join(d, f))), json.load(open(os.path.join(fresh, f))))
            if diffs:
                bad += 1
                print("%s: %s" % (f[:-5], "; ".join(diffs)))
    print("%d/%d identical" % (n - bad, n))
    return 1 if bad or not n else 0


if __name__ == "__main__":
    sys.exit(main())
