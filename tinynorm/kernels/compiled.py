"""How kernels are compiled: by Numba, at the first call with a dtype, and kept on disk. Only kernels import this file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils, event
from numba.extending import intrinsic

DISABLED = bool(getattr(config, "DISABLE_JIT", False))  # functions would run as Python: far slower than the formulas

# A reduction may add in any order, so that the compiler can keep several partial sums. Nothing else may: (x - hi) - lo would
# become x - (hi + lo), which rounds the lo away.
ANY_ORDER = {"reassoc", "nsz", "contract"}

# From this size on (bytes) an output is written past the cache, in which it would not stay. (Measured: of 24 MiB that takes a
# seventh to a quarter less; of 16 MiB it depends on what else uses the cache; below, it takes longer.)
PAST_CACHE = 20 * 2**20


def in_order(function: Callable) -> Any:
    """Compile a kernel whose operations stay in the order in which they are written."""
    return _compiled(function)


def any_order(function: Callable) -> Any:
    """Compile a kernel whose sums may be added in any order (the same one each time)."""
    return _compiled(function, fastmath=ANY_ORDER)


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


def _copy_past_cache(typing, x, out):
    """Copy x to `out`, whose cache lines are neither read nor kept. Both lie in one piece, `out` at a multiple of 16 bytes.

    It copies pieces of 16 bytes: their number must be whole. (Numba keeps a kernel until the kernel's own file changes: who
    changes this function or PAST_CACHE must change `rows` and `slabs` too.)
    """

    def code(context, builder, signature, args):
        piece = ir.VectorType(ir.IntType(32), 4)
        x_, out_ = (context.make_array(t)(context, builder, a) for t, a in zip(signature.args, args, strict=True))
        source, target = (builder.bitcast(a.data, piece.as_pointer()) for a in (x_, out_))
        pieces = builder.udiv(builder.mul(x_.nitems, x_.itemsize), x_.itemsize.type(16))
        with cgutils.for_range(builder, pieces) as loop:
            value = builder.load(builder.gep(source, [loop.index]), align=4)
            store = builder.store(value, builder.gep(target, [loop.index]), align=16)
            store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        builder.fence("seq_cst")  # whoever reads `out` after this finds it written
        return context.get_dummy_value()

    return types.void(x, out), code


copy_past_cache: Any = intrinsic(_copy_past_cache)


class _Forgiving:
    """A kernel's file on disk. If it is damaged or cannot be written (a full disk), the kernel is compiled in each process.

    Of two programs that compile at the same time, one may write its code into the file of the other's: for other dtypes.
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
        with suppress(Exception):
            self.cache.save_overload(*args)


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
