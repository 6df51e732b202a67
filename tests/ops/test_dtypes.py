"""The input decides the dtype: nothing else is computed in float64, and a gradient has the dtype of what it belongs to."""

import numpy as np
import pytest
import stand_in_cupy
import test_gradients
from helpers import floating, floats_made, floats_made_on, outputs_of, some
from test_gradients import ALL

import tinynorm as tn
from tinynorm.nn import functional as F

pytestmark = pytest.mark.usefixtures("formulas")


def saved_by(y):
    """Every array that the nodes of the graph of y hold: the saved ones, the intermediates, the settings."""
    nodes, stack = set(), [y.grad_fn]
    while stack:
        node = stack.pop()
        if node in nodes:
            continue
        nodes.add(node)
        stack += [edge[0] for edge in node.edges if isinstance(edge, tuple)]
        for value in [*vars(node).values(), *(node.saved or ())]:
            for x in value if isinstance(value, tuple | list) else (value,):
                x = getattr(x, "array", x)
                if isinstance(x, np.ndarray | np.generic):
                    yield node.op_name, x


@pytest.fixture
def constants_as(monkeypatch):
    def convert(dtype):
        for name in ("MEAN", "VAR"):
            monkeypatch.setattr(test_gradients, name, getattr(test_gradients, name).to(dtype))

    return convert


@pytest.mark.parametrize("create_graph", [False, True], ids=["first", "create_graph"])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", some(ALL, 4))
def test_output_gradients_and_all_between_keep_the_dtype(name, dtype, create_graph, constants_as):
    _, op, arrays = ALL[name]
    constants_as(dtype)
    xs = [tn.tensor(a, dtype=dtype if a.dtype.kind == "f" else None, requires_grad=a.dtype.kind == "f") for a in arrays]
    inside = {dtype, "float32"}  # float16 is accumulated in float32
    with floats_made() as made:
        ys = outputs_of(op(*xs))
        for y in ys:
            assert {(n, str(x.dtype)) for n, x in saved_by(y) if x.dtype.kind == "f" and str(x.dtype) not in inside} == set()
        wanted = [xs[i] for i in floating(arrays)]
        gs = tn.autograd.grad(ys, wanted, [tn.ones_like(y) for y in ys], create_graph=create_graph)
    assert {str(t.array.dtype) for t in (*ys, *gs)} == {dtype}
    assert {entry for entry in made if entry[2] not in inside} == set()


@pytest.mark.parametrize("create_graph", [False, True], ids=["first", "create_graph"])
@pytest.mark.parametrize(("dtype", "inside"), [("float16", {"float16", "float32"}), ("float32", {"float32"})])
@pytest.mark.parametrize("name", some(ALL, 4))
def test_not_even_a_temporary_is_float64(name, dtype, inside, create_graph, with_cupy, monkeypatch):
    with_cupy(stand_in_cupy.module())
    for constant in test_gradients.CONSTANTS:
        t = getattr(test_gradients, constant)
        monkeypatch.setattr(test_gradients, constant, t.to("cuda", dtype) if t.is_floating_point() else t.to("cuda"))
    _, op, arrays = ALL[name]
    xs = [tn.tensor(a, dtype=dtype, device="cuda", requires_grad=True) for a in arrays]
    made = floats_made_on(stand_in_cupy, monkeypatch)
    ys = outputs_of(op(*xs))
    tn.autograd.grad(ys, xs, [tn.ones_like(y) for y in ys], create_graph=create_graph)
    assert made <= inside


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_gradient_has_the_dtype_of_its_own_input(dtype):
    """Where two dtypes meet in one op, each input gets its own back."""
    x, w = tn.ones(4, 3, dtype=dtype, requires_grad=True), tn.ones(3, requires_grad=True)
    (x * w + w.exp() @ tn.ones(3, 2) @ tn.ones(2)).sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (dtype, "float32")


@pytest.mark.parametrize(
    "f",
    [
        lambda x, n: F.dropout(x, n),
        lambda x, n: F.leaky_relu(x, n),
        lambda x, n: F.elu(x, n),
        lambda x, n: x.clamp(n, n),
        lambda x, n: tn.where(x > 0, n, n),
        lambda x, n: tn.full((2,), n) * x,
    ],
    ids=["dropout", "leaky_relu", "elu", "clamp", "where", "full"],
)
def test_a_number_of_numpys_does_not_widen_the_result(f):
    x = tn.tensor([-1.0, 2.0], requires_grad=True)
    y = f(x, np.float64(0.5))
    assert y.dtype == tn.float32
    if y.requires_grad:
        y.sum().backward()
        assert x.grad.dtype == tn.float32


def test_where_wants_both_or_none():
    for numbers in ((None, 1.0), (1.0, None)):
        with pytest.raises(TypeError, match="the condition alone, or with both input and other"):
            tn.where(tn.tensor([True]), *numbers)
