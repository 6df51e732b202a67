"""Training on the device "cuda" beside training on the CPU: on a stand-in for CuPy, and on a GPU where there is one."""

import copy
import inspect
import re

import numpy as np
import pytest
import stand_in_cupy

import tinynorm as tn
import tinynorm.nn.functional as F
from tinynorm import nn, optim
from tinynorm.utils.data import DataLoader, TensorDataset

OPTIMIZERS = {
    "SGD": lambda params: optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda params: optim.Adam(params, lr=0.01, amsgrad=True, weight_decay=0.01),
    "AdamW, maximize": lambda params: optim.AdamW(params, lr=0.01, maximize=True),
    # momentum_buffer adds g / (√v + eps): where g is near 0, its rounding error of 1e-7 becomes 1e-6 with this eps
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.01, momentum=0.5, centered=True, eps=0.1),
    "Adagrad": lambda params: optim.Adagrad(params, lr=0.01, initial_accumulator_value=0.1, weight_decay=0.01),
    "Adadelta": lambda params: optim.Adadelta(params, eps=1e-3),
    "Adamax": lambda params: optim.Adamax(params, lr=0.01, eps=1e-3),
    "RAdam": lambda params: optim.RAdam(params, lr=0.01, eps=1e-3),
    "ASGD": lambda params: optim.ASGD(params, lr=0.01),
}


