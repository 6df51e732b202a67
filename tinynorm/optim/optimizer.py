"""Optimizer: parameter groups with their own options, and the optimiser's state for each parameter.

A subclass writes its formula as in-place operations on raw arrays. A step never replaces the array of a parameter, so every
holder of the array sees the step.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..autograd import enable_grad
from ..backend import Array
from ..tensor import Tensor, raw, version_of, wrap
from .blocks import Blocks, Formula, place_of, work_dtype


class Overflow:
    """A callback that NumPy calls on overflow. So an optimiser detects an overflow without testing the array."""

    seen = False

    def __call__(self, error: str, flag: int) -> None:
        self.seen = True


class _Work(NamedTuple):
    """The work of one call of `Blocks.run`: parameters of one group with the same step number, dtype and device."""

    group: dict[str, Any]
    t: float  # the number of this step
    formula: Formula
    params: list[Tensor]
    tasks: list[tuple[Array, ...]]  # (theta, g, *state) for each parameter


class Optimizer:
    """The base class of all optimisers. Use `SGD`, `Adam` or `AdamW`; a subclass defines `_check`, `_begin` and `_formula`.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        Leaf tensors; or groups ``{"params": tensors, option: value, ...}``, whose options override `defaults`.
    defaults : dict
        The options of a group that does not set them.

    Attributes
    ----------
    param_groups : list of dict
        The groups. You may change options between steps, e.g. ``optimizer.param_groups[0]["lr"] = 0.01``.
    state : dict of Tensor -> dict
        The state of each parameter. It is created at the first step at which the parameter has a gradient.

    Raises
    ------
    TypeError, ValueError
        There are no parameters; one is not a Tensor, not a leaf, read-only, or given twice; or an option is out of range.
    """

    _per_element: tuple[str, ...] = ()  # the state entries that have the parameter's shape
    _needed: tuple[str, ...] = ()  # the required state entries

    def __init__(self, params: Iterable[Tensor] | Iterable[dict], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self._stepped = False  # a schedule warns if it steps before the optimiser does
        self._blocks, self._overflow = Blocks(), Overflow()
        if isinstance(params, (Tensor, dict)):
            raise TypeError(
                f"{self._name}: expected an iterable of Tensors or of groups (dicts), got one {type(params).__name__}; "
                "put it in a list"
            )
        groups = _ordered(self._name, params)
        if not groups:
            raise ValueError(f"{self._name}: expected parameters, got none; has the model any, or was its iterator used up?")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    # -- groups ----------------------------------------------------------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters with its own options.

        Parameters
        ----------
        param_group : dict
            ``"params"`` is a Tensor or an iterable of Tensors. Other entries are options; the defaults fill in missing ones.

        Raises
        ------
        TypeError, ValueError
            As for the constructor. The group is then not added.

        Examples
        --------
        >>> import tinynorm
        >>> a, b = (tinynorm.ones(2, requires_grad=True) for _ in range(2))
        >>> optimizer = tinynorm.optim.SGD([a], lr=0.1)
        >>> optimizer.add_param_group({"params": b, "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
        where = f"{self._name}: parameter group {len(self.param_groups)}"
        if not isinstance(param_group, dict) or "params" not in param_group:
            got = f"one with {list(param_group)}" if isinstance(param_group, dict) else type(param_group).__name__
            raise TypeError(f"{where}: expected a dict with 'params', got {got}")
        params = param_group["params"]
        params = [params] if isinstance(params, Tensor) else _ordered(where, params)
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for i, p in enumerate(params):
            _check_parameter(f"{where}: params[{i}]", p)
            if id(p) in seen:
                raise ValueError(
                    f"{where}: params[{i}] of shape {tuple(p.shape)} is there twice; a step would change it twice. Remove one"
                )
            seen.add(id(p))
        group = {"params": params, **self.defaults, **{k: v for k, v in param_group.items() if k != "params"}}
        self._check(where, group)
        self.param_groups.append(group)

    def _check(self, where: str, group: dict[str, Any]) -> None:
        """Raise an error if an option of the group is missing or out of range."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or with ``set_to_none=False`` fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                p.zero_grad(set_to_none)

    # -- the step --------------------------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update in place every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients again. `step` calls it first, with recording turned on.

        Returns
        -------
        The return value of `closure`; None if there is no closure.

        Raises
        ------
        RuntimeError, TypeError, ValueError
            A parameter cannot be written to, or does not fit its gradient or its state; or an option is invalid. Nothing is
            changed then.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._run(self._prepared())
        self._stepped = True
        return loss

    def _prepared(self) -> list[_Work]:
        """Prepare and check the whole step before any parameter changes. If that fails, the new state is removed again."""
        made: list[tuple[dict[str, Any], int]] = []  # each state, and its number of entries before this step
        try:
            return [work for group in self.param_groups for work in self._works(group, made)]
        except BaseException:
            for state, n in made:
                while len(state) > n:
                    state.popitem()
            raise

    def _works(self, group: dict[str, Any], made: list[tuple[dict[str, Any], int]]) -> list[_Work]:
        """The parameters that have a gradient: one _Work for all that share a step number, dtype and device."""
        alike: dict[tuple, _Work] = {}
        for p in group["params"]:
            if p._grad is None:
                continue
            theta, g, state = p._array, p._grad._array, self.state[p]
            kind, shape, dtype = type(theta), theta.shape, theta.dtype
            writeable = theta.flags.writeable if kind is np.ndarray else backend.is_writeable(theta)
            if g.shape != shape or g.dtype != dtype or type(g) is not kind or not writeable:
                self._explain_misfit(p, g)
            made.append((state, len(state)))
            t, *arrays = self._begin(group, state, theta)
            kept = work_dtype(theta)
            for a in arrays[:1]:  # all arrays of a state have the same type
                if a.dtype != kept or a.shape != shape or type(a) is not kind:
                    self._explain_move(p, a)
            place = "" if kind is np.ndarray else self._place(p, [g, *arrays])
            key = (t, dtype, place, len(arrays))
            work = alike.get(key)
            if work is None:
                work = alike[key] = _Work(group, t, self._formula(group, t, theta), [], [])
            work.params.append(p)
            work.tasks.append((theta, g, *arrays))
        return list(alike.values())

    def _run(self, works: list[_Work]) -> None:
        """Run each formula on its tasks. The version counters of the parameters also increase if a formula fails."""
        name, begun = f"{self._name}.step", 0
        try:
            with np.errstate(divide="ignore", invalid="ignore", over="call", call=self._overflow):
                for work in works:
                    begun += 1
                    for number, rows in self._blocks.run(work.formula, work.tasks):
                        self._run_with_room(work, work.params[number], rows)
                    for p in work.params:
                        state = self.state[p]
                        if "step" in state:
                            state["step"]._array[...] = work.t
        finally:
            for work in works[:begun]:
                for p in work.params:
                    version_of(p).bump(name)

    def _run_with_room(self, work: _Work, p: Tensor, rows: Any) -> None:
        """Run the formula again on the rows for which it returned True (overflow), with the additional state."""
        state = self.state[p]
        self._make_room(state)
        _, *arrays = self._begin(work.group, state, p._array)
        self._blocks.run(work.formula, [tuple(a[rows] for a in (p._array, raw(p._grad), *arrays))])

    def _place(self, p: Tensor, others: list[Array]) -> str:
        """The device of a parameter that is not a NumPy array. Its gradient and its state must be on the same device."""
        place = place_of(p._array)
        for a in others:
            if place_of(a) != place:
                self._explain_misfit(p, a) if a is others[0] else self._explain_move(p, a)
        return place

    def _explain_misfit(self, p: Tensor, g: Array) -> None:
        if not backend.is_writeable(p._array):
            raise RuntimeError(
                f"{self._name}.step: expected parameters whose memory can be written to, got one of shape {tuple(p.shape)} "
                "that was expanded or made of a read-only array; set its data to a copy. Nothing was changed"
            )
        mine, other = [(tuple(x.shape), str(x.dtype), str(backend.device_of(x))) for x in (p._array, g)]
        raise RuntimeError(
            f"{self._name}.step: expected a gradient of the parameter's (shape, dtype, device) = {mine}, got {other}; "
            "set the parameter's data before backward, or its .grad to None. Nothing was changed"
        )

    def _explain_move(self, p: Tensor, a: Array) -> None:
        mine, now = [(tuple(x.shape), str(x.dtype), str(backend.device_of(x))) for x in (a, p._array)]
        raise RuntimeError(
            f"{self._name}.step: expected a parameter of (shape, dtype, device) = {mine}, as at the steps before, got {now}; "
            "move or convert the model before its optimiser takes the first step"
        )

    def _begin(self, group: dict[str, Any], state: dict[str, Any], theta: Array) -> tuple:
        """The number of the parameter's next step and the arrays of its state. Missing arrays are created."""
        raise NotImplementedError(f"{self._name}: write _begin(self, group, state, theta) in the subclass")

    def _make_room(self, state: dict[str, Any]) -> None:
        """Add the arrays that the formula needs for larger numbers, after it returned True. `_begin` then returns them too."""
        raise NotImplementedError(f"{self._name}: write _make_room(self, state), since the formula returned True")

    def _formula(self, group: dict[str, Any], t: float, theta: Array) -> Formula:
        """The function of (theta, g, *state, s, d) that does step `t`. It changes all of these arrays in place except g."""
        raise NotImplementedError(f"{self._name}: write _formula(self, group, t, theta) in the subclass")

    # -- saving ----------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The state that `load_state_dict` needs to continue from here, in PyTorch's layout.

        Returns
        -------
        dict
            ``{"state": {number of the parameter: its state}, "param_groups": [options, with "params": numbers]}``.
            The tensors are not copies: they belong to the optimiser.

        Examples
        --------
        >>> import tinynorm
        >>> w = tinynorm.ones(2, requires_grad=True)
        >>> optimizer = tinynorm.optim.SGD([w], lr=0.1, momentum=0.9)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> optimizer.state_dict()["state"]
        {0: {'momentum_buffer': tensor([1., 1.])}}
        """
        number = {id(p): i for i, p in enumerate(self._params())}
        state = {number[id(p)]: dict(entries) for p, entries in self.state.items() if entries}
        groups = [{**group, "params": [number[id(p)] for p in group["params"]]} for group in self.param_groups]
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a state that `state_dict` returned, here or in PyTorch. The numbers are copied.

        Raises
        ------
        TypeError, KeyError, ValueError
            The state does not fit this optimiser: it has other groups, an option out of range, or state of another shape.
            Nothing is changed then.
        """
        where = f"{self._name}.load_state_dict"
        _check_keys(where, state_dict, ("state", "param_groups"))
        groups = self._checked_groups(where, state_dict["param_groups"])
        _check_keys(f"{where}: state", state_dict["state"], ())
        owner = {i: p for saved, group in zip(state_dict["param_groups"], groups, strict=True)
                 for i, p in zip(saved["params"], group["params"], strict=True)}  # fmt: skip
        state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for i, entries in state_dict["state"].items():
            if i not in owner:
                raise ValueError(f"{where}: expected state of the parameters {sorted(owner)}, got some of {i!r}")
            state[owner[i]] = self._checked_state(f"{where}: state[{i}]", owner[i], entries)
        self.state = state
        for group, new in zip(self.param_groups, groups, strict=True):  # keep the same dicts: a schedule may hold them
            group.clear()  # remove old entries that the loaded state does not have
            group.update(new)

    def _params(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def _checked_groups(self, where: str, saved: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The saved groups, with the parameters of this optimiser."""
        if not isinstance(saved, (list, tuple)):
            raise TypeError(f"{where}: expected param_groups to be a list, got {type(saved).__name__}")
        for i, theirs in enumerate(saved):
            _check_keys(f"{where}: param_groups[{i}]", theirs, ("params",))
            _check_numbers(f"{where}: param_groups[{i}]", theirs["params"])
        sizes = [len(group["params"]) for group in self.param_groups]
        got = [len(group["params"]) for group in saved]
        if got != sizes:
            raise ValueError(f"{where}: expected param_groups of {sizes} parameters, got {got}; is it another model's?")
        groups = []
        for i, (group, theirs) in enumerate(zip(self.param_groups, saved, strict=True)):
            _check_keys(f"{where}: param_groups[{i}]", theirs, tuple(self.defaults))
            new = {k: tuple(v) if isinstance(v, list) else v for k, v in theirs.items()} | {"params": group["params"]}
            self._check(f"{where}: param_groups[{i}]", new)
            groups.append(new)
        return groups

    def _checked_state(self, where: str, p: Tensor, entries: dict[str, Any]) -> dict[str, Any]:
        """A copy of one parameter's saved state, in the parameter's work dtype and on its device."""
        _check_keys(where, entries, self._needed)
        copies = {}
        for name, value in entries.items():
            if name in self._per_element and (value is not None or name in self._needed):
                copies[name] = wrap(_copy_like(p._array, _checked_array(f"{where}[{name!r}]", p, value)))
            elif name == "step":
                copies[name] = counter(_checked_count(f"{where}['step']", value))
            elif name not in self._per_element:  # skip None, which PyTorch's SGD saves without momentum
                copies[name] = value
        return copies

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


# ---- checks ------------------------------------------------------------------------------------------------------------


def check_number(where: str, name: str, value: Any, low: float = 0.0, below: float = math.inf) -> None:
    """Raise an error unless ``low <= value < below``.

    >>> check_number("SGD", "lr", -1)
    Traceback (most recent call last):
    ValueError: SGD: expected lr >= 0, got -1
    """
    if isinstance(value, bool) or not isinstance(value, (Real, Tensor)):
        raise TypeError(f"{where}: expected {name} to be a number, got {type(value).__name__}")
    try:
        number = float(value)
    except (RuntimeError, OverflowError) as error:
        raise ValueError(f"{where}: expected {name} to be one number, as a float: {error}") from None
    if not low <= number < below:
        expected = f"{name} >= {low:g}" if below == math.inf else f"{low:g} <= {name} < {below:g}"
        raise ValueError(f"{where}: expected {expected}, got {value}")


def _ordered(where: str, items: Any) -> list:
    if isinstance(items, (set, frozenset)):
        raise TypeError(f"{where}: a set has no order that the next run would repeat; pass a list")
    try:
        return list(items)
    except TypeError:
        hint = "; pass its .parameters()" if hasattr(items, "parameters") else ""
        raise TypeError(f"{where}: expected an iterable of Tensors, got {type(items).__name__}{hint}") from None


def _check_parameter(where: str, p: Any) -> None:
    if not isinstance(p, Tensor):
        hint = "; pass model.parameters(), without the names" if isinstance(p, tuple) else ""
        raise TypeError(f"{where}: expected a Tensor, got {type(p).__name__}{hint}")
    if p.grad_fn is not None:
        raise ValueError(
            f"{where}: expected a leaf tensor, got the result of {p.grad_fn.name}, of shape {tuple(p.shape)}; "
            "optimise the tensor it was computed from, or its .detach().requires_grad_()"
        )
    if p._requires_grad and not backend.is_writeable(p._array):
        raise ValueError(
            f"{where}: expected a tensor whose memory can be written to, got one of shape {tuple(p.shape)} that was expanded "
            "or made of a read-only array; optimise its .clone().detach().requires_grad_()"
        )


def _check_keys(where: str, mapping: Any, expected: tuple[str, ...]) -> None:
    if not isinstance(mapping, dict):
        raise TypeError(f"{where}: expected a dict, got {type(mapping).__name__}")
    missing = [key for key in expected if key not in mapping]
    if missing:
        raise KeyError(f"{where}: missing {missing}; expected {list(expected)}, got {list(mapping)}")


def _check_numbers(where: str, numbers: Any) -> None:
    if not isinstance(numbers, (list, tuple)) or not all(isinstance(n, int) for n in numbers):
        raise TypeError(f"{where}: expected 'params' to be a list of the parameters' numbers, got {numbers!r}")


def _checked_array(where: str, p: Tensor, value: Any) -> Array:
    """The array of a saved value. It must have the parameter's shape and hold real numbers."""
    got = tuple(value.shape) if hasattr(value, "shape") else value
    if got != tuple(p.shape):
        raise ValueError(f"{where}: expected the parameter's shape {tuple(p.shape)}, got {got}")
    try:
        array = backend.plain(raw(value))
    except TypeError as error:
        raise TypeError(f"{where}: {error}") from None
    if isinstance(array.dtype, np.dtype) and array.dtype.kind not in "fiub":
        raise TypeError(f"{where}: expected real numbers, got {array.dtype}")
    return array


def _checked_count(where: str, value: Any) -> float:
    """A saved number of steps as a float, checked to be at least 0."""
    if not isinstance(value, (Real, Tensor)) and getattr(value, "shape", None) != ():
        raise ValueError(f"{where}: expected a number, got {value!r}")
    try:
        count = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ValueError(f"{where}: expected a number of steps: {error}") from None
    if not count >= 0:
        raise ValueError(f"{where}: expected a number of steps, at least 0, got {count}")
    return count


# ---- arrays ------------------------------------------------------------------------------------------------------------


def counter(n: float) -> Tensor:
    """A tensor that holds the number of steps taken."""
    return wrap(np.asarray(n, np.float32))  # float32 and on the host, as in PyTorch


def zeros_like(theta: Array) -> Tensor:
    """The initial running average of the parameter's gradients: zeros, in float32 for a float16 parameter."""
    return wrap(backend.namespace(theta).zeros_like(theta, dtype=work_dtype(theta)))


def _copy_like(theta: Array, value: Array) -> Array:
    """A copy of `value` with the memory layout, work dtype and device of the parameter `theta`."""
    xp, dtype = backend.namespace(theta), work_dtype(theta)
    copy = xp.empty_like(theta, dtype=dtype)
    value = backend.to_numpy(value) if xp is np else xp.asarray(value)
    copy[...] = backend.astype(value, dtype)
    return copy
