# Three normalisation layers, written out. What is averaged over is the whole difference.
import torch
from torch import nn


class LayerNorm(nn.Module):
    def __init__(self, normalized_shape, *, eps: float = 1e-5, elementwise_affine: bool = True):
        super().__init__()
        if isinstance(normalized_shape, int):
            normalized_shape = torch.Size([normalized_shape])
        elif isinstance(normalized_shape, list):
            normalized_shape = torch.Size(normalized_shape)
        assert isinstance(normalized_shape, torch.Size)
        self.normalized_shape = normalized_shape
        self.eps = eps
        if elementwise_affine:
            self.gain = nn.Parameter(torch.ones(normalized_shape))
            self.bias = nn.Parameter(torch.zeros(normalized_shape))

    def forward(self, x: torch.Tensor):
        assert self.normalized_shape == x.shape[-len(self.normalized_shape):]
        dims = [-(i + 1) for i in range(len(self.normalized_shape))]
        mean = x.mean(dim=dims, keepdim=True)
        mean_x2 = (x ** 2).mean(dim=dims, keepdim=True)
        var = mean_x2 - mean ** 2
        x_norm = (x - mean) / torch.sqrt(var + self.eps)
        return self.gain * x_norm + self.bias


class GroupNorm(nn.Module):
    def __init__(self, groups: int, channels: int, *, eps: float = 1e-5):
        super().__init__()
        assert channels % groups == 0, "the channels must be divisible by the groups"
        self.groups, self.channels, self.eps = groups, channels, eps
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        x_shape = x.shape
        batch_size = x_shape[0]
        x = x.view(batch_size, self.groups, -1)
        mean = x.mean(dim=[-1], keepdim=True)
        var = x.var(dim=-1, keepdim=True, unbiased=False)
        x_norm = ((x - mean) * torch.rsqrt(var + self.eps)).view(batch_size, self.channels, -1)
        return (self.scale.view(1, -1, 1) * x_norm + self.shift.view(1, -1, 1)).view(x_shape)


class RMSNorm(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def _norm(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)

    def forward(self, x):
        return self._norm(x.float()).type_as(x) * self.weight


torch.manual_seed(19)
x = torch.zeros([2, 3, 2, 4])
print(LayerNorm(x.shape[2:])(x).shape)

x = torch.randn(2, 6, 4)
for mine, theirs in [
    (LayerNorm([6, 4]), nn.LayerNorm([6, 4])),
    (LayerNorm(4), nn.LayerNorm(4)),
    (GroupNorm(3, 6), nn.GroupNorm(3, 6)),
    (GroupNorm(6, 6), nn.InstanceNorm1d(6)),
    (RMSNorm(4), nn.RMSNorm(4, eps=1e-6)),
]:
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    mine(a).pow(3).sum().backward()
    theirs(b).pow(3).sum().backward()
    same = torch.allclose(mine(x), theirs(x), atol=1e-5) and torch.allclose(a.grad, b.grad, atol=1e-4)
    print(f"{type(mine).__name__:10s} {same}  {theirs}")

ln = nn.LayerNorm(4)
row = ln(torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
print(row)
print(row.mean().abs() < 1e-6, row.std(unbiased=False))
print(nn.GroupNorm(2, 4, affine=False)(torch.arange(8.0).view(1, 4, 2)))
