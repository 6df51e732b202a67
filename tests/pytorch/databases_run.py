"""Make a call in one library, and keep all that can be compared: `run` is the one path for PyTorch and for tinynorm."""

from __future__ import annotations

import operator
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from databases_call import Call, build

# ---- the ways of calling: (lib, call, args, kwargs, extra) -> what comes out ----


def _inplace(change: Callable[[Any], Any], x: Any) -> Any:
    """What the operation returned, and the changed tensor: one that needs a gradient is first copied, as leaves must be."""
    x = x.clone() if getattr(x, "requires_grad", False) else x
    return [change(x), x]


def _named(function: Callable[..., Any], args: tuple, kwargs: dict, extra: dict) -> Any:
    """All arguments by PyTorch's names for them."""
    return function(**dict(zip(extra["names"], args, strict=True)), **kwargs)


def _module(lib: Any, call: Call, args: tuple, kwargs: dict, extra: dict) -> Any:
    """A module built, loaded, and called; its state afterwards is an output, its parameters are differentiated by."""
    module = getattr(lib.nn, call.path)(*args, **kwargs)
    if "dtype" in extra:
        module = module.to(dtype=extra["dtype"])
    module.load_state_dict({**module.state_dict(), **extra["state"]})
    module.train(extra["training"])
    y = module(*extra["forward"], **extra["forward_named"])
    state = module.state_dict()
    parameters = [p for _, p in sorted(module.named_parameters())]
    return [y, sorted(state), [state[name].detach() for name in sorted(state)]], parameters


def _optimizer(lib: Any, call: Call, args: tuple, kwargs: dict, extra: dict) -> Any:
    """Some steps of an optimiser on given gradients; the parameters after each step."""
    groups = args[0]
    named = [p for group in groups for p in group["params"]] if groups and isinstance(groups[0], dict) else groups
    parameters = [p[1] if isinstance(p, tuple) else p for p in named]
    optimizer = getattr(lib.optim, call.path)(groups, **kwargs)
    schedules = [getattr(lib.optim.lr_scheduler, name)(optimizer, **options) for name, options in extra.get("schedules", ())]
    trace = []
    for gradients in extra["gradients"]:
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = g
        optimizer.step()
        for schedule in schedules:
            _next(lib, schedule)
        trace.append([p.detach().clone() for p in parameters])
    return trace


def _schedule(lib: Any, call: Call, args: tuple, kwargs: dict, extra: dict) -> Any:
    """The learning rate (and the momentum) that a schedule sets, step by step."""
    parameter = lib.zeros(1, requires_grad=True)
    optimizer = lib.optim.SGD([parameter], lr=extra["lr"], momentum=0.9)
    if "lr_lambda" in kwargs:
        kwargs = {**kwargs, "lr_lambda": LAMBDAS[kwargs["lr_lambda"]]}
    schedule = getattr(lib.optim.lr_scheduler, call.path)(optimizer, *args, **kwargs)
    rates = []
    for _ in range(extra["steps"]):
        rates += [float(optimizer.param_groups[0]["lr"]), float(optimizer.param_groups[0]["momentum"])]
        optimizer.step()
        _next(lib, schedule)
    return [*rates, schedule.last_epoch, [float(lr) for lr in schedule.get_last_lr()]]


def _next(lib: Any, schedule: Any) -> None:
    """A step of a schedule; one that needs a metric is told the same each time."""
    schedule.step(*[1.0] if isinstance(schedule, lib.optim.lr_scheduler.ReduceLROnPlateau) else [])


def _setitem(lib: Any, call: Call, args: tuple, kwargs: dict, extra: dict) -> Any:
    x, index, value = args
    x = x.clone() if x.requires_grad else x
    x[index] = value
    return x


LAMBDAS: dict[str, Callable[[int], float]] = {"halved": lambda n: 0.5**n, "warm-up": lambda n: min(1.0, (n + 1) / 4)}

WAYS: dict[str, Callable[..., Any]] = {
    "function": lambda lib, call, a, k, e: getattr(lib, call.path)(*a, **k),
    "functional": lambda lib, call, a, k, e: getattr(lib.nn.functional, call.path)(*a, **k),
    "method": lambda lib, call, a, k, e: getattr(a[0], call.path)(*a[1:], **k),
    "attribute": lambda lib, call, a, k, e: getattr(a[0], call.path),
    "operator": lambda lib, call, a, k, e: getattr(operator, call.path)(*a, **k),
    "inplace": lambda lib, call, a, k, e: _inplace(lambda x: getattr(x, call.path)(*a[1:], **k), a[0]),
    "inplace operator": lambda lib, call, a, k, e: _inplace(lambda x: getattr(operator, call.path)(x, *a[1:]), a[0]),
    "named function": lambda lib, call, a, k, e: _named(getattr(lib, call.path), a, k, e),
    "named functional": lambda lib, call, a, k, e: _named(getattr(lib.nn.functional, call.path), a, k, e),
    "named method": lambda lib, call, a, k, e: _named(getattr(a[0], call.path), a[1:], k, e),
    "setitem": _setitem,
    "module": _module,
    "optimizer": _optimizer,
    "schedule": _schedule,
}


