"""Every op and its derivatives on CuPy's arrays against NumPy's: on a stand-in, and on a GPU where there is one."""

import numpy as np
import pytest
import test_gradients
from helpers import cotangents, floating, outputs_of

import tinynorm as tn


def run(op, arrays, device):
    """The outputs, their gradients and the gradients of those, where there are any; on the CPU."""
    xs = [tn.tensor(a, requires_grad=a.dtype.kind == "f", device=device) for a in arrays]
    targets = [xs[i] for i in floating(arrays)]
    found = [outputs_of(op(*xs))]
    for _ in range(2):
        live = [y for y in found[-1] if y.requires_grad]
        if live:
            directions = [v.to(device) for v in cotangents(live)]
            gs = tn.autograd.grad(live, targets, directions, create_graph=True, allow_unused=True)
            found.append([g for g in gs if g is not None])
    assert all(y.device == tn.device(device, 0 if device == "cuda" else None) for ys in found for y in ys)
    return [y.detach().cpu().numpy() for ys in found for y in ys]


@pytest.mark.parametrize("name", test_gradients.ALL)
def test_an_op_and_its_derivatives_stay_on_the_gpu_and_agree_with_numpys(name, gpu, monkeypatch):
    _, op, arrays = test_gradients.ALL[name]
    expected = run(op, arrays, "cpu")
    for constant in test_gradients.CONSTANTS:
        monkeypatch.setattr(test_gradients, constant, getattr(test_gradients, constant).to("cuda"))
    for a, b in zip(run(op, arrays, "cuda"), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)
