"""Training checkpoints: model, optimiser, schedule, epoch and random state in one safetensors file. No pickle.

The tensors are stored under their names (``model.0.weight``, ``optimizer.3.exp_avg``). Everything else is JSON in the file's
metadata. JSON keeps the numbers exactly: Python writes a float with enough digits to read the same float back, and integers of
up to 4,300 digits.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from . import backend
from .backend import Generator, default_generator
from .serialization import CheckpointError, read, save_file
from .tensor import Tensor, raw, wrap

ENTRY, VERSION = "tinynorm.checkpoint", 1  # the metadata entry that holds the JSON, and the version of its layout


class Checkpoint(NamedTuple):
    """The result of `load_checkpoint`: the values that it returns to the caller."""

    epoch: int
    extra: Any


def save_checkpoint(
    path: str | os.PathLike,
    *,
    model: Any,
    optimizer: Any = None,
    scheduler: Any = None,
    epoch: int = 0,
    generators: Mapping[str, Generator] | None = None,
    extra: Any = None,
) -> None:
    """Write atomically everything that training needs to continue as if it had not stopped.

    Parameters
    ----------
    path : str or path
    model, optimizer, scheduler
        Objects with a ``state_dict()`` method.
    epoch : int
        The number of finished epochs, which is the number of the epoch to continue with.
    generators : dict of str to Generator, optional
        Your own generators, e.g. the one of a DataLoader. The default generator (see `tinynorm.manual_seed`) is always saved.
    extra : optional
        Your own values: numbers, strings, None, tensors, arrays, and lists, tuples and dicts of these.

    Raises
    ------
    TypeError, ValueError
        A value cannot be saved; the message says where it is. Nothing is written.
    OSError
        The file cannot be written. The old file is unchanged.

    Examples
    --------
    >>> import tempfile, tinynorm
    >>> model = tinynorm.nn.Linear(2, 1)
    >>> optimizer = tinynorm.optim.SGD(model.parameters(), lr=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(f"{folder}/c.safetensors", model=model, optimizer=optimizer, epoch=3, extra={"best": 0.97})
    ...     load_checkpoint(f"{folder}/c.safetensors", model=model, optimizer=optimizer)
    Checkpoint(epoch=3, extra={'best': 0.97})
    """
    if not isinstance(epoch, (int, np.integer)) or epoch < 0:
        raise ValueError(f"save_checkpoint: expected epoch to be an int of at least 0, got {epoch!r}")
    tensors: dict[str, Any] = {}
    document: dict[str, Any] = {"version": VERSION, "epoch": int(epoch), "model": pack(model.state_dict(), "model", tensors)}
    if optimizer is not None:
        for part, value in optimizer.state_dict().items():  # the state of each parameter is stored under its number
            document[f"optimizer.{part}"] = pack(value, "optimizer" if part == "state" else f"optimizer.{part}", tensors)
    if scheduler is not None:
        document["scheduler"] = pack(scheduler.state_dict(), "scheduler", tensors)
    states = {name: generator.get_state() for name, generator in _all_generators("save_checkpoint", generators).items()}
    document["generators"] = pack(states, "generators", tensors)
    document["extra"] = pack(extra, "extra", tensors)
    save_file(tensors, path, {ENTRY: json.dumps(document)})


def load_checkpoint(
    path: str | os.PathLike,
    *,
    model: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    generators: Mapping[str, Generator] | None = None,
) -> Checkpoint:
    """Restore what `save_checkpoint` saved. Training then continues, bit for bit, as if it had not stopped.

    The function restores everything, or after an error nothing. Without a model it restores nothing and only returns the epoch
    and the extra values.

    Parameters
    ----------
    path : str or path
    model, optimizer, scheduler
        Objects with ``state_dict()`` and ``load_state_dict()``, made with the same settings as the saved ones. None means:
        do not restore this part.
    generators : dict of str to Generator, optional
        Your own generators, under the names that they were saved with. The default generator is always restored. Generators
        in the file that are not named here are ignored.

    Returns
    -------
    Checkpoint
        A named tuple of (epoch, extra).

    Raises
    ------
    CheckpointError
        The file is truncated, altered or not a checkpoint; it lacks a requested part; or it belongs to another model or
        optimiser. The model, optimiser, schedule and generators are then unchanged.
    TypeError
        There is no model, but an optimiser, a schedule or generators were passed.
    OSError
        There is no such file, or it cannot be read.

    Examples
    --------
    See `save_checkpoint`.
    """
    if model is None and not (optimizer is None and scheduler is None and not generators):
        raise TypeError("load_checkpoint: expected a model, since there are other things to restore; pass model=...")
    document, arrays = _read_document(path)
    part = partial(_part, path, document, arrays)
    result = Checkpoint(part("epoch"), part("extra"))
    if model is None:
        return result
    steps: list[_Step] = [_Step("model", model.state_dict, model.load_state_dict, part("model"))]
    if optimizer is not None:
        state = {name: part(f"optimizer.{name}") for name in ("state", "param_groups")}
        steps.append(_Step("optimizer", optimizer.state_dict, optimizer.load_state_dict, state))
    if scheduler is not None:
        steps.append(_Step("scheduler", scheduler.state_dict, scheduler.load_state_dict, part("scheduler")))
    saved = part("generators")
    if not isinstance(saved, dict):
        raise CheckpointError(f"{os.fspath(path)}: its entry 'generators' is no part of a checkpoint. Nothing was changed")
    for name, generator in _all_generators("load_checkpoint", generators).items():
        if name not in saved:
            raise CheckpointError(f"{os.fspath(path)} has no generator {name!r}, only {sorted(saved)}. Nothing was changed")
        steps.append(_Step(f"generator {name!r}", generator.get_state, generator.set_state, saved[name]))
    _take(path, steps)
    return result


class _Step(NamedTuple):
    """One object to restore: how to get its state, how to set it, and the state to set."""

    name: str
    get: Callable[[], Any]
    set: Callable[[Any], Any]
    state: Any


def _take(path: Any, steps: list[_Step]) -> None:
    """Do all steps. If one fails, undo it and the steps before it."""
    before: list[tuple[_Step, Any]] = []
    try:
        for step in steps:
            before.append((step, _copied(step.get())))
            step.set(step.state)
    except BaseException as error:  # Ctrl-C too
        lost = [taken.name for taken, state in reversed(before) if not _set_back(taken, state)]
        if not isinstance(error, Exception):
            raise
        then = f"What could not be set back: {', '.join(lost)}" if lost else "Nothing was changed"
        raise CheckpointError(f"{os.fspath(path)} does not fit the {step.name} given: {error}. {then}") from error


def _set_back(step: _Step, state: Any) -> bool:
    """Set the old state again; return whether that worked. (An optimizer whose rate was set to -1 refuses its own state.)"""
    try:
        step.set(state)
    except Exception:
        return False
    return True


def _all_generators(op: str, generators: Mapping[str, Generator] | None) -> dict[str, Generator]:
    generators = dict(generators or {})
    if generators.get("default", default_generator) is not default_generator:
        raise ValueError(f"{op}: 'default' is the name of tinynorm's own generator; give yours another")
    return {"default": default_generator, **generators}


def _read_document(path: str | os.PathLike) -> tuple[dict, dict[str, np.ndarray]]:
    arrays, metadata = read(path, ours=True)
    try:
        document = json.loads(metadata[ENTRY])
    except (KeyError, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise CheckpointError(
            f"{os.fspath(path)} holds tensors but no training checkpoint; tinynorm.load_file reads them. Nothing was changed"
        ) from None
    if document.get("version") != VERSION:
        raise CheckpointError(
            f"{os.fspath(path)}: expected a checkpoint of version {VERSION}, got {document.get('version')}; "
            "read it with the tinynorm that wrote it. Nothing was changed"
        )
    return document, arrays


def _part(path: Any, document: dict, arrays: dict[str, np.ndarray], name: str) -> Any:
    """One entry of the document, with each reference replaced by its tensor or array."""
    if name not in document:
        raise CheckpointError(
            f"{os.fspath(path)} has no {name.partition('.')[0]}: it was saved without one. Leave it out, or use another file. "
            "Nothing was changed"
        )
    try:
        return unpack(document[name], arrays)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{os.fspath(path)}: its entry {name!r} is no part of a checkpoint ({error!r}); use another copy of the file. "
            "Nothing was changed"
        ) from None


# ---- between Python's values and JSON --------------------------------------------------------------------------------


def pack(value: Any, name: str, tensors: dict[str, Any], op: str = "save_checkpoint") -> Any:
    """Convert the value to JSON. Tensors and arrays are stored in `tensors` by name, and the JSON has a reference to them."""
    within = f"{name}." if name else ""
    if hasattr(value, "detach") and not isinstance(value, Tensor):  # PyTorch's, to be converted
        value = wrap(value.detach().cpu().numpy())
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Tensor) or backend.is_array(value):
        name = name or "tensor"
        while name in tensors:  # of {"a.b": x, "a": {"b": y}} and {1: x, "1": y}
            name += "'"
        tensors[name] = value
        return {"$tensor" if isinstance(value, Tensor) else "$array": name}
    if isinstance(value, (list, tuple)):
        items = [pack(item, f"{within}{i}", tensors, op) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    if isinstance(value, OrderedDict):
        return {"$ordered": pack(dict(value), name, tensors, op)}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: pack(item, f"{within}{key}", tensors, op) for key, item in value.items()}
        if any(isinstance(key, (Tensor, np.ndarray)) for key in value):
            raise TypeError(f"{op}: expected the keys of {name!r} to be numbers or strings, got a tensor")
        return {"$items": [[pack(key, name, {}, op), pack(item, f"{within}{key}", tensors, op)] for key, item in value.items()]}
    hint = "; save its state_dict(), and load it with .load_state_dict(…)" if hasattr(value, "state_dict") else ""
    at = f" at {name!r}" if name else ""
    raise TypeError(
        f"{op}: expected numbers, strings, None, tensors, arrays, or lists, tuples and dicts of them, got "
        f"{type(value).__name__}{at}{hint}"
    )


def unpack(value: Any, arrays: Mapping[str, Any]) -> Any:
    """Convert JSON from `pack` back to the value."""
    if isinstance(value, list):
        return [unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    kind = next(iter(value), "")
    if not kind.startswith("$"):
        return {key: unpack(item, arrays) for key, item in value.items()}
    content = value[kind]
    if kind == "$tuple":
        return tuple(unpack(item, arrays) for item in content)
    if kind == "$ordered":
        return OrderedDict(unpack(content, arrays))
    if kind == "$items":
        return {unpack(key, arrays): unpack(item, arrays) for key, item in content}
    found = arrays[content]
    return raw(found) if kind == "$array" else found if isinstance(found, Tensor) else wrap(found)


def _copied(state: Any) -> Any:
    """A copy of a state; its tensors and arrays are copied too."""
    if isinstance(state, Tensor):
        return wrap(backend.copy(state._array))
    if isinstance(state, Mapping):
        return {key: _copied(value) for key, value in state.items()}
    if isinstance(state, (list, tuple)):
        return [_copied(value) for value in state] if isinstance(state, list) else tuple(_copied(value) for value in state)
    return state.copy() if backend.is_array(state) else state
