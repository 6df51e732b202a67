"""The layers with state, and networks trained by each optimiser, each written once: `lib` is torch, or tinynorm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from case import Cases, Draw, classes, constant, normal, probabilities, uniform, values

CASES = Cases()
add = CASES.add
Build = Callable[[Any], Any]  # of lib.nn, a module


def loaded(module: Any, like: Any, state: dict[str, Any]) -> Any:
    """The module on the device and in the dtype of a tensor, with these numbers in its state."""
    module = module.to(device=like.device, dtype=like.dtype)
    module.load_state_dict({**module.state_dict(), **state})
    return module


# ---- modules -----------------------------------------------------------------------------------------------------------


def forward(build: Build, *, training: bool = True) -> Callable[..., Any]:
    def compute(lib: Any, x: Any, **state: Any) -> Any:
        module = loaded(build(lib.nn), x, state).train(training)
        return {"y": module(x), "module": module}

    return compute


def two_batches_then_eval(build: Build) -> Callable[..., Any]:
    """Running statistics are updated twice, then used."""

    def compute(lib: Any, first: Any, second: Any, third: Any, **state: Any) -> Any:
        module = loaded(build(lib.nn), first, state)
        outputs = {"first": module(first), "second": module(second)}
        return outputs | {"third": module.eval()(third), "module": module}

    return compute


def affine(C: int, *, bias: bool = True) -> dict[str, Draw]:
    return {"weight": constant(normal(C)), **({"bias": constant(normal(C))} if bias else {})}


RUNNING: list[tuple[str, Build, tuple[int, ...], dict[str, Draw]]] = [
    ("BatchNorm1d 2-D", lambda nn: nn.BatchNorm1d(3), (4, 3), affine(3)),
    ("BatchNorm1d 3-D", lambda nn: nn.BatchNorm1d(3), (2, 3, 4), affine(3)),
    ("BatchNorm2d", lambda nn: nn.BatchNorm2d(3, eps=0.01), (2, 3, 2, 2), affine(3)),
    ("BatchNorm3d", lambda nn: nn.BatchNorm3d(3), (2, 3, 2, 1, 2), affine(3)),
    ("BatchNorm1d momentum 0.5", lambda nn: nn.BatchNorm1d(3, momentum=0.5), (4, 3), affine(3)),
    ("BatchNorm1d cumulative", lambda nn: nn.BatchNorm1d(3, momentum=None), (4, 3), affine(3)),
    ("BatchNorm2d cumulative", lambda nn: nn.BatchNorm2d(3, momentum=None, affine=False), (2, 3, 2, 2), {}),
    ("BatchNorm1d not affine", lambda nn: nn.BatchNorm1d(3, affine=False), (4, 3), {}),
    ("BatchNorm1d without statistics", lambda nn: nn.BatchNorm1d(3, track_running_stats=False), (4, 3), affine(3)),
    ("InstanceNorm1d", lambda nn: nn.InstanceNorm1d(3), (2, 3, 4), {}),
    ("InstanceNorm1d with statistics", lambda nn: nn.InstanceNorm1d(3, 1e-5, 0.1, True, True), (2, 3, 4), affine(3)),
    ("InstanceNorm2d affine", lambda nn: nn.InstanceNorm2d(3, affine=True), (2, 3, 2, 2), affine(3)),
    ("InstanceNorm3d statistics", lambda nn: nn.InstanceNorm3d(3, momentum=0.3, track_running_stats=True), (2, 3, 2, 2, 1), {}),
]
for name, build, shape, state in RUNNING:
    batches = {"first": normal(*shape), "second": normal(*shape, mean=2.0), "third": normal(*shape, std=2.0)}
    add(name, two_batches_then_eval(build), **batches, **state)

PLAIN: list[tuple[str, Build, tuple[int, ...], dict[str, Draw]]] = [
    ("Linear", lambda nn: nn.Linear(5, 3), (4, 5), {"weight": constant(normal(3, 5)), "bias": constant(normal(3))}),
    ("Linear without bias", lambda nn: nn.Linear(5, 3, bias=False), (2, 4, 5), {"weight": constant(normal(3, 5))}),
    ("LayerNorm int", lambda nn: nn.LayerNorm(4), (3, 4), affine(4)),
    ("LayerNorm without bias", lambda nn: nn.LayerNorm(4, bias=False), (3, 4), affine(4, bias=False)),
    ("LayerNorm not affine", lambda nn: nn.LayerNorm([3, 4], elementwise_affine=False, eps=0.01), (2, 3, 4), {}),
    ("GroupNorm", lambda nn: nn.GroupNorm(2, 4), (2, 4, 3), affine(4)),
    ("GroupNorm not affine", lambda nn: nn.GroupNorm(2, 4, eps=0.01, affine=False), (2, 4, 2, 2), {}),
    ("RMSNorm", lambda nn: nn.RMSNorm(4), (3, 4), affine(4, bias=False)),
    ("RMSNorm not affine", lambda nn: nn.RMSNorm((3, 4), eps=0.01, elementwise_affine=False), (2, 3, 4), {}),
    ("ReLU", lambda nn: nn.ReLU(), (3, 4), {}),
    ("GELU", lambda nn: nn.GELU(), (3, 4), {}),
    ("GELU tanh", lambda nn: nn.GELU(approximate="tanh"), (3, 4), {}),
    ("Sigmoid", lambda nn: nn.Sigmoid(), (3, 4), {}),
    ("Tanh", lambda nn: nn.Tanh(), (3, 4), {}),
    ("LeakyReLU", lambda nn: nn.LeakyReLU(), (3, 4), {}),
    ("LeakyReLU slope", lambda nn: nn.LeakyReLU(0.3), (3, 4), {}),
    ("ELU", lambda nn: nn.ELU(), (3, 4), {}),
    ("ELU alpha", lambda nn: nn.ELU(alpha=0.5), (3, 4), {}),
    ("SiLU", lambda nn: nn.SiLU(), (3, 4), {}),
    ("Softplus", lambda nn: nn.Softplus(), (3, 4), {}),
    ("Softplus beta", lambda nn: nn.Softplus(beta=2, threshold=1), (3, 4), {}),
    ("PReLU", lambda nn: nn.PReLU(), (3, 4), {"weight": constant(normal(1))}),
    ("PReLU of channels", lambda nn: nn.PReLU(4), (3, 4, 2), {"weight": constant(normal(4))}),
    ("PReLU init", lambda nn: nn.PReLU(4, init=0.1), (3, 4), {}),
    ("ReLU6", lambda nn: nn.ReLU6(), (3, 4), {}),
    ("Hardtanh", lambda nn: nn.Hardtanh(-0.5, 0.7), (3, 4), {}),
    ("SELU", lambda nn: nn.SELU(), (3, 4), {}),
    ("Mish", lambda nn: nn.Mish(), (3, 4), {}),
    ("Hardswish", lambda nn: nn.Hardswish(), (3, 4), {}),
    ("LogSigmoid", lambda nn: nn.LogSigmoid(), (3, 4), {}),
    ("Softsign", lambda nn: nn.Softsign(), (3, 4), {}),
    ("Tanhshrink", lambda nn: nn.Tanhshrink(), (3, 4), {}),
    ("Threshold", lambda nn: nn.Threshold(0.1, 20), (3, 4), {}),
    ("Softmin", lambda nn: nn.Softmin(dim=1), (3, 4), {}),
    ("GLU", lambda nn: nn.GLU(), (3, 4), {}),
    ("Flatten", lambda nn: nn.Flatten(), (2, 3, 2), {}),
    ("Unflatten", lambda nn: nn.Unflatten(1, (2, -1)), (2, 6, 2), {}),
    ("GroupNorm without bias", lambda nn: nn.GroupNorm(2, 4, bias=False), (2, 4, 3), affine(4, bias=False)),
    ("Identity", lambda nn: nn.Identity(), (2, 3), {}),
    ("Dropout p 0", lambda nn: nn.Dropout(0.0), (2, 3), {}),
]
for name, build, shape, state in PLAIN:
    add(name, forward(build), x=normal(*shape, mean=0.5), **state)
add("Hardsigmoid", forward(lambda nn: nn.Hardsigmoid()), x=constant(normal(3, 4, std=2.0)))
for name, build, shape, state in [RUNNING[0], RUNNING[8], RUNNING[10]]:
    add(f"{name} eval", forward(build, training=False), x=normal(*shape), **state)


def embedded(padding_idx: int | None) -> Callable[..., Any]:
    """Rows of a table, some more than once."""

    def compute(lib: Any, index: Any, weight: Any) -> Any:
        module = loaded(lib.nn.Embedding(5, 3, padding_idx=padding_idx), weight, {"weight": weight})
        return {"y": module(index), "again": lib.nn.functional.embedding(index, module.weight, padding_idx), "module": module}

    return compute


for padding_idx in (None, 1, -1):
    add(f"Embedding padding {padding_idx}", embedded(padding_idx), index=classes(5, 4, 3), weight=constant(normal(5, 3)))


def lazy(lib: Any, x: Any, **state: Any) -> Any:
    """The state is loaded once the layers have seen a batch; then two steps."""
    nn = lib.nn
    module = nn.Sequential(nn.Flatten(), nn.LazyLinear(4, bias=False), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(2))
    optimizer = lib.optim.SGD(module.to(x.device, x.dtype).parameters(), lr=0.1)
    module(x)
    module.load_state_dict({**module.state_dict(), **state})
    for _ in range(2):
        optimizer.zero_grad()
        module(x).square().mean().backward()
        optimizer.step()
    return {"y": module(x), "module": module, **{f"{name} after": p.detach().clone() for name, p in module.named_parameters()}}


LAZY_STATE = {"1.weight": (4, 6), "2.running_mean": (4,), "2.running_var": (4,), "4.weight": (2, 4), "4.bias": (2,)}
add("lazy layers", lazy, x=normal(5, 2, 3), **{name: constant(uniform(*shape)) for name, shape in LAZY_STATE.items()})


def hooked(lib: Any, x: Any, **state: Any) -> Any:
    """What the hooks of a layer are called with, and what they change."""
    nn = lib.nn
    module = loaded(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), x, state)
    seen: dict[str, Any] = {}
    module[1].register_forward_pre_hook(lambda module, args: (args[0] * 0.5,))
    module[1].register_forward_hook(lambda module, args, y: y + args[0])
    module[0].register_full_backward_hook(lambda module, dx, dy: seen.update(first=dx[0], dy=dy[0]))

    def double(module: Any, dx: Any, dy: Any) -> Any:
        seen.update(dx=dx[0])
        return (2 * dx[0],)

    module[1].register_full_backward_hook(double)
    y = module(x)
    y.sum().backward(retain_graph=True)
    return {**{name: g.detach().clone() for name, g in seen.items()}, "y": y, "module": module}


HOOKED_STATE = {"0.weight": (4, 3), "0.bias": (4,), "2.weight": (2, 4), "2.bias": (2,)}
add("hooks", hooked, x=normal(5, 3), **{name: constant(normal(*shape)) for name, shape in HOOKED_STATE.items()})


def criterion(build: Callable[..., Any]) -> Callable[..., Any]:
    return lambda lib, x, target, **weight: build(lib.nn, **weight)(x, target)


add("CrossEntropyLoss", criterion(lambda nn: nn.CrossEntropyLoss()), x=normal(5, 3), target=classes(3, 5))
add(
    "CrossEntropyLoss with options",
    criterion(lambda nn, weight: nn.CrossEntropyLoss(weight=weight, ignore_index=1, reduction="sum", label_smoothing=0.1)),
    x=normal(5, 3), target=classes(3, 5), weight=constant(uniform(3)),
)  # fmt: skip
add(
    "NLLLoss weight",
    criterion(lambda nn, weight: nn.NLLLoss(weight=weight)),
    x=normal(5, 3), target=classes(3, 5), weight=constant(uniform(3)),
)  # fmt: skip
add("MSELoss", criterion(lambda nn: nn.MSELoss(reduction="sum")), x=normal(5, 3), target=normal(5, 3))
SIGNS = values([1.0, -1.0, 1.0], [-1.0, 1.0, 1.0])
add("HingeEmbeddingLoss", criterion(lambda nn: nn.HingeEmbeddingLoss(0.8)), x=normal(2, 3), target=constant(SIGNS))
add("SoftMarginLoss", criterion(lambda nn: nn.SoftMarginLoss(reduction="sum")), x=normal(2, 3), target=constant(SIGNS))
add(
    "MultiLabelSoftMarginLoss",
    criterion(lambda nn, weight: nn.MultiLabelSoftMarginLoss(weight)),
    x=normal(5, 3), target=uniform(5, 3, low=0.0, high=1.0), weight=constant(uniform(3)),
)  # fmt: skip
of_counts = criterion(lambda nn: nn.PoissonNLLLoss(full=True))
add("PoissonNLLLoss", of_counts, x=normal(5, 3), target=constant(uniform(5, 3, high=5.0)))
add(
    "GaussianNLLLoss",
    lambda lib, x, target, var: lib.nn.GaussianNLLLoss(full=True, reduction="sum")(x, target, var),
    x=normal(5, 3), target=normal(5, 3), var=uniform(5, 1),
)  # fmt: skip
PAIR_AND_TARGET: dict[str, tuple[Callable[..., Any], tuple[Draw, ...]]] = {
    "TripletMarginLoss": (lambda nn: nn.TripletMarginLoss(margin=0.5, p=1, swap=True), (normal(5, 3),) * 3),
    "CosineEmbeddingLoss": (lambda nn: nn.CosineEmbeddingLoss(0.1), (normal(5, 3), normal(5, 3), values(1, -1, 1, -1, -1))),
    "MarginRankingLoss": (lambda nn: nn.MarginRankingLoss(0.2, reduction="none"), (normal(3), normal(3), values(1, -1, 1))),
    "CosineSimilarity": (lambda nn: nn.CosineSimilarity(dim=0), (normal(5, 3), normal(5, 3))),
    "PairwiseDistance": (lambda nn: nn.PairwiseDistance(p=1, keepdim=True), (normal(5, 3), normal(5, 3))),
}
for name, (build, draws) in PAIR_AND_TARGET.items():
    add(name, lambda lib, build=build, **xs: build(lib.nn)(*xs.values()), **dict(zip("xyz", draws, strict=False)))
add(
    "Bilinear",
    lambda lib, x, y, **state: {"y": (module := loaded(lib.nn.Bilinear(3, 2, 4), x, state))(x, y), "module": module},
    x=normal(5, 3), y=normal(5, 2), weight=constant(normal(4, 3, 2)), bias=constant(normal(4)),
)  # fmt: skip
add("L1Loss", criterion(lambda nn: nn.L1Loss(reduction="sum")), x=normal(5, 3), target=normal(5, 3))
add("SmoothL1Loss", criterion(lambda nn: nn.SmoothL1Loss(beta=0.5)), x=normal(5, 3), target=normal(5, 3))
add("HuberLoss", criterion(lambda nn: nn.HuberLoss(delta=0.5)), x=normal(5, 3), target=normal(5, 3))
add("KLDivLoss", criterion(lambda nn: nn.KLDivLoss(reduction="batchmean")), x=normal(5, 3), target=probabilities(5, 3))
of_logs = criterion(lambda nn: nn.KLDivLoss(reduction="sum", log_target=True))
add("KLDivLoss log_target", of_logs, x=normal(5, 3), target=normal(5, 3))
add(
    "BCELoss",
    criterion(lambda nn, weight: nn.BCELoss(weight, reduction="sum")),
    x=uniform(5, 3, low=0.1, high=0.9), target=uniform(5, 3, low=0.0, high=1.0), weight=constant(uniform(5, 1)),
)  # fmt: skip
add(
    "BCEWithLogitsLoss",
    criterion(lambda nn, weight: nn.BCEWithLogitsLoss(pos_weight=weight)),
    x=normal(5, 3), target=uniform(5, 3, low=0.0, high=1.0), weight=constant(uniform(3)),
)  # fmt: skip


# ---- training ----------------------------------------------------------------------------------------------------------

NORMS: dict[str, Callable[[Any, int], Any]] = {
    "batch": lambda nn, D: nn.BatchNorm1d(D),
    "layer": lambda nn, D: nn.LayerNorm(D),
    "group": lambda nn, D: nn.GroupNorm(2, D),
    "rms": lambda nn, D: nn.RMSNorm(D),
    "none": lambda nn, D: nn.Identity(),
}
SIZES = (5, 8, 6, 3)


def mlp(lib: Any, norm: str) -> Any:
    """Two hidden layers, as a PyTorch user would write them."""
    nn, F = lib.nn, lib.nn.functional

    class MLP(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            # BatchNorm takes a bias before it away with the mean: its gradient is rounding noise, which Adam would scale up
            bias = norm != "batch"
            self.fc1 = nn.Linear(SIZES[0], SIZES[1], bias=bias)
            self.norm1 = NORMS[norm](nn, SIZES[1])
            self.fc2 = nn.Linear(SIZES[1], SIZES[2], bias=bias)
            self.norm2 = NORMS[norm](nn, SIZES[2])
            self.out = nn.Linear(SIZES[2], SIZES[3])

        def forward(self, x: Any) -> Any:
            x = F.relu(self.norm1(self.fc1(x)))
            x = F.relu(self.norm2(self.fc2(x)))
            return self.out(x)

    return MLP()


def initial_state(norm: str) -> dict[str, Draw]:
    """The parameters of `mlp`; buffers begin with their defaults."""
    state = {}
    for i, layer in enumerate(("fc1", "fc2", "out")):
        state[f"{layer}.weight"] = normal(SIZES[i + 1], SIZES[i], std=0.5)
        if norm != "batch" or layer == "out":
            state[f"{layer}.bias"] = normal(SIZES[i + 1], std=0.1)
    for i, layer in enumerate(("norm1", "norm2")):
        if norm != "none":
            state[f"{layer}.weight"] = uniform(SIZES[i + 1])
        if norm in ("batch", "layer", "group"):
            state[f"{layer}.bias"] = normal(SIZES[i + 1], std=0.1)
    return {name: constant(draw) for name, draw in state.items()}


def train(
    norm: str, optimizer: Callable[..., Any], schedule: Callable[..., Any] | None = None, *, steps: int = 3, clip: float = 0
) -> Callable[..., Any]:
    """Losses, learning rates, the model's state_dict at the end, and what the optimiser remembers of its first parameter."""

    def compute(lib: Any, x: Any, target: Any, **state: Any) -> Any:
        model = loaded(mlp(lib, norm), x, state)
        opt = optimizer(lib.optim, model)
        scheduler = None if schedule is None else schedule(lib.optim.lr_scheduler, opt)
        losses, norms, options = [], [], []
        for _ in range(steps):
            opt.zero_grad()
            loss = lib.nn.functional.cross_entropy(model(x), target)
            loss.backward()
            if clip:
                norms.append(lib.nn.utils.clip_grad_norm_(model.parameters(), clip).item())
            opt.step()
            if scheduler is not None:
                scheduler.step()
            losses.append(loss.item())
            group = opt.param_groups[0]
            options.append([group["lr"], *group.get("betas", (group.get("momentum"),))])
        remembered = opt.state_dict()["state"].get(0, {})
        buffers = {f"optimizer {name}": t for name, t in remembered.items() if name != "step" and t is not None}
        steps_taken = {"loss": losses, "options": options} | ({"norm": norms} if clip else {})
        return {**steps_taken, **model.state_dict(), **buffers}

    return compute


