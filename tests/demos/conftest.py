"""The demos are scripts that find each other in their folder; tests import them the same way, and run them on one thread."""

import os
import struct
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


def events(log_dir):
    """(step, tag, value) of each scalar in TensorBoard's event files: records of a length, its checksum, data, checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(Path(log_dir).iterdir()):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            event = Event.FromString(content[12 : 12 + length])
            found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
            content = content[16 + length :]
    return found
