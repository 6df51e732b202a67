"""A tensor without dimensions counts as a line of one: an op with `dim` takes dim 0 and -1, and gives what that line gives."""

import inspect

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import ops
from tinynorm.autograd import grad

LISTS = {"cat", "concat", "stack"}  # their `dim` is one of several tensors
NEW_DIM = {"unsqueeze", "expand_dims"}  # their `dim` is the output's
NEW_SHAPE = {"repeat_interleave", "unflatten", "unique"}  # what comes out has another
NO_NUMBERS = {"chunk", "diff", "glu", "narrow", "split", "unbind"}  # as in PyTorch, a number has no parts


def with_dim():
    names = {name for name in ops.__all__ if inspect.isfunction(getattr(ops, name))} - LISTS - NEW_DIM - NEW_SHAPE - NO_NUMBERS
    return sorted(name for name in names if "dim" in inspect.signature(getattr(ops, name)).parameters)


def results_of(name, x, dim):
    arguments = {"dim": dim}
    parameters = inspect.signature(getattr(ops, name)).parameters
    at = tn.zeros(x.shape, dtype=tn.int64, device=x.device)
    arguments |= {key: at for key in ("index", "indices") if key in parameters}
    arguments |= {"k": 1} if name == "topk" else {}
    arguments |= {"x2": x + 1} if "x2" in parameters else {}
    arguments |= {key: x.detach() * 2 for key in ("source", "src") if key in parameters}
    arguments |= {"value": 2.0} if name == "index_fill" else {}
    if "correction" in parameters:  # else a line of one has no variance
        arguments["correction"] = 0
    y = getattr(ops, name)(x, **arguments)
    return list(y) if isinstance(y, tuple) else [y]


@pytest.mark.parametrize("dim", [0, -1])
@pytest.mark.parametrize("name", with_dim())
def test_a_number_is_a_line_of_one(name, dim, anywhere):
    number = tn.tensor(0.5, dtype=tn.float64, requires_grad=True, device=anywhere)
    line = tn.tensor([0.5], dtype=tn.float64, requires_grad=True, device=anywhere)
    for found, wanted in zip(results_of(name, number, dim), results_of(name, line, dim), strict=True):
        assert found.shape == ()
        assert (found.dtype, found.device) == (wanted.dtype, wanted.device)
        assert found.item() == wanted.reshape(()).item()
        if wanted.requires_grad:
            (d_found,) = grad(found, number, create_graph=True)
            (d_wanted,) = grad(wanted.sum(), line, create_graph=True)
            assert d_found.shape == ()
            np.testing.assert_equal(d_found.item(), d_wanted.item())


@pytest.mark.parametrize("name", sorted(NO_NUMBERS))
def test_a_number_has_no_parts(name):
    with pytest.raises(RuntimeError, match=f"{name}: expected a tensor of at least 1 dimension, got a 0-d one"):
        getattr(ops, name)(tn.tensor(0.5), *{"unbind": [], "narrow": [0, 0, 1]}.get(name, [1]))


@pytest.mark.parametrize("index", [1, -2])
@pytest.mark.parametrize("name", ["gather", "take_along_dim"])
def test_the_line_has_one_element(name, index, anywhere):
    x, at = tn.tensor(0.5, device=anywhere), tn.tensor(index, device=anywhere)
    with pytest.raises(IndexError):
        getattr(ops, name)(x, dim=0, **{"index" if name == "gather" else "indices": at})


@pytest.mark.parametrize("name", with_dim())
def test_it_has_no_second_dimension(name):
    with pytest.raises(IndexError, match="dim 1 is out of range: a tensor of 0 dimensions has dims -1 to 0"):
        results_of(name, tn.tensor(0.5), 1)
