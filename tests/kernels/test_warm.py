"""`tinynorm warm` compiles all that a training step calls: no program waits for a compilation after it."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.command.kernels import FAMILIES, _call
from tinynorm.kernels import select
from tinynorm.nn import functional as F


def compiled():
    kernels = {(family, name): f for family in FAMILIES for name, f in vars(select.family(family)).items()}
    return {key: list(f.signatures) for key, f in kernels.items() if hasattr(f, "signatures")}


def train(make, dtype):
    model = nn.Sequential(nn.Linear(40, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.LayerNorm(64))
    model.extend([nn.GELU(), nn.GroupNorm(4, 64), nn.RMSNorm(64), nn.ReLU(), nn.Linear(64, 30)]).to(dtype)
    optimizer = make(model.parameters())
    x, y = tn.randn(32, 40, dtype=dtype), tn.arange(32) % 30

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

    captured = tn.capture(step)
    for _ in range(4):
        captured()
    assert captured.replays == 1, captured.reason


def images(dtype):
    x = tn.randn(4, 6, 5, 5, dtype=dtype, requires_grad=True)
    for layer in (nn.BatchNorm2d(6), nn.InstanceNorm2d(6, affine=True), nn.GroupNorm(2, 6)):
        F.relu(layer.to(dtype)(x)).sum().backward()
        layer.eval()(x).sum().backward()
    nn.BatchNorm1d(5).to(dtype).eval()(x[:, 0, 0]).sum().backward()
    nn.BatchNorm1d(64).to(dtype)(tn.ones(2**14, 64, dtype=dtype, requires_grad=True)).sum().backward()  # for two threads


for family in FAMILIES:  # shared out among processes: none compiles what another one has
    before = compiled()
    _call(family)
    assert {key[0] for key, signatures in compiled().items() if signatures != before[key]} == {family}
before = compiled()
for dtype in (tn.float32, tn.float64):
    for make in (lambda p: optim.SGD(p, 0.1), lambda p: optim.SGD(p, 0.1, momentum=0.9), optim.Adam, optim.AdamW):
        train(make, dtype)
    images(dtype)
after = compiled()
print({key: [s for s in after[key] if s not in before[key]] for key in after if after[key] != before[key]})
"""


def python(*arguments, **variables):
    return subprocess.run([sys.executable, *arguments], env=os.environ | variables, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("numba")
def test_after_warm_a_training_step_compiles_nothing():
    run = python("-c", PROGRAM, TINYNORM_KERNELS="numba")
    assert run.stdout == "{}\n", run.stdout + run.stderr


@pytest.mark.long  # a second: a process that collects them
@pytest.mark.usefixtures("numba")
def test_no_test_of_kernels_is_skipped_where_numba_is():
    run = python("-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", __file__, TINYNORM_WITHOUT_NUMBA="1")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "TINYNORM_WITHOUT_NUMBA=1, and Numba is installed" in run.stderr