def train_case(name: str, norm: str, *args: Any, **kwargs: Any) -> None:
    x, target = constant(normal(8, SIZES[0])), classes(SIZES[-1], 8)
    add(f"train {norm} {name}", train(norm, *args, **kwargs), x=x, target=target, **initial_state(norm))


def decay_weights_only(optim: Any, model: Any) -> Any:
    """Two parameter groups."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "lr": 0.02}]
    return optim.AdamW(groups, lr=0.01, weight_decay=0.0)


OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "SGD": lambda optim, model: optim.SGD(model.parameters(), lr=0.1),
    "SGD weight decay": lambda optim, model: optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1),
    "SGD momentum": lambda optim, model: optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
    "SGD nesterov": lambda optim, model: optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "SGD dampening": lambda optim, model: optim.SGD(model.parameters(), lr=0.1, momentum=0.8, dampening=0.3, weight_decay=0.01),
    "Adam": lambda optim, model: optim.Adam(model.parameters(), lr=0.01),
    "Adam weight decay": lambda optim, model: optim.Adam(model.parameters(), lr=0.01, weight_decay=0.1),
    "Adam amsgrad": lambda optim, model: optim.Adam(model.parameters(), lr=0.01, betas=(0.5, 0.6), eps=1e-3, amsgrad=True),
    "AdamW": lambda optim, model: optim.AdamW(model.parameters(), lr=0.01),
    "AdamW amsgrad": lambda optim, model: optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1, amsgrad=True),
    "AdamW groups": decay_weights_only,
}
for norm in NORMS:
    for name, optimizer in OPTIMIZERS.items():
        train_case(name, norm, optimizer)
    train_case("SGD clipped", norm, OPTIMIZERS["SGD momentum"], clip=0.1)

SCHEDULES: dict[str, Callable[..., Any]] = {
    "StepLR": lambda lr_scheduler, opt: lr_scheduler.StepLR(opt, step_size=2, gamma=0.5),
    "CosineAnnealingLR": lambda lr_scheduler, opt: lr_scheduler.CosineAnnealingLR(opt, T_max=4, eta_min=0.001),
    "LinearLR": lambda lr_scheduler, opt: lr_scheduler.LinearLR(opt, start_factor=0.25, total_iters=3),
    "OneCycleLR": lambda lr_scheduler, opt: lr_scheduler.OneCycleLR(opt, max_lr=0.2, total_steps=6),
}
for name, schedule in SCHEDULES.items():
    for optimizer in ("SGD momentum", "AdamW"):
        norm = "batch" if optimizer == "AdamW" else "layer"
        train_case(f"{optimizer} {name}", norm, OPTIMIZERS[optimizer], schedule, steps=6)
