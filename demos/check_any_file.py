"""Check the files in any_file/ with `tinynorm check`: losses, classes, a notebook, signatures, an own autograd ...

``python demos/check_any_file.py > demos/any_file/printed.txt`` writes what it prints; a test compares.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent / "any_file"
FILES = ["losses.py", "layer_classes.py", "tanh.ipynb", "signatures.py", "course/layers.py", "char_rnn.py", "scalar_engine.py"]
FILES += ["regression.py"]


def main() -> None:
    for door in [*FILES, "course"]:
        print(f"$ tinynorm check {door}", flush=True)
        command = [sys.executable, "-m", "tinynorm", "check", door]
        print(subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False).stdout)


if __name__ == "__main__":
    main()
