"""Execute the notebooks from scratch on fresh exports of billcast.

    python notebooks/execute.py            check: every notebook must run; nothing in the repository changes
    python notebooks/execute.py --update   the same, and keep the outputs in the notebooks

Needs `billcast` on the PATH (`cargo build --release`) and the packages of requirements.txt.
"""

import pathlib
import subprocess
import sys
import tempfile

import nbformat
from nbclient import NotebookClient

HERE = pathlib.Path(__file__).resolve().parent

UPWARD = ["run", "weekend-upward", "--runs", "200", "--seed", "7"]
SOME = ["--runs", "80", "--seed", "7"]
FEW = ["--runs", "40", "--seed", "7"]
# The limits of a small account at the primary.
LIMITS = ["--set", "upstream.deepseek.limits={rpm: 24, tpm: 40k, concurrency: 8}"]

# What a notebook reads: a folder, and the `billcast` arguments that fill it; or a file, and those whose output it holds.
EXPORTS = {
    "forecast.ipynb": [("weekend-upward", UPWARD)],
    "upward_or_sideways.ipynb": [("upward", ["run", "weekend-upward", *SOME]), ("sideways", ["run", "weekend-sideways", *SOME])],
    "sensitivity.ipynb": [
        ("base", ["run", "weekend-upward", *FEW]),
        ("tornado", ["sweep", "weekend-upward", "--tornado", *FEW]),
        ("bursts", ["sweep", "weekend-upward", *FEW, "--vary", "upstream.deepseek.bursts.share=50%,75%,100%", "--vary",
                    "upstream.deepseek.bursts.lasts=5m,15m,45m"]),
    ],
    "capacity.ipynb": [
        ("plan", ["plan", "weekend-upward", *LIMITS, *FEW]),
        ("load", ["sweep", "weekend-upward", *LIMITS, *FEW, "--vary", "traffic.chat.rate=2/min,4/min,8/min,12/min,16/min,24/min"]),
    ],
    "finance_pack.ipynb": [
        ("weekend-upward", ["run", "weekend-upward", *SOME, "--budget", "5"]),
        ("months.json", ["month", "weekend-upward", "--from", "2025-03", "--months", "3", "--budget", "130", "--growth", "5%",
                         "--runs", "20", "--seed", "7", "--format", "json"]),
    ],
    "claimed_or_simulated.ipynb": [("claims.json", ["claims", "weekend-upward", "--format", "json"])],
}


def export(folder, target, arguments):
    """Fills one folder or file."""
    path = pathlib.Path(folder, target)
    command = ["billcast", *arguments, "--quiet"]
    if path.suffix:
        path.write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    else:
        subprocess.run([*command, "--out", str(path)], check=True, stdout=subprocess.DEVNULL)


def execute(name, exports, update):
    with tempfile.TemporaryDirectory() as folder:
        for target, arguments in exports:
            export(folder, target, arguments)
        notebook = nbformat.read(HERE / name, as_version=4)
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
        outputs = sum(len(cell.get("outputs", [])) for cell in notebook.cells)
        if outputs == 0:
            raise SystemExit(f"{name}: ran without a single output")
        if update:
            for cell in notebook.cells:
                cell.metadata.pop("execution", None)
            nbformat.write(notebook, HERE / name)
        print(f"{name}: {outputs} outputs")


def main():
    # Names of notebooks on the command line: only those.
    chosen = [name for name in sys.argv[1:] if name.endswith(".ipynb")] or EXPORTS
    for name, exports in EXPORTS.items():
        if name not in chosen:
            continue
        execute(name, exports, update="--update" in sys.argv[1:])


if __name__ == "__main__":
    main()
