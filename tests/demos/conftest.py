"""The demos are scripts that find each other in their folder; tests import them the same way, and run them on one thread."""

import os
import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

DEMOS = Path(__file__).parents[2] / "demos"
sys.path.insert(0, str(DEMOS))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Small matrix products gain nothing from a second thread, and lose much where tests run side by side."""
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        monkeypatch.setitem(os.environ, name, "1")
    with threadpool_limits(1):
        yield
