"""`capture`: a training step that is recorded once and then done again by its bare array calls.

A step's Python code (modules, checks, nodes of the graph) does the same each time; only the numbers differ. So the step is run
as it is three times with inputs of the same shapes: first to warm up, then while a tape records what it does to arrays
(`recording`), and a third time beside the recorded calls, whose results must have the same bits. From then on the recorded
calls take its place.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, update_wrapper
from typing import Any

import numpy as np

from . import backend, kernels
from .autograd.anomaly import caller
from .autograd.mode import mode
from .nn import Module
from .optim import Optimizer
from .recording import Departed, Recorded, Tape, plain, root
from .recording import state as recorded
from .tensor import Tensor, wrap

# A step that takes more ways than this (for instance, a setting that grows with each call) would be recorded without end.
WAYS = 8

NUMBERS = (bool, int, float, str, type(None))


def capture(step: Callable) -> Captured:
    """Record what a training step does, and do it again without its Python code. Also a decorator.

    Parameters
    ----------
    step : callable
        A whole step: forward, loss, backward, the optimiser's step. Its arguments are Tensors, numbers, texts, and lists,
        tuples and dicts of them.

    Returns
    -------
    Captured
        To be called like `step`. For each shape of its inputs, the first three calls run `step` as it is. Then its recorded
        calls run, with the same results to the last bit: parameters, buffers, the optimiser's state, the random numbers. What
        it returns is outside the graph.

    Notes
    -----
    The gradients are written into the same memory each time: ``p.grad`` changes with the next step.

    Seen at each call: the optimiser's and the schedule's options, train and eval, settings and parameters of the modules,
    whether there is a ``.grad``, and numbers that `step` reads from its module or its surroundings. What else the Python code
    does, such as printing or counting, is done only in the first three calls.

    A step that cannot be done again by its calls runs as it is, and a warning says why: it hands values to Python (``.item()``,
    ``if loss > 1``), it has hooks, it keeps tensors, or its tensors are on a GPU.

    Examples
    --------
    >>> import tinynorm
    >>> w = tinynorm.tensor([4.0], requires_grad=True)
    >>> optimizer = tinynorm.optim.SGD([w], lr=0.25)
    >>> @capture
    ... def step(x):
    ...     optimizer.zero_grad()
    ...     loss = (w * x).square().sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> [step(tinynorm.ones(1)).item() for _ in range(5)]
    [16.0, 4.0, 1.0, 0.25, 0.0625]
    >>> step.reason
    ''
    """
    return Captured(step)


class Captured:
    """A step that `capture` made.

    Attributes
    ----------
    step : callable
        The step as it was.
    reason : str
        Why the step runs as it is; "" if it can be captured.
    replays : int
        How many calls were done by recorded calls.
    """

    def __init__(self, step: Callable) -> None:
        if not callable(step):
            raise TypeError(f"capture: expected a function, got {type(step).__name__}")
        self.step, self.reason, self.replays = step, "", 0
        self._ways: dict[Any, _Ways] = {}
        self._numbers: list[Callable[[], Any]] | None = None  # what the step's code reads; known from the first call on
        update_wrapper(self, step)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """As a method: each object has a recording of its own, which takes the method's place in it."""
        if instance is None:
            return self
        vars(instance)[self._name] = own = capture(self.step.__get__(instance, owner))
        return own

    def __reduce__(self) -> tuple:
        """A copy records anew: its arrays are others."""
        return capture, (self.step,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.reason or recorded.tape is not None:
            return self.step(*args, **kwargs)
        if self._numbers is None:
            self._numbers = _numbers_around(self.step)
        tensors: list[Tensor] = []
        try:
            key = tuple([read() for read in self._numbers]), _key((args, kwargs), tensors), mode.enabled, kernels.select.state.choice
        except _Unfit as unfit:
            self._give_up(str(unfit))
            return self.step(*args, **kwargs)
        ways = self._ways.get(key)
        if ways is None:
            self._ways[key] = _Ways()
            return _left(self.step(*args, **kwargs))
        arrays = [t._array for t in tensors]
        for way in ways.proved:
            if way.fits():
                try:
                    out = way.run(arrays)
                except Departed:
                    break
                self.replays += 1
                return out
        return self._learn(ways, arrays, args, kwargs)

    def _learn(self, ways: _Ways, arrays: list, args: tuple, kwargs: dict) -> Any:
        """Run the step as it is, and record it, or compare it with what was recorded."""
        way, ways.pending = ways.pending, None
        if len(ways.proved) == WAYS:
            return _left(self.step(*args, **kwargs))
        if way is None or not way.fits():
            ways.tries += 1
            if ways.tries > 2 * WAYS:
                self._give_up("its settings differ from call to call")
                return self.step(*args, **kwargs)
            out, ways.pending, reason = _record(self.step, args, kwargs)
        else:
            out, reason = way.proved(self.step, arrays, args, kwargs)
            ways.proved += [] if reason else [way]
        if reason:
            self._give_up(reason)
        return out

    def _give_up(self, reason: str) -> None:
        self.reason = reason
        self._ways.clear()
        name = getattr(self.step, "__qualname__", type(self.step).__name__)
        warnings.warn(f"capture: {name} runs as it is, without a recording: {reason}", RuntimeWarning, stacklevel=4)


def _numbers_around(step: Callable) -> list[Callable[[], Any]]:
    """Functions that read the numbers and texts which a step's code names: of its module, its object, the function around it."""
    function = getattr(step, "__func__", step)
    code = getattr(function, "__code__", None)
    if code is None:
        return []
    places = function.__globals__, getattr(getattr(step, "__self__", None), "__dict__", {})
    cells = function.__closure__ or ()
    found = [partial(place.get, name) for place in places for name in code.co_names if name in place]
    found += [partial(_content, cell) for cell in cells]
    return [read for read in found if type(read()) in NUMBERS]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it has no value yet
        return None


class _Unfit(Exception):
    """Inputs of a kind that is not captured."""


def _key(value: Any, tensors: list[Tensor]) -> Any:
    """What must be equal in another call. The tensors in `value` are added to the list."""
    if isinstance(value, Tensor):
        x = value._array
        if type(x) is not np.ndarray:
            raise _Unfit(f"an input is on {value.device}, and only steps on the CPU are recorded")
        if value._requires_grad:
            raise _Unfit("an input requires grad: its gradient would be that of a copy")
        tensors.append(value)
        return x.shape, x.strides, x.dtype
    if isinstance(value, dict):
        return tuple((k, _key(v, tensors)) for k, v in value.items())
    if isinstance(value, (tuple, list)):
        return (type(value), *[_key(v, tensors) for v in value])
    if type(value) in NUMBERS:
        return type(value), value
    if isinstance(value, (Module, Optimizer)) or hasattr(value, "load_state_dict"):
        return value  # by identity
    raise _Unfit(f"an input is a {type(value).__name__}; expected Tensors, numbers, texts, and lists and dicts of them")


def _replaced(value: Any, tensors: Iterator[Tensor]) -> Any:
    """`value` with other tensors, in the order of `_key`."""
    if isinstance(value, Tensor):
        return next(tensors)
    if isinstance(value, dict):
        return {k: _replaced(v, tensors) for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[_replaced(v, tensors) for v in value])
    return type(value)(_replaced(v, tensors) for v in value) if isinstance(value, (tuple, list)) else value


def _left(out: Any) -> Any:
    """What a step returned, outside the graph."""
    return _map(lambda t: t if t.grad_fn is None else t.detach(), out)


def _map(function: Callable[[Tensor], Any], out: Any) -> Any:
    if isinstance(out, Tensor):
        return function(out)
    if isinstance(out, dict):
        return {k: _map(function, v) for k, v in out.items()}
    if isinstance(out, tuple) and hasattr(out, "_fields"):
        return type(out)(*[_map(function, v) for v in out])
    return type(out)(_map(function, v) for v in out) if isinstance(out, (tuple, list)) else out


class _Ways:
    """What is known of one shape of the inputs."""

    def __init__(self) -> None:
        self.proved: list[_Way] = []
        self.pending: _Way | None = None  # recorded, not yet compared
        self.tries = 0


# ---- recording ---------------------------------------------------------------------------------------------------------


def _record(step: Callable, args: tuple, kwargs: dict) -> tuple[Any, _Way | None, str]:
    """Run the step while a tape records it: (what it returned, the recorded way, why there is none)."""
    tape = Tape(caller)
    tensors: list[Tensor] = []
    _key((args, kwargs), tensors)
    inputs = [tape.made(t._array.copy("K")) for t in tensors]
    mine = _replaced((args, kwargs), iter([wrap(x) for x in inputs]))
    recorded.tape = tape
    try:
        out = step(*mine[0], **mine[1])
    except BaseException:
        recorded.tape = None
        _strip()
        raise
    recorded.tape = None
    del mine
    hooks = [m for m in tape.modules.values() if m._hooked] or [t for t in tape.adopted.values() if t._hooks]
    if hooks:
        tape.refuse(f"{type(hooks[0]).__name__} has a hook")
    loose = not tape.backwards and any(t._requires_grad and t.grad_fn is not None for t in _tensors(out))
    if loose:
        tape.refuse("it returns a tensor that requires grad and does not go backward itself")
    else:
        out = _left(out)
    known = {id(t) for t in (*_tensors(out), *tape.grads)}
    kept = [t for t in _strip() if id(t) not in known and tape.is_own(t._array)]
    if kept:
        tape.refuse(f"a tensor of shape {tuple(kept[0].shape)} that it made is kept after its end")
    if tape.refusal:
        return out, None, tape.refusal
    way = _Way(tape, [plain(x) for x in inputs], out)
    return _map(lambda t: wrap(t._array.copy()) if tape.is_own(t._array) else t, out), way, ""


def _tensors(out: Any) -> list[Tensor]:
    found: list[Tensor] = []
    _map(found.append, out)
    return found


def _strip() -> list[Tensor]:
    """Give all tensors that hold a Recorded array a plain one; return them."""
    held = [t for t in gc.get_objects() if issubclass(type(t), Tensor) and type(getattr(t, "_array", None)) is Recorded]
    for t in held:
        t._array = plain(t._array)
    return held


class _Way:
    """A recorded step, with what must be as it was for its calls to be right."""

    def __init__(self, tape: Tape, inputs: list[np.ndarray], out: Any) -> None:
        self.tape, self.inputs, self.out = tape, inputs, out
        self.calls = tape.calls
        self.held = [(t, t._array, t._requires_grad) for t in tape.adopted.values()]
        self.settings = [(vars(m), _settings(m)) for m in tape.modules.values()]
        self.grads = [(leaf, grad) for leaf, grad in tape.entry.values()]
        before_guard = {id(a): a for at, a in tape.writes if at < tape.last_guard}
        self.undo = [(a, np.empty_like(a)) for a in before_guard.values()]
        self.generators = list(tape.generators.values()) if tape.last_guard else []

    def fits(self) -> bool:
        """Whether parameters, settings and gradients are such as they were when the step was recorded."""
        for t, array, requires_grad in self.held:
            if t._array is not array or t._requires_grad is not requires_grad or t._hooks:
                return False
        for leaf, grad in self.grads:
            if leaf._grad is not grad:
                return False
        try:
            return all(now == before for now, before in self.settings)
        except (RuntimeError, ValueError):  # another tensor or array, whose == gives no truth
            return False

    def run(self, arrays: list[np.ndarray]) -> Any:
        """Do the recorded calls. What the step returned the first time is returned with new tensors."""
        self._do(arrays)
        is_own = self.tape.is_own
        return _map(lambda t: wrap(t._array.copy()) if is_own(t._array) else t, self.out)

    @backend.silent
    def _do(self, arrays: list[np.ndarray]) -> None:
        for mine, given in zip(self.inputs, arrays, strict=True):
            np.copyto(mine, given)
        for array, copy in self.undo:
            np.copyto(copy, array)
        drawn = [(g, g.bit_generator.state) for g in self.generators]
        try:
            for call in self.calls:
                call()
        except Departed:
            for array, copy in self.undo:
                np.copyto(array, copy)
            for generator, before in drawn:
                generator.bit_generator.state = before
            raise

    # -- the proof -------------------------------------------------------------------------------------------------------

    def proved(self, step: Callable, arrays: list, args: tuple, kwargs: dict) -> tuple[Any, str]:
        """Do the recorded calls, undo them, and run the step as it is: (what it returned, what differs or "")."""
        with self._undone():
            try:
                mine = self._results(self.run(arrays))
            except Departed:
                mine = None
        out = _left(step(*args, **kwargs))
        if mine is None:
            return out, ""
        same = all(a == b for a, b in zip(mine, self._results(out), strict=True))
        return out, "" if same else "done again by its array calls it gives other numbers"

    def _results(self, out: Any) -> list[Any]:
        """The bits of all that the step returned or changed."""
        grads = [leaf._grad for leaf in self.tape.leaves.values()]
        found = [None if t is None else t._array.tobytes() for t in (*_tensors(out), *grads)]
        found += [repr(out) if not _tensors(out) else None]
        found += [repr(g.bit_generator.state) for g in self.tape.generators.values()]
        return found + [a.tobytes() for a in self._changed()]

    def _changed(self) -> list[np.ndarray]:
        """The arrays from outside that the step changes, those of its optimisers included."""
        arrays = {id(a): a for _, a in self.tape.writes}
        for owner, _ in self.tape.opaque:
            if isinstance(owner, Optimizer):
                for group in owner.param_groups:
                    for p in group["params"]:
                        held = [p, *owner.state.get(p, {}).values()]
                        arrays |= {id(root(t._array)): root(t._array) for t in held if isinstance(t, Tensor)}
        return list(arrays.values())

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """Undo what is done in this block."""
        arrays = [(a, a.copy()) for a in self._changed()]
        grads = [(leaf, leaf._grad) for leaf in self.tape.leaves.values()]
        drawn = [(g, g.bit_generator.state) for g in self.tape.generators.values()]
        owners = {id(owner): owner for owner, _ in self.tape.opaque}.values()
        groups = [(g, dict(g)) for o in owners for g in (o if isinstance(o, Optimizer) else o.optimizer).param_groups]
        attributes = [(o, dict(vars(o))) for o in owners if not isinstance(o, Optimizer)]
        states = [(o.state, {p: dict(entries) for p, entries in o.state.items()}) for o in owners if isinstance(o, Optimizer)]
        yield
        for array, copy in arrays:
            np.copyto(array, copy)
        for leaf, grad in grads:
            leaf._grad = grad
        for generator, state in drawn:
            generator.bit_generator.state = state
        for now, before in [*groups, *states, *((vars(o), before) for o, before in attributes)]:
            now.clear()
            now.update(before)


def _settings(module: Module) -> dict[str, Any]:
    """A module's attributes as they are now."""
    return {k: v.copy() if isinstance(v, dict) else v for k, v in vars(module).items()}
