"""Tensors in files: the safetensors format, written so that a killed process leaves the old file or the new one, whole.

The format is the safetensors library's, and so is the code that reads and writes it; there is no pickle, so loading runs
no code from the file. What is added here is the atomic write, and a SHA-256 of the contents, which the format lacks.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from . import backend
from .tensor import Tensor, raw, wrap

DIGEST = "tinynorm.sha256"  # the metadata entry that holds the digest of everything else
DTYPES = {  # the format's names for what both it and NumPy have
    **{f"F{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)},
    **{f"I{bits}": np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"U{bits}": np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)},
    "BOOL": np.dtype("bool"),
}


class CheckpointError(RuntimeError):
    """A file is not what it should be: truncated, altered, of another format, or of another model. Nothing was changed."""


def save_file(tensors: Mapping[str, Any], path: str | os.PathLike, metadata: Mapping[str, str] | None = None) -> None:
    """Write named tensors to a safetensors file, atomically.

    The file is written beside its final place, forced to the disk and then renamed over the old one. Killed at any
    moment, the process leaves the old file or the new one, whole (and perhaps a ``.NAME.*.tmp``, which may be deleted).

    Parameters
    ----------
    tensors : dict of str to Tensor or array
        On any device, of any layout, of float16, 32 or 64, an integer dtype or bool. Memory they share is written for each.
    path : str or path
    metadata : dict of str to str, optional
        Kept beside the tensors. A digest of tensors and metadata is added, and verified by `load_file`.

    Raises
    ------
    TypeError
        A name, a tensor or the metadata is of another type. Nothing is written.
    OSError
        The file cannot be written. The old one is as it was.

    Examples
    --------
    >>> import tempfile, tinynorm
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"w": tinynorm.ones(2)}, f"{folder}/w.safetensors")
    ...     load_file(f"{folder}/w.safetensors")
    {'w': tensor([1., 1.])}
    """
    if not isinstance(tensors, Mapping):
        hint = "; pass its .state_dict()" if hasattr(tensors, "state_dict") else ""
        raise TypeError(f"save_file: expected a mapping from names to tensors, got {type(tensors).__name__}{hint}")
    arrays = {_checked_name(name): _host_array(name, x) for name, x in tensors.items()}
    notes = {_checked_note(key): _checked_note(value) for key, value in (metadata or {}).items()}
    notes[DIGEST] = digest(arrays, notes)
    write_atomically(path, safetensors.numpy.save(arrays, notes))


def load_file(path: str | os.PathLike, device: backend.device | str = "cpu") -> dict[str, Tensor]:
    """The tensors of a safetensors file by name: ours, PyTorch's or anybody's.

    Parameters
    ----------
    path : str or path
    device : device or str
        Where the tensors shall live.

    Returns
    -------
    dict of str to Tensor
        Of their own memory; none requires grad.

    Raises
    ------
    CheckpointError
        The file is truncated, altered (where it has our digest) or in another format, or holds a dtype that NumPy lacks.
    OSError
        There is no such file, or it cannot be read.
    RuntimeError
        The device is not available.

    Examples
    --------
    >>> load_file("missing.safetensors")
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'missing.safetensors'
    """
    backend.namespace_on(device)
    arrays, _ = read(path)
    return {name: wrap(backend.move(array, device)) for name, array in arrays.items()}


def read(path: str | os.PathLike, ours: bool = False) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the metadata of a safetensors file, verified against the digest where there is one.

    Parameters
    ----------
    path : str or path
    ours : bool
        Whether the file must be tinynorm's, and so have a digest.

    Raises
    ------
    CheckpointError
        As `load_file`.
    """
    with open(path, "rb") as file:  # a missing file, a folder or a lack of rights is the system's error, in its words
        start = file.read(2)
    try:
        with safetensors.safe_open(path, framework="np") as file:
            names = list(file.keys())
            for name in names:
                _check_readable(path, name, file.get_slice(name).get_dtype())
            arrays = {name: np.array(file.get_tensor(name)) for name in names}
            metadata = dict(file.metadata() or {})
    except safetensors.SafetensorError as error:
        raise CheckpointError(
            f"{os.fspath(path)} is not a whole safetensors file ({error}); {_advice(start)}. Nothing was changed"
        ) from None
    stored = metadata.pop(DIGEST, None)
    if stored is None and ours:
        raise CheckpointError(
            f"{os.fspath(path)} was not written by tinynorm, or was altered: it has no SHA-256 of its contents. "
            "tinynorm.load_file reads the tensors of such files. Nothing was changed"
        )
    if stored is not None and stored != digest(arrays, metadata):
        raise CheckpointError(
            f"{os.fspath(path)} was altered after it was saved: its contents do not have the SHA-256 that was saved with them. "
            "Use another copy of the file, or save it again. Nothing was changed"
        )
    return arrays, metadata


