"""NumPy's subclasses: np.matrix and the like become plain arrays wherever they come in; a masked array is refused."""

import numpy as np
import pytest

import tinynorm
from tinynorm import nn, ops, optim, save_file
from tinynorm.nn import functional as F
from tinynorm.utils.data import DataLoader, TensorDataset, default_collate

PLAIN = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
LIKE = np.array([[0.5, -1.0], [2.0, 1.0]], np.float32)

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")


class Labelled(np.ndarray):
    """A subclass whose products are something else, as np.matrix's are."""

    def __array_finalize__(self, other):
        self.label = getattr(other, "label", "")

    def __mul__(self, other):
        if isinstance(other, tinynorm.Tensor):
            return NotImplemented
        raise AssertionError("the formula ran on the subclass")

    __rmul__ = __matmul__ = __add__ = __radd__ = __mul__


def matrix(a):
    return np.asmatrix(a)


def labelled(a):
    return a.view(Labelled)


def masked(a):
    return np.ma.masked_array(a, mask=a > 1)


def with_data(a):
    t = tinynorm.zeros(1)
    t.array = a
    return t


def filled(a):
    t = tinynorm.zeros(2, 2)
    t[...] = a
    return t


MAKERS = {
    "Tensor": tinynorm.Tensor,
    "tensor": tinynorm.tensor,
    "tensor of a list": lambda a: tinynorm.tensor([a, a])[1],
    "tensor of a mixed list": lambda a: tinynorm.tensor([PLAIN, a])[1],
    "tensor of nested lists": lambda a: tinynorm.tensor([[a], [a]])[1, 0],
    "tensor with dtype": lambda a: tinynorm.tensor(a, dtype="float64"),
    "as_tensor": tinynorm.as_tensor,
    "from_numpy": tinynorm.from_numpy,
    "from_dlpack": tinynorm.from_dlpack,
    "data": with_data,
    "setitem": filled,
    "copy_": lambda a: tinynorm.zeros(2, 2).copy_(a),
    "Parameter": nn.Parameter,
    "TensorDataset": lambda a: TensorDataset(a)[:][0],
    "DataLoader": lambda a: next(iter(DataLoader([a, a], batch_size=2)))[1],
    "default_collate": lambda a: default_collate([a, a])[0],
}


@pytest.mark.parametrize("foreign", [matrix, labelled])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_subclass_becomes_a_plain_array_of_the_same_numbers(make, foreign):
    t = make(foreign(PLAIN.copy()))
    assert type(t.detach().numpy()) is np.ndarray
    assert t.tolist() == PLAIN.tolist()
    assert (t * t).tolist() == (PLAIN * PLAIN).tolist()  # a matrix's would be the matrix product


@pytest.mark.parametrize("make", [tinynorm.as_tensor, tinynorm.from_numpy, tinynorm.from_dlpack, with_data])
def test_memory_is_shared_with_a_subclass_as_with_an_array(make):
    a = matrix(PLAIN.copy())
    t = make(a)
    a[0, 0] = 9
    assert t.tolist()[0][0] == 9


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_masked_array_is_refused_with_what_to_do(make):
    with pytest.raises(TypeError, match=r"masked array.*a\.filled\(0\.0\)"):
        make(masked(PLAIN.copy()))


OPS = {
    "+": lambda t, a: t + a,
    "reversed *": lambda t, a: a * t,
    "@": lambda t, a: t @ a,
    "reversed @": lambda t, a: a @ t,
    "**": lambda t, a: abs(t) ** a,
    "<": lambda t, a: t < a,
    "np.multiply": lambda t, a: np.multiply(a, t),
    "maximum": ops.maximum,
    "where": lambda t, a: ops.where(t > 0, t, a),
    "cat": lambda t, a: ops.cat([t, a]),
    "stack": lambda t, a: ops.stack([t, a]),
    "linear": lambda t, a: F.linear(t, a),
    "linear, first": lambda t, a: F.linear(a, t),
    "mse_loss": F.mse_loss,
    "in place": lambda t, a: t.detach().clone().mul_(a),
    "clamp": lambda t, a: t.clamp(max=a),
}


@pytest.mark.parametrize("foreign", [matrix, labelled])
@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_an_op_takes_a_subclass_for_the_array_that_it_is(op, foreign):
    x, y = (tinynorm.tensor(LIKE, requires_grad=True) for _ in range(2))
    got, expected = op(x, foreign(PLAIN.copy())), op(y, PLAIN.copy())
    assert type(got.detach().numpy()) is np.ndarray
    assert got.tolist() == expected.tolist()
    if expected.requires_grad:
        got.sum().backward()
        expected.sum().backward()
        assert x.grad.tolist() == y.grad.tolist()


def test_a_masked_arrays_own_operator_keeps_the_mask():
    y = masked(PLAIN) * tinynorm.tensor(LIKE)
    assert y.mask.tolist() == (PLAIN > 1).tolist()
    with pytest.raises(RuntimeError, match="requires grad"):
        masked(PLAIN) * tinynorm.tensor(LIKE, requires_grad=True)


@pytest.mark.parametrize("op", [op for name, op in OPS.items() if name != "reversed *"])
def test_an_op_refuses_a_masked_array(op):
    with pytest.raises(TypeError, match="masked array"):
        op(tinynorm.tensor(LIKE, requires_grad=True), masked(PLAIN.copy()))


def test_states_and_files_take_a_subclass_and_refuse_a_mask(tmp_path):
    layer = nn.Linear(2, 2)
    layer.load_state_dict({"weight": matrix(PLAIN), "bias": np.zeros(2)})
    assert layer.weight.tolist() == PLAIN.tolist()
    with pytest.raises(RuntimeError, match=r"(?s)nothing loaded:.*weight: expected a tensor, got a masked array; fill it"):
        layer.load_state_dict({"weight": masked(PLAIN), "bias": np.ones(2)})
    assert layer.bias.tolist() == [0.0, 0.0]

    save_file({"w": matrix(PLAIN)}, tmp_path / "w")
    with pytest.raises(TypeError, match=r"save_file: 'w': .*masked array"):
        save_file({"w": masked(PLAIN)}, tmp_path / "w")
    assert tinynorm.load_file(tmp_path / "w")["w"].tolist() == PLAIN.tolist()

    p = tinynorm.zeros(2, 2, requires_grad=True)
    optimizer = optim.SGD([p], momentum=0.9)
    saved = optimizer.state_dict()
    with pytest.raises(TypeError, match="masked array"):
        optimizer.load_state_dict({**saved, "state": {0: {"momentum_buffer": masked(PLAIN)}}})
    optimizer.load_state_dict({**saved, "state": {0: {"momentum_buffer": matrix(PLAIN)}}})
    assert optimizer.state[p]["momentum_buffer"].tolist() == PLAIN.tolist()


def test_a_file_mapped_into_memory_stays_one(tmp_path):
    a = np.memmap(tmp_path / "m", np.float32, "w+", shape=(2, 2))
    t = tinynorm.from_numpy(a)
    a[:] = PLAIN
    del a
    assert t.tolist() == PLAIN.tolist()
