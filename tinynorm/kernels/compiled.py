"""How kernels are compiled: by Numba, at the first call with a dtype, and kept on disk. Only kernels import this file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from numba import carray as carray
from numba import config, njit, types
from numba.core import event
from numba.extending import intrinsic

try:
    import fcntl
except ImportError:  # Windows has none: there, what two programs compile at the same time is compiled once more
    fcntl = None  # type: ignore[assignment]

DISABLED = bool(getattr(config, "DISABLE_JIT", False))  # functions would run as Python: far slower than the formulas

# A reduction may add in any order, so that the compiler can keep several partial sums. Nothing else may: (x - hi) - lo would
# become x - (hi + lo), which rounds the lo away. ((x - hi) rstd - lo rstd stays, where lo rstd is read from memory.)
ANY_ORDER = {"reassoc", "nsz", "contract"}


def in_order(function: Callable) -> Any:
    """Compile a kernel whose operations stay in the order in which they are written."""
    return _compiled(function)


def part_of(function: Callable) -> Any:
    """Compile a function as `in_order` does, but it becomes part of the kernels that call it.

    To call it would take longer than what it does with a short row: each array is handed over as seven numbers.
    """
    return _compiled(function, forceinline=True)


def any_order(function: Callable) -> Any:
    """Compile a part of kernels whose sums may be added in any order (the same one each time)."""
    return _compiled(function, fastmath=ANY_ORDER, forceinline=True)


def rounded_once(function: Callable) -> Any:
    """Compile a part of kernels as `part_of` does, but a b + c is rounded once where the processor can do it."""
    return _compiled(function, fastmath={"contract"}, forceinline=True)


def _compiled(function: Callable, **options: Any) -> Any:
    options |= {"nogil": True, "error_model": "numpy"}  # other Python threads run; 1 / 0 is inf
    options |= {"no_cfunc_wrapper": True}  # no C program calls a kernel: a tenth less to compile
    try:
        kernel = njit(cache=True, **options)(function)
    except RuntimeError:  # there is no folder that can be written: compile in each process
        return njit(**options)(function)
    if hasattr(kernel, "_cache"):
        kernel._cache = _Forgiving(kernel._cache)
    return kernel


def is_kept(kernel: Any) -> bool:
    """Whether there is a folder on disk for what is compiled."""
    return isinstance(getattr(kernel, "_cache", None), _Forgiving)


def _address(typing, array_id, like):
    """The address of the memory of the NumPy array with this `id`, whose numbers are of the dtype of `like`.

    An array begins with the head that every Python object has; then comes the address.
    """

    def code(context, builder, signature, args):
        there = builder.add(args[0], args[0].type(object.__basicsize__))
        kind = context.get_value_type(signature.return_type)
        return builder.load(builder.inttoptr(there, kind.as_pointer()))

    return types.CPointer(like.dtype)(array_id, like), code


address: Any = intrinsic(_address)


class _Forgiving:
    """A kernel's file on disk. If it is damaged or cannot be written (a full disk), the kernel is compiled in each process.

    Of two programs that kept a kernel at the same time, one would write its code into the file of the other's, for other
    dtypes. So they wait for each other; and where the system cannot do that, such code is not taken.
    """

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cache, name)

    def load_overload(self, wanted: Any, *args: Any) -> Any:
        try:
            found = self.cache.load_overload(wanted, *args)
            return found if found.signature.args == tuple(wanted) else None
        except Exception:
            return None

    def save_overload(self, *args: Any) -> None:
        with suppress(Exception), _alone_in(self.cache.cache_path):
            self.cache.save_overload(*args)


@contextmanager
def _alone_in(folder: str) -> Iterator[None]:
    """No other process is in such a block with this folder meanwhile."""
    if fcntl is None:
        yield
        return
    os.makedirs(folder, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class _Said(event.Listener):
    """Says once that the first compilation takes its time."""

    def on_start(self, begun: Any) -> None:
        kernel = begun.data["dispatcher"]
        module = getattr(kernel.py_func, "__module__", None) or ""  # it may be somebody else's function
        if not self.done and module.startswith("tinynorm."):
            self.done = True
            kept, not_kept = "they are kept for the next time", "to keep them, set NUMBA_CACHE_DIR to a folder of yours"
            then = kept if is_kept(kernel) else not_kept
            print(f"tinynorm: compiling kernels for this machine; {then}", file=sys.stderr)

    def on_end(self, begun: Any) -> None:
        pass

    done = False


event.register("numba:compile", _Said())