def digest(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """SHA-256 over the metadata and over each array's name, dtype, shape and bytes; the same in whatever order they come."""
    sha = hashlib.sha256(json.dumps(sorted(metadata.items())).encode())
    for name in sorted(arrays):
        array = arrays[name]
        sha.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        sha.update(array.reshape(-1).view(np.uint8).data)
    return sha.hexdigest()


def write_atomically(path: str | os.PathLike, content: bytes) -> None:
    """Replace the file at `path` by one with this content; killed at any moment, the old file or the new one is there, whole.

    Raises
    ------
    OSError
        The old file is as it was, and nothing else is left.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/a", b"new")
    ...     Path(f"{folder}/a").read_bytes()
    b'new'
    """
    target = Path(os.path.realpath(path))  # a link keeps pointing at the file
    if not target.parent.is_dir():  # else the error would name the file beside
        raise FileNotFoundError(errno.ENOENT, "No such folder; make it first", str(target.parent))
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")  # in the same folder: a rename is atomic there
    try:
        with open(beside, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # before the rename: else a power cut could leave the new name on an empty file
        os.replace(beside, target)
    except BaseException:  # Ctrl-C too
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Force the rename itself to the disk, where the system lets a folder be opened (Windows does not)."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# ---- checks ----------------------------------------------------------------------------------------------------------


def _checked_name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"save_file: expected names that are str, got {name!r} of type {type(name).__name__}")
    if name == "__metadata__":
        raise ValueError("save_file: '__metadata__' is the format's own entry; give the tensor another name")
    return name


def _checked_note(note: Any) -> str:
    if not isinstance(note, str):
        raise TypeError(
            f"save_file: expected metadata of str to str, got {note!r} of type {type(note).__name__}; "
            "use str(...) or json.dumps(...)"
        )
    if note == DIGEST:
        raise ValueError(f"save_file: the metadata entry {DIGEST!r} is written by save_file itself; leave it out")
    return note


def _host_array(name: str, x: Any) -> np.ndarray:
    """On the host, row-major, in the machine's byte order: as the format wants it."""
    array = raw(x)
    if not backend.is_array(array):
        raise TypeError(
            f"save_file: expected a Tensor or array for {name!r}, got {type(x).__name__}; tinynorm.tensor(...) makes one"
        )
    array = backend.to_numpy(array)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype not in DTYPES.values():
        known = ", ".join(map(str, DTYPES.values()))
        raise TypeError(f"save_file: expected one of {known} for {name!r}, got {array.dtype}; convert it with .astype(...)")
    return np.asarray(array, order="C")


def _check_readable(path: Any, name: str, dtype: str) -> None:
    if dtype not in DTYPES:
        raise CheckpointError(
            f"{os.fspath(path)}: {name!r} has dtype {dtype}, which NumPy lacks; convert it where the file was made, "
            "e.g. with PyTorch's .float(), and save it again. Nothing was changed"
        )


def _advice(start: bytes) -> str:
    if start in (b"PK", b"\x80\x02"):
        return "it looks like torch.save's, a pickle: load it in PyTorch and save it with safetensors.torch.save_file"
    return "it was truncated or altered, or is in another format: use another copy of it, or save it again"
