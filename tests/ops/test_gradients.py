"""Every op's hand-derived backward against central differences in float64; and the backward of the backward likewise."""

import inspect

import numpy as np
import pytest
from helpers import check_first, check_second, outputs_of, some

import tinynorm as tn
from tinynorm import ops
from tinynorm.autograd import Node
from tinynorm.nn import functional as F
from tinynorm.ops.recurrent import Steps, gru_gates, lstm_gates


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def positive(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).uniform(0.5, 2.0, shape)


def apart(*shape, seed=0):
    """Numbers no two of which are near each other, and none near 0: no kink is near."""
    n = int(np.prod(shape))
    return (np.random.default_rng(seed).permutation(n) - n / 2 + 0.25).reshape(shape) * 0.3


MASK = tn.tensor([[True, False, True], [False, False, True]])
ROWS, COLUMNS = tn.tensor([2, 0, 2]), tn.tensor([[1, 1], [0, 2]])
DIVISORS = np.array([0.7, -1.1, 1.3])
QUOTIENTS = np.array([[1.4, -2.3, 3.6], [-4.5, 5.5, 0.4]])  # far from where a remainder jumps
x23, x34, x3 = normal(2, 3), normal(3, 4), normal(3)


def set_item(x, v):
    y = x * 1.0
    y[1:] = v
    return y


def set_items(x, v):
    y = x * 1.0
    y[[0, 2]] = v
    return y


def fill(x):
    y = x * 1.0
    y[0] = 7.0
    y.add_(x).mul_(x)
    return y


def change_a_view(x, v):
    y = x * 1.0
    y.T[1:3, ::2].mul_(v)
    y.reshape(-1)[:5] += v[0]
    return y


def change_the_diagonal(x, v):
    y = x * 1.0
    y.diagonal().mul_(v)
    y[:, 1:].diagonal().add_(x[0, 0])
    return y


def change_shapes(x, v):
    y = x * 1.0
    row = y[1]
    y.t_()
    row.mul_(x[0])
    y.unsqueeze_(1)[::2].mul_(x[0, 0])
    row.unsqueeze_(-1).mul_(v)
    return y.squeeze_(), row


def drawn(op):
    """The op with the same random numbers at each call."""

    def again(*args):
        tn.manual_seed(0)
        return op(*args)

    return again


