"""NaN and infinities: what goes in comes out, in the value and in the gradient, as PyTorch gives it."""

import json
from pathlib import Path

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F

NAN, INF = float("nan"), float("inf")
RECORDED = json.loads((Path(__file__).parent / "special_reference.json").read_text())  # make_special_reference.py

OPS = {
    "relu": tn.relu, "sigmoid": tn.sigmoid, "tanh": tn.tanh, "erf": tn.ops.erf, "erfc": tn.ops.erfc, "exp": tn.exp,
    "log": tn.log, "sqrt": tn.sqrt, "rsqrt": tn.rsqrt, "floor": tn.floor, "ceil": tn.ceil, "round": tn.round,
    "clamp": lambda x: x.clamp(0.0, 1.0), "clamp below": lambda x: x.clamp(min=0.0), "clamp above": lambda x: x.clamp(max=1.0),
    "clamp nan": lambda x: x.clamp(NAN, 1.0), "clamp crossed": lambda x: x.clamp(1.0, 0.0),
    "square": lambda x: x**2, "to the 0": lambda x: x**0, "to the -1": lambda x: x**-1, "to the 0.5": lambda x: x**0.5,
    "to the 1": lambda x: x**1, "2 to the": lambda x: 2.0**x, "0 to the": lambda x: 0.0**x, "1 to the": lambda x: 1.0**x,
    "-1 to the": lambda x: (-1.0) ** x, "1e-39 to the": lambda x: 1e-39**x, "mod 2": lambda x: x % 2.0,
    "times 0": lambda x: x * 0.0, "where": lambda x: tn.where(x > 0, x, 0.0),
    "sin": tn.sin, "cos": tn.cos, "log2": tn.log2, "log10": tn.log10, "log1p": tn.log1p,
    "leaky_relu": F.leaky_relu, "elu": F.elu, "silu": F.silu, "softplus": F.softplus, "cumsum": lambda x: x[3:].cumsum(0),
    "masked_fill": lambda x: x.masked_fill(x != x, 7.0), "sort": lambda x: x.sort().values[:3],
    "round to 1": lambda x: x.round(decimals=1), "div down": lambda x: tn.div(x, 0.7, rounding_mode="floor"),
    "div to 0": lambda a, b: tn.div(a, b, rounding_mode="trunc"),
    "maximum": tn.maximum, "minimum": tn.minimum, "pow": tn.pow, "div": tn.div, "remainder": tn.remainder, "mul": tn.mul,
    "clamp by tensor below": lambda x, a: x.clamp(min=a), "clamp by tensor above": lambda x, a: x.clamp(max=a),
    "clamp by tensors": tn.clamp,
    "logsumexp": lambda x: x.logsumexp(0), "softmax": lambda x: x.softmax(0)[0], "log_softmax": lambda x: x.log_softmax(0)[1],
    "norm": tn.norm, "norm 3": lambda x: x.norm(3), "normalize": lambda x: F.normalize(x, dim=0)[0],
    "amax, dim": lambda x: x.max(0).values, "amin, dim": lambda x: x.min(0).values, "mean": lambda x: x.mean(),
}  # fmt: skip


def agree(found, expected, what, leave_out=False):
    expected = np.where(leave_out, found, np.array(expected, "float32"))
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6, err_msg=str(what))


def otherwise_on_a_gpu(arrays, expected):
    """Where CuPy gives something else: numbers below 1.2e-38 count as 0."""
    arrays = [np.array(a, "float32") for a in arrays]
    if any(a.shape != np.shape(expected) for a in arrays):
        return False
    return np.any([(a != 0) & (np.abs(a) < np.finfo("float32").tiny) for a in arrays], axis=0)


def check(op, arrays, case, device, create_graph=False):
    xs = [tn.tensor(a, device=device, requires_grad=True) for a in arrays]
    y = op(*xs)
    leave_out = device == "cuda" and otherwise_on_a_gpu(arrays, case[2])
    agree(y.detach().cpu().numpy(), case[2], case[:2], leave_out)
    gs = tn.autograd.grad(y.sum(), xs, create_graph=create_graph)
    for g, expected in zip(gs, case[3], strict=True):
        agree(g.detach().cpu().numpy(), expected, ("gradient", *case[:2]), leave_out)


@pytest.mark.parametrize("create_graph", [False, True], ids=["first", "create_graph"])
@pytest.mark.parametrize("name", OPS)
def test_ops_at_nan_infinities_zeros_and_ties(name, create_graph, anywhere):
    cases = [case for case in RECORDED if case[0] == name]
    assert cases
    for case in cases:
        check(OPS[name], case[1], case, anywhere, create_graph)


@pytest.mark.parametrize("create_graph", [False, True], ids=["first", "create_graph"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_losses_of_scores_and_weights_that_are_nan_or_infinite(name, reduction, create_graph, anywhere):
    cases = [case for case in RECORDED if case[0] == name and case[1][3] == reduction]
    assert len(cases) > 60
    for case in cases:
        x, y, w, _, smoothing = case[1]
        options = {"weight": None if w is None else tn.tensor(w, device=anywhere), "reduction": reduction}
        options |= {"label_smoothing": smoothing} if name == "cross_entropy" else {}
        target = tn.tensor(y, device=anywhere)
        check(lambda t, y=target, o=options: getattr(F, name)(t, y, **o), [x], case, anywhere, create_graph)


def test_dropout_selects(anywhere):
    x = tn.tensor([INF, NAN, -INF, 1.0] * 50, device=anywhere, requires_grad=True)
    y = F.dropout(x, 0.5)
    y.backward(tn.tensor([INF] * 200, device=anywhere))
    found = list(zip(y.tolist(), x.grad.tolist(), strict=True))
    kept = [slope != 0.0 for _, slope in found]
    assert 40 < sum(kept) < 160
    for i, (value, slope) in enumerate(found):
        expected = ([INF, NAN, -INF, 2.0][i % 4], INF) if kept[i] else (0.0, 0.0)
        np.testing.assert_array_equal([value, slope], expected)
    assert F.dropout(x, 1.0).tolist() == [0.0] * 200


def test_the_exponents_gradient_of_float16_is_added_up_in_float32():
    b = tn.zeros(1, dtype="float16", requires_grad=True)
    a = tn.tensor([60000.0] * 8, dtype="float16")
    g = tn.tensor([30000.0, -30000.0] * 4, dtype="float16")
    (a**b).backward(g)  # each term, 30000 log(60000), is beyond float16
    assert b.grad.tolist() == [0.0]
