"""A list, a number, a text or None where a tensor belongs: an error of ours that says so, not Python's about an attribute."""

import inspect
from types import FunctionType

import pytest

import tinynorm as tn
from tinynorm.nn import functional as F

VECTOR, MATRIX, MASK = tn.ones(2), tn.ones(2, 2), tn.tensor([True, False])
GIVEN = {  # by the name of the argument; else a vector
    **{"condition": MASK, "mask": MASK, "index": tn.tensor([0, 1]), "mat1": MATRIX, "mat2": MATRIX, "exponent": 2},
    **dict.fromkeys(("dim", "dim0", "dim1", "source", "destination", "start", "shifts", "k", "min", "min_val"), 0),
    **dict.fromkeys(("chunks", "split_size_or_sections", "repeats", "num_groups", "num_samples", "n"), 1),
    **dict.fromkeys(("length", "max", "max_val", "threshold", "value"), 1),
    **dict.fromkeys(("size", "sizes", "shape", "normalized_shape"), (2,)),
}
# beside a tensor these take a list too, as NumPy does, or a number; or what they take first is a list, shapes, an equation
OTHERS = {
    *("add", "addcdiv", "addcmul", "addmm", "atan2", "cosine_similarity", "div", "divide", "eq", "floor_divide", "fmod", "ge"),
    *("gt", "hypot", "isin", "le", "lerp", "logical_and", "logical_or", "logical_xor", "lt", "matmul", "maximum", "minimum"),
    *("mul", "multiply", "ne", "pairwise_distance", "pow", "remainder", "sub", "subtract", "true_divide"),
    *("block_diag", "broadcast_shapes", "broadcast_tensors", "cartesian_prod", "cat", "concat", "einsum", "hstack", "meshgrid"),
    *("stack", "vstack"),
}
NUMBERS = {"abs", "exp", "neg", "reciprocal", "square"}  # of these, numbers give numbers


def functions():
    for module, names in ((tn, dir(tn.ops)), (F, dir(F))):
        for name in names:
            f = getattr(module, name, None)
            if isinstance(f, FunctionType) and name[0] != "_" and name not in OTHERS and inspect.signature(f).parameters:
                yield pytest.param(f, id=f"{module.__name__}.{name}")


def arguments(f):
    others = list(inspect.signature(f).parameters.values())[1:]
    needed = [p.name for p in others if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return [GIVEN.get(name, VECTOR) for name in ("min" if f is tn.clamp else None, *needed) if name]


@pytest.mark.parametrize("wrong", [[1.0, 2.0], "abc", None, 2.5], ids=["list", "text", "None", "number"])
@pytest.mark.parametrize("f", list(functions()))
def test_an_error_says_what_is_no_tensor(f, wrong):
    if wrong == 2.5 and f.__name__ in NUMBERS:
        return
    with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
        print(f(wrong, *arguments(f)))
    says = str(caught.value)
    assert "expected" in says, says
    assert any(part in says for part in (type(wrong).__name__, "a number", "a Tensor")), says


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: VECTOR.exp_(1), "exp_() takes 1 positional argument but 2 were given"),
        (lambda: VECTOR.add_(), "add_() missing 1 required positional argument: 'other'"),
        (lambda: VECTOR.clamp_(low=1), "clamp_() got an unexpected keyword argument 'low'"),
        (lambda: VECTOR.t_(3), "t_() takes 1 positional argument but 2 were given"),
        (lambda: tn.FloatTensor(x=1), "FloatTensor: expected sizes, or one sequence of numbers, and device=, got x="),
        (lambda: tn.no_grad(x=1), "no_grad: expected no arguments, or the function that is decorated, got x="),
        (lambda: tn.no_grad(len, 3), "no_grad: expected no arguments, or the function that is decorated, got 2 arguments"),
    ],
)
def test_an_error_about_arguments_names_what_was_called(call, says):
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value) == says
    assert VECTOR.tolist() == [1.0, 1.0]