# name -> (the node it covers, the op, its inputs)
OPS = {
    "add": ("Add", ops.add, [x23, x3]),
    "add, number": ("Add", lambda x: 2.0 + x, [x23]),
    "sub": ("Sub", ops.sub, [x23, normal(2, 1)]),
    "sub, from number": ("Sub", lambda x: 2.0 - x, [x23]),
    "mul": ("Mul", ops.mul, [x3, x23]),
    "mul, same tensor": ("Mul", lambda x: x * x, [x3]),
    "mul, 0-d": ("Mul", ops.mul, [x23, np.array(0.7)]),
    "div": ("Div", ops.div, [x23, positive(3)]),
    "div, into number": ("Div", lambda x: 2.0 / x, [positive(3)]),
    "remainder": ("Remainder", ops.remainder, [QUOTIENTS * DIVISORS, DIVISORS]),
    "remainder, by number": ("Remainder", lambda x: x % 0.7, [QUOTIENTS * 0.7]),
    "remainder, of number": ("Remainder", lambda x: 1.9 % x, [DIVISORS]),
    "fmod": ("Fmod", ops.fmod, [QUOTIENTS * DIVISORS, DIVISORS]),
    "fmod, by number": ("Fmod", lambda x: ops.fmod(x, -0.7), [QUOTIENTS * 0.7]),
    "lerp": ("Mul", ops.lerp, [x23, x3, positive(2, 1)]),
    "lerp, number": ("Mul", lambda x, y: ops.lerp(x, y, 0.3) * ops.lerp(y, x, 0.8), [x23, x3]),
    "reciprocal": ("Div", ops.reciprocal, [positive(2, 3)]),
    "nan_to_num": ("Where", lambda x: ops.nan_to_num(x, nan=0.0) * x, [x23]),
    "frac": ("Step", lambda x: ops.frac(x) * x, [apart(2, 3)]),
    "trunc": ("Step", lambda x: ops.trunc(x) * x, [apart(2, 3)]),
    "neg": ("Neg", ops.neg, [x23]),
    "pow": ("Pow", ops.pow, [positive(2, 3), x3]),
    "pow, square": ("Pow", lambda x: x**2, [x23]),
    "pow, cube": ("Pow", lambda x: x**3, [x23]),
    "pow, one": ("Pow", lambda x: x**1, [x23]),
    "pow, none": ("Pow", lambda x: x**0 + x, [x23]),
    "pow, of number": ("Pow", lambda x: 2.0**x, [x23]),
    "pow, exponent 0": ("Pow", ops.pow, [positive(3), np.zeros(3)]),
    "maximum": ("Maximum", ops.maximum, [apart(2, 3), apart(3, seed=5) + 0.1]),
    "minimum": ("Minimum", ops.minimum, [apart(2, 3), apart(3, seed=5) + 0.1]),
    "where": ("Where", lambda a, b: ops.where(MASK, a, b), [x23, x3]),
    "clamp": ("Clamp", lambda x: ops.clamp(x, -0.2, 0.4), [apart(2, 3)]),
    "clamp, below": ("Clamp", lambda x: ops.clamp(x, min=-0.2), [apart(2, 3)]),
    "clamp, tensors": ("Clamp", lambda x, lo: ops.clamp(x, lo), [apart(2, 3), apart(3, seed=5) + 0.1]),
    "clamp, by both": ("Clamp", ops.clamp, [apart(2, 3), apart(3, seed=5) - 0.4, apart(2, 1, seed=6) + 0.2]),
    "floor": ("Step", lambda x: ops.floor(x) * x, [apart(2, 3)]),
    "sign": ("Step", lambda x: ops.sign(x) * x, [apart(2, 3)]),
    "abs": ("Abs", ops.abs, [apart(2, 3)]),
    "add, alpha": ("Add", lambda a, b: ops.add(a, b, alpha=-2.5), [x23, x3]),
    "sub, alpha": ("Sub", lambda a, b: ops.sub(a, b, alpha=3), [x23, x3]),
    "div, rounded": ("RoundedDiv", lambda a, b: ops.div(a, b, rounding_mode="trunc") * a * b, [QUOTIENTS * DIVISORS, DIVISORS]),
    "addcmul": ("Mul", lambda x, a, b: ops.addcmul(x, a, b, value=0.3), [x23, x3, normal(2, 1)]),
    "addcdiv": ("Div", lambda x, a, b: ops.addcdiv(x, a, b, value=0.3), [x23, x3, positive(2, 1)]),
    "addcmul_": ("Mul", lambda x, a, b: (x * 1.0).addcmul_(a, b, value=-2), [x23, x3, normal(2, 1)]),
    "masked_fill": ("Where", lambda x, value: ops.masked_fill(x, MASK, value), [x23, np.array(0.7)]),
    "clamp_min": ("Clamp", lambda x: ops.clamp_min(x, -0.2), [apart(2, 3)]),
    "clamp_max": ("Clamp", lambda x: ops.clamp_max(x, 0.4), [apart(2, 3)]),
    "exp": ("Exp", ops.exp, [x23]),
    "exp, 0-d": ("Exp", ops.exp, [np.array(0.3)]),
    "log": ("Log", ops.log, [positive(2, 3)]),
    "log2": ("Log", ops.log2, [positive(2, 3)]),
    "log10": ("Log", ops.log10, [positive(2, 3)]),
    "log1p": ("Log1p", ops.log1p, [0.2 * np.tanh(x23)]),
    "expm1": ("Expm1", ops.expm1, [x23]),
    "sin": ("Sin", ops.sin, [3 * x23]),
    "cos": ("Cos", ops.cos, [3 * x23]),
    "tan": ("Tan", ops.tan, [np.tanh(x23)]),
    "asin": ("Asin", ops.asin, [0.9 * np.tanh(x23)]),
    "acos": ("Acos", ops.acos, [0.9 * np.tanh(x23)]),
    "atan": ("Atan", ops.atan, [x23]),
    "sinh": ("Sinh", ops.sinh, [x23]),
    "cosh": ("Cosh", ops.cosh, [x23]),
    "hypot": ("Hypot", ops.hypot, [x23, positive(3)]),
    "atan2": ("Atan2", ops.atan2, [x23, positive(2, 1)]),
    "square": ("Pow", ops.square, [x23]),
    "sqrt": ("Sqrt", ops.sqrt, [positive(2, 3)]),
    "sqrt, 0-d": ("Sqrt", ops.sqrt, [np.array(0.3)]),
    "rsqrt": ("Rsqrt", ops.rsqrt, [positive(2, 3)]),
    "sigmoid": ("Sigmoid", ops.sigmoid, [3 * x23]),
    "tanh": ("Tanh", ops.tanh, [x23]),
    "tanh, 0-d": ("Tanh", ops.tanh, [np.array(0.3)]),
    "relu": ("ReLU", ops.relu, [apart(2, 3)]),
    "relu_": ("ReLU", lambda x: (x * x).sub_(1.0).relu_(), [apart(2, 3)]),
    "erf": ("Erf", ops.erf, [x23]),
    "erfc": ("Erfc", ops.erfc, [x23]),
    "gelu": ("GELU", ops.gelu, [x23]),
    "gelu, tanh": ("GELUTanh", lambda x: ops.gelu(x, approximate="tanh"), [x23]),
    "leaky_relu": ("LeakyReLU", lambda x: F.leaky_relu(x, 0.2) * x, [apart(2, 3)]),
    "elu": ("ELU", lambda x: F.elu(x, 0.7), [apart(2, 3)]),
    "elu, in place": ("ELU", lambda x: F.elu(x * 1.0, inplace=True), [apart(2, 3)]),
    "silu": ("SiLU", F.silu, [3 * x23]),
    "softplus": ("Softplus", F.softplus, [3 * x23]),
    "softplus, threshold": ("Softplus", lambda x: F.softplus(x, 2.0, 0.5) * x, [apart(2, 3)]),
    "prelu": ("PReLU", F.prelu, [apart(2, 3), np.array([0.25])]),
    "prelu, channels": ("PReLU", F.prelu, [apart(2, 3, 2), positive(3)]),
    "prelu, 1-D": ("PReLU", lambda x, w: F.prelu(x, w * w), [apart(4), np.array(0.5)]),
    "hardtanh": ("Hardtanh", lambda x: F.hardtanh(x, -0.2, 0.5) * x, [apart(2, 3)]),
    "relu6": ("Hardtanh", lambda x: F.relu6(x) * x, [5 * apart(2, 4)]),
    "hardsigmoid": ("Hardtanh", lambda x: F.hardsigmoid(x) * x, [3 * apart(2, 4)]),
    "hardswish": ("Hardtanh", F.hardswish, [3 * apart(2, 4)]),
    "selu": ("ELU", F.selu, [apart(2, 3)]),
    "logsigmoid": ("Softplus", F.logsigmoid, [3 * x23]),
    "softsign": ("Softsign", F.softsign, [apart(2, 3)]),
    "tanhshrink": ("Tanhshrink", F.tanhshrink, [x23]),
    "mish": ("Mish", F.mish, [3 * x23]),
    "threshold": ("Where", lambda x: F.threshold(x, 0.2, 7.0) * x, [apart(2, 3)]),
    "glu": ("Sigmoid", lambda x: F.glu(x, 1), [normal(2, 4)]),
    "softmin": ("Softmax", lambda x: F.softmin(x, 1), [x23]),
    "gumbel_softmax": ("Softmax", drawn(lambda x: F.gumbel_softmax(x, 0.7, dim=0)), [x23]),
    "softmax": ("Softmax", lambda x: ops.softmax(x, 1), [x23]),
    "softmax, dim 0": ("Softmax", lambda x: ops.softmax(x, 0), [x23]),
    "log_softmax": ("LogSoftmax", lambda x: ops.log_softmax(x, -1), [x23]),
    "logsumexp": ("LogSumExp", lambda x: ops.logsumexp(x, 1), [x23]),
    "logsumexp, both": ("LogSumExp", lambda x: ops.logsumexp(x, (0, 1), keepdim=True), [x23]),
    "sum": ("Sum", ops.sum, [x23]),
    "sum, dims": ("Sum", lambda x: ops.sum(x, (0, -1)), [normal(2, 3, 4)]),
    "prod": ("Prod", ops.prod, [x23]),
    "prod, dim": ("Prod", lambda x: ops.prod(x, 1, keepdim=True), [normal(2, 5)]),
    "prod, zeros": ("Prod", lambda x: ops.prod(x, 0), [np.array([[0.0, 0.0, 1.0], [2.0, 0.0, 3.0], [0.5, 0.0, 0.0]])]),
    "cumprod": ("CumProd", lambda x: ops.cumprod(x, 1) * x, [positive(2, 4)]),
    "cumprod, zeros": ("CumProd", lambda x: ops.cumprod(x, 0), [np.array([[2.0, 0.0], [0.0, 3.0], [0.0, 5.0], [4.0, 0.5]])]),
    "cumsum": ("CumSum", lambda x: ops.cumsum(x, 1) * x, [normal(2, 4)]),
    "norm": ("Norm", ops.norm, [x23]),
    "norm, dim": ("Norm", lambda x: ops.norm(x, dim=1, keepdim=True), [x23]),
    "norm, 3": ("Norm", lambda x: ops.norm(x, 3, (0, 2)), [apart(2, 3, 2)]),
    "norm, 1.5": ("Norm", lambda x: ops.norm(x, 1.5, 0), [apart(2, 3)]),
    "norm, 1": ("Sum", lambda x: ops.norm(x, 1, 0) ** 2, [apart(2, 3)]),
    "norm, inf": ("Extremum", lambda x: ops.norm(x, float("inf"), 1) ** 2, [apart(2, 3)]),
    "norm, -inf": ("Extremum", lambda x: ops.norm(x, float("-inf"), 1) ** 2, [apart(2, 3)]),
    "normalize": ("Norm", F.normalize, [x23]),
    "normalize, one short": ("Norm", lambda x: F.normalize(x, dim=0, eps=1.2), [np.array([[0.3, 3.0], [-0.4, 4.0]])]),
    "sort": ("GetItem", lambda x: ops.sort(x, 1, descending=True).values ** 2, [apart(2, 3)]),
    "topk": ("GetItem", lambda x: ops.topk(x, 2, 0, largest=False).values ** 2, [apart(3, 2)]),
    "median": ("Median", lambda x: ops.median(x) ** 2, [apart(2, 3)]),
    "median, dim": ("GetItem", lambda x: ops.median(x, 1, keepdim=True).values ** 2, [apart(2, 4)]),
    "mean": ("Mean", lambda x: ops.mean(x, 1, keepdim=True), [x23]),
    "var": ("Var", ops.var, [x23]),
    "var, biased": ("Var", lambda x: ops.var(x, 0, correction=0), [x23]),
    "std": ("Std", lambda x: ops.std(x, 1), [x23]),
    "var_mean": ("Var", lambda x: ops.var_mean(x, 0, correction=0), [x23]),
    "std_mean": ("Std", lambda x: ops.std_mean(x, 1), [x23]),
    "amax": ("Extremum", lambda x: ops.amax(x, 1), [apart(2, 3)]),
    "amin": ("Extremum", lambda x: ops.amin(x, (0, 1), keepdim=True), [apart(2, 3)]),
    "max, dim": ("GetItem", lambda x: ops.max(x, 1).values, [apart(2, 3)]),
    "min, dim": ("GetItem", lambda x: ops.min(x, 0, keepdim=True).values, [apart(2, 3)]),
    "mm": ("MatMul", ops.mm, [x23, x34]),
    "addmm": ("MatMul", lambda x, a, b: ops.addmm(x, a, b, beta=0.3, alpha=-2.0), [normal(4), x23, x34]),
    "tensordot": ("Einsum", lambda a, b: ops.tensordot(a, b, dims=([0, 2], [1, 0])), [normal(2, 3, 4), normal(4, 2)]),
    "tensordot, none": ("Einsum", lambda a, b: ops.tensordot(a, b, 0), [x3, x23]),
    "mv": ("MatMul", ops.mv, [x23, x3]),
    "dot": ("MatMul", ops.dot, [x3, normal(3, seed=1)]),
    "bmm": ("MatMul", ops.bmm, [normal(2, 2, 3), normal(2, 3, 2)]),
    "outer": ("Mul", ops.outer, [x3, normal(2)]),
    "kron": ("Mul", ops.kron, [x23, normal(2)]),
    "einsum": ("Einsum", lambda a, b: ops.einsum("bij,bkj->bki", a, b), [normal(2, 2, 3), normal(2, 4, 3)]),
    "einsum, elementwise": ("Einsum", lambda a, b: ops.einsum("ij,j->ji", a, b), [x23, x3]),
    "einsum, three": ("Einsum", lambda a, b, c: ops.einsum("i,ij,j", a, b, c), [normal(2), x23, x3]),
    "einsum, sums": ("Sum", lambda a: ops.einsum("ijk->j", a), [normal(2, 3, 2)]),
    "einsum, broadcast": ("Einsum", lambda a, b: ops.einsum("...ij,...j", a, b), [normal(2, 1, 2, 3), normal(2, 3)]),
    "matmul 1 1": ("MatMul", ops.matmul, [x3, normal(3, seed=1)]),
    "matmul 1 2": ("MatMul", ops.matmul, [x3, x34]),
    "matmul 2 1": ("MatMul", ops.matmul, [x23, x3]),
    "matmul 2 2": ("MatMul", ops.matmul, [x23, x34]),
    "matmul 3 2": ("MatMul", ops.matmul, [normal(2, 2, 3), x34]),
    "matmul 1 3": ("MatMul", ops.matmul, [x3, normal(2, 3, 2)]),
    "matmul 3 1": ("MatMul", ops.matmul, [normal(2, 2, 3), x3]),
    "matmul 4 3": ("MatMul", ops.matmul, [normal(2, 1, 2, 3), normal(3, 3, 2)]),
    "linear": ("Linear", F.linear, [normal(4, 3), normal(2, 3), normal(2)]),
    "linear, 1-D": ("Linear", F.linear, [x3, normal(2, 3), normal(2)]),
    "linear, 3-D, no bias": ("Linear", F.linear, [normal(2, 2, 3), normal(2, 3)]),
    "reshape": ("Reshape", lambda x: x.reshape(3, -1), [x23]),
    "view": ("Reshape", lambda x: x.view(6), [x23]),
    "flatten": ("Reshape", ops.flatten, [x23]),
    "squeeze": ("Reshape", lambda x: x.unsqueeze(1).squeeze(1), [x23]),
    "transpose": ("Permute", lambda x: x.transpose(0, 1), [x23]),
    "permute": ("Permute", lambda x: x.permute(2, 0, 1), [normal(2, 3, 2)]),
    "T": ("Permute", lambda x: x.T @ x.mT.T, [x23]),
    "movedim": ("Permute", lambda x: ops.movedim(x, (0, 1), (-1, 0)), [normal(2, 3, 2)]),
    "ravel": ("Reshape", ops.ravel, [x23]),
    "unflatten": ("Reshape", lambda x: ops.unflatten(x, 1, (2, -1)), [x34]),
    "expand": ("Expand", lambda x: x.expand(2, -1, 4), [normal(3, 1)]),
    "cat": ("Cat", lambda a, b: ops.cat([a, b, a], 0), [x23, normal(1, 3)]),
    "cat, with an empty vector": ("Cat", lambda a: ops.cat([a[:0, 0], a, a], 1), [x23]),
    "split": ("GetItem", lambda x: ops.split(x, [1, 2], 1), [x23]),
    "chunk": ("GetItem", lambda x: ops.chunk(x, 2, -1), [x23]),
    "unbind": ("GetItem", lambda x: ops.unbind(x, 1), [x23]),
    "repeat": ("Expand", lambda x: ops.repeat(x, 2, 1, 3), [x23]),
    "tile": ("Expand", lambda x: ops.tile(x, 2), [x23]),
    "flip": ("GetItem", lambda x: ops.flip(x, 0, 1), [x23]),
    "fliplr": ("GetItem", ops.fliplr, [x23]),
    "flipud": ("GetItem", ops.flipud, [x23]),
    "roll": ("Cat", lambda x: ops.roll(x, (1, -5), (0, 1)), [x34]),
    "roll, flat": ("Cat", lambda x: ops.roll(x, 2), [x23]),
    "diff": ("GetItem", lambda x: ops.diff(x, n=2, dim=1), [x34]),
    "diff, joined": ("Cat", lambda x, y: ops.diff(x, dim=0, prepend=y), [x23, normal(1, 3)]),
    "narrow": ("GetItem", lambda x: ops.narrow(x, 1, -3, 2), [x34]),
    "masked_select": ("GetItem", lambda x: ops.masked_select(x, MASK), [x3]),
    "repeat_interleave": ("Expand", lambda x: ops.repeat_interleave(x, 3, 1), [x23]),
    "repeat_interleave, each": ("GetItem", lambda x: ops.repeat_interleave(x, ROWS, 0), [x34]),
    "hstack": ("Cat", lambda a, b: ops.hstack([a, b]), [x23, normal(2, 1)]),
    "vstack": ("Cat", lambda a, b: ops.vstack([a, b]), [x23, x3]),
    "diagonal": ("Diagonal", lambda x: ops.diagonal(x, 1, 0, 2), [normal(3, 2, 4)]),
    "diag": ("OnDiagonal", lambda x: ops.diag(x, -1), [x3]),
    "diag, of a matrix": ("Diagonal", lambda x: ops.diag(x, -1), [x34]),
    "trace": ("Diagonal", lambda x: ops.trace(x) ** 2, [x34]),
    "meshgrid": ("Expand", lambda x, y: ops.meshgrid(x, y, indexing="xy"), [x3, normal(2)]),
    "tril": ("Triangle", lambda x: ops.tril(x, diagonal=-1), [normal(3, 3)]),
    "triu": ("Triangle", lambda x: ops.triu(x, diagonal=1), [normal(2, 2, 3)]),
    "stack": ("Stack", lambda a, b: ops.stack([a, b, a], -1), [x23, normal(2, 3, seed=1)]),
    "index, int": ("GetItem", lambda x: x[1], [x23]),
    "index, slices": ("GetItem", lambda x: x[..., None, ::2], [x23]),
    "index, backwards": ("GetItem", lambda x: x[::-1, 1], [x34]),
    "index, mask": ("GetItem", lambda x: x[MASK], [x23]),
    "index, repeated": ("GetItem", lambda x: x[ROWS], [x34]),
    "index, pairs": ("GetItem", lambda x: x[ROWS, [1, 1, 1]], [x34]),
    "index, twice": ("AddAt", lambda x: x[ROWS][[0, 0, 1]] * x[ROWS], [x34]),
    "take_along_dim": ("GetItem", lambda x: x.take_along_dim(COLUMNS, 1), [x23]),
    "gather": ("GetItem", lambda x: x.gather(1, COLUMNS[:1]), [x23]),
    "index_select": ("GetItem", lambda x: ops.index_select(x, 1, COLUMNS[1]), [x23]),
    "scatter": ("SetItem", lambda x, v: ops.scatter(x, 1, COLUMNS, v), [x23, normal(2, 3, seed=1)]),
    "scatter, number": ("SetItem", lambda x: ops.scatter(x, 1, COLUMNS, 2.0), [x23]),
    "scatter_add": ("AddAt", lambda x, v: ops.scatter_add(x, 1, COLUMNS, v), [x23, normal(2, 3, seed=1)]),
    "index_add": ("AddAt", lambda x, v: ops.index_add(x, 0, ROWS, v, alpha=-0.5) * x, [x34, normal(3, 4, seed=1)]),
    "index_fill": ("SetItem", lambda x, v: ops.index_fill(x, 0, ROWS, v), [x34, np.array(0.7)]),
    "setitem": ("SetItem", set_item, [x34, normal(4)]),
    "setitem, array": ("SetItem", set_items, [x34, normal(2, 4)]),
    "in place": ("SetItem", fill, [x23]),
    "in place, the diagonal": ("Replaced", change_the_diagonal, [x34, x3]),
    "in place, the shape": ("Replaced", change_shapes, [x34, normal(1)]),
    "in place, a view": ("Replaced", change_a_view, [x34, normal(2)]),
    "clone": ("Clone", ops.clone, [x23]),
    "contiguous": ("Contiguous", lambda x: x.T.contiguous(), [x23]),
}