def mlp(device):
    """Small parameters, which the optimiser puts together, and one that it takes alone."""
    tn.manual_seed(1)
    return nn.Sequential(
        nn.Linear(20, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(128, 16), nn.LayerNorm(16), nn.GELU(), nn.GroupNorm(4, 16), nn.RMSNorm(16), nn.Tanh(),
        nn.Linear(16, 3),
    ).to(device)  # fmt: skip


def batches(device, rows=24):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((rows, 20), dtype=np.float32), rng.integers(0, 3, rows)
    data = TensorDataset(tn.tensor(x, device=device), tn.tensor(y, device=device))
    return DataLoader(data, batch_size=8, shuffle=True)


def step(model, optimizer, x, y):
    loss = F.cross_entropy(model(x), y, label_smoothing=0.1)
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()
    return loss, norm


def train(device, make_optimizer):
    """Everything that three steps changed, on the CPU."""
    model = mlp(device)
    optimizer = make_optimizer(model.parameters())
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
    results = []
    for x, y in batches(device):
        results += step(model, optimizer, x, y)
        schedule.step()
    model.eval()
    with tn.no_grad():
        results += [model(x), (model(x).argmax(1) == y).float().mean()]
    results += [*model.state_dict().values(), *(v for state in optimizer.state.values() for v in state.values())]
    return [t.detach().cpu().numpy() for t in results]


@pytest.mark.usefixtures("formulas")  # on the GPU there are no kernels
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_three_steps_on_the_gpu_are_three_steps_on_the_cpu(gpu, name):
    for ours, expected in zip(train("cuda", OPTIMIZERS[name]), train("cpu", OPTIMIZERS[name]), strict=True):
        assert ours.dtype == expected.dtype
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


def test_a_step_waits_for_the_gpu_once_and_uploads_only_dropouts_mask(gpu):
    if gpu is None:
        pytest.skip("a GPU counts nothing")
    model, (x, y) = mlp("cuda"), next(iter(batches("cuda")))
    optimizer = optim.Adam(model.parameters())
    for _ in range(2):
        before = dict(gpu.crossings)
        step(model, optimizer, x, y)
        assert gpu.crossings["to host"] - before["to host"] == 1  # cross_entropy's check of the classes
        assert gpu.crossings["to device"] - before["to device"] == 1


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_dtypes_stay_what_they_are(gpu, dtype):
    model = mlp("cuda").to(dtype)
    x, y = next(iter(batches("cuda")))
    loss, norm = step(model, optim.Adam(model.parameters()), x.to(dtype), y)
    assert loss.dtype == dtype
    assert norm.dtype == ("float32" if dtype == "float16" else dtype)
    assert {str(p.array.dtype) for p in model.parameters()} == {dtype}
    assert all(p.grad.dtype == dtype and p.grad.is_cuda for p in model.parameters())


def test_checkpoints_and_copies_come_back_to_the_gpu(gpu, tmp_path):
    model, (x, y) = mlp("cuda"), next(iter(batches("cuda")))
    optimizer = optim.Adam(model.parameters())
    step(model, optimizer, x, y)
    extra = {"x": x, "array": x.array}
    tn.save_checkpoint(tmp_path / "c", model=model, optimizer=optimizer, extra=extra)
    twin = copy.deepcopy(model)
    other = mlp("cuda")
    resumed = optim.Adam(other.parameters())
    assert tn.equal(tn.load_checkpoint(tmp_path / "c", model=other, optimizer=resumed).extra["x"], x.cpu())
    tn.manual_seed(5)
    step(model, optimizer, x, y)
    tn.manual_seed(5)
    step(other, resumed, x, y)
    for (name, p), q, r in zip(model.named_parameters(), other.parameters(), twin.parameters(), strict=True):
        assert p.is_cuda
        assert q.is_cuda
        assert r.is_cuda
        assert tn.equal(p, q), name
        assert not tn.equal(p, r), name
    tn.save_file(model.state_dict(), tmp_path / "m")
    assert tn.load_file(tmp_path / "m", device="cuda")["0.weight"].is_cuda


def test_what_is_made_moved_and_indexed_stays_on_the_gpu(gpu):
    x = tn.arange(6, device="cuda", dtype="float32").reshape(2, 3)
    made = [
        *(make((2,), device="cuda") for make in (tn.zeros, tn.ones, tn.empty, tn.rand, tn.randn)),
        tn.full((2,), 3, device="cuda"), tn.full((2,), x[0, 1], device="cuda"), tn.eye(2, 3, device="cuda"),
        tn.linspace(0, 1, 3, device="cuda"), tn.randint(3, (2,), device="cuda"), tn.tensor(x.array, dtype="int32"),
        tn.zeros_like(x), tn.full_like(x, 2, dtype="int64"), x.clone().uniform_(), x.clone().copy_(np.ones(3, np.float32)),
        x[[1, 0]], x[:, ::-1], x[x > 2], x[1, 2], x.T.contiguous(), ~(x > 1), tn.where(x > 1, x, 0), x.isnan(), x.round(),
        x.sign(), x.max(1).values, x.max(1).indices, x.argmax(), x.argmin(0, True), x[0, 0].argmax(0), x.all(), x.bool().sum(),
        x.int().sum(), x * [1, 2, 3], x.int() * 2.5, np.float32(2) * x, x.array * x, np.exp(x), np.sum(x, axis=0),
    ]  # fmt: skip
    assert [i for i, t in enumerate(made) if not t.is_cuda] == []
    assert made[6].tolist() == [1.0, 1.0]
    assert tn.full((2,), x[0, 1]).tolist() == [1.0, 1.0]
    assert float(x.sum()) == 15.0
    assert tn.allclose(x, x + 1e-9)
    y = x.clone()
    y[y > 2] = 0.0
    y[1] += 1.0
    y[[0], 1:] = y[:1, 1:] * 2
    assert y.tolist() == [[0.0, 2.0, 4.0], [1.0, 1.0, 1.0]]
    assert x.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def test_an_expanded_tensor_cannot_be_changed_in_place(gpu):
    x = tn.zeros(1, 3, device="cuda")
    for change in (lambda t: t.add_(1), lambda t: t.fill_(1), lambda t: t.__setitem__(0, 1)):
        with pytest.raises(RuntimeError, match="expanded"):
            change(x.expand(2, 3))
    assert x.tolist() == [[0.0, 0.0, 0.0]]


# ---- the stand-in itself ---------------------------------------------------------------------------------------------


def test_the_stand_in_has_what_cupy_has():
    cupy = pytest.importorskip("cupy")  # imports without a GPU
    for name in stand_in_cupy.UFUNCS:
        assert isinstance(getattr(cupy, name), cupy.ufunc), name
    for name, parameters in stand_in_cupy.FUNCTIONS.items():
        assert list(inspect.signature(getattr(cupy, name)).parameters) == re.sub(r"\*", "", parameters).split(), name
    for name, member in vars(stand_in_cupy.ndarray).items():
        if callable(member) or isinstance(member, property):
            assert hasattr(cupy.ndarray, name), name
    assert cupy.cuda.Device.__hash__ is None


def test_the_stand_in_refuses_what_cupy_refuses(with_cupy):
    with_cupy(stand_in_cupy.module())
    x, xp = tn.ones(2, device="cuda").array, stand_in_cupy.module()
    host = np.ones(2, np.float32)
    for mix in (
        lambda: x * host, lambda: host * x, lambda: x.__iadd__(np.asarray(1.0)), lambda: x[host > 0], lambda: np.asarray(x),
        lambda: xp.where(x > 0, x, host), lambda: xp.maximum(x, [1.0, 2.0]), lambda: xp.multiply(x, host, out=x),
        lambda: xp.stack([x, host]), lambda: xp.argsort(x, stable=True), lambda: xp.zeros(2, device="cuda"),
        lambda: hash(x.device),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            mix()
    with pytest.raises(AttributeError):
        xp.sum(host)
    assert not hasattr(xp, "take_along_axis")
    assert isinstance(xp.sum(x), stand_in_cupy.ndarray)
    assert isinstance(x[0], stand_in_cupy.ndarray)


def test_parameters_that_share_memory_are_stepped_one_after_the_other(gpu):
    a = tn.zeros(4, device="cuda").requires_grad_()
    params = [a, a.detach()[1:].requires_grad_()]
    for p in params:
        p.grad = tn.ones_like(p)
    tn.optim.SGD(params, 1.0).step()
    assert a.tolist() == [-1, -2, -2, -2]
