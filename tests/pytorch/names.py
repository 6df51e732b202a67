"""Names that the other files have no case for: operators, in-place ops, conversions, comparisons, second names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from case import Cases, constant, normal, uniform, values

CASES = Cases()
add = CASES.add

MATRICES: dict[str, Callable[..., Any]] = {
    "bmm": lambda lib, a, b: a.reshape(1, 2, 3).bmm(b.reshape(1, 3, 2)),
    "dot": lambda lib, a, b: a[0].dot(b[:, 1]),
    "matmul": lambda lib, a, b: lib.matmul(a, b) + a.matmul(b),
    "mm": lambda lib, a, b: a.mm(b),
    "mv": lambda lib, a, b: a.mv(b[:, 0]),
    "rmatmul": lambda lib, a, b: b.__rmatmul__(a),
}
for name, f in MATRICES.items():
    add(f"name {name}", f, a=normal(2, 3), b=normal(3, 2))

FLOATS: dict[str, Callable[..., Any]] = {
    "add": lambda lib, x, z: lib.add(x, z) * x.add(z),
    "sub": lambda lib, x, z: lib.sub(x, z) * x.sub(z),
    "mul": lambda lib, x, z: lib.mul(x, z) + x.mul(z),
    "div": lambda lib, x, z: lib.div(x, z) + x.div(z),
    "pow": lambda lib, x, z: lib.pow(x, z) + x.pow(z),
    "neg": lambda lib, x, z: lib.neg(x) * x.neg(),
    "abs": lambda lib, x, z: abs(x - z),
    "erf erfc": lambda lib, x, z: lib.erf(x) * x.erfc(),
    "remainder": lambda lib, x, z: lib.remainder(x, 0.7) + x.remainder(z) + x % z + 1.9 % x.detach(),
    "right": lambda lib, x, z: {"add": 1.5 + x, "sub": 1.5 - x, "mul": 1.5 * x, "div": 1.5 / x, "pow": 1.5**x},
    "clip": lambda lib, x, z: x.clip(0.8, 1.5),
    "clamp_min clamp_max": lambda lib, x, z: lib.clamp_min(x, 0.8) * x.clamp_max(z) + x.clamp_min(z) + lib.clamp_max(x, 1.5),
    "aliases": lambda lib, x, z: {
        "sub": lib.subtract(x, z) + x.subtract(z), "mul": lib.multiply(x, z) + x.multiply(z),
        "div": lib.divide(x, z) + x.divide(z), "square": lib.square(x) + x.square(),
    },
    "sin cos": lambda lib, x, z: lib.sin(x) * z.sin() + lib.cos(x) * z.cos(),
    "logarithms": lambda lib, x, z: {
        "log2": lib.log2(x) + z.log2(), "log10": lib.log10(x) + z.log10(), "log1p": lib.log1p(x) + z.log1p(),
    },
    "alpha": lambda lib, x, z: lib.add(x, z, alpha=0.3) * x.sub(z, alpha=2) + lib.sub(x, 1, alpha=0.5),
    "addcmul addcdiv": lambda lib, x, z: lib.addcmul(x, z, x, value=0.3) + x.addcdiv(z, x, value=-2) + x.addcmul(x, x),
    "div rounded": lambda lib, x, z: {
        mode: lib.div(x - 1, z, rounding_mode=mode) + x.div(0.7, rounding_mode=mode) for mode in ("floor", "trunc")
    },
    "masked_fill": lambda lib, x, z: lib.masked_fill(x, x > 1, -1e9) * x.masked_fill(x < 1, z[0]),
    "clone contiguous": lambda lib, x, z: lib.clone(x.T.contiguous()) * 2,
    "where as method": lambda lib, x, z: x.where(x > 1, z) * 2,
    "concat": lambda lib, x, z: lib.concat([x, x * 2], 0),
    "t swapaxes": lambda lib, x, z: lib.t(x) * 2 + x.swapaxes(0, 1),
    "broadcast_to": lambda lib, x, z: lib.broadcast_to(z, (2, 3)) * x,
    "expand_as": lambda lib, x, z: z.expand_as(x) * x,
    "view_as reshape_as": lambda lib, x, z: x.view_as(x) + x.reshape_as(x),
    "take_along_dim": lambda lib, x, z: x.take_along_dim(lib.tensor([[0, 0, 1], [1, 0, 1]]).to(x.device), 0),
    "conversions": lambda lib, x, z: {
        "double": x.double().type_as(x), "float": x.float().to(x.dtype), "type": x.type(lib.float64).to(x),
        "byte": x.detach().abs().byte(), "char": x.detach().char(), "short": x.detach().short(),
        "half": x.detach().half(), "cpu": x.cpu().to(x.device),
    },
    "max min": lambda lib, x, z: {"max": lib.max(x), "min": x.min(), "values": x.max(1).values, "indices": x.min(0).indices},
}  # fmt: skip
for name, f in FLOATS.items():
    add(f"name {name}", f, x=uniform(2, 3), z=uniform(3))

IN_PLACE: dict[str, Callable[..., Any]] = {
    "add_": lambda y, z: y.add_(z),
    "sub_": lambda y, z: y.sub_(z),
    "mul_": lambda y, z: y.mul_(z),
    "div_": lambda y, z: y.div_(z),
    "pow_": lambda y, z: y.pow_(z),
    "remainder_": lambda y, z: y.remainder_(0.7),
    "clamp_": lambda y, z: y.clamp_(0.8, 1.5),
    "relu_": lambda y, z: y.sub_(1.0).relu_(),
    "add_ alpha": lambda y, z: y.add_(z, alpha=-0.3),
    "sub_ alpha": lambda y, z: y.sub_(z, alpha=3),
    "addcmul_": lambda y, z: y.addcmul_(z, z * z, value=0.3),
    "addcdiv_": lambda y, z: y.addcdiv_(z, z + 1, value=0.3),
    "masked_fill_": lambda y, z: y.masked_fill_(z > 1, 2),
    "div_ rounded": lambda y, z: y.div_(z, rounding_mode="floor"),
    "zero_": lambda y, z: y.zero_(),
    "fill_": lambda y, z: y.fill_(1.5),
    "copy_": lambda y, z: y.copy_(z),
    "setitem": lambda y, z: y.__setitem__(1, z),
    "iadd": lambda y, z: y.__iadd__(z),
    "isub": lambda y, z: y.__isub__(z),
    "imul": lambda y, z: y.__imul__(z),
    "idiv": lambda y, z: y.__itruediv__(z),
    "ipow": lambda y, z: y.__ipow__(z),
    "imod": lambda y, z: y.__imod__(0.7),
}


def in_place(change: Callable[..., Any]) -> Callable[..., Any]:
    def compute(lib: Any, x: Any, z: Any) -> Any:
        y = x * 1
        change(y, z)
        return y * x

    return compute


for name, change in IN_PLACE.items():
    add(f"name {name}", in_place(change), x=uniform(2, 3), z=uniform(3))

STEPS: dict[str, Callable[..., Any]] = {
    "floor": lambda lib, x: lib.floor(x) + x.floor(),
    "ceil": lambda lib, x: lib.ceil(x) + x.ceil(),
    "round": lambda lib, x: lib.round(x) + x.round(),
    "round decimals": lambda lib, x: lib.round(x, decimals=1) + x.round(decimals=2) + (x * 1000).round(decimals=-2),
    "sign": lambda lib, x: lib.sign(x) + x.sign(),
    "floor_divide": lambda lib, x: lib.floor_divide(x, 0.7) + x // 0.7 + 1.9 // x + x.clone().floor_divide_(0.7),
    "floor divide in place": lambda lib, x: x.clone().__ifloordiv__(0.7),
    "finite": lambda lib, x: {"isnan": lib.isnan(x), "isfinite": x.isfinite(), "isinf": lib.isinf(x / 0) | x.isinf()},
    "isclose": lambda lib, x: {"function": lib.isclose(x, x + 1e-9), "method": x.isclose(x.round(), rtol=0.1, atol=0.2)},
    "equal": lambda lib, x: {"equal": lib.equal(x, x), "allclose": x.allclose(x + 1e-9), "not": x.equal(x + 1)},
    "like": lambda lib, x: {"zeros": lib.zeros_like(x), "ones": lib.ones_like(x), "full": lib.full_like(x, 2.5)},
    "integers": lambda lib, x: {"int": x.int(), "long": x.long(), "bool": x.bool(), "to": x.to(lib.int32)},
}
for name, f in STEPS.items():
    add(f"name {name}", f, x=constant(normal(2, 3, std=3.0)))

COMPARISONS: dict[str, Callable[..., Any]] = {
    "functions": lambda lib, a, b: {
        name: getattr(lib, name)(a, b) for name in ("eq", "ne", "lt", "le", "gt", "ge")
    },
    "methods": lambda lib, a, b: {
        "eq": a.eq(b), "ne": a.ne(b), "lt": a.lt(b), "le": a.le(b), "gt": a.gt(b), "ge": a.ge(b)
    },
    "operators": lambda lib, a, b: {"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b},
    "bits": lambda lib, a, b: {"and": a & b, "or": a | b, "xor": a ^ b, "not": ~a, "rand": 5 & b, "ror": 5 | b, "rxor": 5 ^ b},
    "truth": lambda lib, a, b: {
        "all": lib.all(a), "any": lib.any(a), "all of rows": a.all(0), "any of rows": a.any(0),
    },
    "not": lambda lib, a, b: {"function": lib.logical_not(a), "method": b.logical_not()},
    "logical": lambda lib, a, b: {
        name: getattr(lib, name)(a, b) | getattr(a, name)(b) for name in ("logical_and", "logical_or", "logical_xor")
    },
    "bits in place": lambda lib, a, b: {
        "and": a.clone().bitwise_and_(b), "or": a.clone().bitwise_or_(b), "xor": a.clone().bitwise_xor_(b),
        "iand": a.clone().__iand__(b), "ior": a.clone().__ior__(b), "ixor": a.clone().__ixor__(b),
    },
    "nonzero": lambda lib, a, b: {
        "rows": lib.nonzero(a), "number": a[0].nonzero(), "tuple": (a > 2).nonzero(as_tuple=True)[0],
        "where": lib.where(b < 5)[0],
    },
    "best": lambda lib, a, b: {"argmax": lib.argmax(a), "argmin": a.argmin(), "kept": a.argmax(keepdim=True)},
}  # fmt: skip
for name in ("functions", "methods", "operators", "bits", "truth", "not", "logical", "bits in place", "nonzero", "best"):
    add(f"name {name}", COMPARISONS[name], a=values(3, 0, 6, 2), b=values(3, 5, 1, 4))
for name in ("operators", "bits", "truth", "not", "logical", "bits in place"):
    add(f"name {name} of booleans", COMPARISONS[name], a=values(True, False, True, False), b=values(True, True, False, False))
