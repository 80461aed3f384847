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

# The exports that a notebook reads, as `billcast` arguments; each goes into a folder named after its scenario.
EXPORTS = {
    "forecast.ipynb": [["run", "weekend-upward", "--runs", "200", "--seed", "7", "--quiet"]],
}


def execute(name, exports, update):
    with tempfile.TemporaryDirectory() as folder:
        for arguments in exports:
            out = pathlib.Path(folder, arguments[1])
            subprocess.run(["billcast", *arguments, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
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
    for name, exports in EXPORTS.items():
        execute(name, exports, update="--update" in sys.argv[1:])


if __name__ == "__main__":
    main()
