"""A forward that rounds to float32 inside, though its inputs are float64: a right backward is never wrong, a wrong one is."""

import numpy as np
import pytest
from helpers import examples, some

import tinynorm as tn
from tinynorm.autograd import grad
from tinynorm.gradcheck import check_backward
from tinynorm.nn import functional as F

SINGLE, DOUBLE = np.float32, np.float64


def attention(q, k, v):
    return F.softmax(q @ k.transpose(-1, -2) / 3**0.5, dim=-1) @ v


def lstm(x, h, c, wx, wh, b):
    i, f, o, g = ((x @ wx + h @ wh + b)[:, 3 * k : 3 * k + 3] for k in range(4))
    return o.sigmoid() * (f.sigmoid() * c + i.sigmoid() * g.tanh()).tanh()


LAYERS = {
    "cross_entropy": (lambda x: F.cross_entropy(x, tn.tensor(np.arange(7) % 5)), [(7, 5)]),
    "linear": (F.linear, [(5, 7), (4, 7), (4,)]),
    "relu": (F.relu, [(6, 8)]),
    "gelu": (F.gelu, [(6, 7)]),
    "batch_norm": (lambda x, g, b: F.batch_norm(x, None, None, g, b, True), [(8, 5), (5,), (5,)]),
    "layer_norm": (lambda x, g, b: F.layer_norm(x, (6,), g, b), [(4, 6), (6,), (6,)]),
    "instance_norm": (F.instance_norm, [(2, 3, 7)]),
    "rms_norm": (lambda x, g: F.rms_norm(x, (6,), g, 1e-5), [(4, 6), (6,)]),
    "group_norm": (lambda x, g, b: F.group_norm(x, 2, g, b), [(3, 4, 5), (4,), (4,)]),
    "softmax": (lambda x: F.softmax(x, dim=-1), [(5, 6)]),
    "conv": (lambda x, w, b: F.conv2d(x, w, b, padding=1), [(2, 2, 3, 4), (2, 2, 3, 3), (2,)]),
    "max_pool": (lambda x: F.max_pool2d(x, 2), [(2, 2, 4, 6)]),
    "avg_pool": (lambda x: F.avg_pool2d(x, 2), [(2, 2, 4, 6)]),
    "attention": (attention, [(2, 4, 3), (2, 5, 3), (2, 5, 4)]),
    "lstm": (lstm, [(3, 4), (3, 3), (3, 3), (4, 12), (3, 12), (12,)]),
}
# What is in float32: (the inputs that are rounded, the dtype of the computation, whether the output is rounded)
WHERE = [(None, SINGLE, False), (0, DOUBLE, True), (None, DOUBLE, False), (1, DOUBLE, False)]


def run(layer, inputs, dtype):
    tensors = [tn.tensor(x.astype(dtype), requires_grad=True) for x in inputs]
    return layer(*tensors), tensors


def pair(layer, where, dtype):
    """A forward that rounds, and the gradients of the layer in float64, or in float32 handed back as float64."""
    rounded, inside, at_end = where

    def forward(*inputs):
        y = run(layer, [x.astype(SINGLE) for x in inputs[:rounded]] + list(inputs[len(inputs[:rounded]) :]), inside)[0]
        y = y.detach().numpy()
        return (y.astype(SINGLE) if at_end else y).astype(DOUBLE), inputs

    def backward(dy, inputs):
        y, tensors = run(layer, inputs, dtype)
        return tuple(g.detach().numpy().astype(DOUBLE) for g in grad([y], tensors, [tn.tensor(np.asarray(dy, dtype))]))

    return forward, backward


def drawn(shapes, seed):
    rng = np.random.default_rng(seed)
    return [x * 10.0 ** rng.uniform(-1, 1) for x in [rng.standard_normal(shape) for shape in shapes]]


@pytest.mark.parametrize("name", some(LAYERS, 8))
@examples(1, 30)
def test_a_right_backward_is_never_wrong(name, examples):
    layer, shapes = LAYERS[name]
    for seed in range(6, 6 + examples):
        forward, backward = pair(layer, WHERE[seed % 4], DOUBLE if seed // 5 % 2 == 0 else SINGLE)
        report = check_backward(forward, backward, drawn(shapes, seed), seed=seed)
        assert report.ok is not False, (seed, str(report))


@pytest.mark.parametrize("name", some(LAYERS, 8))
@examples(1, 12)
def test_a_wrong_one_is_wrong(name, examples):
    layer, shapes = LAYERS[name]
    for seed in range(examples):
        forward, backward = pair(layer, WHERE[seed % 4], DOUBLE)
        which = seed % len(shapes)

        def mistaken(dy, inputs, right=backward, which=which):
            return tuple(g * 1.5 if k == which else g for k, g in enumerate(right(dy, inputs)))

        report = check_backward(forward, mistaken, drawn(shapes, seed), seed=seed)
        assert report.inputs[which].ok is False, (seed, str(report))
