"""What is written past the cache is there, where it was meant to be, and nowhere else."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")
from tinynorm.kernels import streams  # noqa: E402 (it needs Numba)


@numba.njit
def copied(x, out, i, start, stop):
    streams.prefetch(out, i, start, stop)
    streams.copy_past_cache(x, out, i, start, stop)
    streams.all_written()


@numba.njit
def goes_past(y):
    return streams.goes_past(y)


def pages(shape, dtype, before=0):
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 2**13, np.uint8)
    start = -memory.ctypes.data % 2**12 + before
    return memory[start : start + size].view(dtype).reshape(shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("start", "stop"), [(0, 32), (8, 24), (24, 32), (16, 16)])
def test_a_part_of_a_row_is_copied(dtype, start, stop):
    out, x = pages((3, 32), dtype), np.arange(1, 33, dtype=dtype)[None]
    expected = out.copy()
    expected[1, start:stop] = x[0, : stop - start]
    copied(x, out, 1, start, stop)
    assert np.array_equal(out, expected)


def test_what_goes_past_is_large_and_made_of_whole_pieces():
    rows = streams.PAST_CACHE // 4096
    assert goes_past(pages((rows, 1024), np.float32))
    assert not goes_past(pages((rows - 1, 1024), np.float32))
    assert not goes_past(pages((rows, 1025), np.float32))
    assert not goes_past(pages((rows, 1024), np.float32, before=16))
