"""What PyTorch (2.13.0) makes of small expressions: writes rules_reference.json, which test_rules.py holds.

    python tests/ops/make_rules_reference.py

An expression is evaluated with t = torch here and t = tinynorm there. A case is [expression, dtype, numbers], the latter two
null where PyTorch refuses.
"""

import itertools
import json
import warnings
from pathlib import Path

import numpy as np
import torch

DTYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"]
NUMBERS = {"bool": "[True, False, True]", "uint8": "[7, 2, 3]"}
DIVISORS = {"bool": "[True, True, True]", "uint8": "[2, 3, 4]"}
SIGNS = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">="]
BITS = ["&", "|", "^"]
PAIRS = ["maximum", "minimum"]

PLAIN = """
t.tensor([0.5, 1.5, 2.5, -0.5, -1.5, 2.4]).round()
t.tensor([5, -7]).round()
t.tensor([-0.5, 1.2]).ceil()
t.tensor([3, -2]).floor()
t.tensor([3, -2]).ceil()
t.tensor([3, -2, 0]).sign()
t.tensor([3, -2, 0]).abs()
t.tensor([0, 1, 2]).logical_not()
t.tensor([0.0, 2.0]).logical_not()
t.tensor([True, False]).logical_not()
~t.tensor([0, 1])
~t.tensor([True, False])
~t.tensor([1.0])
-t.tensor([True])
-t.tensor([1], dtype=t.uint8)
t.tensor([7, -7, 7, -7]) // t.tensor([2, 2, -2, -2])
t.tensor([7, -7, 7, -7]) % t.tensor([2, 2, -2, -2])
t.tensor([7.0, -7.0, 7.0, -7.0]) // t.tensor([2.0, 2.0, -2.0, -2.0])
t.tensor([5.5, -5.5]) % -2.0
t.tensor([5]) // 0
t.tensor([5]) % 0
t.tensor([5, 1]) // t.tensor([1, 0])
t.tensor([5, 1]) % t.tensor([1, 0])
5 // t.tensor([1, 0])
5 % t.tensor([0])
t.tensor([5], dtype=t.uint8) // 0
t.tensor([5.0, 0.0]) // 0
t.tensor([5.0, 0.0]) % 0
t.tensor([5, 0]) / 0
t.tensor([True]) // t.tensor([True])
t.tensor([True]) % t.tensor([True])
t.tensor([2, 3]) ** -1
t.tensor([2, 3]) ** 0
t.tensor([4, 9]) ** 0.5
t.tensor([2, -3]) ** 3
2 ** t.tensor([0, 3])
t.tensor([True]) ** t.tensor([True])
t.tensor([True, False]) ** 2
t.tensor([True]) - t.tensor([True])
t.tensor([True]) - 1
1 - t.tensor([True])
t.tensor([1, 3, 3]).argmax()
t.tensor([2, 1, 1]).argmin()
t.tensor([1.0, float('nan'), 3.0, float('nan')]).argmax()
t.tensor([1.0, float('nan')]).argmin()
t.tensor([1.0, 3.0, 3.0]).max(0).indices
t.tensor([[1, 3, 3], [2, 2, 0]]).argmax(1)
t.tensor([True, False]).sum()
t.tensor([5, -5, 0]).clamp(-1, 2)
t.tensor([5, -5, 0]).clamp(0.5, 2)
t.tensor([True, False]).clamp(0, 1)
t.tensor([5, -5]).clamp(t.tensor(0.5), t.tensor(2.0))
t.tensor([5, 1]).clamp(min=t.tensor([2, 3]))
t.tensor([1.0, 5.0]).clamp(t.tensor([3.0, 3.0]), t.tensor([2.0, 2.0]))
t.where(t.tensor([True, False]), 1, 2)
t.where(t.tensor([True, False]), 1.0, 2)
t.where(t.tensor([True, False]), t.tensor([1, 2]), 2.5)
t.where(t.tensor([True, False]), t.tensor([1, 2], dtype=t.int8), t.tensor([1.0, 2.0]))
t.arange(3.1)
t.arange(3.1, dtype=t.int64)
t.arange(0.5, 5, 1.5, dtype=t.int64)
t.arange(-2.5, 2.5, dtype=t.int64)
t.arange(5, 0.1, -1.3, dtype=t.int64)
t.arange(0, 1, 0.3, dtype=t.int64)
t.arange(0, 1, 0.3)
t.arange(5, 0)
t.arange(-0.9, 2.1, 2.0, dtype=t.int32)
t.arange(0, 1, 0.3, dtype=t.int32)
t.arange(5, 0.1, -1.3, dtype=t.uint8)
t.arange(3.1, dtype=t.int32)
t.linspace(-20, -6, 26, dtype=t.int64)
t.linspace(t.tensor(-2.0), t.tensor(0.0), 50, dtype=t.float64)
t.arange(t.tensor(3))
t.tensor([1, 2], dtype=t.uint8).all()
t.tensor([[1, 0]], dtype=t.uint8).any(1)
t.tensor([0, 2]).any()
t.arange(0, 5, -1)
t.arange(0, 5, 0)
t.arange(-3)
t.arange(3, 3)
t.arange(5, 0, -2)
t.arange(float('nan'))
t.arange(0, float('inf'))
t.arange(3, dtype=t.float16)
t.arange(2.5, 5)
t.arange(250, 260, dtype=t.uint8)
t.arange(1.0)
t.arange(1e-3)
t.linspace(0, 1, 7)
t.linspace(3, 3, 1)
t.linspace(0, 1, 0)
t.linspace(0, 1, -1)
t.full((2,), 3)
t.full((2,), True)
t.full((2,), 3.0)
t.full((1,), 2.7, dtype=t.int64)
t.full((1,), -2.7, dtype=t.int32)
t.full((1,), 300, dtype=t.uint8)
t.full((1,), float('nan'), dtype=t.int64)
t.full((2,), t.tensor(3))
t.full((), 1.5)
t.full_like(t.zeros(2, dtype=t.int64), 3.7)
t.full_like(t.zeros(2, dtype=t.bool), 3)
t.zeros_like(t.tensor([1]))
t.ones_like(t.tensor([True]))
t.tensor([])
t.tensor([[]])
t.tensor([1, 2.5])
t.tensor([True, 2])
t.tensor([True, 2.0])
t.tensor([300], dtype=t.uint8)
t.tensor([-1], dtype=t.uint8)
t.tensor([-128, 127], dtype=t.int8)
t.tensor(128, dtype=t.int8)
t.tensor([2.7, -2.7], dtype=t.int64)
t.tensor([float('nan')], dtype=t.int64)
t.tensor([float('inf')], dtype=t.int32)
t.tensor([2, 0], dtype=t.bool)
t.tensor(True)
t.eye(2, 3)
t.eye(0)
t.eye(2, dtype=t.int64)
t.eye(-1)
t.zeros(2, dtype=t.bool)
t.randint(0, 300, (2,), dtype=t.uint8)
t.randint(-200, 3, (2,), dtype=t.int8)
t.randint(3, 3, (2,))
t.randint(0, 2.5, (3,))
t.randint(5, 6, (2,))
t.randint(1, (2,))
t.randint(1, 2, (2,), dtype=t.float32)
t.randint(1, 2, (2,), dtype=t.bool)
t.tensor([[1.0, 2.0]]).gather(1, t.tensor([[-1]]))
t.tensor([[1.0, 2.0]]).gather(1, t.tensor([[2]]))
t.tensor([[1.0, 2.0]]).take_along_dim(t.tensor([[-1]]), 1)
t.tensor([1, 200], dtype=t.uint8) > -1
t.tensor([1, 200], dtype=t.uint8) < 300
t.tensor([1, 255], dtype=t.uint8) == -1
-1 < t.tensor([1, 200], dtype=t.uint8)
t.tensor([1, 200], dtype=t.uint8) + 300
t.tensor([1, 200], dtype=t.uint8) * -1
t.tensor([1, 200], dtype=t.uint8) - 2
t.tensor([1, 200], dtype=t.uint8) // 300
t.tensor([1, 200], dtype=t.uint8) % -1
t.tensor([1, 200], dtype=t.uint8) // 256
t.tensor([1, -1], dtype=t.int8) > 200
t.tensor([1, 2], dtype=t.int32) + 2**40
t.tensor([1, 2], dtype=t.int32) == 2**32 + 1
t.where(t.tensor([True, False]), t.tensor([1, 2], dtype=t.uint8), -1)
t.tensor([True]) + 300
2 ** t.tensor([-1, 3])
(-1) ** t.tensor([-1, -2, 3])
0 ** t.tensor([-1, 0])
t.tensor([2, 1, -1, 3]) ** t.tensor([-1, -2, -3, 2])
t.tensor([2, 3], dtype=t.int32) ** t.tensor([-1, 2])
t.tensor(2) ** t.tensor(-1)
2.5 ** t.tensor([-1, 3])
2 ** t.tensor([True, False])
t.tensor([2, 3]).pow_(t.tensor([-1, 2]))
t.tensor([2, 3]).pow_(-1)
t.square(t.tensor([True, False]))
t.square(t.tensor([-3], dtype=t.int8))
t.add(t.tensor([1, 2]), t.tensor([3, 4]), alpha=2)
t.add(t.tensor([1, 2]), t.tensor([3.0, 4.0]), alpha=2.5)
t.add(t.tensor([1, 2]), 1.5, alpha=2)
t.add(t.tensor([1, 2]), t.tensor([3, 4]), alpha=2.5)
t.sub(t.tensor([1, 2]), 2, alpha=2)
t.tensor([1.0, 2.0]).add(0.5, t.tensor([1.0, 2.0]))
t.tensor([1.0, 2.0]).add_(-0.5, t.tensor([1.0, 2.0]))
t.tensor([1.0, 2.0]).sub_(0.5, t.tensor([1.0, 2.0]))
t.tensor([1.0, 2.0]).add_(t.tensor([1.0, 2.0]), alpha=t.tensor(2.0))
t.tensor([1.0, 2.0]).addcmul_(0.5, t.tensor([1.0, 2.0]), t.tensor([3.0, 4.0]))
t.addcdiv(t.tensor([1.0, 2.0]), -0.5, t.tensor([1.0, 2.0]), t.tensor([3.0, 4.0]))
t.addcmul(t.tensor([1, 2]), t.tensor([1, 2]), t.tensor([3, 4]), value=3)
t.tensor([1, 2]).add_(t.tensor([0.5, 1.0]))
t.div(t.tensor([7, -7, 8]), 2, rounding_mode='floor')
t.div(t.tensor([7, -7, 8]), 2, rounding_mode='trunc')
t.div(t.tensor([7, -7, 6, -6]), t.tensor([-2, -2, 3, 3]), rounding_mode='trunc')
t.div(9, t.tensor([-2, 4]), rounding_mode='trunc')
t.div(t.tensor([7.0, -7.0, 0.0]), 0, rounding_mode='trunc')
t.div(t.tensor([7.0, -7.0, 0.0]), 0, rounding_mode='floor')
t.div(t.tensor([1.0]), 0.1, rounding_mode='floor')
t.div(t.tensor([True]), 2, rounding_mode='trunc')
t.div(t.tensor([7, -7]), 0, rounding_mode='trunc')
t.div(t.tensor([7, -7]), 2, rounding_mode='up')
t.tensor([7, -7]).div_(2, rounding_mode='floor')
t.tensor([7, -7]).div_(2)
t.tensor([1234.5, 2567.8]).round(decimals=-2)
t.tensor([1.005, 2.675], dtype=t.float64).round(decimals=2)
t.tensor([10000.126], dtype=t.float16).round(decimals=2)
t.tensor([1234, 2567]).round(decimals=-2)
t.tensor([]).prod()
t.tensor([1, 2], dtype=t.int32).prod()
t.tensor([True, False]).prod()
t.tensor([[2.0, 3.0]]).prod(0, dtype=t.float64)
t.tensor(2.0).prod(0)
t.zeros(0, 2).prod(0)
t.tensor([True, True]).cumsum(0)
t.tensor([200, 100], dtype=t.uint8).cumsum(0)
t.tensor([200, 100], dtype=t.uint8).cumsum(0, dtype=t.float32)
t.tensor(1.5).cumsum(0)
t.norm(t.tensor([3, 4]))
t.norm(t.tensor([3.0, 4.0]), dtype=t.float64)
t.norm(t.tensor([]))
t.norm(t.tensor([]), p=float('inf'))
t.norm(t.tensor(-3.0))
t.norm(t.tensor([3.0, 4.0]), p='foo')
t.tensor([3.0, float('nan'), 2.0]).sort().values
t.tensor([3.0, float('nan'), 2.0]).sort(descending=True).indices
t.tensor([1, 1, 2, 2, 1]).sort(descending=True, stable=True).indices
t.tensor([True, False]).argsort()
t.tensor(3).sort().indices
t.tensor(3).topk(1).values
t.tensor([3.0, float('nan'), 2.0]).topk(2).values
t.tensor([3, 1, 2]).topk(0).values
t.tensor([3, 1, 2]).topk(4).values
t.isinf(t.tensor([1, 2]))
t.isclose(t.tensor([1.0, float('inf'), float('nan')]), t.tensor([1.0, float('inf'), float('nan')]), equal_nan=True)
t.isclose(t.tensor([1, 100000]), t.tensor([1, 100001]))
t.logical_and(t.tensor([1, 0, 2]), t.tensor([1.0, 2.0, float('nan')]))
t.logical_xor(t.tensor([True, False]), t.tensor([3, 0]))
t.tensor([1, 2]).masked_fill(t.tensor([True, False]), 0.5)
t.tensor([1.0, 2.0]).masked_fill(t.tensor([True, False]), t.tensor(7))
t.tensor([True, False]).masked_fill(t.tensor([True, False]), 0)
t.tensor([1, 2]).masked_fill(t.tensor([1, 0]), 5)
t.tensor([1.0, 2.0]).masked_fill(t.tensor([True, False]), t.tensor([7.0]))
t.tensor([1.0, 2.0]).masked_fill(t.tensor([[True], [False]]), -1)
t.tensor([1.0, 2.0]).masked_fill_(t.tensor([[True], [False]]), -1)
t.where(t.tensor([[True, False], [True, True]]))[1]
t.tensor([[0, 2], [3, 0], [0, 0]]).nonzero()
t.tensor([0.0, float('nan'), -0.0]).nonzero(as_tuple=True)[0]
t.tensor(5).nonzero()
t.tensor(0).nonzero()
t.tensor(0).nonzero(as_tuple=True)[0]
t.zeros(0, 3).nonzero()
t.where(t.tensor([1, 0, 2]))[0]
t.where(t.tensor(3))[0]
t.log10(t.tensor([1.0, 10.0, 100.0, 1e6, 0.001]))
t.sin(t.tensor([1, 2]))
t.clamp_min(t.tensor([1, 5]), 2.5)
t.clamp_max(t.tensor([1, 5]), t.tensor([2, 9]))
t.nn.functional.normalize(t.tensor([3.0, 4.0]))
t.nn.functional.softplus(t.tensor([-200.0, 30.0, 21.0], dtype=t.float64))
t.nn.functional.elu(t.tensor([-1e-6, 100.0]))
1 ^ t.tensor([1, 2])
True | t.tensor([False, True])
2 & t.tensor([1, 2], dtype=t.uint8)
t.tensor([1, 2]) + np.bool_(True)
np.bool_(True) * t.tensor([True, False])
t.tensor([1, 2]) / np.bool_(True)
t.tensor([1, 2]) == np.bool_(True)
t.full((2,), np.bool_(True))
t.where(t.tensor([True, False]), t.tensor([1, 2]), np.bool_(True))
t.tensor([1, 2]).clamp(max=np.bool_(True))
t.tensor([1, 2]).clamp(max=np.int64(1))
t.tensor([1, 2], dtype=t.uint8).masked_fill(t.tensor([True, False]), np.int64(300))
t.tensor([1, 2], dtype=t.uint8).fill_(np.float32(2.7))
t.where(t.tensor([True, False]), np.float64(1), np.float64(2))
""".strip().splitlines()
LINSPACES = [
    f"t.linspace({a}, {b}, {n}, dtype=t.{dtype})"
    for a, b in [(0, 10), (-3, 3), (10, 0), (0.5, 9.7), (-1.9, 1.9), (0, 100), (-7, 2)]
    for n in (0, 1, 2, 3, 4, 5, 6, 7, 14)
    for dtype in ("int64", "int32")
]
# where a number enters a tensor that has a dtype
ENTRIES = """
x.fill_(n)
x.index_fill_(0, t.tensor([0, 2]), n)
x.index_fill(0, t.tensor([0, 2]), t.tensor(n))
x.scatter_(0, t.tensor([0, 2]), n)
x.scatter(0, t.tensor([0, 2]), value=n)
x.view(1, 3).expand(3, 3).clone().fill_diagonal_(n)
x.masked_fill(x > 2, n)
x.masked_fill_(x > 2, n)
x.masked_fill(x > 2, t.tensor(n))
x.__setitem__(slice(1, None), n) or x
x.__setitem__(x > 2, n) or x
t.where(x > 2, x, n)
t.where(x > 2, n, x)
t.full((2,), n, dtype=x.dtype)
t.full_like(x, n)
x.new_full((2,), n)
t.tensor([n], dtype=x.dtype)
t.linspace(n, 3, 2, dtype=x.dtype)
x.clamp(min=n)
x.clamp(0, n)
x.clamp_max(n)
x / n
n / x
x.fmod(n)
x ** n
x.pow_(n)
x.add(x, alpha=n)
t.addcmul(x, x, x, value=n)
x.addcmul_(x, x, value=n)
x.index_add(0, t.tensor([0, 2]), x[:2], alpha=n)
t.addmm(x, x.view(3, 1), x.view(1, 3), beta=n)
t.addmm(x, x.view(3, 1), x.view(1, 3), alpha=n)
t.nn.functional.threshold(x, 1, n)
""".strip().splitlines()
ENTERED = ["-1", "-128", "-256", "300", "2**40", "2.5", "-0.5", "127.5", "255.5", "float('nan')"]
# of the losses
MIXED = """
t.nn.functional.binary_cross_entropy_with_logits({}, {}, reduction='none')
t.nn.functional.binary_cross_entropy_with_logits({}, {})
t.nn.functional.huber_loss({}, {}, reduction='none')
t.nn.functional.huber_loss({}, {})
t.nn.functional.soft_margin_loss({}, {})
t.nn.functional.mse_loss({}, {})
t.nn.functional.l1_loss({}, {})
t.nn.functional.smooth_l1_loss({}, {})
t.nn.functional.multilabel_soft_margin_loss({0}[None], {0}[None], weight={1})
t.bincount(t.tensor([0, 2, 0]), weights={})
""".strip().splitlines()


