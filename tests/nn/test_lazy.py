"""Lazy layers: without shapes until the first forward pass (or a state that is loaded), and ordinary layers from then on."""

import copy

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import nn, optim


def network():
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(4), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(2, bias=False))


def ordinary():
    return nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2, bias=False))


def test_a_network_is_the_ordinary_one_after_its_first_batch():
    tn.manual_seed(0)
    lazy = network()
    assert [type(m).__name__ for m in lazy] == ["Flatten", "LazyLinear", "LazyBatchNorm1d", "ReLU", "LazyLinear"]
    assert repr(lazy[1]) == "LazyLinear(in_features=0, out_features=4, bias=True)"
    x = tn.ones(5, 2, 3)
    y = lazy(x)
    tn.manual_seed(0)
    same = ordinary()
    assert repr(lazy) == repr(same)
    assert y.tolist() == same(x).tolist()  # the initial values are drawn in the same order
    for a, b in zip(lazy.state_dict().items(), same.state_dict().items(), strict=True):
        assert (a[0], a[1].tolist()) == (b[0], b[1].tolist())
    assert [type(m) for m in lazy] == [type(m) for m in same]


def test_an_optimiser_made_before_the_first_batch_trains_what_comes_of_it():
    lazy = network()
    optimizer = optim.Adam(lazy.parameters(), lr=0.1)
    lazy(tn.randn(5, 6)).square().mean().backward()
    before = {name: p.tolist() for name, p in lazy.named_parameters()}
    optimizer.step()
    assert all(p.tolist() != before[name] for name, p in lazy.named_parameters() if name != "1.bias")
    assert all(type(p) is nn.Parameter for p in lazy.parameters())


def test_two_dimensions_of_positions():
    layer = nn.LazyBatchNorm2d(eps=0.01, momentum=None, affine=False)
    assert layer(tn.randn(2, 3, 4, 4)).shape == (2, 3, 4, 4)
    assert repr(layer) == repr(nn.BatchNorm2d(3, eps=0.01, momentum=None, affine=False))


@pytest.mark.parametrize(
    "use",
    [lambda p: p.shape, lambda p: p.numel(), lambda p: p.size(), lambda p: nn.init.xavier_uniform_(p)],
)
def test_a_parameter_without_a_shape_says_what_to_do(use):
    for p in nn.LazyLinear(3).parameters():
        assert repr(p) == "<UninitializedParameter>"
        with pytest.raises(RuntimeError, match=r"has no shape before the first forward pass, .* call the module once before"):
            use(p)


def test_a_state_gives_the_shapes():
    full, lazy = ordinary(), network()
    full(tn.randn(5, 6))
    assert repr(lazy.load_state_dict(full.state_dict())) == "<All keys matched successfully>"
    x = tn.randn(4, 6)
    assert lazy.eval()(x).tolist() == full.eval()(x).tolist()
    assert repr(lazy) == repr(full)
    for (name, a), b in zip(lazy.state_dict().items(), full.state_dict().values(), strict=True):
        assert a.tolist() == b.tolist(), name


def test_a_state_that_does_not_fit_gives_none():
    lazy = network()
    with pytest.raises(RuntimeError, match=r"missing: 4\.weight"):
        lazy.load_state_dict({name: t for name, t in ordinary().state_dict().items() if name != "4.weight"})
    assert {repr(p) for p in lazy.parameters()} == {"<UninitializedParameter>"}
    assert lazy(tn.randn(5, 6)).shape == (5, 2)


def test_moved_and_copied_before_the_first_batch(device):
    lazy = copy.deepcopy(network().double().to(device))
    y = lazy(tn.randn(5, 6, dtype="float64", device=device))
    assert y.dtype == tn.float64
    for t in [*lazy.parameters(), *lazy.buffers()]:
        assert t.device.type == device
        assert t.dtype == (tn.float64 if t.is_floating_point() else tn.int64)


def test_frozen_before_the_first_batch_stays_frozen():
    lazy = nn.LazyLinear(2).requires_grad_(False)
    assert not lazy(tn.ones(1, 3)).requires_grad


def test_an_input_that_does_not_fit_leaves_the_layer_lazy():
    layer = nn.LazyBatchNorm1d()
    with pytest.raises(ValueError, match=r"LazyBatchNorm1d: expected x \(N, C=3\) or .*, got \(2, 3, 4, 5\)"):
        layer(tn.randn(2, 3, 4, 5))
    assert layer.num_features == 0
    assert layer(tn.randn(4, 2)).shape == (4, 2)
    for lazy in (nn.LazyLinear(2), nn.LazyBatchNorm1d()):
        with pytest.raises(TypeError, match=f"{type(lazy).__name__}: expected x to be a Tensor, got list"):
            lazy([1.0])
    with pytest.raises(RuntimeError, match=r"LazyLinear: expected x \(\*, in_features\), got a 0-d tensor"):
        nn.LazyLinear(2)(tn.tensor(1.0))
    with pytest.raises(ValueError, match=r"LazyLinear: expected out_features to be an int >= 0, got 2\.5"):
        nn.LazyLinear(2.5)


def test_initial_values_can_be_set_after_the_first_batch_only():
    """As d2l's programs do: nothing happens to layers that are still lazy."""
    lazy, seen = network(), []

    def init(module):
        if type(module) is nn.Linear:
            seen.append(module)
            nn.init.constant_(module.weight, 0.5)

    lazy.apply(init)
    assert seen == []
    lazy(tn.ones(2, 6))
    lazy.apply(init)
    assert [np.unique(m.weight.array).tolist() for m in seen] == [[0.5], [0.5]]
