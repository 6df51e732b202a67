"""Memory that is read ahead of its use, or written past the processor's cache.

(Numba keeps a kernel until the kernel's own file changes: who changes this file must change text in `rows` and `slabs` too.)
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .compiled import in_order

# From this size on (bytes) an output is written past the cache, in which it would not stay. (Measured, LayerNorm forward and
# back: outputs of 16 MiB take a tenth to a third less, of 12 MiB a fifth less to a tenth more, of 8 MiB up to a tenth more.)
PAST_CACHE = 12 * 2**20
PIECE = 32  # bytes that are written at once: the most that all processors of today can
LINE = 64  # bytes of a cache line
BYTE = ir.IntType(8)


def _place(context, builder, kind, array, i, k):
    """Where x[i, k] is, of a row-major matrix; and the size of a number."""
    x = context.make_array(kind)(context, builder, array)
    number = builder.add(builder.mul(i, builder.extract_value(x.shape, 1)), k)
    return builder.gep(builder.bitcast(x.data, BYTE.as_pointer()), [builder.mul(number, x.itemsize)]), x.itemsize


def _pieces(builder, numbers, size, piece):
    """How many pieces of so many bytes there are in some numbers."""
    return builder.udiv(builder.mul(numbers, size), size.type(piece))


def _copy_past_cache(typing, x, out, i, start, stop):
    """Copy the first row of x to out[i, start:stop], whose cache lines are neither read nor kept: see `goes_past`."""

    def code(context, builder, signature, args):
        x_, out_, i_, first, after = args
        piece, zero = ir.VectorType(BYTE, PIECE), i_.type(0)
        source, _ = _place(context, builder, signature.args[0], x_, zero, zero)
        target, size = _place(context, builder, signature.args[1], out_, i_, first)
        source, target = (builder.bitcast(a, piece.as_pointer()) for a in (source, target))
        with cgutils.for_range(builder, _pieces(builder, builder.sub(after, first), size, PIECE)) as loop:
            value = builder.load(builder.gep(source, [loop.index]), align=4)
            store = builder.store(value, builder.gep(target, [loop.index]), align=PIECE)
            store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return types.void(x, out, types.intp, types.intp, types.intp), code


def _all_written(typing):
    """Wait until what was copied past the cache is there for all to read."""

    def code(context, builder, signature, args):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), code


def _prefetch(typing, x, i, start, stop):
    """Ask for x[i, start:stop], which is read soon. The processor does so by itself within a page of memory, but not beyond."""

    def code(context, builder, signature, args):
        flag, line = ir.IntType(32), ir.ArrayType(BYTE, LINE).as_pointer()
        x_, i_, first, after = args
        place, size = _place(context, builder, signature.args[0], x_, i_, first)
        kind = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), flag, flag, flag])
        ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        with cgutils.for_range(builder, _pieces(builder, builder.sub(after, first), size, LINE)) as loop:
            there = builder.gep(builder.bitcast(place, line), [loop.index])
            builder.call(ask, [builder.bitcast(there, BYTE.as_pointer()), flag(0), flag(2), flag(1)])  # to read, into L2, data
        return context.get_dummy_value()

    return types.void(x, types.intp, types.intp, types.intp), code


copy_past_cache: Any = intrinsic(_copy_past_cache)
all_written: Any = intrinsic(_all_written)
prefetch: Any = intrinsic(_prefetch)


@in_order
def goes_past(y):
    """Whether rows of y are written past the cache: it is large, and each of them is whole pieces."""
    return y.size * y.itemsize >= PAST_CACHE and y.shape[1] * y.itemsize % PIECE == 0 and y.ctypes.data % PIECE == 0
