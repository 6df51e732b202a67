"""Tensors in files: the safetensors format, written so that a killed process leaves the old file or the new one, whole.

The format is the safetensors library's, and so is the code that reads and writes it; there is no pickle, so loading runs
no code from the file. What is added here is the atomic write, and a SHA-256 of the contents, which the format lacks.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from operator import index
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from . import backend
from .files import check_regular, replacing
from .tensor import Tensor, raw, wrap

DIGEST = "tinynorm.sha256"  # the metadata entry that holds the digest of everything else
LONGEST_HEADER = 100_000_000  # bytes; the safetensors library reads no file with a longer one
DTYPES = {  # the format's names for what both it and tinynorm have
    **{f"F{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)},
    **{f"I{bits}": np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"U{bits}": np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)},
    "BOOL": np.dtype("bool"),
}


class CheckpointError(RuntimeError):
    """A file is not what it should be: truncated, altered, of another format, or of another model. Nothing was changed."""


def save_file(tensors: Mapping[str, Any], path: str | os.PathLike, metadata: Mapping[str, str] | None = None) -> None:
    """Write named tensors to a safetensors file, atomically.

    The file is written beside its final place, forced to the disk and then renamed over the old one, whose mode it keeps.
    Killed at any moment, the process leaves the old file or the new one, whole (and perhaps a ``.NAME.*.tmp``, which the next
    save deletes). A link keeps pointing at the file; a device or a pipe is refused.

    Parameters
    ----------
    tensors : dict of str to Tensor or array
        On any device, of any layout, of float16, 32 or 64, an integer dtype or bool. Memory they share is written for each.
    path : str or path
    metadata : dict of str to str, optional
        Kept beside the tensors. A digest of tensors and metadata is added, and verified by `load_file`.

    Raises
    ------
    TypeError, ValueError
        A name, a tensor or the metadata is of another type, or too long. Nothing is written.
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
    content = safetensors.numpy.save(arrays, notes)
    header = int.from_bytes(content[:8], "little")
    if header > LONGEST_HEADER:
        raise ValueError(
            f"save_file: expected names and metadata of at most {LONGEST_HEADER:,} bytes together, got {header:,}; no program "
            "would read the file. Save large numbers as arrays"
        )
    with replacing(path) as file:
        file.write(content)


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
        The file is truncated, altered (where it has our digest) or in another format, or holds a dtype that tinynorm lacks.
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
    content, metadata = _content(path)
    try:
        entries = safetensors.deserialize(content)
    except safetensors.SafetensorError as error:
        raise _not_whole(path, error, content) from None
    del content  # each entry is a copy
    arrays = {name: _array(path, name, **entry) for name, entry in sorted(entries, key=lambda item: item[0])}
    stored = metadata.pop(DIGEST, None)
    if stored is None and ours:
        raise CheckpointError(
            f"{os.fspath(path)} was not written by tinynorm, or was altered: it has no SHA-256 of its contents. "
            "tinynorm.load_file reads the tensors of such files. Nothing was changed"
        )
    if stored is not None and not (len(stored) == 64 and set(stored) <= set("0123456789abcdef")):
        raise CheckpointError(
            f"{os.fspath(path)} was altered after it was saved, or not written by tinynorm: expected a SHA-256 of its contents "
            f"(64 hexadecimal digits), got {stored[:80]!r}. Use another copy of the file, or save it again. Nothing was changed"
        )
    if stored is not None and stored != digest(arrays, metadata):
        raise CheckpointError(
            f"{os.fspath(path)} was altered after it was saved: its contents do not have the SHA-256 that was saved with them. "
            "Use another copy of the file, or save it again. Nothing was changed"
        )
    return arrays, metadata


def _content(path: str | os.PathLike) -> tuple[bytes, dict[str, str]]:
    """The file's bytes and its metadata.

    Read, not mapped into memory: a mapped file that somebody truncates meanwhile kills the process. And not before the header
    says that it is as long as it is: a large file of another kind is not read at all.
    """
    check_regular(path)
    with open(path, "rb") as file:  # a missing file, a folder or a lack of rights is the system's error, in its words
        size, start = os.fstat(file.fileno()).st_size, file.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > min(size - 8, LONGEST_HEADER):
            raise _not_whole(path, "its header is longer than the file", start)
        try:
            header = json.loads(file.read(length))
            ends = [index(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
            expected, metadata = 8 + length + max(ends, default=0), dict(header.get("__metadata__") or {})
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            raise _not_whole(path, "its header is no table of tensors", start) from None
        if size == expected:
            file.seek(0)
            content = file.read(expected)
            size = len(content)  # it may have been truncated in this moment
        if size != expected:
            raise _not_whole(path, f"its header says {expected} bytes, it has {size}", start)
    return content, metadata


def _array(path: Any, name: str, data: bytearray, dtype: str, shape: list[int]) -> np.ndarray:
    if dtype not in DTYPES:
        raise CheckpointError(
            f"{os.fspath(path)}: {name!r} has dtype {dtype}, which tinynorm lacks; convert it where the file was made, "
            "e.g. with PyTorch's .float(), and save it again. Nothing was changed"
        )
    try:
        array = np.frombuffer(data, DTYPES[dtype].newbyteorder("<")).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise CheckpointError(
            f"{os.fspath(path)}: {name!r} has {len(shape)} dimensions of {str(shape)[:80]}, which NumPy cannot hold ({error}); "
            "reshape it where the file was made. Nothing was changed"
        ) from None
    return array.astype(DTYPES[dtype], copy=False)


def _not_whole(path: Any, why: Any, start: bytes) -> CheckpointError:
    return CheckpointError(f"{os.fspath(path)} is not a whole safetensors file ({why}); {_advice(start)}. Nothing was changed")


def digest(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """SHA-256 over the metadata and over each array's name, dtype, shape and bytes; the same in whatever order they come."""
    sha = hashlib.sha256(json.dumps(sorted(metadata.items())).encode())
    for name in sorted(arrays):
        array = arrays[name]
        sha.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        sha.update(array.reshape(-1).view(np.uint8).data)
    return sha.hexdigest()


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
    try:
        array = backend.to_numpy(backend.plain(array))
    except TypeError as error:
        raise TypeError(f"save_file: {name!r}: {error}") from None
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype not in DTYPES.values():
        known = ", ".join(map(str, DTYPES.values()))
        raise TypeError(f"save_file: expected one of {known} for {name!r}, got {array.dtype}; convert it with .astype(...)")
    return np.asarray(array, order="C")


def _advice(start: bytes) -> str:
    if start[:2] in (b"PK", b"\x80\x02"):
        return "it looks like torch.save's, a pickle: load it in PyTorch and save it with safetensors.torch.save_file"
    return "it was truncated or altered, or is in another format: use another copy of it, or save it again"