# ---- what comes out ----------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What a call did. A stage that raised has its error; later stages are then empty."""

    error: str | None = None
    outputs: list[Any] = field(default_factory=list)  # arrays of tensors, and plain numbers
    shared: list[list[int]] = field(default_factory=list)  # of each output: the inputs whose memory it shares
    tracked: list[bool] = field(default_factory=list)  # of each output: whether it can be differentiated
    changed: dict[str, np.ndarray] = field(default_factory=dict)  # inputs that are not what they were, by number
    grads: list[np.ndarray | None] = field(default_factory=list)
    grad_error: str | None = None
    seconds: list[np.ndarray | None] = field(default_factory=list)
    second_error: str | None = None


def is_tensor(value: Any) -> bool:
    return hasattr(value, "detach")


def flat(value: Any) -> Iterator[Any]:
    """The leaves of nested lists, tuples and dicts."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from flat(part)
    else:
        yield value


def array_of(tensor: Any) -> np.ndarray:
    """The tensor's own memory."""
    return tensor.detach().numpy()


def copied(value: Any) -> Any:
    return np.array(array_of(value), order="C") if is_tensor(value) else value


def _message(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else ''}"


def cotangent(call: Call, number: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """A signed random dL/dy, of the call and the number of the output; the same in every dtype."""
    source = call.source.removesuffix(" one")  # one number of a call has the gradient that the call has
    rng = np.random.default_rng(zlib.crc32(f"{call.entry} {call.path} {source} {number}".encode()))
    return np.asarray(rng.standard_normal(shape)).astype(np.float16).astype(dtype)


def run(lib: Any, call: Call, *, second: bool | None = None) -> Outcome:
    """Make the call; where it can be differentiated, once and (in float64) twice."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        outcome = Outcome()
        tensors: list[Any] = []
        try:
            results, leaves = _forward(lib, call, tensors, outcome)
        except Exception as error:
            outcome.error = _message(error)
            return outcome
        _backward(lib, call, results, leaves, outcome, call.dtype == "float64" if second is None else second)
        return outcome


def _forward(lib: Any, call: Call, tensors: list[Any], outcome: Outcome) -> tuple[list[Any], list[Any]]:
    args, kwargs, extra = (build(lib, tree, tensors) for tree in (call.args, call.kwargs, call.extra))
    before = [copied(t) for t in tensors]
    made = WAYS[call.kind](lib, call, args, kwargs, extra)
    made, parameters = made if call.kind == "module" else (made, [])
    results = list(flat(made))
    outcome.outputs = [copied(y) for y in results]
    arrays = [array_of(t) for t in tensors]
    for y in results:
        memory = array_of(y) if is_tensor(y) else None
        outcome.shared.append([] if memory is None else [i for i, a in enumerate(arrays) if np.may_share_memory(a, memory)])
        outcome.tracked.append(bool(getattr(y, "requires_grad", False)))
    for i, (t, old) in enumerate(zip(tensors, before, strict=True)):
        new = copied(t)
        if not (new.shape == old.shape and np.array_equal(new, old, equal_nan=new.dtype.kind == "f")):
            outcome.changed[str(i)] = new
    leaves = [t for t in tensors if t.requires_grad] + parameters
    return results, leaves if call.kind != "optimizer" else []


def _backward(lib: Any, call: Call, results: list[Any], leaves: list[Any], outcome: Outcome, second: bool) -> None:
    ys = [(i, y) for i, y in enumerate(results) if outcome.tracked[i]]
    if not ys or not leaves:
        return
    g = [lib.from_numpy(cotangent(call, i, tuple(y.shape), outcome.outputs[i].dtype)) for i, y in ys]
    options = {"allow_unused": True, "create_graph": second}
    try:
        grads = lib.autograd.grad([y for _, y in ys], leaves, g, **options)
        outcome.grads = [None if dx is None else copied(dx) for dx in grads]
    except Exception as error:
        outcome.grad_error = _message(error)
        return
    dxs = [(i, dx) for i, dx in enumerate(grads) if dx is not None and dx.requires_grad] if second else []
    if not dxs:
        return
    v = [lib.from_numpy(cotangent(call, -1 - i, tuple(dx.shape), outcome.grads[i].dtype)) for i, dx in dxs]
    try:
        seconds = lib.autograd.grad([dx for _, dx in dxs], leaves, v, allow_unused=True)
        outcome.seconds = [None if ddx is None else copied(ddx) for ddx in seconds]
    except Exception as error:
        outcome.second_error = _message(error)
