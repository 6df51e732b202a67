"""`save` and `load`, as in PyTorch, without pickle: tensors in nested dicts, lists and tuples, in one safetensors file.

The tensors stand in the file under their places (``model.0.weight``), so other programs read them too. The structure around
them is JSON in the metadata; reading a file runs no code from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, BinaryIO

from . import backend
from .checkpoint import pack, unpack
from .serialization import CheckpointError, as_bytes, read, save_file, told
from .tensor import Tensor, raw, wrap

ENTRY = "tinynorm.save"  # the metadata entry that holds the JSON


def save(
    obj: Any,
    f: str | os.PathLike | BinaryIO,
    *,
    pickle_protocol: int | None = None,
    _use_new_zipfile_serialization: bool | None = None,
) -> None:
    """Save numbers, strings, None, tensors, arrays, and dicts, lists and tuples of these: a `state_dict`, a checkpoint.

    Parameters
    ----------
    obj
        What to save. Keys may be numbers. A named tuple becomes a tuple.
    f : str, path or open binary file
        A file at a path is written atomically, see `save_file`.
    pickle_protocol
        Changes nothing: there is no pickle.

    Raises
    ------
    TypeError, ValueError
        Something in `obj` cannot be saved, such as a whole module. Nothing is written.

    Examples
    --------
    >>> import io, tinynorm
    >>> model, file = tinynorm.nn.Linear(2, 1), io.BytesIO()
    >>> tinynorm.save({"model": model.state_dict(), "epoch": 3, "best": (1, 0.5)}, file)
    >>> _ = file.seek(0)
    >>> loaded = tinynorm.load(file)
    >>> model.load_state_dict(loaded["model"])
    <All keys matched successfully>
    >>> loaded["epoch"], loaded["best"]
    (3, (1, 0.5))
    """
    tensors: dict[str, Any] = {}
    document = {"object": pack(obj, "", tensors, "save")}
    notes = {name: note for name, t in tensors.items() if (note := _note(t))}
    metadata = {ENTRY: json.dumps(document | ({"tensors": notes} if notes else {}))}
    if hasattr(f, "write"):
        f.write(as_bytes(tensors, metadata))
    else:
        save_file(tensors, f, metadata)


def _note(t: Any) -> dict[str, Any]:
    """What is to be known of a tensor beside its numbers."""
    device = str(backend.device_of(raw(t)))
    grad = isinstance(t, Tensor) and t.requires_grad
    return ({} if device == "cpu" else {"device": device}) | ({"requires_grad": True} if grad else {})


def load(
    f: str | os.PathLike | BinaryIO,
    map_location: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
) -> Any:
    """Load what `save` saved; of another safetensors file, its tensors by name.

    Parameters
    ----------
    f : str, path or open binary file
    map_location : device, str, dict or function, optional
        The device of the loaded tensors. A dict gives it for each saved device; a function gets the tensor on the CPU and the
        name of the saved device, and returns a tensor. None: the device that a tensor was saved on.
    weights_only, mmap
        Change nothing: no code is ever loaded, and the file is always read whole.

    Raises
    ------
    CheckpointError
        The file is truncated or altered, or it is a pickle file of PyTorch; the message says how to convert it.

    Examples
    --------
    See `save`.
    """
    arrays, metadata = read(f)
    try:
        document = json.loads(metadata.get(ENTRY, "{}"))
        notes = {name: dict(note) for name, note in document.get("tensors", {}).items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise _altered(f) from None
    tensors = {name: _placed(wrap(array), notes.get(name, {}), map_location) for name, array in arrays.items()}
    if ENTRY not in metadata:
        return tensors
    try:
        return unpack(document["object"], tensors)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise _altered(f) from None


def _altered(f: Any) -> CheckpointError:
    return CheckpointError(f"{told(f)} is no file that tinynorm.save wrote, or was altered: use another copy of it")


def _placed(t: Tensor, note: Mapping[str, Any], map_location: Any) -> Tensor:
    """The tensor on the device that it belongs on, and a leaf that requires grad if it did."""
    device = note.get("device", "cpu")
    if callable(map_location):
        t = map_location(t, device)
    else:
        to = map_location.get(device, device) if isinstance(map_location, Mapping) else map_location
        t = t.to(device=device if to is None else to)
    return t.requires_grad_(note.get("requires_grad", False))
