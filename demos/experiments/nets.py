"""The data, the networks and the training that the experiments share."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.nn import functional as F
from tinynorm.utils.datasets import mnist

from .base import Text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from mlp_data import digits as split_digits

# Of MNIST and Fashion-MNIST: as many images as the digits have, but for 3. Then a number of steps is as many epochs, and the
# test set as many batches of 60, as with the digits, and only the images' size makes a run longer. 144 and 36 of each class.
TRAINING, TEST = 1440, 360


class Data(NamedTuple):
    """Images as rows, and their classes."""

    x_train: np.ndarray  # (N, D), float32, grey values from 0 to 1; D = 64 for the digits
    y_train: np.ndarray  # (N,), int64
    x_test: np.ndarray
    y_test: np.ndarray

    def to(self, device: str) -> tuple[tn.Tensor, ...]:
        return tuple(tn.as_tensor(a, device=device) for a in self)


def data_of(s: dict[str, Any], seed: int) -> Data:
    """The images of an experiment with these settings."""
    return digits(seed) if s.get("dataset", "digits") == "digits" else of_mnist(s["dataset"], s["data dir"], seed)


@cache
def digits(seed: int) -> Data:
    """scikit-learn's digits, 8 x 8 grey values divided by 16: 80 % of each class to train on (1,437), 20 % to test with."""
    x_train, y_train, x_test, y_test = split_digits(seed)
    x_train, x_test = (x_train / 16).astype(np.float32), (x_test / 16).astype(np.float32)
    return Data(x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64))


@cache
def of_mnist(dataset: str, folder: str, seed: int) -> Data:
    """28 x 28 grey values divided by 255: random training images and test images, as many of each class."""
    images = mnist(folder, dataset, download=False)
    rng = np.random.default_rng([seed, 28])
    parts: list[np.ndarray] = []
    for x, y, size in ((images.x_train, images.y_train, TRAINING), (images.x_test, images.y_test, TEST)):
        order = rng.permutation(len(y))
        few = rng.permutation(np.concatenate([order[y[order] == k][: size // 10] for k in range(10)]))
        parts += [(x[few].reshape(len(few), -1) / 255).astype(np.float32), y[few].astype(np.int64)]
    return Data(*parts)


def side(x: Any) -> int:
    """The height, and the width, of square images that are rows: (N, side²)."""
    return round(x.shape[1] ** 0.5)


NORMS: dict[str, Callable[[int], nn.Module | None]] = {
    "none": lambda D: None,
    "BN": nn.BatchNorm1d,
    "LN": nn.LayerNorm,
    "GN": lambda D: nn.GroupNorm(8, D),
    "RMS": nn.RMSNorm,
}
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
# colours that also people with a colour vision deficiency tell apart (Okabe and Ito 2008), and a line style for each
STYLE = {
    "none": ("#555555", ":"), "BN": ("#0072B2", "-"), "LN": ("#D55E00", "--"), "GN": ("#009E73", "-."), "RMS": ("#CC79A7", "-"),
}  # fmt: skip
MORE_COLOURS = ("#E69F00", "#56B4E9", "#F0E442", "#000000")


def named(norm: str) -> Text:
    """A norm's name in tables and legends."""
    return Text(norm, norm.replace("none", "无").replace("noise", "噪声"))


def mlp(
    inputs: int,
    norm: str | Callable[[int], nn.Module | None],
    hidden: list[int],
    activation: str = "relu",
    outputs: int = 10,
    std: float | None = None,
    bias: bool = True,
) -> nn.Sequential:
    """Linear, norm, activation for each hidden width, then a Linear to the classes.

    With `std`, the weights are normal numbers of this standard deviation, and the biases 0; else all are as PyTorch draws them.
    """
    make = NORMS[norm] if isinstance(norm, str) else norm
    layers: list[nn.Module] = []
    for width in hidden:
        layers.append(nn.Linear(inputs, width, bias=bias))
        layers += [layer for layer in (make(width), ACTIVATIONS[activation]()) if layer is not None]
        inputs = width
    net = nn.Sequential(*layers, nn.Linear(inputs, outputs))
    if std is not None:
        for layer in net:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0.0, std)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    return net


def batches(N: int, size: int, steps: int, seed: int) -> Iterator[np.ndarray]:
    """Indices of batches, from epochs of shuffled rows; what is left over at the end of an epoch is dropped."""
    rng = np.random.default_rng([seed, 77])
    done = 0
    while done < steps:
        order = rng.permutation(N)
        for start in range(0, N - size + 1, size):
            if done == steps:
                return
            yield order[start : start + size]
            done += 1


def pick(at: np.ndarray, *tensors: tn.Tensor) -> list[tn.Tensor]:
    """These rows of each tensor."""
    return [x[at] for x in tensors]


def recorded(x: tn.Tensor) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for a training step on data such as x: it is captured on the CPU; capture would only warn on a GPU."""
    return tn.capture if x.device.type == "cpu" else lambda step: step


def train(
    net: nn.Module,
    optimizer: optim.Optimizer,
    x: tn.Tensor,
    y: tn.Tensor,
    size: int,
    steps: int,
    seed: int,
    after: Callable[[int, float], bool | None] | None = None,
    every: int = 0,
    schedule: Any = None,
) -> None:
    """So many steps of cross-entropy. ``after(step, loss)`` is called at the start, each `every` steps, and at the end.

    If it returns True, the training stops. (The step is captured, so it must not be changed meanwhile.)
    """

    @recorded(x)
    def step(x: tn.Tensor, y: tn.Tensor) -> tn.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        return loss

    net.train()
    if after is not None and after(0, float("nan")):
        return
    for n, at in enumerate(batches(len(x), size, steps, seed), start=1):
        loss = step(*pick(at, x, y))
        if after is not None and (n == steps or (every and n % every == 0)):
            stop = after(n, float(loss))
            net.train()
            if stop:
                return


def accuracy(net: nn.Module, x: tn.Tensor, y: tn.Tensor) -> float:
    """The share of right answers, in eval mode. The net's mode stays as it was."""
    training = net.training
    net.eval()
    with tn.no_grad():
        right = float((net(x).argmax(1) == y).float().mean())
    net.train(training)
    return right


def batch_norms(net: nn.Module) -> list[Any]:
    return [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm1d)]


def re_estimate(net: nn.Module, x: tn.Tensor) -> None:
    """Set the running statistics of each BatchNorm to those of x, passed through the net as one batch. It needs no classes.

    The net is then in training mode.
    """
    layers = batch_norms(net)
    kept = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the average over the batches, and there is one
    net.train()
    with tn.no_grad():
        net(x)
    for layer, momentum in zip(layers, kept, strict=True):
        layer.momentum = momentum


def using_batch_statistics(net: nn.Module) -> nn.Module:
    """A copy in training mode that keeps no statistics: each batch is normalised by its own."""
    other = copy.deepcopy(net)
    for layer in batch_norms(other):
        layer.track_running_stats = False
    return other.train()


def re_estimated(net: nn.Module, x: tn.Tensor) -> nn.Module:
    """A copy in eval mode whose running statistics are those of x, as one batch."""
    other = copy.deepcopy(net)
    re_estimate(other, x)
    return other.eval()


def cut(order: np.ndarray, size: int) -> list[np.ndarray]:
    """Batches of this size; the rest is left out."""
    return [order[n : n + size] for n in range(0, len(order) - size + 1, size)]


def make_optimizer(name: str, net: nn.Module, lr: float) -> optim.Optimizer:
    if name == "momentum":
        return optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    return {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW, "rmsprop": optim.RMSprop}[name](net.parameters(), lr=lr)