C3 = [normal(3, seed=3), normal(3, seed=4)]
ZERO = [np.zeros(3), normal(3, seed=4)]
CLASSES, PLACES = tn.tensor([2, 0, 1, 1]), tn.tensor([[2, 0], [1, -100]])
MEAN, VAR = tn.tensor(normal(3)), tn.tensor(positive(3))
CONSTANTS = ("CLASSES", "COLUMNS", "MASK", "MEAN", "PLACES", "ROWS", "SIGNS", "VAR")  # to be moved to where the inputs are


def batch_norm(x, *affine):
    return F.batch_norm(x, None, None, *affine, training=True)


def batch_norm_eval(x, *affine):
    return F.batch_norm(x, MEAN, VAR, *affine)


def probabilities(q):
    return ops.softmax(q, 1)


NORMS = {
    "batch_norm": ("StandardizeChannel", batch_norm, normal(4, 3)),
    "batch_norm, 4-D": ("StandardizeChannel", batch_norm, normal(2, 3, 2, 2)),
    "batch_norm, eval": ("StandardizeByConstants", batch_norm_eval, normal(4, 3)),
    "batch_norm, eval, one row": ("StandardizeByConstants", batch_norm_eval, normal(1, 3)),
    "layer_norm": ("Standardize", lambda x, *affine: F.layer_norm(x, 3, *affine), normal(4, 3)),
    "layer_norm, one row": ("Standardize", lambda x, *affine: F.layer_norm(x, 3, *affine), normal(1, 3)),
    "group_norm": ("Standardize", lambda x, *affine: F.group_norm(x, 1, *affine), normal(2, 3, 2)),
    "group_norm, groups": ("Standardize", lambda x, *affine: F.group_norm(x, 3, *affine), normal(2, 3, 4)),
    "instance_norm": ("StandardizeChannel", lambda x, *affine: F.instance_norm(x, None, None, *affine), normal(2, 3, 4)),
}
# name -> (the node, the loss, x, the target); away from the kinks of |x - target|
SIGNS = tn.tensor([[1, -1, 1], [-1, 1, -1], [1, 1, -1], [-1, -1, 1]])
LOGITS, SHARES, GAPS = 2 * normal(4, 3), 0.1 + 0.2 * positive(4, 3), 0.7 * apart(4, 3)
PAIR_LOSSES = {
    "l1_loss": ("L1", F.l1_loss, GAPS + LOGITS, LOGITS),
    "smooth_l1_loss": ("SmoothL1", lambda x, t, **kw: F.smooth_l1_loss(x, t, beta=0.9, **kw), GAPS + LOGITS, LOGITS),
    "smooth_l1_loss, beta 0": ("L1", lambda x, t, **kw: F.smooth_l1_loss(x, t, beta=0, **kw), GAPS + LOGITS, LOGITS),
    "huber_loss": ("Huber", lambda x, t, **kw: F.huber_loss(x, t, delta=0.9, **kw), GAPS + LOGITS, LOGITS),
    "kl_div": ("KLDiv", F.kl_div, LOGITS, SHARES),
    "kl_div, batchmean": ("KLDiv", lambda x, t, **kw: F.kl_div(x, t, **{"reduction": "batchmean"} | kw), LOGITS, SHARES),
    "kl_div, log_target": ("KLDivOfLogs", lambda x, t, **kw: F.kl_div(x, t, log_target=True, **kw), LOGITS, GAPS),
    "binary_cross_entropy": (
        "BinaryCrossEntropy",
        lambda x, t, **kw: F.binary_cross_entropy(x.sigmoid(), t.sigmoid(), **kw),
        LOGITS,
        GAPS,
    ),
    "binary_cross_entropy, weight": (
        "BinaryCrossEntropy",
        lambda x, t, **kw: F.binary_cross_entropy(x.sigmoid(), t.sigmoid(), VAR, **kw),
        LOGITS,
        GAPS,
    ),
    "binary_cross_entropy_with_logits": ("BinaryCrossEntropyOfLogits", F.binary_cross_entropy_with_logits, LOGITS, SHARES),
    "binary_cross_entropy_with_logits, weights": (
        "BinaryCrossEntropyOfLogits",
        lambda x, t, **kw: F.binary_cross_entropy_with_logits(x, t, VAR, pos_weight=1 / VAR, **kw),
        LOGITS,
        SHARES,
    ),
}
LAYERS = {}
for _name, (_node, _layer, _x) in NORMS.items():
    LAYERS[f"{_name}, affine"] = (_node, _layer, [_x, *C3])
    LAYERS[f"{_name}, gamma 0"] = (_node, _layer, [_x, *ZERO])
    LAYERS[f"{_name}, plain"] = (_node, _layer, [_x])
