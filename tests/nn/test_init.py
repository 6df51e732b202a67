"""Initialisation: the distributions, PyTorch's defaults, and that the graph does not see it."""

import math

import numpy as np
import pytest

import tinynorm
from tinynorm import nn
from tinynorm.nn import init

FILLERS = {
    "uniform_": lambda t, g=None: init.uniform_(t, -1, 1, generator=g),
    "normal_": lambda t, g=None: init.normal_(t, generator=g),
    "trunc_normal_": lambda t, g=None: init.trunc_normal_(t, generator=g),
    "xavier_uniform_": lambda t, g=None: init.xavier_uniform_(t, generator=g),
    "xavier_normal_": lambda t, g=None: init.xavier_normal_(t, generator=g),
    "kaiming_uniform_": lambda t, g=None: init.kaiming_uniform_(t, generator=g),
    "kaiming_normal_": lambda t, g=None: init.kaiming_normal_(t, generator=g),
    "orthogonal_": lambda t, g=None: init.orthogonal_(t, generator=g),
}


@pytest.mark.parametrize("name", FILLERS)
def test_fills_a_parameter_in_place_unseen_by_the_graph(name, device):
    p = nn.Parameter(tinynorm.zeros(5, 4, device=device))
    array = p.array
    assert FILLERS[name](p) is p
    assert p.array is array
    assert p.is_leaf
    assert p.requires_grad
    assert (p != 0).all()


@pytest.mark.parametrize("name", FILLERS)
def test_a_seed_gives_the_same_numbers_on_every_device(name, device):
    tinynorm.manual_seed(3)
    a = FILLERS[name](tinynorm.zeros(5, 4))
    tinynorm.manual_seed(3)
    b = FILLERS[name](tinynorm.zeros(5, 4, device=device))
    c = FILLERS[name](tinynorm.zeros(5, 4), tinynorm.Generator().manual_seed(3))
    assert a.tolist() == b.tolist() == c.tolist()
    assert FILLERS[name](tinynorm.zeros(5, 4)).tolist() != a.tolist()


@pytest.mark.parametrize(
    ("fill", "std", "bound"),
    [
        (lambda t: init.uniform_(t, -3, 3), 3 / math.sqrt(3), 3),
        (lambda t: init.normal_(t, 0, 2), 2, None),
        (lambda t: init.xavier_uniform_(t, gain=2), 2 * math.sqrt(2 / 500), 2 * math.sqrt(6 / 500)),
        (lambda t: init.xavier_normal_(t), math.sqrt(2 / 500), None),
        (lambda t: init.kaiming_uniform_(t), math.sqrt(2 / 200), math.sqrt(6 / 200)),
        (lambda t: init.kaiming_uniform_(t, a=math.sqrt(5)), 1 / math.sqrt(600), 1 / math.sqrt(200)),
        (lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="tanh"), 5 / 3 / math.sqrt(300), None),
    ],
)
def test_spread_and_bound_are_those_of_the_source(fill, std, bound):
    x = fill(tinynorm.empty(300, 200, dtype=tinynorm.float64)).numpy()  # (out, in)
    assert abs(x.mean()) < 0.02 * std
    assert x.std() == pytest.approx(std, rel=0.01)
    if bound is not None:
        assert 0.99 * bound < np.abs(x).max() <= bound


def test_fans_count_the_kernel():
    x = init.kaiming_uniform_(tinynorm.empty(40, 10, 4, 5, dtype=tinynorm.float64)).numpy()
    assert np.abs(x).max() == pytest.approx(math.sqrt(6 / 200), rel=0.01)


def test_truncated_normal_is_the_normal_between_its_bounds():
    x = init.trunc_normal_(tinynorm.empty(20000, dtype=tinynorm.float64), mean=1, std=2, a=0, b=2).numpy()
    assert 0 <= x.min() < 0.01
    assert 1.99 < x.max() <= 2
    assert x.mean() == pytest.approx(1, abs=0.01)
    assert x.var() == pytest.approx(4 * (1 - 2 * 0.5 * 0.35206533 / 0.38292492), rel=0.02)  # 1 - 2 a φ(a) / (2 Φ(a) - 1)
    x = init.trunc_normal_(tinynorm.empty(20000, dtype=tinynorm.float64), mean=1, std=2, a=0.5, b=4).numpy()
    assert 0.5 <= x.min() < 0.51
    assert 3.98 < x.max() <= 4
    mean = 1 + 2 * (0.38666812 - 0.12951760) / (0.93319280 - 0.40129367)  # μ + σ (φ(a) - φ(b)) / (Φ(b) - Φ(a))
    assert x.mean() == pytest.approx(mean, abs=0.02)
    far = init.trunc_normal_(tinynorm.empty(10), a=50, b=60).numpy()
    assert ((far >= 50) & (far <= 60)).all()


