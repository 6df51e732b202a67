"""The recorded vectors: of each case the inputs, the cotangents, and PyTorch's results in each dtype."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from case import DTYPES
from safetensors import safe_open

FILE = Path(__file__).with_name("vectors.safetensors")


class Vectors:
    """The arrays of the file by case, part ("inputs", "cotangents", a dtype) and name; and about whom they come from."""

    def __init__(self) -> None:
        self.by_case: dict[str, dict[str, dict[str, np.ndarray]]] = {}
        with safe_open(FILE, framework="np") as file:
            self.about = json.loads(file.metadata()["about"])
            for key in file.keys():  # noqa: SIM118 (it is no dict)
                case, part, name = key.split("/")
                parts = self.by_case.setdefault(case, {part: {} for part in ("inputs", "cotangents", *DTYPES)})
                parts[part][name] = file.get_tensor(key)