LAYERS |= {
    "rms_norm": ("StandardizeUncentred", lambda x, w: F.rms_norm(x, 3, w, eps=1e-5), [normal(4, 3), C3[0]]),
    "rms_norm, gamma 0": ("StandardizeUncentred", lambda x, w: F.rms_norm(x, 3, w, eps=1e-5), [normal(4, 3), ZERO[0]]),
    "rms_norm, plain": ("StandardizeUncentred", lambda x: F.rms_norm(x, 3, eps=1e-5), [normal(4, 3)]),
    "layer_norm, only bias": ("Standardize", lambda x, b: F.layer_norm(x, 3, None, b), [normal(4, 3), C3[0]]),
    "layer_norm, two axes": ("Standardize", lambda x, w, b: F.layer_norm(x, (3, 2), w, b), [normal(2, 3, 2), x23.T, -x23.T]),
    "group_norm, only bias": ("Standardize", lambda x, b: F.group_norm(x, 1, None, b), [normal(2, 3, 2), C3[0]]),
    "cross_entropy": ("CrossEntropy", lambda x: F.cross_entropy(x, CLASSES), [normal(4, 3)]),
    "cross_entropy, 1-D": ("CrossEntropy", lambda x: F.cross_entropy(x, CLASSES[0]), [normal(3)]),
    "cross_entropy, places": ("CrossEntropy", lambda x: F.cross_entropy(x, PLACES, reduction="none"), [normal(2, 3, 2)]),
    "cross_entropy, weight, smoothing": (
        "CrossEntropy",
        lambda x: F.cross_entropy(x, PLACES, weight=VAR, label_smoothing=0.2),
        [normal(2, 3, 2)],
    ),
    "cross_entropy, sum": ("CrossEntropy", lambda x: F.cross_entropy(x, CLASSES, reduction="sum"), [normal(4, 3)]),
    "cross_entropy, probabilities": (
        "CrossEntropy",
        lambda x, q: F.cross_entropy(x, probabilities(q), weight=VAR, label_smoothing=0.1),
        [normal(4, 3), normal(4, 3, seed=1)],
    ),
    "nll_loss": ("NLL", lambda x: F.nll_loss(F.log_softmax(x, 1), CLASSES, weight=VAR), [normal(4, 3)]),
    "nll_loss, none": ("NLL", lambda x: F.nll_loss(x * x, CLASSES, reduction="none"), [normal(4, 3)]),
    "cross_entropy, twice": (
        "AddAtClasses",
        lambda x: F.cross_entropy(x * F.nll_loss(x, CLASSES, reduction="sum"), CLASSES, label_smoothing=0.1),
        [normal(4, 3)],
    ),
    "embedding": ("Embedding", lambda w: F.embedding(ROWS, w), [x34]),
    "embedding, padding": ("Embedding", lambda w: F.embedding(ROWS, w * w, padding_idx=-2), [x34]),
    **{
        f"{name}{', none' if options else ''}": (node, lambda x, t, f=f, options=options: f(x, t, **options), [x, t])
        for name, (node, f, x, t) in PAIR_LOSSES.items()
        for options in ({}, {"reduction": "none"})
    },
    "cosine_similarity": ("Norm", F.cosine_similarity, [normal(4, 3), normal(1, 3)]),
    "cosine_similarity, short": ("Norm", lambda x, y: F.cosine_similarity(x, y, 0, eps=5.0), [normal(4, 3), normal(3, seed=1)]),
    "pairwise_distance": ("Norm", F.pairwise_distance, [normal(4, 3), normal(3, seed=1)]),
    "pairwise_distance, 1": ("Abs", lambda x, y: F.pairwise_distance(x, y, 1.0, keepdim=True) ** 2, [LOGITS, LOGITS + GAPS]),
    "cdist": ("Norm", tn.cdist, [normal(2, 4, 3), normal(2, 3)]),
    "cdist, 1": ("Abs", lambda x, y: tn.cdist(x, y, p=1) ** 2, [apart(2, 3), 10 + apart(4, 3)]),
    "bilinear": ("Einsum", F.bilinear, [normal(4, 3), normal(4, 2), normal(2, 3, 2), normal(2)]),
    "conv1d": ("Convolution", lambda x, w, b: F.conv1d(x, w, b, 2, 1), [normal(2, 3, 5), normal(4, 3, 2), normal(4)]),
    "conv2d": ("Convolution", F.conv2d, [normal(2, 3, 4, 5), normal(4, 3, 2, 3), normal(4)]),
    "conv2d, groups": (
        "Convolution",
        lambda x, w: F.conv2d(x, w, None, (2, 1), (1, 2), (1, 2), 2),
        [normal(2, 4, 5, 4), normal(6, 2, 2, 3)],
    ),
    "conv2d, 1x1": ("Convolution", lambda x, w: F.conv2d(x, w), [normal(3, 4, 5), normal(2, 3, 1, 1)]),
    "conv2d, same": (
        "ConvolutionByInput",
        lambda x, w: F.conv2d(x * x, w, padding="same"),
        [normal(1, 1, 3, 4), normal(1, 1, 2, 3)],
    ),
    "conv2d, weight": ("ConvolutionByWeight", lambda x, w: F.conv2d(x, w * w), [normal(2, 1, 3, 3), normal(2, 1, 2, 2)]),
    "max_pool2d": ("MaxPool", lambda x: F.max_pool2d(x * x, 2, 1), [apart(2, 2, 3, 4)]),
    "max_pool2d, padded": ("PutBack", lambda x: F.max_pool2d(x, (3, 2), 2, 1, ceil_mode=True) ** 2, [apart(2, 4, 5)]),
    "max_pool2d, dilated": ("Chosen", lambda x: F.max_pool2d(x * x, 2, 1, 0, 2), [apart(1, 4, 4)]),
    "avg_pool2d": ("AvgPool", lambda x: F.avg_pool2d(x, 2) ** 2, [normal(2, 2, 4, 5)]),
    "avg_pool2d, padded": (
        "AvgPoolTransposed",
        lambda x: F.avg_pool2d(x * x, (3, 2), 2, 1, True, False),
        [normal(2, 4, 5)],
    ),
    "adaptive_avg_pool2d": ("MeansOfParts", lambda x: F.adaptive_avg_pool2d(x, (2, 3)) ** 2, [normal(2, 2, 5, 4)]),
    "adaptive_avg_pool2d, larger": (
        "MeansOfPartsTransposed",
        lambda x: F.adaptive_avg_pool2d(x * x, (3, 5)),
        [normal(2, 2, 3)],
    ),
    "local_response_norm": ("LocalResponse", lambda x: F.local_response_norm(x, 3, 0.5, 0.75, 1.5), [normal(2, 4, 3)]),
    "steps": ("Steps", lambda x: Steps()(x * x), [normal(3, 2, 4)]),
    "lstm_gates": ("LSTMGates", lambda a, c: lstm_gates(a, c), [normal(2, 12), normal(2, 3)]),
    "gru_gates": ("GRUGates", gru_gates, [normal(2, 9), normal(2, 9, seed=1), normal(2, 3)]),
    "triplet_margin_loss": ("Norm", lambda a, b, c: F.triplet_margin_loss(a, b, c, 9, swap=True), [LOGITS, GAPS, x3 - LOGITS]),
    "cosine_embedding_loss": (
        "Norm",
        lambda x, y: F.cosine_embedding_loss(x, y, SIGNS[:, 0], margin=-2.0, reduction="none"),
        [LOGITS, GAPS],
    ),
    "margin_ranking_loss": ("Clamp", lambda x, y: F.margin_ranking_loss(x, y, SIGNS, 0.1) ** 2, [LOGITS, LOGITS + GAPS]),
    "hinge_embedding_loss": ("Clamp", lambda x: F.hinge_embedding_loss(x, SIGNS, 0.2, reduction="none") ** 2, [GAPS]),
    "soft_margin_loss": ("Softplus", lambda x, t: F.soft_margin_loss(x, SIGNS * t), [LOGITS, SHARES]),
    "multilabel_soft_margin_loss": ("BinaryCrossEntropyOfLogits", F.multilabel_soft_margin_loss, [LOGITS, SHARES]),
    "poisson_nll_loss": ("Exp", lambda x, t: F.poisson_nll_loss(x, t, full=True), [LOGITS, 6 * SHARES - 0.4]),
    "poisson_nll_loss, rate": ("Log", lambda x, t: F.poisson_nll_loss(x, t, log_input=False), [SHARES, GAPS]),
    "gaussian_nll_loss": ("Log", F.gaussian_nll_loss, [LOGITS, GAPS, SHARES]),
    "gaussian_nll_loss, full": (
        "Log",
        lambda x, t, v: F.gaussian_nll_loss(x, t, v, full=True, reduction="none"),
        [LOGITS, GAPS, SHARES[:, 0]],
    ),
    "mse_loss": ("MSE", F.mse_loss, [normal(4, 3), normal(4, 3, seed=1)]),
    "mse_loss, none": ("MSE", lambda x, t: F.mse_loss(x, t, reduction="none"), [normal(4, 3), normal(4, 3, seed=1)]),
}
ALL = OPS | LAYERS


