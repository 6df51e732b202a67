"""Trigonometry, remainders, parts and their order, diagonals, counts, and the in-place methods that are named for an op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from arrays import both, enumerate_named, values_and_indices
from case import Cases, classes, constant, normal, say, uniform, values

CASES = Cases()
add = CASES.add
NAN, INF = float("nan"), float("inf")

# ---- elementwise -----------------------------------------------------------------------------------------------------

for name in ("tan", "asin", "acos", "atan", "sinh", "cosh", "expm1", "reciprocal", "frac", "trunc"):
    add(f"elementwise {name}", both(name), x=uniform(2, 3, low=-0.9, high=0.9))
add("elementwise, of integers", lambda lib, i: {"reciprocal": lib.reciprocal(i), "trunc": i.trunc(), "fmod": i.fmod(3)},
    i=values([1, -2], [4, 1]))  # fmt: skip

TWO: dict[str, Callable[..., Any]] = {
    "atan2": lambda lib, x, z: {"function": lib.atan2(x, z), "method": x.atan2(z)},
    "hypot": lambda lib, x, z: {"function": lib.hypot(x, z), "method": x.hypot(z)},
    "fmod": lambda lib, x, z: {"function": lib.fmod(x, z), "method": x.fmod(-0.7), "integers": (x * 9).long().fmod(4)},
    "lerp": lambda lib, x, z: {
        "0.3": lib.lerp(x, z, 0.3), "0.9": x.lerp(z.expand(2, 3), 0.9), "tensor": lib.lerp(x, z.expand(2, 3), x * x),
    },
    "true_divide": lambda lib, x, z: lib.true_divide(x, z) * x.true_divide(2),
}  # fmt: skip
for name, f in TWO.items():
    add(f"elementwise {name}", f, x=normal(2, 3), z=uniform(3))
SIGNS = {"a": values(1.0, 1.0, -1.0, -1.0, 0.0, 0.0), "b": values(1.0, -1.0, 1.0, -1.0, -2.0, 0.0)}
add("atan2 of the quadrants", lambda lib, a, b: lib.atan2(a, b), **SIGNS)
add("nan_to_num", lambda lib, x: {"plain": lib.nan_to_num(x), "given": x.nan_to_num(1.5, posinf=2.0, neginf=-3.0)},
    x=values(NAN, INF, -INF, 1.25))  # fmt: skip

# ---- reductions ------------------------------------------------------------------------------------------------------

add("cumprod", lambda lib, x: {"0": lib.cumprod(x, 0), "-1": x.cumprod(dim=-1)}, x=normal(2, 3, 5))
add("cumprod of zeros", lambda lib, x: lib.cumprod(x, 1), x=values([0.0, 2.0, 0.0], [0.0, 0.0, 5.0], [1.0, 2.0, 0.0]))
add("cumprod of integers", lambda lib, i: {"i": i.cumprod(0), "b": (i > 0).cumprod(1)}, i=values([3, -1], [2, 4]))
for name in ("var_mean", "std_mean"):
    for o in ({}, {"dim": 0}, {"dim": (0, 1), "keepdim": True}, {"dim": 1, "correction": 0}, {"dim": 1, "unbiased": False}):
        add(f"{name}{say(o)}", lambda lib, x, name=name, o=o: dict(enumerate_named(getattr(lib, name)(x, **o))), x=normal(3, 4))
for o in ({"dim": 0}, {"dim": -1, "keepdim": True}):
    add(f"median{say(o)}", values_and_indices("median", **o), x=normal(4, 5))
add("median", lambda lib, x: {"odd": lib.median(x), "even": x[:, :4].median()}, x=normal(3, 5))
add("median of equals", lambda lib, x: lib.median(x), x=values(1.0, 2.0, 2.0, 2.0, 7.0))
add("median of NaN", lambda lib, x: {"all": lib.median(x), "values": x.median(1).values, "at": x.median(1).indices},
    x=constant(values([1.0, NAN, 2.0], [5.0, 4.0, 3.0])))  # fmt: skip
add("median of integers", lambda lib, i: {"all": lib.median(i), "rows": i.median(1).values},
    i=values([3, 1, 2, 7], [9, 4, 5, 0]))  # fmt: skip

# ---- products --------------------------------------------------------------------------------------------------------

add("addmm", lambda lib, x, a, b: {
        "plain": lib.addmm(x, a, b), "scaled": x.addmm(a, b, beta=0.3, alpha=-2), "none": lib.addmm(x, a, b, beta=0),
    }, x=normal(4), a=normal(2, 3), b=normal(3, 4))  # fmt: skip
add("tensordot", lambda lib, a, b: {
        "2": lib.tensordot(a, b), "1": lib.tensordot(a, b.transpose(0, 1), 1), "0": lib.tensordot(a[0, 0], b, dims=0),
        "named": lib.tensordot(a, b, dims=([2, 1], [1, 0])), "one": lib.tensordot(a, b, dims=([-1], [-2])),
    }, a=normal(2, 4, 4), b=normal(4, 4, 3))  # fmt: skip

add("kron", lambda lib, a, b: {"matrices": lib.kron(a, b), "ranks": a[0].kron(b), "number": lib.kron(a, b[0, 0])},
    a=normal(2, 3), b=normal(3, 2))  # fmt: skip
add("bits by name", lambda lib, a, b: {
        "and": lib.bitwise_and(a, b), "or": a.bitwise_or(b), "xor": lib.bitwise_xor(a, 3), "not": lib.bitwise_not(a),
        "method": a.bitwise_and(6) + a.bitwise_xor(b) + b.bitwise_not(), "truth": lib.bitwise_or(a > 3, b > 3),
    }, a=values(3, 0, 6, 2), b=values(3, 5, 1, 4))  # fmt: skip

# ---- shapes, parts and their order -----------------------------------------------------------------------------------

SHAPES: dict[str, Callable[..., Any]] = {
    "movedim": lambda lib, x: {"one": lib.movedim(x, 0, -1), "two": x.movedim((0, 1), (2, 0)), "alias": x.moveaxis(2, 0)},
    "ravel": lambda lib, x: lib.ravel(x.transpose(0, 1)) * x.ravel(),
    "unflatten": lambda lib, x: {"given": lib.unflatten(x, 2, (2, 2)), "found": x.unflatten(-1, (-1, 2))},
    "hstack": lambda lib, x: {"matrices": lib.hstack([x, 2 * x[:, :1]]), "vectors": lib.hstack((x[0, 0], x[0, 0, 0]))},
    "vstack": lambda lib, x: {"tensors": lib.vstack([x, 2 * x[:1]]), "vectors": lib.vstack((x[0, 0], x[1, 1]))},
    "narrow": lambda lib, x: {"front": lib.narrow(x, 1, 0, 2), "back": x.narrow(-1, -2, 1), "none": x.narrow(0, 1, 0)},
    "masked_select": lambda lib, x: {"function": lib.masked_select(x, x > 0), "broadcast": x.masked_select(x[0, 0] > 0)},
    "repeat_interleave": lambda lib, x: {
        "all": lib.repeat_interleave(x, 2), "dim": x.repeat_interleave(3, dim=1),
        "each": x.repeat_interleave(lib.tensor([2, 0, 1]).to(x.device), 1),
    },
    "roll": lambda lib, x: {
        "flat": lib.roll(x, 5), "one": x.roll(-1, 1), "two": x.roll(shifts=(1, 7), dims=(0, -1)),
        "twice": x.roll((1, 1), (1, 1)),
    },
    "diff": lambda lib, x: {"last": lib.diff(x), "twice": x.diff(n=2, dim=1), "joined": x.diff(dim=0, prepend=x[:1], append=x)},
    "fliplr flipud": lambda lib, x: {"lr": lib.fliplr(x), "ud": lib.flipud(x), "both": x.fliplr().flipud()},
    "diagonal": lambda lib, x: {
        "main": lib.diagonal(x), "above": x.diagonal(1, 1, 2), "below": x.diagonal(offset=-2, dim1=-1, dim2=0),
    },
    "diag": lambda lib, x: {"matrix": lib.diag(x[0]), "below": x[1].diag(-1), "made": lib.diag(x[0, 0]), "up": x[0, 0].diag(2)},
    "trace": lambda lib, x: lib.trace(x[0]) * x[1].trace(),
    "written diagonal": lambda lib, x: write_diagonals(x * 1) * x[0],
}  # fmt: skip


def write_diagonals(y: Any) -> Any:
    y[0].diagonal().mul_(2)
    y[1].fill_diagonal_(0.5)
    return y[0] + y[1]


for name, f in SHAPES.items():
    add(f"shape {name}", f, x=normal(2, 3, 4))
add("diff of booleans", lambda lib, x: lib.diff(x), x=values([True, False, False], [True, True, False]))
add("index_add", lambda lib, x, i, v: {
        "function": lib.index_add(x, 1, i, v) * x, "method": x.index_add(1, i, v, alpha=-0.5),
        "in place": (x * 1).index_add_(1, i, v),
    }, x=normal(2, 4), i=classes(4, 3), v=normal(2, 3))  # fmt: skip
add("index_fill", lambda lib, x, i: {
        "function": lib.index_fill(x, 1, i, 2.5) * x, "tensor": x.index_fill(0, i, x[0, 0].detach()),
        "in place": (x * 1).index_fill_(1, i, 1.5) * x,
    }, x=normal(2, 4), i=classes(2, 2))  # fmt: skip
add("index_add of integers", lambda lib, x, i: x.index_add(0, i, x[:3]), x=values(5, 6, 7, 8), i=values(1, 1, 3))

# ---- counts ----------------------------------------------------------------------------------------------------------


def all_of_unique(lib: Any, x: Any) -> Any:
    full = dict(enumerate_named(lib.unique(x, return_inverse=True, return_counts=True)))
    return {**full, "alone": x.unique(), "counts": x.unique(return_counts=True)[1], "at": x.unique(return_inverse=True)[1]}


add("unique", all_of_unique, x=constant(values([1.5, -2.0, 1.5], [0.0, -2.0, 7.0])))
add("unique of integers", all_of_unique, x=classes(4, 3, 4))
add("unique of booleans", all_of_unique, x=values([True, False], [False, False]))
add("isin", lambda lib, a, b: {
        "function": lib.isin(a, b), "not": lib.isin(a, b, invert=True), "number": lib.isin(a, 2), "none": lib.isin(a, b[:0]),
    }, a=classes(6, 3, 4), b=classes(6, 2))  # fmt: skip
add("histc", lambda lib, x: {
        "found": lib.histc(x, 5), "given": x.histc(bins=4, min=-1, max=1), "equal": lib.histc(x[:1, 0], 3),
    }, x=constant(normal(4, 9)))  # fmt: skip
ENDS = values(-1.0, 0.0, 1.0, 3.5, 4.0, 4.5, NAN)
add("histc at the ends", lambda lib, x: lib.histc(x, bins=4, min=0, max=4), x=constant(ENDS))

# ---- in place --------------------------------------------------------------------------------------------------------

IN_PLACE: dict[str, Callable[..., Any]] = {
    **{
        name: lambda lib, y, z, name=name: getattr(y, name)()
        for name in (
            *("abs_", "ceil_", "cos_", "exp_", "expm1_", "floor_", "frac_", "log10_", "log1p_", "log2_", "log_"),
            *("nan_to_num_", "neg_", "reciprocal_", "round_", "rsqrt_", "sigmoid_", "sin_", "sqrt_", "square_"),
            *("sign_", "tan_", "tanh_", "tril_", "triu_", "trunc_"),
        )
    },
    "functions": lambda lib, y, z: lib.exp_(lib.neg_(lib.abs_(y))),
    "lerp_": lambda lib, y, z: y.lerp_(z.expand(2, 3), 0.3),
    "fmod_": lambda lib, y, z: y.fmod_(0.7),
    "clamp_min_": lambda lib, y, z: y.clamp_min_(1.0),
    "clip_": lambda lib, y, z: y.clip_(0.9, 1.1),
    "clamp_max_": lambda lib, y, z: y.clamp_max_(1.0),
    "addmm_": lambda lib, y, z: y.addmm_(y.detach() @ y.detach().mT, y.detach() * 1, beta=0.5),
}


def in_place(change: Callable[..., Any]) -> Callable[..., Any]:
    def compute(lib: Any, x: Any, z: Any) -> Any:
        y = x * 1
        change(lib, y, z)
        return y * x + y

    return compute


for name, change in IN_PLACE.items():
    add(f"in place {name}", in_place(change), x=uniform(2, 3), z=uniform(3))


def shapes_in_place(lib: Any, x: Any) -> Any:
    y, plain = x * 1, x.detach().clone()
    row = y[1]
    y.t_()
    y.mul_(2)
    y.unsqueeze_(1)
    y.transpose_(0, 2).add_(x[0].reshape(1, 1, -1))
    view = plain.view(6)
    view.unsqueeze_(0).squeeze_()
    plain.t_()
    view[1] = 9.0
    return {"y": y * y, "row": row * 3, "squeezed": (x[:1] * 2).squeeze_(0), "plain": plain, "view": view}


add("shapes in place", shapes_in_place, x=normal(2, 3))
add("old constructors of a tensor", lambda lib, x: {
        "sizes": x.new(2, 3).zero_(), "numbers": x.new([1, 2]), "empty": x.new_empty(2, 2).fill_(1),
        "like": lib.empty_like(x).fill_(2),
    }, x=normal(3))  # fmt: skip
