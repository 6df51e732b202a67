"""A whole training step: what holds for each part holds for all together."""

import gc
import tracemalloc

import numpy as np
import pytest
import stand_in_cupy
from helpers import floats_made, floats_made_on

import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.autograd import Node
from tinynorm.utils.data import DataLoader, TensorDataset

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "Adam": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.01),
    "Adam-amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
}


def network(device="cpu"):
    return nn.Sequential(
        nn.Linear(12, 16), nn.BatchNorm1d(16), nn.GELU(), nn.Dropout(0.2),
        nn.Linear(16, 16), nn.LayerNorm(16), nn.ReLU(),
        nn.Linear(16, 8), nn.GroupNorm(2, 8), nn.Tanh(), nn.RMSNorm(8), nn.Sigmoid(),
        nn.Linear(8, 4), nn.GELU("tanh"),
    ).to(device)  # fmt: skip


def data(dtype="float32", device="cpu"):
    rng = np.random.default_rng(0)
    x = tn.tensor(rng.standard_normal((40, 12)), dtype=dtype, device=device)
    return TensorDataset(x, tn.tensor(rng.integers(0, 4, 40), device=device))


def train(model, optimizer, samples, epochs=1):
    """The gradients of the last step are left for the caller to see."""
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(epochs):
        for x, y in DataLoader(samples, batch_size=16, shuffle=True, drop_last=True):
            optimizer.zero_grad()
            logits = model(x)
            loss = criterion(logits, y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return logits, loss


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_nothing_upcasts_to_float64(name, dtype):
    model = network().to(getattr(tn, dtype))
    optimizer = OPTIMIZERS[name](model.parameters())
    samples = data(dtype)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 3)
    with floats_made() as made:
        for _ in range(2):
            logits, loss = train(model, optimizer, samples)
            schedule.step()
    assert {entry for entry in made if entry[2] == "float64"} == set()
    if dtype == "float32":
        assert {entry for entry in made if entry[2] != "float32"} == set()
    kept = [v for state in optimizer.state.values() for k, v in state.items() if k != "step"]
    grads = [p.grad for p in model.parameters()]
    floats = [t for t in (logits, loss, *model.state_dict().values(), *grads) if t.is_floating_point()]
    assert {str(t.array.dtype) for t in floats} == {dtype}
    assert {str(t.array.dtype) for t in kept} <= {"float32"}  # float16 gradients are accumulated in float32


@pytest.mark.parametrize(("dtype", "inside"), [("float16", {"float16", "float32"}), ("float32", {"float32"})])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_not_even_a_temporary_is_float64(name, dtype, inside, with_cupy, monkeypatch):
    with_cupy(stand_in_cupy.module())
    model = network("cuda").to(getattr(tn, dtype))
    optimizer = OPTIMIZERS[name](model.parameters())
    samples = data(dtype, "cuda")
    made = floats_made_on(stand_in_cupy, monkeypatch)
    train(model, optimizer, samples)
    assert made == inside


def bits(model, optimizer):
    arrays = [t for state in optimizer.state.values() for t in state.values()] + list(model.state_dict().values())
    return [t.detach().cpu().numpy().tobytes() for t in arrays]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_bit_for_bit_repeatable_for_a_seed(name, device):
    """Weights, dropout, the order of the batches: all come from the seed, and nothing from anywhere else."""
    runs = []
    for seed in (3, 3, 4):
        tn.manual_seed(seed)
        model = network(device)
        optimizer = OPTIMIZERS[name](model.parameters())
        train(model, optimizer, data(device=device), epochs=3)
        runs.append(bits(model, optimizer))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_steps_leave_no_tensor_node_or_array_behind():
    """With the collector off: reference counting alone must do. (All memory, 1,000 steps: autograd/test_engine.py.)"""
    model = network()
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    samples = data()
    only_arrays = [tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)]

    def alive():
        traces = tracemalloc.take_snapshot().filter_traces(only_arrays).traces
        kinds = map(type, gc.get_objects())  # (isinstance asks the objects themselves, and some answer with a warning)
        return sum(issubclass(kind, tn.Tensor | Node) for kind in kinds), len(traces), sum(t.size for t in traces)

    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        train(model, optimizer, samples, epochs=2)
        before = alive()
        train(model, optimizer, samples, epochs=3)
        assert alive() == before
    finally:
        tracemalloc.stop()
        gc.enable()


def test_reductions_give_the_same_bits_wherever_the_numbers_lie(device):
    """The same numbers twice, in memory of another alignment: no sum may depend on it, nor on the run."""
    numbers = np.random.default_rng(0).standard_normal((257, 130)).astype("float32") * 100
    runs = []
    for offset in (0, 1, 3):
        memory = np.zeros(numbers.size + offset, "float32")
        memory[offset:] = numbers.ravel()
        x = tn.from_numpy(memory[offset:].reshape(numbers.shape)).to(device).requires_grad_()
        gamma, beta = (tn.ones(130, device=device, requires_grad=True) for _ in range(2))
        results = [x.sum(), x.sum(0), x.sum(1), x.mean(0), x.var(0), x.std(1), x.logsumexp(0), x.softmax(1)]
        for norm in (tn.ops.batch_norm(x, None, None, gamma, beta, True), tn.ops.layer_norm(x, 130, gamma, beta)):
            results += [norm, *tn.autograd.grad((norm * norm * norm).sum(), [x, gamma, beta])]
        runs.append([t.detach().cpu().numpy().tobytes() for t in results])
    assert runs[0] == runs[1] == runs[2]
