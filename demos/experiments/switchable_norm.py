"""Switchable normalisation (Luo et al. 2019): a layer that learns from which axes its mean and its variance come."""

from __future__ import annotations

from typing import Any

import tinynorm as tn
from tinynorm import nn
from tinynorm.nn import functional as F


class SwitchableNorm(nn.Module):
    """Standardise with mixtures of the statistics of BatchNorm, LayerNorm and, for images, InstanceNorm.

        μ = Σ_k w_k μ_k,   σ² = Σ_k w'_k σ²_k,   y = γ (x - μ) / √(σ² + eps) + β,

    where w = softmax(λ) and w' = softmax(λ') are learned. Input (N, C) or (N, C, *). A position of (N, C) is a single number,
    so InstanceNorm has no statistics there, and k is BN or LN; else it is BN, LN or IN.

    Parameters
    ----------
    num_features : int
        C.
    positions : bool
        Whether the input has positions, (N, C, *).
    eps, momentum : float
        As in `nn.BatchNorm1d`.

    Attributes
    ----------
    weight, bias : Parameter
        γ and β, (C).
    mean_weight, var_weight : Parameter
        λ and λ', (K), initially 1: all of the same weight. In the order of `names`.
    running_mean, running_var : Tensor
        BatchNorm's part in eval mode; the variance is the unbiased one, as in `nn.BatchNorm1d`.

    Notes
    -----
    Luo, Ren, Peng, Zhang and Li 2019, "Differentiable learning-to-normalize via switchable normalization".

    Examples
    --------
    >>> norm = SwitchableNorm(3)
    >>> norm(tn.randn(5, 3)).shape, norm.shares("mean")
    (torch.Size([5, 3]), {'BN': 0.5, 'LN': 0.5})
    """

    def __init__(self, num_features: int, positions: bool = False, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.names = ("BN", "LN", "IN")[: 3 if positions else 2]
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight, self.bias = nn.Parameter(tn.ones(num_features)), nn.Parameter(tn.zeros(num_features))
        self.mean_weight, self.var_weight = (nn.Parameter(tn.ones(len(self.names))) for _ in range(2))
        self.register_buffer("running_mean", tn.zeros(num_features))
        self.register_buffer("running_var", tn.ones(num_features))

    def shares(self, statistic: str) -> dict[str, float]:
        """w of the "mean" or w' of the "var", by name."""
        w = F.softmax(getattr(self, f"{statistic}_weight").detach(), 0)
        return dict(zip(self.names, w.tolist(), strict=True))

    def batch_statistics(self, x: Any) -> tuple[Any, Any]:
        """BatchNorm's mean and variance, (1, C, *). In training those of the batch, which also move the running ones."""
        shape = (1, self.num_features) + (1,) * (x.ndim - 2)
        if not self.training:
            return self.running_mean.reshape(shape), self.running_var.reshape(shape)
        axes = (0, *range(2, x.ndim))
        n = x.numel() // self.num_features  # numbers in each channel
        if n < 2:
            raise ValueError(f"SwitchableNorm: expected more than one value per channel in training, got {tuple(x.shape)}")
        mean, var = x.mean(axes, keepdim=True), x.var(axes, correction=0, keepdim=True)
        with tn.no_grad():
            self.running_mean.lerp_(mean.reshape(-1), self.momentum)
            self.running_var.lerp_(var.reshape(-1) * (n / (n - 1)), self.momentum)
        return mean, var

    def forward(self, x: Any) -> Any:
        statistics = [self.batch_statistics(x)]
        for name in self.names[1:]:
            axes = tuple(range(1 if name == "LN" else 2, x.ndim))
            statistics.append((x.mean(axes, keepdim=True), x.var(axes, correction=0, keepdim=True)))
        w, w_var = F.softmax(self.mean_weight, 0), F.softmax(self.var_weight, 0)
        mean = sum(w[k] * m for k, (m, _) in enumerate(statistics))  # (N, C, *), with 1 for each axis that all k average over
        var = sum(w_var[k] * v for k, (_, v) in enumerate(statistics))
        shape = (1, self.num_features) + (1,) * (x.ndim - 2)
        return (x - mean) * (var + self.eps).rsqrt() * self.weight.reshape(shape) + self.bias.reshape(shape)

    def extra_repr(self) -> str:
        return f"{self.num_features}, of {', '.join(self.names)}, eps={self.eps}, momentum={self.momentum}"
