"""The small demos run as a reader runs them, and say what they promise."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import own_layer
import pytest

DEMOS = Path(own_layer.__file__).parent


def run(name):
    done = subprocess.run([sys.executable, DEMOS / name], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_autograd_in_ten_lines_is_ten_lines_and_right():
    tree = ast.parse((DEMOS / "autograd_in_ten_lines.py").read_text())
    code = tree.body[1:]  # past the docstring
    assert len(code) == 10
    assert all(statement.lineno == statement.end_lineno for statement in code)
    assert float(run("autograd_in_ten_lines.py").split()[-1]) < 1e-14


def test_own_layer_is_checked_and_learns():
    out = run("own_layer.py")
    assert out.startswith("backward: right\n")
    assert float(out.split()[-1].rstrip("%")) >= 98


def test_own_layers_check_finds_a_wrong_backward(monkeypatch):
    report = own_layer.check()
    assert report.ok
    assert max(found.worst.error for found in report.inputs) < 1e-8
    right = own_layer.ScaledSoftsign.backward

    def forgets_the_scale(ctx, dy):
        dx, da = right(ctx, dy)
        return dx / ctx.saved_tensors[1], da

    monkeypatch.setattr(own_layer.ScaledSoftsign, "backward", staticmethod(forgets_the_scale))
    report = own_layer.check()
    assert {found.name: found.ok for found in report.inputs} == {"x": False, "a": True}
    assert report.inputs[0].worst.error > 1e-2


@pytest.mark.parametrize("create_graph", [False, True])
def test_own_layer_runs_on_every_device(device, create_graph):
    import tinynorm

    x = tinynorm.tensor([[1.0, -3.0]], device=device, requires_grad=True)
    layer = own_layer.Softsign(2).to(device)
    (dx,) = tinynorm.autograd.grad(layer(x).sum(), x, create_graph=create_graph)
    np.testing.assert_allclose(dx.detach().cpu().numpy(), [[1 / 4, 1 / 16]], rtol=1e-6)
