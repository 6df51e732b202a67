"""Batch renormalisation (Ioffe 2017): BatchNorm whose output in training is that of evaluation, with limits."""

from __future__ import annotations

from typing import Any

import tinynorm as tn
from tinynorm import nn
from tinynorm.nn import functional as F


class BatchRenorm1d(nn.Module):
    """Standardise (N, C) with the batch, then correct the result towards the one with the running statistics.

    In training, ``y = (x_hat * r + d) * weight + bias``, where ``r = sigma_B / sigma`` and ``d = (mu_B - mu) / sigma`` are
    constants for the gradient, held within [1 / r_max, r_max] and [-d_max, d_max]. Without the limits, y would be what
    evaluation gives: ``(x - mu) / sigma * weight + bias``. The limits start at r_max = 1 and d_max = 0, which is BatchNorm,
    and open step by step, since the running statistics are not yet right at the start.

    Parameters
    ----------
    num_features : int
        C.
    warm_up, ramp : int
        BatchNorm for `warm_up` batches; then the limits grow in a line to their full size over `ramp` batches.
    eps : float
        Added to the variance of the batch. The default is BatchNorm's.
    momentum, r_max, d_max : float
        The defaults are the paper's (it calls momentum α).

    Notes
    -----
    Ioffe 2017, "Batch renormalization", algorithm 1. Its running sigma is an average of standard deviations, not of variances.
    """

    running_mean: tn.Tensor
    running_std: tn.Tensor
    num_batches_tracked: tn.Tensor

    def __init__(
        self,
        num_features: int,
        warm_up: int = 0,
        ramp: int = 1,
        eps: float = 1e-5,
        momentum: float = 0.01,
        r_max: float = 3.0,
        d_max: float = 5.0,
    ) -> None:
        super().__init__()
        self.warm_up, self.ramp, self.eps, self.momentum, self.r_max, self.d_max = warm_up, ramp, eps, momentum, r_max, d_max
        self.weight, self.bias = nn.Parameter(tn.ones(num_features)), nn.Parameter(tn.zeros(num_features))
        self.register_buffer("running_mean", tn.zeros(num_features))
        self.register_buffer("running_std", tn.ones(num_features))
        self.register_buffer("num_batches_tracked", tn.zeros(1))

    def forward(self, x: Any) -> Any:
        if not self.training:
            x_hat = (x - self.running_mean) / self.running_std  # (N, C)
            return x_hat * self.weight + self.bias
        with tn.no_grad():
            mean = x.mean(0)  # (C,)
            std = ((x - mean).square().mean(0) + self.eps).sqrt()
            r, d = self._correction(mean, std)
            self.running_mean += self.momentum * (mean - self.running_mean)
            self.running_std += self.momentum * (std - self.running_std)
            self.num_batches_tracked += 1
        # (x_hat * r + d) * weight + bias, as BatchNorm's own affine map
        return F.batch_norm(x, None, None, self.weight * r, self.weight * d + self.bias, training=True, eps=self.eps)

    def _correction(self, mean: Any, std: Any) -> tuple[Any, Any]:
        """r and d, each (C,), within the limits of this step."""
        opened = ((self.num_batches_tracked - self.warm_up) / self.ramp).clamp(0, 1)
        r_max, d_max = 1 + (self.r_max - 1) * opened, self.d_max * opened
        r = (std / self.running_std).clamp(1 / r_max, r_max)
        d = ((mean - self.running_mean) / self.running_std).clamp(-d_max, d_max)
        return r, d