@pytest.mark.parametrize("name", ALL)
def test_the_gradient_is_that_of_finite_differences(name):
    _, op, arrays = ALL[name]
    check_first(op, arrays)


@pytest.mark.parametrize("name", some(ALL, 2))
def test_the_gradient_of_the_gradient_is_that_of_finite_differences(name):
    _, op, arrays = ALL[name]
    check_second(op, arrays)


# met in the second derivative only
SECOND_ONLY = {
    *("AddAt", "AddAtClasses", "AvgPoolTransposed", "Chosen", "ConvolutionByInput", "ConvolutionByWeight", "PutBack"),
    "MeansOfPartsTransposed",
}


@pytest.mark.parametrize("name", ALL)
def test_the_table_covers_the_node_it_names(name):
    node, op, arrays = ALL[name]
    y = op(*[tn.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays])
    if node not in SECOND_ONLY:
        assert node in _nodes_of(y)


def _nodes_of(y):
    seen, stack = {}, [t.grad_fn for t in outputs_of(y)]
    while stack:
        node = stack.pop()
        seen[node.op_name] = None
        stack += [edge[0] for edge in node.edges if isinstance(edge, tuple)]
    return seen


# Move needs two devices, Cast loses digits, Dropout draws anew at each call: the last two have tests of their own, below
ELSEWHERE = {"Move", "Cast", "Dropout"}


