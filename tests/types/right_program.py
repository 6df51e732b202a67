"""What a user writes, with types: it must pass `mypy --strict` without a word, and run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tinynorm as tn
from tinynorm import Tensor, nn
from tinynorm.autograd import Function, gradcheck
from tinynorm.nn import functional as F
from tinynorm.utils.data import DataLoader, TensorDataset


class Block(nn.Module):
    def __init__(self, features: int, p: float = 0.1) -> None:
        super().__init__()
        self.linear = nn.Linear(features, features)
        self.norm = nn.LayerNorm(features)
        self.scale = nn.Parameter(tn.ones(features))
        self.dropout = nn.Dropout(p)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.linear(x))
        z: Tensor = self.dropout(F.gelu(y))
        return x + self.scale * z


class Double(Function):
    @staticmethod
    def forward(ctx: tn.autograd.Node, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: tn.autograd.Node, g: Tensor) -> Tensor:
        return 2 * g


def arithmetic(x: Tensor) -> Tensor:
    y = (x - x.mean(0, keepdim=True)) / (x.var(dim=0, correction=0) + 1e-5).sqrt()
    y = 1 - y**2 + 2.0**y - y % 3 + y // 2 + np.ones(4, dtype="float32") + [1, 2, 3, 4]
    y = y @ y.T if y.ndim == 2 else -abs(y)
    y += 1
    y.mul_(2).clamp_(min=-10.0)
    return tn.where(y > 0, y, tn.exp(y) - 1).to(tn.float32)


def shapes(x: Tensor) -> list[int]:
    n, features = x.shape
    y = x.reshape(-1).view(n, features).unsqueeze(0).expand(2, -1, -1).permute(2, 0, 1).flatten(1)
    rows = y[:, 0], y[..., None], y[[0, 1]], y[y > 0], y[tn.tensor([1, 0])]
    stacked = tn.cat([rows[0], rows[0]]), tn.stack(tuple(rows[:1]), dim=-1)
    values, indices = y.max(dim=1)
    best: int = int(indices[0].item())
    total: float = float(y.sum(axis=0, keepdims=True).mean()) + float(values.sum()) + float(y.max())
    y[0, 1:] = 0.0
    same: bool = tn.allclose(stacked[0], stacked[0]) and x.equal(x)
    return [*y.shape, best, int(total), int(same), len(y)]


def parts(x: Tensor) -> Tensor:
    top, bottom = x.split([1, 1])
    left, *_ = tn.chunk(x, 2, dim=1) + x.unbind(0)
    rows, columns = tn.meshgrid(tn.arange(2), tn.arange(4), indexing="ij")
    y = tn.einsum("ij,kj->ik", x, x) + tn.mm(x, x.T).tril(diagonal=1) + tn.outer(top[0], bottom[0])[:2, :2]
    y = y.scatter_(1, tn.tensor([[0], [1]]), 1.0).scatter_add(1, tn.tensor([[0], [1]]), left[:, :1])
    y = tn.tile(y.repeat(2, 1).flip(0), (1, 2)) + tn.zeros(size=(4, 4)) + tn.randn_like(y.tile(2, 2))
    y = y + tn.normal(0.0, 1.0, size=(4, 4))
    hot: Tensor = F.one_hot(tn.bincount(rows.flatten()), num_classes=5).to(tn.float32)
    drawn = tn.multinomial(y.softmax(-1), 2, replacement=True) + columns.index_select(0, tn.tensor([0, 1, 0, 1]))[:, :2]
    old = tn.Tensor([1.0, 2.0]) + tn.FloatTensor(2).zero_() + tn.Tensor(2).fill_(0)
    step: int = x.stride(0)
    scale = tn.finfo(tn.float32).eps * step
    return (y.new_zeros(4, 4) + y).sum() * scale + hot.sum() + drawn.sum() + old.sum() + float(tn.is_tensor(y))


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    right = 0
    with tn.no_grad():
        for x, labels in loader:
            right += int((model(x).argmax(dim=1) == labels).sum())
    return right / 64


def train(folder: Path) -> float:
    tn.manual_seed(0)
    x, labels = tn.randn(64, 4), tn.randint(0, 3, (64,))
    loader = DataLoader(TensorDataset(x, labels), batch_size=16, shuffle=True)
    model = nn.Sequential(Block(4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3))
    optimizer = tn.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-3)
    schedule = tn.optim.lr_scheduler.StepLR(optimizer, step_size=5)
    loss = tn.zeros(())
    for _ in range(3):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs), targets, label_smoothing=0.1)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        schedule.step()
    tn.save_file(model.state_dict(), folder / "model.safetensors")
    model.load_state_dict(tn.load_file(folder / "model.safetensors"))
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and name.endswith("weight"):
            parameter.grad.zero_()
    return float(loss) + accuracy(model, loader)


def main(folder: Path) -> None:
    x = tn.tensor([[1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 2.0, 1.0]], requires_grad=True)
    handle = x.register_hook(lambda g: g * 2)
    arithmetic(x).sum().backward()
    handle.remove()
    array: np.ndarray = x.detach().numpy()
    (g,) = tn.autograd.grad((x * x).sum(), x, create_graph=True)
    (h,) = tn.autograd.grad(g.sum(), [x])
    checked: bool = gradcheck(Double.apply, x)
    print(array.shape, h.tolist(), checked, shapes(x.detach().clone()), parts(x.detach()).shape, train(folder))
