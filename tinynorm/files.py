"""Atomic writing of files: if the process is killed, either the old file or the new one is there, complete."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows has no fcntl: there, users must delete the files that a killed process left
    fcntl = None  # type: ignore[assignment]


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Open a temporary file for writing, which replaces the file at `path` if the block ends without an error.

    The temporary file is in the same folder. It is forced to the disk and renamed over the old file, and it gets the old file's
    mode and owner. A symbolic link still points to the file afterwards. First, temporary files that killed processes left are
    deleted.

    Raises
    ------
    OSError
        The folder does not exist; or `path` is a folder, a device or a pipe; or the file cannot be written. Whatever was at
        `path` is then unchanged, and no temporary file is left.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/a") as file:
    ...         _ = file.write(b"new")
    ...     Path(f"{folder}/a").read_bytes()
    b'new'
    """
    target, old = _target(path)
    _clear(target)
    beside, handle, lock = _create(target, old)
    try:
        with open(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # before the rename: otherwise a power cut could leave an empty file at `path`
        os.replace(beside, target)
    except BaseException:  # Ctrl-C too
        beside.unlink(missing_ok=True)
        raise
    finally:
        if lock is not None:
            os.close(lock)
    _sync_folder(target.parent)


def check_regular(path: str | os.PathLike) -> None:
    """Raise OSError if `path` exists but is neither a file nor a folder. Reading a pipe may block; a device may never end."""
    with suppress(FileNotFoundError):
        _check_kind(path, os.stat(path).st_mode, stat.S_ISREG, stat.S_ISDIR)


def _check_kind(path: str | os.PathLike, mode: int, *right: object) -> None:
    if not any(is_it(mode) for is_it in right):  # type: ignore[operator]
        kinds = {stat.S_ISDIR: "folder", stat.S_ISFIFO: "pipe (FIFO)", stat.S_ISSOCK: "socket"}
        what = next((name for is_it, name in kinds.items() if is_it(mode)), "device")
        number = errno.EISDIR if what == "folder" else errno.EINVAL
        raise OSError(number, f"Expected a file, got a {what}; it was left as it is", os.fspath(path))


def _target(path: str | os.PathLike) -> tuple[Path, os.stat_result | None]:
    """The path of the file to replace, with all links resolved, and its stat result; None if the file does not exist yet."""
    old = None
    with suppress(FileNotFoundError):
        old = os.stat(path)
        _check_kind(path, old.st_mode, stat.S_ISREG)
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():  # otherwise the error would name the temporary file
        raise FileNotFoundError(errno.ENOENT, "No such folder; make it first", str(target.parent))
    return target, old


# ---- the temporary file ------------------------------------------------------------------------------------------------


def _stem(target: Path) -> str:
    """The start of the temporary files' names: the target's name, or a digest of it if the name is too long to extend."""
    name = os.fsencode(target.name)
    return f".{target.name}" if len(name) <= 200 else f".{hashlib.sha256(name).hexdigest()}"


def _create(target: Path, old: os.stat_result | None) -> tuple[Path, int, int | None]:
    """Create a temporary file in the target's folder, where a rename is atomic. Return it with a lock that marks it as used."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    mode = 0o666 if old is None else 0o600  # while it is written, only the owner may read the copy of an existing file
    while True:
        beside = target.with_name(f"{_stem(target)}.{os.urandom(4).hex()}.tmp")
        handle = os.open(beside, flags, mode)
        lock = _lock(handle, wait=True)
        if beside.exists():
            if old is not None:
                _keep_rights(handle, old)
            return beside, handle, lock
        for held in (handle, lock):  # another process deleted it as a leftover before it was locked
            if held is not None:
                os.close(held)


def _keep_rights(handle: int, old: os.stat_result) -> None:
    if hasattr(os, "fchown"):
        new = os.fstat(handle)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with suppress(OSError):  # only root may change the owner of a file
                os.fchown(handle, old.st_uid, old.st_gid)
        with suppress(OSError):  # some network file systems have no modes
            os.fchmod(handle, stat.S_IMODE(old.st_mode))


def _lock(handle: int, wait: bool) -> int | None:
    """Lock the open file and return a handle. The lock ends when the handle is closed or the process dies. None: no lock."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # another process holds it, or the file system has no locks
        return None
    return os.dup(handle)  # the file object is closed before the rename; this handle keeps the lock


def _clear(target: Path) -> None:
    """Delete the temporary files of `target` that no running process has locked."""
    ours = re.compile(re.escape(_stem(target)) + r"\.[0-9a-f]{8}\.tmp")
    with suppress(OSError):  # the folder may be writeable but not readable
        for name in os.listdir(target.parent):
            if ours.fullmatch(name):
                _delete_if_left(target.with_name(name))


def _delete_if_left(beside: Path) -> None:
    if fcntl is None or not stat.S_ISREG(beside.lstat().st_mode):
        return
    with suppress(OSError):  # the file belongs to another user, or was deleted in the meantime
        handle = os.open(beside, os.O_RDWR | os.O_NOFOLLOW)
        try:
            lock = _lock(handle, wait=False)
            if lock is not None:
                beside.unlink(missing_ok=True)
                os.close(lock)
        finally:
            os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Force the rename to the disk, if the system can open a folder. Errors are ignored: the file is already in its place."""
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot open folders
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
