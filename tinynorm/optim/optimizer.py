"""Optimizer: parameter groups with their own options, and the optimiser's state for each parameter.

It is the base class of your own optimisers, and of the package's (see `in_place.py`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

from .. import backend
from ..tensor import Tensor


class _Required:
    """The default of an option that each group must set."""

    def __repr__(self) -> str:
        return "<required parameter>"


required: Any = _Required()


Params = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[dict[str, Any]]


class Optimizer:
    """The base class of all optimisers. For your own, write `step`, as in PyTorch.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Leaf tensors; or groups ``{"params": tensors, option: value, ...}``, whose options override `defaults`. A group keeps
        the names, if there are any, as ``"param_names"``.
    defaults : dict
        The options of a group that does not set them.

    Attributes
    ----------
    param_groups : list of dict
        The groups. You may change options between steps, e.g. ``optimizer.param_groups[0]["lr"] = 0.01``.
    state : dict of Tensor -> dict
        The state of each parameter. `SGD` and the others create it at the first step at which the parameter has a gradient.

    Raises
    ------
    TypeError, ValueError
        There are no parameters; one is not a Tensor, not a leaf, read-only, or given twice; or an option is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> class SignSGD(Optimizer):
    ...     def __init__(self, params, lr=0.5):
    ...         super().__init__(params, dict(lr=lr))
    ...
    ...     @tinynorm.no_grad()
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 if p.grad is not None:
    ...                     p -= group["lr"] * p.grad.sign()
    >>> w = tinynorm.tensor([3.0, -4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> SignSGD([w]).step()
    >>> w
    tensor([ 2.5000, -3.5000], requires_grad=True)
    """

    _stepped = True  # a schedule warns where this is False; an optimiser of one's own does not tell

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: defaultdict[Any, Any] = defaultdict(dict)
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
            ``"params"`` is a Tensor or an iterable of Tensors, or of (name, Tensor). Other entries are options; the defaults
            fill in missing ones.

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
        names = [p[0] for p in params if isinstance(p, tuple) and len(p) == 2]
        if names:
            if len(names) < len(params):
                raise ValueError(f"{where}: expected a name for each of {len(params)} parameters or for none, got {names}")
            params = [p for _, p in params]
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for i, p in enumerate(params):
            _check_parameter(f"{where}: params[{i}]", p)
            if id(p) in seen:
                raise ValueError(
                    f"{where}: params[{i}] of shape {tuple(p.shape)} is there twice; a step would change it twice. Remove one"
                )
            seen.add(id(p))
        group = {**param_group, "params": params, **({"param_names": names} if names else {})}
        group |= {option: value for option, value in self.defaults.items() if option not in group}
        for option, value in group.items():
            if value is required:
                raise ValueError(f"{where}: expected the option {option!r}, which has no default")
        self._check(where, group)
        self.param_groups.append(group)

    def _check(self, where: str, group: dict[str, Any]) -> None:
        """Raise an error if an option of the group is missing or out of range."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or with ``set_to_none=False`` fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                p.zero_grad(set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update in place every parameter that has a gradient. A subclass defines it.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients again.

        Returns
        -------
        The return value of `closure`; None if there is no closure.
        """
        raise NotImplementedError(f"{self._name}: write step(self, closure=None) in the subclass")

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
        state = {number.get(id(p), p): dict(entries) for p, entries in self.state.items() if entries}
        groups = [
            {**{k: v for k, v in group.items() if k != "params"}, "params": [number[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        in_order = sorted(state.items(), key=lambda item: (isinstance(item[0], str), item[0]))
        return {"state": dict(in_order), "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a state that `state_dict` returned, here or in PyTorch. The numbers are copied.

        Raises
        ------
        TypeError, KeyError, ValueError
            The state does not fit this optimiser: it has other groups, an option out of range, or state of another shape.
            Nothing is changed then.
        """
        where = f"{self._name}.load_state_dict"
        check_keys(where, state_dict, ("state", "param_groups"))
        groups = self._checked_groups(where, state_dict["param_groups"])
        check_keys(f"{where}: state", state_dict["state"], ())
        owner = {i: p for saved, group in zip(state_dict["param_groups"], groups, strict=True)
                 for i, p in zip(saved["params"], group["params"], strict=True)}  # fmt: skip
        state: defaultdict[Any, Any] = defaultdict(dict)
        for i, entries in state_dict["state"].items():
            if isinstance(i, str):  # an optimiser of one's own may remember something that is no parameter's
                state[i] = entries
                continue
            if i not in owner:
                raise ValueError(f"{where}: expected state of the parameters {sorted(owner)}, got some of {i!r}")
            state[owner[i]] = self._checked_state(f"{where}: state[{i}]", owner[i], entries)
        for group, new in zip(self.param_groups, groups, strict=True):  # keep the same dicts: a schedule may hold them
            group.clear()  # remove old entries that the loaded state does not have
            group.update(new)
        self.__setstate__({"state": state, "param_groups": self.param_groups})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the attributes. As in PyTorch, loading calls it too: a subclass adds there what an older state lacks."""
        vars(self).update(state)

    def _params(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def _checked_groups(self, where: str, saved: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The saved groups, with the parameters of this optimiser."""
        if not isinstance(saved, (list, tuple)):
            raise TypeError(f"{where}: expected param_groups to be a list, got {type(saved).__name__}")
        for i, theirs in enumerate(saved):
            check_keys(f"{where}: param_groups[{i}]", theirs, ("params",))
            _check_numbers(f"{where}: param_groups[{i}]", theirs["params"])
        sizes = [len(group["params"]) for group in self.param_groups]
        got = [len(group["params"]) for group in saved]
        if got != sizes:
            raise ValueError(f"{where}: expected param_groups of {sizes} parameters, got {got}; is it another model's?")
        groups = []
        for i, (group, theirs) in enumerate(zip(self.param_groups, saved, strict=True)):
            new = {"params": group["params"]}
            new |= {k: list(v) if isinstance(v, list) else v for k, v in theirs.items() if k != "params"}
            new |= {"param_names": group["param_names"]} if "param_names" in group else {}
            self._complete(f"{where}: param_groups[{i}]", new)
            self._check(f"{where}: param_groups[{i}]", new)
            groups.append(new)
        return groups

    def _complete(self, where: str, group: dict[str, Any]) -> None:
        """Add to a saved group the options that older versions did not have; an error if others are missing."""

    def _checked_state(self, where: str, p: Tensor, entries: Any) -> Any:
        """A copy of one parameter's saved state: tensors in the parameter's dtype and on its device, as PyTorch loads them."""
        if isinstance(entries, dict):
            return {k: v if k == "step" else self._checked_state(where, p, v) for k, v in entries.items()}
        if isinstance(entries, (list, tuple)):
            return type(entries)(self._checked_state(where, p, v) for v in entries)
        return entries.to(device=p.device, dtype=p.dtype).clone() if isinstance(entries, Tensor) else entries

    def __repr__(self) -> str:
        groups = [
            f"\nParameter Group {i}\n" + "".join(f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params")
            for i, group in enumerate(self.param_groups)
        ]
        return f"{self._name} ({''.join(groups)})"


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
            f"{where}: expected a leaf tensor, got the result of {p.grad_fn.op_name}, of shape {tuple(p.shape)}; "
            "optimise the tensor it was computed from, or its .detach().requires_grad_()"
        )
    if p._requires_grad and not backend.is_writeable(p._array):
        raise ValueError(
            f"{where}: expected a tensor whose memory can be written to, got one of shape {tuple(p.shape)} that was expanded "
            "or made of a read-only array; optimise its .clone().detach().requires_grad_()"
        )


def check_keys(where: str, mapping: Any, expected: tuple[str, ...]) -> None:
    if not isinstance(mapping, dict):
        raise TypeError(f"{where}: expected a dict, got {type(mapping).__name__}")
    missing = [key for key in expected if key not in mapping]
    if missing:
        raise KeyError(f"{where}: missing {missing}; expected {list(expected)}, got {list(mapping)}")


def _check_numbers(where: str, numbers: Any) -> None:
    if not isinstance(numbers, (list, tuple)) or not all(isinstance(n, int) for n in numbers):
        raise TypeError(f"{where}: expected 'params' to be a list of the parameters' numbers, got {numbers!r}")
