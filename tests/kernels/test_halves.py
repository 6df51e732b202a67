"""Large work is cut in two, with the same numbers on one processor and on two."""

import multiprocessing
import subprocess
import sys
import threading

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.kernels import halves, use
from tinynorm.nn import functional as F

SHAPE = (32, 8, 1024)  # as many numbers as are worth it


@pytest.fixture(autouse=True)
def by_kernels(numba):
    with use("numba"):  # around the threads: each of several would restore what another one had chosen
        yield


def trained(seed=0):
    rng = np.random.default_rng(seed)
    found = []
    for f, n in (
        (lambda x, w, b: F.layer_norm(x, (1024,), w, b), 1024), (lambda x, w, b: F.group_norm(x, 4, w, b), 8),
        (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), 8), (lambda x, w, b: F.instance_norm(x, None, None, w, b), 8),
    ):  # fmt: skip
        x, w, b = (tn.tensor(rng.normal(size=s).astype(np.float32), requires_grad=True) for s in (SHAPE, (n,), (n,)))
        y = f(x, w, b)
        y.backward(tn.tensor(rng.normal(size=SHAPE).astype(np.float32)))
        found += [t.numpy().tobytes() for t in (y.detach(), x.grad, w.grad, b.grad)]
    return found


def test_the_numbers_are_the_same_on_one_processor(monkeypatch):
    monkeypatch.setattr(halves, "processors", lambda: 2)
    two = trained()
    monkeypatch.setattr(halves, "processors", lambda: 1)
    assert trained() == two


@pytest.mark.parametrize("far", [0.0, 1e4])
def test_two_sweeps_through_two_halves_of_the_rows(monkeypatch, far):
    """BatchNorm of (N, C), alone and with a ReLU, as it is and captured. (`far`: the first rows are not like the others.)"""
    rng = np.random.default_rng(0)
    numbers, dy = (rng.normal(size=(2048, 512)).astype(np.float32) for _ in range(2))
    numbers[:40] += np.float32(far)
    x, dy = tn.tensor(numbers, requires_grad=True), tn.tensor(dy)
    exact = (numbers - numbers.astype(float).mean(0)) / np.sqrt(numbers.astype(float).var(0) + 1e-5)
    for relu in (False, True):
        norm = tn.nn.BatchNorm1d(512)
        model = tn.nn.Sequential(norm, tn.nn.ReLU()) if relu else norm
        found = set()
        for step in (step_of(model, x, dy), tn.capture(step_of(model, x, dy))):
            for processors in (2, 1):
                monkeypatch.setattr(halves, "processors", lambda n=processors: n)
                for _ in range(4):
                    with use("numba"):
                        y = step()
                    found.add((y.detach().numpy().tobytes(), *(p.grad.numpy().tobytes() for p in (x, norm.weight, norm.bias))))
        assert step.replays
        assert len(found) == 1
        assert np.abs(y.detach().numpy() - (exact.clip(0) if relu else exact)).max() < 1e-6 * np.abs(exact).max()
        passed = np.where(y.detach().numpy() > 0, dy.numpy(), 0) if relu else dy.numpy()
        np.testing.assert_allclose(norm.bias.grad.numpy(), passed.sum(0, dtype=float), rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(norm.weight.grad.numpy(), (passed * exact).sum(0), rtol=1e-5, atol=1e-4)


def step_of(model, x, dy):
    def step():
        model.zero_grad()
        x.grad = None
        y = model(x)
        y.backward(dy)
        return y

    return step


def test_both_halves_run_at_once(monkeypatch):
    monkeypatch.setattr(halves, "processors", lambda: 2)
    meeting = threading.Barrier(2, timeout=10)  # who comes first waits for the other
    halves.run([meeting.wait, meeting.wait])


def test_an_error_of_either_half_is_raised_after_both_have_ended(monkeypatch):
    monkeypatch.setattr(halves, "processors", lambda: 2)
    ended = []
    for calls in ([lambda: ended.append(1), lambda: 1 / 0], [lambda: 1 / 0, lambda: ended.append(2)]):
        with pytest.raises(ZeroDivisionError):
            halves.run(calls)
    assert ended == [1, 2]
    halves.run([lambda: ended.append(3)] * 2)  # the thread still works
    assert ended == [1, 2, 3, 3]


def test_another_caller_does_both_halves_itself(monkeypatch):
    monkeypatch.setattr(halves, "processors", lambda: 2)
    inner = []
    halves.run([lambda: halves.run([lambda: inner.append(1), lambda: inner.append(2)]), lambda: None])
    assert inner == [1, 2]


def test_several_threads_train_at_once():
    expected = {seed: trained(seed) for seed in range(3)}
    found = {}
    threads = [threading.Thread(target=lambda s=seed: found.update({s: trained(s)})) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def in_a_child(expected, answer):
    answer.put(trained() == expected)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_child_trains_too():
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system does not fork")
    context = multiprocessing.get_context("fork")
    expected, answer = trained(), context.SimpleQueue()
    child = context.Process(target=in_a_child, args=(expected, answer))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert answer.get()


def test_an_interruption_leaves_nothing_behind(monkeypatch):
    """The answer of the interrupted call must not be taken for that of the next one."""
    monkeypatch.setattr(halves, "processors", lambda: 2)
    ended, waiting = [], threading.Event()

    def interrupted():
        raise KeyboardInterrupt

    def slow():
        waiting.wait(0.2)
        ended.append("slow")

    with pytest.raises(KeyboardInterrupt):
        halves.run([interrupted, slow])
    assert ended == ["slow"]
    answer = iter([KeyboardInterrupt, ValueError("of the second half")])

    class Interrupted:
        def get(self):
            if (found := next(answer)) is KeyboardInterrupt:
                raise KeyboardInterrupt
            return found

    with pytest.raises(KeyboardInterrupt):
        halves._waited_for(Interrupted())
    halves.run([lambda: None, slow])
    assert ended == ["slow", "slow"]


def test_where_no_thread_can_be_started_one_does_both(monkeypatch):
    monkeypatch.setattr(halves, "processors", lambda: 2)
    monkeypatch.setattr(halves._State, "helper", None)
    monkeypatch.setattr(halves._State, "alone", False)

    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    found = []
    halves.run([lambda: found.append(1), lambda: found.append(2)])
    assert found == [1, 2]
    assert halves._State.alone


@pytest.mark.long  # two seconds: processes that end
def test_layers_run_while_python_ends():
    code = """
import tinynorm as tn
class Late:
    def __init__(self): self.layer, self.x = tn.nn.LayerNorm(1024), tn.randn(512, 1024)
    def __del__(self): print(self.layer(self.x).shape)
late = Late()
late.layer(late.x)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert ran.stdout == "torch.Size([512, 1024])\n", ran.stderr
