"""Writing files so that a killed process leaves the old file or the new one, whole."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows has none: what a killed process left there must be deleted by hand
    fcntl = None  # type: ignore[assignment]


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A file to write to, which takes its place at `path` when the block ends without an error.

    It is written beside its place, forced to the disk and renamed over the old file, whose mode and owner it keeps; a link
    keeps pointing at the file. What earlier processes, killed in the middle, left beside it is deleted first.

    Raises
    ------
    OSError
        There is no such folder; or `path` is a folder, a device or a pipe, which is left as it is; or the file cannot be
        written. The old file is as it was then, and nothing else is left.

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
            os.fsync(file.fileno())  # before the rename: else a power cut could leave the new name on an empty file
        os.replace(beside, target)
    except BaseException:  # Ctrl-C too
        beside.unlink(missing_ok=True)
        raise
    finally:
        if lock is not None:
            os.close(lock)
    _sync_folder(target.parent)


def check_regular(path: str | os.PathLike) -> None:
    """Raise OSError where `path` is there and is neither a file nor a folder: a pipe would block, a device never end."""
    with suppress(FileNotFoundError):
        _check_kind(path, os.stat(path).st_mode, stat.S_ISREG, stat.S_ISDIR)


def _check_kind(path: str | os.PathLike, mode: int, *right: object) -> None:
    if not any(is_it(mode) for is_it in right):  # type: ignore[operator]
        kinds = {stat.S_ISDIR: "folder", stat.S_ISFIFO: "pipe (FIFO)", stat.S_ISSOCK: "socket"}
        what = next((name for is_it, name in kinds.items() if is_it(mode)), "device")
        number = errno.EISDIR if what == "folder" else errno.EINVAL
        raise OSError(number, f"Expected a file, got a {what}; it was left as it is", os.fspath(path))


def _target(path: str | os.PathLike) -> tuple[Path, os.stat_result | None]:
    """The file that is to be replaced, behind all links, and what it is; None where there is none yet."""
    old = None
    with suppress(FileNotFoundError):
        old = os.stat(path)
        _check_kind(path, old.st_mode, stat.S_ISREG)
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():  # else the error would name the file beside
        raise FileNotFoundError(errno.ENOENT, "No such folder; make it first", str(target.parent))
    return target, old


# ---- the file beside -------------------------------------------------------------------------------------------------


def _stem(target: Path) -> str:
    """What the names of the files beside begin with: the target's name, or a digest of one that leaves no room for more."""
    name = os.fsencode(target.name)
    return f".{target.name}" if len(name) <= 200 else f".{hashlib.sha256(name).hexdigest()}"


def _create(target: Path, old: os.stat_result | None) -> tuple[Path, int, int | None]:
    """A new file beside the target, in the same folder since a rename is atomic there; and the lock that says it is in use."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    mode = 0o666 if old is None else 0o600  # the copy of a secret is never anybody else's to read
    while True:
        beside = target.with_name(f"{_stem(target)}.{secrets.token_hex(4)}.tmp")
        handle = os.open(beside, flags, mode)
        lock = _lock(handle, wait=True)
        if beside.exists():
            if old is not None:
                _keep_rights(handle, old)
            return beside, handle, lock
        for held in (handle, lock):  # another saver took it for a left one before it was locked
            if held is not None:
                os.close(held)


def _keep_rights(handle: int, old: os.stat_result) -> None:
    if hasattr(os, "fchown"):
        new = os.fstat(handle)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with suppress(OSError):  # only root may give a file away
                os.fchown(handle, old.st_uid, old.st_gid)
        with suppress(OSError):  # some network file systems know no modes
            os.fchmod(handle, stat.S_IMODE(old.st_mode))


def _lock(handle: int, wait: bool) -> int | None:
    """Hold the open file until what comes back is closed; the system lets go of it too when the process dies. None: no lock."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held by another, or a file system without locks
        return None
    return os.dup(handle)  # the lock outlives the file object, which is closed before the rename


def _clear(target: Path) -> None:
    """Delete the files beside `target` that no living process holds."""
    ours = re.compile(re.escape(_stem(target)) + r"\.[0-9a-f]{8}\.tmp")
    with suppress(OSError):  # a folder that may be written but not listed
        for name in os.listdir(target.parent):
            if ours.fullmatch(name):
                _delete_if_left(target.with_name(name))


def _delete_if_left(beside: Path) -> None:
    if fcntl is None or not stat.S_ISREG(beside.lstat().st_mode):
        return
    with suppress(OSError):  # somebody else's, or gone meanwhile
        handle = os.open(beside, os.O_RDWR | os.O_NOFOLLOW)
        try:
            lock = _lock(handle, wait=False)
            if lock is not None:
                beside.unlink(missing_ok=True)
                os.close(lock)
        finally:
            os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Force the rename itself to the disk, where the system lets the folder be opened; the file is in its place already."""
    if hasattr(os, "O_DIRECTORY"):  # Windows opens no folders
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