def test_every_node_of_ops_is_in_the_table():
    nodes, bases = set(), [Node]
    while bases:
        for cls in bases.pop().__subclasses__():
            bases.append(cls)
            whole = "backward" in _methods(cls) and "forward" in _methods(cls) and not inspect.isabstract(cls)
            if cls.__module__.startswith("tinynorm.ops") and whole:
                nodes.add(cls.__name__)
    assert nodes - {node for node, _, _ in ALL.values()} - ELSEWHERE == set()


def _methods(cls):
    return {name for c in inspect.getmro(cls) if c is not Node for name in vars(c)}


def test_a_cast_hands_the_gradient_on_in_the_dtype_of_its_input():
    x = tn.tensor([1.5, -2.0], dtype="float64", requires_grad=True)
    y = x.to(tn.float32)
    (g,) = tn.autograd.grad((y * y * y).sum(), x, create_graph=True)
    assert g.dtype == tn.float64
    assert g.tolist() == [6.75, 12.0]
    (gg,) = tn.autograd.grad(g.sum(), x)
    assert gg.dtype == tn.float64
    assert gg.tolist() == [9.0, -12.0]


def test_dropout_is_a_mask_whose_second_derivative_passes_through():
    x = tn.tensor(normal(5, 4), requires_grad=True)
    tn.manual_seed(3)
    y = F.dropout(x, 0.4)
    mask = y.array / x.array
    (g,) = tn.autograd.grad((y * y).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.array, 2 * mask**2 * x.array, rtol=1e-12)
    (gg,) = tn.autograd.grad(g.sum(), x)
    np.testing.assert_allclose(gg.array, 2 * mask**2, rtol=1e-12)
