"""A captured step against the step as it is, bit for bit: layers, losses, optimisers, and ways to write a step."""

from itertools import product

import numpy as np
import pytest
from helpers import some

import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.nn import functional as F

LAYERS = {
    "batch norm": lambda: nn.BatchNorm1d(6),
    "layer norm": lambda: nn.LayerNorm(6),
    "rms norm": lambda: nn.RMSNorm(6),
    "group norm": lambda: nn.GroupNorm(2, 6),
    "instance norm": lambda: nn.Sequential(nn.Unflatten(1, (2, 3)), nn.InstanceNorm1d(2, affine=True), nn.Flatten()),
    "no bias": lambda: nn.Linear(6, 6, bias=False),
    "dropout": lambda: nn.Dropout(0.3),
    "relu": nn.ReLU,
    "leaky relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "gelu, tanh": lambda: nn.GELU(approximate="tanh"),
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
    "softmax": lambda: nn.Softmax(1),
    "log softmax": lambda: nn.LogSoftmax(1),
    "prelu": nn.PReLU,
    "hardtanh": nn.Hardtanh,
    "identity": nn.Identity,
}
LOSSES = {
    "cross entropy": lambda y, t, c: F.cross_entropy(y, c),
    "cross entropy, smoothed": lambda y, t, c: F.cross_entropy(y, c, label_smoothing=0.1),
    "cross entropy of rows": lambda y, t, c: F.cross_entropy(y, c, reduction="none").mean(),
    "nll": lambda y, t, c: F.nll_loss(F.log_softmax(y, 1), c),
    "mse": lambda y, t, c: F.mse_loss(y, t),
    "l1": lambda y, t, c: F.l1_loss(y, t),
    "smooth l1": lambda y, t, c: F.smooth_l1_loss(y, t),
    "huber": lambda y, t, c: F.huber_loss(y, t),
    "bce with logits": lambda y, t, c: F.binary_cross_entropy_with_logits(y, t.sigmoid()),
    "kl": lambda y, t, c: F.kl_div(F.log_softmax(y, 1), F.softmax(t, 1), reduction="batchmean"),
}
OPTIMISERS = {
    "sgd": lambda p: optim.SGD(p, 0.1),
    "momentum": lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: optim.Adam(p, 0.01),
    "amsgrad": lambda p: optim.Adam(p, 0.01, amsgrad=True, weight_decay=0.1),
    "adamw": lambda p: optim.AdamW(p, 0.01),
    "rmsprop": lambda p: optim.RMSprop(p, 0.01),
    "adagrad": lambda p: optim.Adagrad(p, 0.05),
    "adadelta": lambda p: optim.Adadelta(p, 0.5),
    "adamax": lambda p: optim.Adamax(p, 0.01),
    "nadam": lambda p: optim.NAdam(p, 0.01),
    "rprop": lambda p: optim.Rprop(p, 0.01),
}
rng = np.random.default_rng(0)


def batches(n, rows=8, dtype="float32", sizes=None):
    for i in range(n):
        k = rows if sizes is None else sizes[i % len(sizes)]
        yield tn.tensor(rng.normal(size=(k, 5)).astype(dtype)), tn.tensor(rng.normal(size=(k, 6)).astype(dtype)), tn.tensor(
            rng.integers(0, 6, k)
        )


def model_of(*layers, dtype="float32"):
    tn.manual_seed(5)
    return nn.Sequential(nn.Linear(5, 6), *(make() for make in layers), nn.Linear(6, 6)).to(getattr(tn, dtype))


def plain_step(model, optimizer, loss_of):
    def step(x, t, c):
        optimizer.zero_grad()
        loss = loss_of(model(x), t, c)
        loss.backward()
        optimizer.step()
        return loss

    return step


def bits(model, optimizer):
    found = [t.numpy().tobytes() for t in model.state_dict().values()]
    found += [p.grad.numpy().tobytes() for p in model.parameters() if p.grad is not None]
    for entries in optimizer.state_dict()["state"].values():
        found += [v.numpy().tobytes() if isinstance(v, tn.Tensor) else v for v in entries.values()]
    return found


def compare(make, data, replays):
    """Two networks that are alike: one trained by the step as it is, one by the captured step.

    `make` gives (model, optimiser, step).
    """
    (eager, a, step), (other, b, captured) = make(), make()
    captured = tn.capture(captured)
    losses = []
    for which in (step, captured):
        tn.manual_seed(3)
        losses.append([which(*batch).detach().numpy().tobytes() for batch in data])
    assert losses[0] == losses[1]
    assert bits(eager, a) == bits(other, b)
    assert captured.reason == ""
    assert captured.replays >= replays


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("name", some(LAYERS, 5))
def test_layers(name, kernels):
    data = list(batches(12))

    def make():
        model = model_of(LAYERS[name])
        optimizer = optim.Adam(model.parameters(), 0.01)
        return model, optimizer, plain_step(model, optimizer, LOSSES["cross entropy"])

    with tn.kernels.use(kernels):
        compare(make, data, 9)


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("name", some(LOSSES, 5))
def test_losses(name, kernels):
    data = list(batches(12))

    def make():
        model = model_of(nn.ReLU)
        optimizer = optim.SGD(model.parameters(), 0.1)
        return model, optimizer, plain_step(model, optimizer, LOSSES[name])

    with tn.kernels.use(kernels):
        compare(make, data, 9)


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("name", some(OPTIMISERS, 5))
def test_optimisers(name, kernels):
    data = list(batches(12))

    def make():
        model = model_of(LAYERS["batch norm"], nn.ReLU)
        optimizer = OPTIMISERS[name](model.parameters())
        return model, optimizer, plain_step(model, optimizer, LOSSES["mse"])

    with tn.kernels.use(kernels):
        compare(make, data, 9)


@pytest.mark.parametrize(
    ("layer", "loss", "optimiser", "dtype"),
    [
        pytest.param(*c, marks=[] if k % 400 == 0 else pytest.mark.long)
        for k, c in enumerate(product(LAYERS, LOSSES, OPTIMISERS, ["float32", "float64"]))
        if k % 8 == 0
    ],
)
def test_together(layer, loss, optimiser, dtype):
    data = list(batches(14, dtype=dtype, sizes=[8, 8, 5]))

    def make():
        model = model_of(LAYERS[layer], nn.ReLU, dtype=dtype)
        optimizer = OPTIMISERS[optimiser](model.parameters())
        return model, optimizer, plain_step(model, optimizer, LOSSES[loss])

    compare(make, data, 8)
