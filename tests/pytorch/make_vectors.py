"""Run every case on PyTorch and record what comes out: python tests/pytorch/make_vectors.py (needs torch; the tests do not)."""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np
from case import DTYPES, Case, run
from cases import CASES
from large_mean import CASES as LARGE_MEAN
from safetensors.numpy import save_file
from vectors import FILE


def draw_cotangents(case: Case, into: dict[str, np.ndarray]) -> Any:
    """A function that gives each output of the case a signed random cotangent, the same for every dtype, and keeps it."""

    def cotangent(output: str, shape: tuple[int, ...]) -> np.ndarray:
        if output not in into:
            rng = np.random.default_rng(zlib.crc32(f"{case.name}/{output}".encode()))
            into[output] = np.asarray(rng.standard_normal(shape)).astype(np.float32)
        return into[output]

    return cotangent


def record(lib: Any, case: Case) -> dict[str, np.ndarray]:
    """Inputs, cotangents and results of one case, by their names in the file."""
    inputs, cotangents = case.draw(), {}
    results = {dtype: run(lib, case, inputs, draw_cotangents(case, cotangents), dtype) for dtype in DTYPES}
    parts = {"inputs": inputs, "cotangents": cotangents, **results}
    return {f"{case.name}/{part}/{name}": np.array(a, order="C") for part in parts for name, a in parts[part].items()}


def main() -> None:
    import torch

    torch.set_num_threads(1)
    cases = CASES + LARGE_MEAN
    arrays: dict[str, np.ndarray] = {}
    for case in cases:
        arrays |= record(torch, case)
    about = {"torch": torch.__version__, "numpy": np.__version__, "command": "python tests/pytorch/make_vectors.py"}
    save_file(arrays, FILE, metadata={"about": json.dumps(about)})  # one entry: safetensors writes several in any order
    size = FILE.stat().st_size / 1e6
    print(f"{FILE.name}: {len(cases)} cases, {len(arrays)} arrays, {size:.2f} MB, from torch {about['torch']}")


if __name__ == "__main__":
    main()
