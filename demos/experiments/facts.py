"""Facts about the two layers that need no training: each is measured in a moment, with the layers themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.nn import functional as F

ROWS = 4096  # of the random data: enough that a statistic of it is known to 2 %


def standardised(x: np.ndarray) -> np.ndarray:
    """Columns as BatchNorm without γ and β gives them in training."""
    return nn.BatchNorm1d(x.shape[1], affine=False)(tn.tensor(x)).numpy()


def spread_of_outputs() -> tuple[float, float]:
    """Of data with standard deviation 3: that of BatchNorm's output, and that of the data over their variance."""
    x = np.random.default_rng(0).normal(5.0, 3.0, (ROWS, 1)).astype(np.float32)
    return float(standardised(x).std()), float(((x - x.mean()) / x.var()).std())


def skewness() -> tuple[float, float]:
    """Of exponentially distributed data (2; of a normal distribution it is 0): before BatchNorm and behind it."""
    x = np.random.default_rng(0).exponential(1.0, (ROWS, 1)).astype(np.float32)
    before, behind = (float((((v - v.mean()) / v.std()) ** 3).mean()) for v in (x, standardised(x)))
    return before, behind


def change_by_others() -> tuple[float, float, int]:
    """How far one row's output moves when the other rows are others: with BN, with LN; and how many buffers LN has."""
    rng = np.random.default_rng(0)
    row = rng.standard_normal((1, 8)).astype(np.float32)
    batches = [tn.tensor(np.concatenate([row, scale * rng.standard_normal((15, 8)).astype(np.float32)])) for scale in (1, 5)]
    moves = []
    for layer in (nn.BatchNorm1d(8), nn.LayerNorm(8)):
        with tn.no_grad():
            a, b = (layer(x)[0].numpy() for x in batches)
        moves.append(float(np.abs(a - b).max()))
    return moves[0], moves[1], len(list(nn.LayerNorm(8).buffers()))


def gradient_of_a_bias() -> tuple[float, float]:
    """The largest gradient of the bias of a Linear before BN, and of the weight's, on the first step of a digit classifier."""
    tn.manual_seed(0)
    layer = nn.Linear(64, 32)
    net = nn.Sequential(layer, nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    x, y = tn.randn(256, 64), tn.randint(0, 10, (256,))
    F.cross_entropy(net(x), y).backward()
    assert layer.bias is not None
    grads: list[Any] = [layer.bias.grad, layer.weight.grad]
    return float(grads[0].abs().max()), float(grads[1].abs().max())


def least_loss_with_bn_on_the_logits(steps: int = 400) -> tuple[float, float]:
    """The loss that free logits of 10 balanced classes reach behind a BN without γ and β; and its bound, log(1 + 9 e^(-10/3)).

    A column of logits has a tenth of its numbers, those of its class, at u and the others at v. Mean 0 and variance 1 make them
    u = 3 and v = -1/3, if all of a class are equal, which is best: the loss is log(1 + 9 e^(v - u)).
    """
    tn.manual_seed(0)
    y = tn.tensor(np.arange(100) % 10)
    logits = nn.Parameter(tn.randn(100, 10))
    norm, optimizer = nn.BatchNorm1d(10, affine=False, eps=1e-12), optim.Adam([logits], lr=0.1)
    loss = tn.zeros(())
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(norm(logits), y)
        loss.backward()
        optimizer.step()
    return float(loss), float(np.log1p(9 * np.exp(-10 / 3)))
