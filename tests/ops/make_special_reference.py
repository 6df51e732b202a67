"""What PyTorch (2.13.0) gives where NaN, infinities, zeros and ties go in: writes special_reference.json, for test_special.py.

    python tests/ops/make_special_reference.py

A case is [name, arguments, value, gradients]: of the op of that name in test_special.py's table, for a sum as the loss.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

NAN, INF = math.nan, math.inf
V = [NAN, INF, -INF, 0.0, 1.0, -1.0, 2.5, 1e-39, 1e30]
PAIRS = [[a for a in V for _ in V], [b for _ in V for b in V]]
TIES = [0.0, 1.0, 1.5, 2.0, 3.0, NAN, INF, -INF]
BOUNDS = [(lo, hi) for lo in (1.0, 2.0, NAN, INF) for hi in (1.0, 2.0, NAN)]
TRIPLES = [list(z) for z in zip(*[(x, *bounds) for x in TIES for bounds in BOUNDS], strict=True)]
ROWS = [[NAN, 1.0], [INF, 1.0], [INF, INF], [-INF, 1.0], [INF, -INF], [1.0, 1.0], [NAN, INF], [NAN, NAN], [1e30, -1e30]]

UNARY = {
    "relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "erf": torch.erf, "erfc": torch.erfc, "exp": torch.exp,
    "log": torch.log, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
    "clamp": lambda x: x.clamp(0.0, 1.0), "clamp below": lambda x: x.clamp(min=0.0), "clamp above": lambda x: x.clamp(max=1.0),
    "clamp nan": lambda x: x.clamp(NAN, 1.0), "clamp crossed": lambda x: x.clamp(1.0, 0.0),
    "square": lambda x: x**2, "to the 0": lambda x: x**0, "to the -1": lambda x: x**-1, "to the 0.5": lambda x: x**0.5,
    "to the 1": lambda x: x**1, "2 to the": lambda x: 2.0**x, "0 to the": lambda x: 0.0**x, "1 to the": lambda x: 1.0**x,
    "-1 to the": lambda x: (-1.0) ** x, "1e-39 to the": lambda x: 1e-39**x, "mod 2": lambda x: x % 2.0,
    "times 0": lambda x: x * 0.0, "where": lambda x: torch.where(x > 0, x, 0.0),
    "sin": torch.sin, "cos": torch.cos, "log2": torch.log2, "log10": torch.log10, "log1p": torch.log1p,
    "leaky_relu": F.leaky_relu, "elu": F.elu, "silu": F.silu, "softplus": F.softplus, "cumsum": lambda x: x[3:].cumsum(0),
    "masked_fill": lambda x: x.masked_fill(x != x, 7.0), "sort": lambda x: x.sort().values[:3],
    "round to 1": lambda x: x.round(decimals=1), "div down": lambda x: torch.div(x, 0.7, rounding_mode="floor"),
}  # fmt: skip
BINARY = {
    "maximum": torch.maximum, "minimum": torch.minimum, "pow": torch.pow, "div": torch.div, "remainder": torch.remainder,
    "mul": torch.mul, "div to 0": lambda a, b: torch.div(a, b, rounding_mode="trunc"),
    "clamp by tensor below": lambda x, a: x.clamp(min=a),
    "clamp by tensor above": lambda x, a: x.clamp(max=a),
}  # fmt: skip
OF_ROWS = {
    "logsumexp": lambda x: x.logsumexp(0), "softmax": lambda x: x.softmax(0)[0], "log_softmax": lambda x: x.log_softmax(0)[1],
    "amax, dim": lambda x: x.max(0).values, "amin, dim": lambda x: x.min(0).values, "mean": lambda x: x.mean(),
}  # fmt: skip
NORMS = {"norm": torch.norm, "norm 3": lambda x: x.norm(3), "normalize": lambda x: F.normalize(x, dim=0)[0]}
X = [[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]]
LOSSES = [
    (x, y, w, reduction, smoothing)
    for x in (X, [[NAN, 2.0, 3.0], X[1]], [[-INF, 2.0, 3.0], [0.0, INF, -1.0]])
    for y in ([0, 1], [-100, 1], [-100, -100])
    for w in (None, [1.0, 2.0, INF], [0.0, 0.0, 1.0], [INF, 1.0, 1.0], [1.0, NAN, 1.0], [1.0, 1.0, NAN], [1.0, -1.0, 1.0])
    for reduction in ("mean", "sum", "none")
    for smoothing in (0.0, 0.1)
]


def run(op, *arrays):
    xs = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = op(*xs)
    gs = torch.autograd.grad(y.sum(), xs)
    return y.detach().tolist(), [g.tolist() for g in gs]


def main():
    cases = [[name, [V], *run(op, V)] for name, op in UNARY.items()]
    for name, op in BINARY.items():  # (PyTorch's remainder by 1e-39 is NaN where the quotient overflows; ours is a number)
        pairs = [[z for z, b in zip(zs, PAIRS[1], strict=True) if name != "remainder" or b != 1e-39] for zs in PAIRS]
        cases.append([name, pairs, *run(op, *pairs)])
    cases += [["clamp by tensors", TRIPLES, *run(torch.clamp, *TRIPLES)]]
    cases += [[name, [row], *run(op, row)] for name, op in OF_ROWS.items() for row in ROWS]
    cases += [[name, [row], *run(op, row)] for name, op in NORMS.items() for row in ROWS[:-1]]  # (of 1e30, PyTorch's is inf)
    for x, y, w, reduction, smoothing in LOSSES:
        options = {"weight": None if w is None else torch.tensor(w), "reduction": reduction}
        for loss in (F.cross_entropy, F.nll_loss):
            if loss is F.nll_loss and smoothing:
                continue
            more = {"label_smoothing": smoothing} if loss is F.cross_entropy else {}
            found = run(lambda t, f=loss, y=y, o=options | more: f(t, torch.tensor(y), **o), x)
            cases += [[loss.__name__, [x, y, w, reduction, smoothing], *found]]
    text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (Path(__file__).parent / "special_reference.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
