"""Save tensors in safetensors files, and load them.

The safetensors library reads and writes the format. The format does not use pickle, so loading runs no code from the file. This
module adds two things: the write is atomic (a killed process leaves the old file or the new one, complete), and the file has a
SHA-256 of its contents.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from operator import index
from typing import Any, BinaryIO

import numpy as np
import safetensors
import safetensors.numpy

from . import backend
from .files import check_regular, replacing
from .tensor import Tensor, raw, wrap

DIGEST = "tinynorm.sha256"  # the metadata entry that holds the digest of everything else
LONGEST_HEADER = 100_000_000  # bytes; the safetensors library refuses files with a longer header
DTYPES = {  # the format's names of the dtypes that tinynorm supports
    **{f"F{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)},
    **{f"I{bits}": np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"U{bits}": np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)},
    "BOOL": np.dtype("bool"),
}


class CheckpointError(RuntimeError):
    """A file is truncated or altered, has another format, or belongs to another model. Nothing was changed."""


def save_file(tensors: Mapping[str, Any], path: str | os.PathLike, metadata: Mapping[str, str] | None = None) -> None:
    """Write named tensors to a safetensors file, atomically.

    The function writes a temporary file in the same folder, forces it to the disk and renames it over the old file. The new
    file keeps the mode of the old one. If the process is killed, either the old file or the new one is there, complete. A
    temporary file ``.NAME.*.tmp`` may remain; the next save deletes it. A symbolic link still points to the file afterwards.
    A device or a pipe as `path` is an error.

    Parameters
    ----------
    tensors : dict of str to Tensor or array
        Tensors on any device, with any memory layout. The dtype is float16, float32, float64, an integer dtype or bool.
        Memory that several tensors share is written once for each tensor.
    path : str or path
    metadata : dict of str to str, optional
        Text to store with the tensors. The function adds a digest of the tensors and metadata, which `load_file` verifies.

    Raises
    ------
    TypeError, ValueError
        A name, a tensor or the metadata has a wrong type or is too long. Nothing is written.
    OSError
        The file cannot be written. The old file is unchanged.

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
    content = as_bytes(tensors, metadata)
    with replacing(path) as file:
        file.write(content)


def as_bytes(tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """What `save_file` writes."""
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
    return content


def load_file(path: str | os.PathLike, device: backend.device | str = "cpu") -> dict[str, Tensor]:
    """Load the tensors of a safetensors file by name. The file may come from tinynorm, PyTorch or another program.

    Parameters
    ----------
    path : str or path
    device : device or str
        The device of the loaded tensors.

    Returns
    -------
    dict of str to Tensor
        Tensors with their own memory. None of them requires grad.

    Raises
    ------
    CheckpointError
        The file is truncated, altered (if tinynorm's digest is in it) or in another format; or tinynorm lacks one of its
        dtypes.
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


def read(path: str | os.PathLike | BinaryIO, ours: bool = False) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read the arrays and the metadata of a safetensors file, and verify the digest if there is one.

    Parameters
    ----------
    path : str, path or open binary file
    ours : bool
        Whether the file must come from tinynorm and therefore must have a digest.

    Raises
    ------
    CheckpointError
        As for `load_file`.
    """
    content, metadata = _content(path)
    try:
        entries = safetensors.deserialize(content)
    except safetensors.SafetensorError as error:
        raise _not_whole(path, error, content) from None
    del content  # free the memory: each entry is a copy
    arrays = {name: _array(path, name, **entry) for name, entry in sorted(entries, key=lambda item: item[0])}
    stored = metadata.pop(DIGEST, None)
    if stored is None and ours:
        raise CheckpointError(
            f"{told(path)} was not written by tinynorm, or was altered: it has no SHA-256 of its contents. "
            "tinynorm.load_file reads the tensors of such files. Nothing was changed"
        )
    if stored is not None and not (len(stored) == 64 and set(stored) <= set("0123456789abcdef")):
        raise CheckpointError(
            f"{told(path)} was altered after it was saved, or not written by tinynorm: expected a SHA-256 of its contents "
            f"(64 hexadecimal digits), got {stored[:80]!r}. Use another copy of the file, or save it again. Nothing was changed"
        )
    if stored is not None and stored != digest(arrays, metadata):
        raise CheckpointError(
            f"{told(path)} was altered after it was saved: its contents do not have the SHA-256 that was saved with them. "
            "Use another copy of the file, or save it again. Nothing was changed"
        )
    return arrays, metadata


def told(path: Any) -> str:
    """The name of a file, for an error."""
    return "the file object" if hasattr(path, "read") else os.fspath(path)


def _content(path: str | os.PathLike | BinaryIO) -> tuple[bytes, dict[str, str]]:
    """The file's bytes and its metadata.

    The file is read, not mapped into memory: if another program truncates a mapped file, the process is killed. The function
    compares the file's length with its header first, so it does not read a large file of another format.
    """
    if not hasattr(path, "read"):
        check_regular(path)  # for a missing file, a folder or missing rights, the system's error is raised unchanged
    with io.BytesIO(path.read()) if hasattr(path, "read") else open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        start = file.read(8)
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
            size = len(content)  # another program may have truncated the file just now
        if size != expected:
            raise _not_whole(path, f"its header says {expected} bytes, it has {size}", start)
    return content, metadata


def _array(path: Any, name: str, data: bytearray, dtype: str, shape: list[int]) -> np.ndarray:
    if dtype not in DTYPES:
        raise CheckpointError(
            f"{told(path)}: {name!r} has dtype {dtype}, which tinynorm lacks; convert it where the file was made, "
            "e.g. with PyTorch's .float(), and save it again. Nothing was changed"
        )
    try:
        array = np.frombuffer(data, DTYPES[dtype].newbyteorder("<")).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise CheckpointError(
            f"{told(path)}: {name!r} has {len(shape)} dimensions of {str(shape)[:80]}, which NumPy cannot hold ({error}); "
            "reshape it where the file was made. Nothing was changed"
        ) from None
    return array.astype(DTYPES[dtype], copy=False)


def _not_whole(path: Any, why: Any, start: bytes) -> CheckpointError:
    if start[:2] in (b"PK", b"\x80\x02"):
        name = "model.pt" if hasattr(path, "read") else os.fspath(path)
        return CheckpointError(
            f"{told(path)} is not a whole safetensors file; it looks like torch.save's, a pickle, which can run code when it "
            "is read. Nothing was changed. Convert it where PyTorch is installed:\n"
            f"    import tinynorm, torch\n    tinynorm.save(torch.load({name!r}, weights_only=True), 'converted.safetensors')"
        )
    return CheckpointError(
        f"{told(path)} is not a whole safetensors file ({why}); it was truncated or altered, or is in "
        "another format: use another copy of it, or save it again. Nothing was changed"
    )


def digest(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """SHA-256 of the metadata and of each array's name, dtype, shape and bytes. It does not depend on their order."""
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
    """Convert to the array that the format needs: on the host, row-major, in the machine's byte order."""
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
