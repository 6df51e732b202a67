"""A program written for PyTorch runs when nothing but its import lines is changed."""

import numpy as np
import pytest

import tinynorm

PROGRAM = """
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Standardize(nn.Module):
    def __init__(self, num_features, momentum=0.1):
        super().__init__()
        self.momentum = momentum
        self.gain = nn.Parameter(torch.ones(num_features))
        self.register_buffer("center", torch.zeros(1, num_features))
        self.register_buffer("steps", torch.tensor(0), persistent=False)

    def forward(self, x):
        if self.training:
            mean = x.mean(dim=0, keepdim=True)
            var = x.var(dim=0, keepdim=True)
            with torch.no_grad():
                self.center.mul_(1 - self.momentum).add_(self.momentum * mean)
                self.steps += 1
        else:
            mean, var = self.center, torch.ones_like(self.center)
        return self.gain * (x - mean) / torch.sqrt(var + 1e-5)


class MLP(nn.Module):
    def __init__(self, sizes, num_classes):
        super().__init__()
        self.layers = nn.ModuleList()
        for a, b in zip(sizes[:-1], sizes[1:]):
            self.layers.append(nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(inplace=True), nn.Dropout(0.1)))
        self.norm = Standardize(sizes[-1])
        self.head = nn.Linear(sizes[-1], num_classes)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = x.view(x.size(0), -1)
        for layer in self.layers:
            x = layer(x)
        return self.head(F.relu(self.norm(x)))


def accuracy(model, loader, device):
    model.eval()
    correct = total = 0
    with torch.no_grad():
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            correct += (model(x).argmax(dim=1) == y).sum().item()
            total += y.size(0)
    return correct / total


torch.manual_seed(0)
device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")

x = torch.randn(400, 2, 4)
y = (x[:, 0].sum(dim=1) > x[:, 1].sum(dim=1)).long() + (x[:, 0, 0] > 1).long()
train = DataLoader(TensorDataset(x[:300], y[:300]), batch_size=50, shuffle=True, drop_last=True)
test = DataLoader(TensorDataset(x[300:], y[300:]), batch_size=100)

model = MLP([8, 32, 16], 3).to(device)
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-2)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=15)

losses = []
for epoch in range(15):
    model.train()
    running = 0.0
    for inputs, labels in train:
        inputs, labels = inputs.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=5.0)
        optimizer.step()
        running += loss.item()
    scheduler.step()
    losses.append(running / len(train))

score = accuracy(model, test, device)
count = sum(p.numel() for p in model.parameters() if p.requires_grad)

clone = MLP([8, 32, 16], 3).to(device)
clone.load_state_dict(model.state_dict())
clone_score = accuracy(clone, test, device)
"""


def run(program):
    names = {"__name__": "program"}
    exec(compile(program, "program.py", "exec"), names)
    return names


def ported(program):
    """Only the import lines are changed."""
    lines = program.splitlines()
    for i, line in enumerate(lines):
        if line.startswith("import torch.nn.functional"):
            lines[i] = line.replace("torch", "tinynorm")
        elif line == "import torch":
            lines[i] = "import tinynorm as torch"
        elif line.startswith("from torch"):
            lines[i] = line.replace("from torch", "from tinynorm")
    return "\n".join(lines)


def test_a_program_written_for_pytorch_trains():
    names = run(ported(PROGRAM))
    assert isinstance(names["model"], tinynorm.nn.Module)
    assert names["losses"][-1] < 0.6 * names["losses"][0]
    assert names["score"] >= 0.8
    assert names["clone_score"] == names["score"]
    assert names["count"] == 8 * 32 + 32 + 2 * 32 + 32 * 16 + 16 + 2 * 16 + 16 + 16 * 3 + 3
    assert int(names["model"].norm.steps) == 15 * 6


def test_only_import_lines_differ():
    changed = [(a, b) for a, b in zip(PROGRAM.splitlines(), ported(PROGRAM).splitlines(), strict=True) if a != b]
    assert len(changed) == 4
    assert all(a.startswith(("import ", "from ")) for a, _ in changed)


def test_it_trains_alike_twice():
    assert run(ported(PROGRAM))["losses"] == run(ported(PROGRAM))["losses"]


@pytest.mark.parametrize("name", ["optim", "nn", "utils", "cuda", "autograd"])
def test_the_packages_pytorch_has_are_reached_from_the_top(name):
    assert hasattr(tinynorm, name)


# ---- idioms of PyTorch programs, on `.data` ------------------------------------------------------------------------------


def test_data_can_be_assigned_an_update():
    w = tinynorm.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(2):
        (w * w).sum().backward()
        w.data = w.data - 0.25 * w.grad
        w.grad = None
    assert type(w.array) is np.ndarray
    assert w.tolist() == [0.25, 0.5]
    layer = tinynorm.nn.Linear(2, 1)
    layer.weight.data = tinynorm.ones(1, 2)
    assert type(layer.weight.array) is np.ndarray
    assert layer.weight.sum().item() == 2


def test_data_refuses_what_is_no_array():
    w = tinynorm.ones(2)
    with pytest.raises(TypeError, match=r"data: expected a Tensor or an array, got list; tinynorm\.tensor"):
        w.data = [1.0, 2.0]
    assert w.tolist() == [1.0, 1.0]


def test_data_is_a_tensor_outside_the_graph_with_the_same_memory():
    w = tinynorm.tensor([1.0, 2.0, 4.0], requires_grad=True)
    y = w * w
    assert type(w.data) is tinynorm.Tensor
    assert not w.data.requires_grad
    assert w.data.numpy() is w.array
    w.data.zero_()  # unseen: y's backward does not complain
    assert w.tolist() == [0.0, 0.0, 0.0]
    w.data += 1
    w.data[0] = 5
    y.sum().backward()
    assert w.grad.tolist() == [10.0, 2.0, 2.0]  # of the numbers that are there now
    assert w.requires_grad
    assert w.is_leaf


def test_data_counts_as_a_tensor_not_as_an_array():
    """On arrays these give other numbers without a word."""
    w = tinynorm.tensor([[1.0, 2.0, 4.0]], requires_grad=True)
    np.testing.assert_allclose(w.data.std().item(), np.std([1, 2, 4], ddof=1), rtol=1e-6)
    assert w.data.transpose(0, 1).shape == (3, 1)
    assert (w.data.max(1)[1] == tinynorm.tensor([2])).sum().item() == 1


def test_data_of_a_number_can_be_replaced():
    w = tinynorm.tensor(1.0, requires_grad=True)
    w.data = w.data - 0.25
    w.array = w.array - np.float32(0.25)  # NumPy makes a number of it
    assert w.item() == 0.5
    assert w.data.shape == w.array.shape == ()


def test_max_of_data_along_a_dimension_has_indices():
    scores, labels = tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]], requires_grad=True), tinynorm.tensor([1, 1])
    values, predicted = tinynorm.max(scores.data, 1)
    assert values.tolist() == [5.0, 7.0]
    assert (predicted == labels).sum().item() == 1


@pytest.mark.parametrize(("template", "text"), [("{}", "0.5"), ("{:.2f}", "0.50"), ("{!r}", "tensor(0.5000)")])
def test_a_scalar_formats_as_its_number(template, text):
    assert template.format(tinynorm.tensor(0.5)) == text
