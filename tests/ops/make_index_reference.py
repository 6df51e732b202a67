"""What PyTorch (2.13.0) reads at random indices: writes index_reference.json, which test_indexing.py holds.

    python tests/ops/make_index_reference.py

An index is written as a list of parts: an integer, ["slice", start, stop, step], "None", "...", "True", "False",
["int", nested list], ["mask", nested list] or ["uint8", nested list]. Beside it stand the tensor's shape, and what comes out of
arange over it: the shape and the numbers; null where PyTorch refuses.
"""

import json
import random
from pathlib import Path

import torch

SHAPES = [(4,), (3, 4), (2, 3, 4), (2, 3, 2, 3), (3, 1, 2)]


def mask(rng, shape):
    return rng.random() < 0.5 if not shape else [mask(rng, shape[1:]) for _ in range(shape[0])]


def part(rng, shape, dim, broadcast):
    """(a part of an index, how many dimensions it is for)."""
    n = shape[dim]
    kind = rng.choice(["int", "slice", "slice", "whole", "None", "array", "array", "array", "mask", "mask2", "uint8", "bool"])
    if kind == "int":
        return rng.randrange(-n, n), 1
    if kind == "slice":
        return ["slice", rng.choice([None, 0, 1]), rng.choice([None, n, n - 1]), rng.choice([None, 1, 2])], 1
    if kind == "whole":
        return ["slice", None, None, None], 1
    if kind == "None":
        return "None", 0
    if kind == "bool":
        return rng.choice(["True", "True", "False"]), 0
    if kind in ("mask", "uint8"):
        m = mask(rng, shape[dim : dim + 1])
        return ["mask", m] if kind == "mask" else ["uint8", [int(b) for b in m]], 1
    if kind == "mask2" and dim + 2 <= len(shape):
        return ["mask", mask(rng, shape[dim : dim + 2])], 2
    draw = [rng.randrange(-n, n) for _ in range(4)]
    a, b, c, d = draw
    return ["int", {"()": a, "2": [a, b], "21": [[a], [b]], "22": [[a, b], [c, d]], "1": [a]}[broadcast()]], 1


def index(rng, shape):
    same = rng.choice(["2", "2", "22"])
    parts, dim, dots = [], 0, rng.random() < 0.3
    while dim < len(shape) and rng.random() < 0.85:
        if dots and rng.random() < 0.5:
            parts.append("...")
            skip = rng.randrange(0, len(shape) - dim)
            dim, dots = dim + skip, False
            behind = len(shape) - dim
            for _ in range(behind):
                p, used = part(rng, shape, dim, lambda: rng.choice([same, same, "()", "1", "21"]))
                parts.append(p)
                dim += used
                if dim >= len(shape):
                    break
            return parts if dim == len(shape) else None
        p, used = part(rng, shape, dim, lambda: rng.choice([same, same, "()", "1", "21"]))
        parts.append(p)
        dim += used
    return parts


def built(p):
    if isinstance(p, int):
        return p
    if isinstance(p, str):
        return {"None": None, "...": ..., "True": True, "False": False}[p]
    kind, *values = p
    if kind == "slice":
        return slice(*values)
    return torch.tensor(values[0], dtype={"int": torch.int64, "mask": torch.bool, "uint8": torch.uint8}[kind])


def main():
    rng, cases, seen = random.Random(0), [], set()
    while len(cases) < 600:
        shape = rng.choice(SHAPES)
        parts = index(rng, shape)
        if not parts or str((shape, parts)) in seen:
            continue
        seen.add(str((shape, parts)))
        x = torch.arange(torch.Size(shape).numel()).reshape(shape)
        try:
            y = x[tuple(map(built, parts))]
        except (IndexError, RuntimeError):
            y = None
        if y is None and rng.random() < 0.8:
            continue
        cases.append([shape, parts, None if y is None else list(y.shape), None if y is None else y.flatten().tolist()])
    text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (Path(__file__).parent / "index_reference.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
