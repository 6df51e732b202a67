"""Records how PyTorch prints tensors: python tests/make_printed.py, where PyTorch is installed.

Of each case the file keeps the options, the dtype, the elements and the text. `test_printing.py` prints the same.
"""

import json
from pathlib import Path

import numpy as np

OPTIONS = {
    "precision": [0, 2, 6],
    "threshold": [0, 5, 20],
    "edgeitems": [0, 1, 2, 5],
    "linewidth": [20, 40, 120],
    "profile": ["default", "short", "full"],
    "sci_mode": [True, False],
}
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0]
KINDS = {  # how the elements are drawn
    "usual": lambda rng, x: x,
    "whole": lambda rng, x: np.round(x * 10.0 ** rng.integers(0, 5)),
    "large or small": lambda rng, x: x * 10.0 ** rng.integers(-6, 9),
    "far apart": lambda rng, x: x * 10.0 ** rng.integers(-5, 5, size=x.shape),
    "special": lambda rng, x: np.where(rng.random(x.shape) < 0.4, rng.choice(SPECIAL, size=x.shape), x),
    "special and whole": lambda rng, x: np.where(rng.random(x.shape) < 0.4, rng.choice(SPECIAL, size=x.shape), np.round(5 * x)),
    "zeros": lambda rng, x: 0 * x,
    "very large": lambda rng, x: np.round(x * 10.0 ** rng.uniform(5, 11)),
    "one digit": lambda rng, x: np.abs(np.round(x, 1)),
}
DTYPES = ["float32", "float64", "float16", "int64", "int32", "uint8", "bool"]


def drawn(rng: np.random.Generator, kind: str) -> np.ndarray:
    shape = tuple(rng.choice([0, 1, 2, 3, 5, 8, 12], p=[0.04, 0.16, 0.2, 0.2, 0.2, 0.1, 0.1], size=rng.integers(0, 4)))
    dtype = rng.choice(DTYPES, p=[0.5, 0.1, 0.1, 0.15, 0.05, 0.05, 0.05])
    with np.errstate(all="ignore"):
        x = np.asarray(KINDS[kind](rng, rng.standard_normal(shape)))
        if not dtype.startswith("float"):
            x = np.nan_to_num(x, posinf=9, neginf=-9).clip(-1e9, 1e9).astype("int64")
        return x.astype(dtype)


def cases(count: int = 12) -> list[dict]:
    import torch

    rng, made = np.random.default_rng(0), []
    for kind in KINDS:
        for _ in range(count):
            x = drawn(rng, kind)
            options = {name: rng.choice(values).item() for name, values in OPTIONS.items() if rng.random() < 0.15}
            t = torch.tensor(x)
            if x.dtype.kind == "f" and rng.random() < 0.2:
                t.requires_grad_()
            torch.set_printoptions(profile="default")
            torch.set_printoptions(**options)
            # (a hexadecimal number is exact, whatever its size)
            elements = [v.hex() if isinstance(v, float) else int(v) for v in x.ravel().tolist()]
            case = {"kind": kind, "dtype": x.dtype.name, "shape": list(x.shape), "elements": elements}
            made.append(case | {"requires_grad": t.requires_grad, "options": options, "text": repr(t)})
    torch.set_printoptions(profile="default")
    for x in (np.arange(2000.0).reshape(40, 50) / 7, np.arange(4000).reshape(10, 20, 20)):
        case = {"kind": "more than a thousand", "dtype": x.dtype.name, "shape": list(x.shape), "elements": None}
        made.append(case | {"requires_grad": False, "options": {}, "text": repr(torch.tensor(x))})
    return made


if __name__ == "__main__":
    path = Path(__file__).with_name("printed.json")
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases()) + "\n]\n")
    print(f"{path.name}: {path.stat().st_size:,} bytes")