def expressions():
    yield from PLAIN
    yield from LINSPACES
    yield from entries()
    floats = ["float16", "float32", "float64"]
    for expression, a, b in itertools.product(MIXED, [*floats, "int64"], floats):
        yield expression.format(*(f"t.tensor([7, -2, 3], dtype=t.{dtype})" for dtype in (a, b)))

    for a, b in itertools.product(DTYPES, DTYPES):
        left = f"t.tensor({NUMBERS.get(a, '[7, -2, 3]')}, dtype=t.{a})"
        right = f"t.tensor({DIVISORS.get(b, '[2, 3, 2]')}, dtype=t.{b})"
        for sign in SIGNS + (BITS if "float" not in a + b else []):
            yield f"{left} {sign} {right}"
        for name in PAIRS:
            yield f"t.{name}({left}, {right})"
        yield f"{left} * {right}[0]"  # one without dimensions
        yield f"{left}[1] + {right}"
    for a, sign, number in itertools.product(DTYPES, SIGNS, ["2", "2.5", "True"]):
        left = f"t.tensor({NUMBERS.get(a, '[7, -2, 3]')}, dtype=t.{a})"
        yield f"{left} {sign} {number}"
        yield f"{number} {sign} t.tensor({DIVISORS.get(a, '[2, 3, 2]')}, dtype=t.{a})"


def entries():
    for expression, dtype, number in itertools.product(ENTRIES, ["uint8", "int8", "float16"], ENTERED):
        x = f"t.tensor([7, 2, 3], dtype=t.{dtype})"
        yield f"(lambda x, n: {expression})({x}, {number})"


def main():
    warnings.simplefilter("ignore")
    lines = []
    for expression in expressions():
        try:
            y = eval(expression, {"t": torch, "np": np})
            case = [expression, str(y.dtype).removeprefix("torch."), y.tolist()]
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
            case = [expression, None, None]
        lines.append(json.dumps(case, separators=(",", ":")))
    (Path(__file__).parent / "rules_reference.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