def test_constants():
    assert init.constant_(tinynorm.empty(2), 0.5).tolist() == [0.5, 0.5]
    assert init.ones_(nn.Parameter(tinynorm.empty(2))).tolist() == [1, 1]
    assert init.zeros_(nn.Parameter(tinynorm.ones(2))).tolist() == [0, 0]
    assert init.eye_(tinynorm.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (4, 2, 3)])
def test_orthogonal(shape):
    Q = init.orthogonal_(tinynorm.empty(*shape, dtype=tinynorm.float64), gain=2).numpy().reshape(shape[0], -1)
    small = Q @ Q.T if Q.shape[0] <= Q.shape[1] else Q.T @ Q
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)


def test_linears_default_is_uniform_within_one_over_root_of_in():
    layer = nn.Linear(400, 300, dtype=tinynorm.float64)
    for t in (layer.weight, layer.bias):
        x = t.detach().numpy()
        assert 0.98 / 20 < np.abs(x).max() <= 1 / 20
        assert x.std() == pytest.approx(1 / 20 / math.sqrt(3), rel=0.1)
    assert nn.Linear(0, 3).bias.tolist() == [0, 0, 0]


def test_a_seed_gives_the_same_network():
    nets = []
    for _ in range(2):
        tinynorm.manual_seed(11)
        nets.append(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)))
    for p, q in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert p.tolist() == q.tolist()


def test_gains():
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu", 1) == 1
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)
    assert init.calculate_gain("linear") == init.calculate_gain("sigmoid") == 1


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (lambda t: init.calculate_gain("softplus"), "calculate_gain: expected one of linear, .* got 'softplus'"),
        (lambda t: init.xavier_normal_(t[0]), r"xavier_normal_: expected a weight \(out, in, \*\) .* got shape \(2,\)"),
        (lambda t: init.kaiming_normal_(t[0]), "kaiming_normal_: expected a weight"),
        (lambda t: init.kaiming_uniform_(t, mode="fan"), "expected mode to be 'fan_in' or 'fan_out', got 'fan'"),
        (lambda t: init.orthogonal_(t[0]), "orthogonal_: expected a tensor of at least 2 dimensions"),
        (lambda t: init.eye_(t[0]), "eye_: expected a tensor of 2 dimensions"),
        (lambda t: init.trunc_normal_(t, std=0), "trunc_normal_: expected std > 0 and a < b"),
        (lambda t: init.trunc_normal_(t, a=2, b=2), "trunc_normal_: expected std > 0 and a < b"),
    ],
)
def test_errors_say_what_was_expected(fill, message):
    t = tinynorm.zeros(2, 2)
    with pytest.raises(ValueError, match=message):
        fill(t)
    assert (t == 0).all()


FILLS = {
    init.uniform_: {}, init.normal_: {}, init.trunc_normal_: {}, init.constant_: {"val": 0.25}, init.ones_: {}, init.zeros_: {},
    init.eye_: {}, init.xavier_uniform_: {}, init.xavier_normal_: {}, init.kaiming_uniform_: {}, init.kaiming_normal_: {},
    init.orthogonal_: {},
}  # fmt: skip


@pytest.mark.parametrize("fill", FILLS)
def test_a_parameters_data_can_be_filled(fill):
    layer = tinynorm.nn.Linear(3, 4)
    twin, before = layer.weight.array.copy(), layer.weight.array
    tinynorm.manual_seed(3)
    fill(layer.weight.data, **FILLS[fill])
    tinynorm.manual_seed(3)
    expected = fill(tinynorm.empty(4, 3), **FILLS[fill])
    assert layer.weight.array is before
    assert (layer.weight.array != twin).any()
    assert layer.weight.tolist() == expected.tolist()
    assert layer.weight.requires_grad
    if fill in list(FILLS)[:6]:
        bias = layer.bias.array
        fill(layer.bias.data, **FILLS[fill])
        assert layer.bias.array is bias


@pytest.mark.parametrize("name", [f.__name__ for f in FILLS if f not in (init.trunc_normal_, init.ones_, init.zeros_)])
def test_the_old_spellings_are_the_same_functions(name):
    assert getattr(init, name.rstrip("_")) is getattr(init, name)
