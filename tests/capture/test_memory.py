"""The memory of a captured step."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest
from test_zoo import model_of, plain_step

import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.nn import functional as F
from tinynorm.recording import Tape
from tinynorm.recording.array import root
from tinynorm.recording.memory import mapped


@pytest.fixture
def made(monkeypatch):
    """The bytes of each array that a tape made."""
    sizes, of_tape = [], Tape.made

    def counting(self, array):
        sizes.append(np.asarray(array).nbytes)
        return of_tape(self, array)

    monkeypatch.setattr(Tape, "made", counting)
    return sizes


def mse(y, t, c):
    return F.mse_loss(y, t)


def test_what_is_read_for_the_last_time_leaves_its_memory(made):
    """Thirty layers: what lies between two results of backward is not there for all thirty."""
    model = nn.Sequential(*(m for _ in range(30) for m in (nn.Linear(64, 64), nn.Sigmoid(), nn.LayerNorm(64))))
    step = tn.capture(plain_step(model, optim.SGD(model.parameters(), 0.01), mse))
    with tn.kernels.use("numpy"):
        for _ in range(5):
            step(tn.randn(128, 64), tn.randn(128, 64), None)  # copied: what is larger is handed to the calls
    assert step.replays == 2
    (ways,) = step._ways.values()
    (way,) = ways.proved
    used = {}
    mapped(lambda a: used.setdefault(id(root(a)), root(a).nbytes), way.calls)
    assert sum(used.values()) < 0.3 * sum(made)
    assert sum(a.nbytes for a in way.kept.values()) < 0.1 * sum(made)


def test_recording_takes_no_more_memory_than_the_step():
    """Each call, the recorded and the compared one too. (The state of optimiser and parameters is noted beside it.)"""

    def peaks(capture):
        model = nn.Sequential(*(m for _ in range(20) for m in (nn.Linear(32, 32), nn.Sigmoid(), nn.LayerNorm(32))))
        step = capture(plain_step(model, optim.SGD(model.parameters(), 0.01), mse))
        found = []
        for _ in range(5):
            x, t = tn.randn(512, 32), tn.randn(512, 32)
            tracemalloc.start()
            step(x, t, None)
            found.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        return found

    with tn.kernels.use("numpy"):
        assert max(peaks(tn.capture)) < 1.4 * max(peaks(lambda step: step)[1:])


def test_a_captured_step_goes_with_all_its_memory():
    model = model_of(nn.ReLU)
    step = tn.capture(plain_step(model, optim.SGD(model.parameters(), 0.01), mse))
    for _ in range(6):
        step(tn.randn(8, 5), tn.randn(8, 6), None)
    (ways,) = step._ways.values()
    gone = weakref.ref(ways.proved[0].tape)
    del step, ways
    gc.collect()
    assert gone() is None


def test_recording_leaves_no_memory_behind():
    """Of views of views neither."""
    x, w = tn.randn(400, 300), tn.ones(300, 400, requires_grad=True)

    @tn.capture
    def step(x):
        w.grad = None
        y = (x * 2).T.T[:, 1:].T.relu()
        (w[1:] * y).sum().backward()
        return y.mean()

    tracemalloc.start()
    step(x)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    step(x)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert step.reason == ""
    assert after - before < 1.5 * x.nbytes  # the place of its input
