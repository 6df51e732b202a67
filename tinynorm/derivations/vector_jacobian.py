"""Chapter 0: Backward, one step at a time: add up over all ways.

A loss L is one number. For each array x on the way to L, dx stands for dL/dx. It has the shape of x: where x changes by a small
h in one place, L changes by h times the number that dx has there. dx is called the gradient or the adjoint of x.

A backward pass starts from dy, the adjoint of the output, and computes the adjoint of one symbol after another, in reverse
order. It needs one rule only, the chain rule: x reaches L through everything that is computed from x, and dx adds up over all
these ways. This chapter applies the rule to the five kinds of steps of which all later chapters consist: a function of each
element, a product, a sum, broadcasting and a matrix product.
"""

from ..ops import broadcast_to
from ..ops.common import sum_over
from .machinery.chapter import FORWARD, Chapter
from .machinery.notation import Style

chapter = Chapter(
    order=0,
    key="VJ",
    name="vector_jacobian",
    text=__doc__,
    sizes={"n": "N", "k": "K", "d": "D", "o": "O"},
    given={"A": "nk", "B": "kd", "b": ".d", "W": "od"},
    settings={"axes": (0,)},
)


chapter.section(
    "Forward: an example with every kind of step",
    "The steps compute nothing useful; they are there to be gone through backward. The loss can be any function of y. The "
    "checks take the sum of all y, each times a fixed number dy, because dy is then the adjoint of y.",
)


@chapter.forward("VJ.1", "A matrix product, (A B)_nd = Σ_k A_nk B_kd, and a row b, which broadcasting adds to all N rows.")
def u(A, B, b):
    return A @ B + b


@chapter.forward("VJ.2", "A function of each element.")
def w(u):
    return u * u


@chapter.forward("VJ.3", "A sum over the rows. It leaves one row of D numbers.")
def q(w, axes):
    return sum_over(w, axes)


@chapter.forward("VJ.4", "A second sum over the rows. So u is used twice: here, and in w.")
def s(u, axes):
    return sum_over(u, axes)


@chapter.forward("VJ.5", "A product, element by element.")
def v(s, q):
    return s * q


@chapter.forward("VJ.6", "A linear map of the row v to a row of O numbers.")
def t(v, W):
    return v @ W.T


@chapter.forward("VJ.7", "The output: once more a function of each element.")
def y(t):
    return t * t


@chapter.table(
    "What dA says: if one number of A grows by a small h, L grows by h times dA", "h", "change of L / h", "dA", "difference"
)
def first_order():
    before = chapter.run(chapter.values({"n": 4, "k": 3, "d": 2, "o": 5}))
    dA, rows = before["dA"][0, 1], []
    for h in (1e-1, 1e-2, 1e-3, 1e-4):
        A = before["A"].copy()
        A[0, 1] += h
        values = {name: before[name] for name in (*chapter.given, *chapter.settings, chapter.upstream)}
        after = chapter.run({**values, "A": A}, (FORWARD,))
        change = ((after["y"] - before["y"]) * before["dy"]).sum() / h
        rows.append((h, f"{change:.3f}", f"{dA:.3f}", f"{change - dA:.3f}"))
    return rows


chapter.section(
    "The Jacobian, and why nobody builds it",
    "The derivatives of all numbers of y with respect to all numbers of v are a matrix, the Jacobian. One product with it goes "
    "backward from y to v. The steps between them, taken one at a time, do the same without the matrix.",
)


@chapter.forward("VJ.8", "The Jacobian of y with respect to v, a row for each y: t² has the derivative 2 t, and t has W.")
def J(t, W):
    return 2 * t.T * W


@chapter.adjoint("VJ.9", "A number of v reaches all O numbers of y. Each way counts dy times the derivative along it.")
def dv(dy, J):
    return sum_over(dy.T * J, (0,))


@chapter.rewriting("VJ.10", "This is a row vector times a matrix: the vector-Jacobian product.")
def dv(dy, J):
    return dy @ J


@chapter.rewriting("VJ.11", "Insert VJ.8. The first three factors belong to y alone; they do not depend on v's index.")
def dv(dy, t, W):
    return sum_over(2 * t.T * dy.T * W, (0,))


@chapter.adjoint("VJ.12", "These factors are dt. Each t reaches one y only, so there is one way and nothing to add up.")
def dt(dy, t):
    return 2 * t * dy


@chapter.rewriting("VJ.13", "So dv needs only dt and W. A linear map's Jacobian is its own matrix, which is there already.")
def dv(dt, W):
    return dt @ W


@chapter.table(
    "For a function of each element of x, the Jacobian is large and nearly empty",
    *("shape of x", "numbers in the Jacobian", "of these not 0", "the Jacobian in float32"),
)
def sizes_of_jacobians():
    rows = []
    for n, d in ((8, 16), (64, 128), (256, 1024)):
        numbers = n * d
        rows.append((f"({n}, {d})", f"{numbers**2:,}", f"{numbers:,}", f"{4 * numbers**2 / 2**20:,g} MiB"))
    return rows


chapter.section("A product")


@chapter.adjoint("VJ.14", "The derivative of a product with respect to one factor is the other factor.")
def ds(dv, q):
    return dv * q


@chapter.adjoint("VJ.15", "The same for the other factor.")
def dq(dv, s):
    return dv * s


chapter.section("A sum, and a symbol that is used twice")


@chapter.adjoint("VJ.16", "Each row of w goes into the sum with the factor 1. So the backward of a sum is a copy for each row.")
def dw(dq, w):
    return broadcast_to(dq, w.shape)


@chapter.adjoint("VJ.17", "u goes into s, whose backward is a copy, and into w = u². The two ways add up.")
def du(ds, dw, u):
    return ds + 2 * u * dw


chapter.section("Broadcasting")


@chapter.adjoint(
    "VJ.18", "b is one row, used in all N rows: N ways. So a repetition's backward is a sum, the reverse of VJ.16."
)
def db(du, axes):
    return sum_over(du, axes)


chapter.section("A matrix product")


@chapter.adjoint("VJ.19", "An element of A is used for the D numbers of one row of u, each time with another element of B.")
def dA(du, B):
    return sum_over(du[:, None, :] * B, (2,))[:, :, 0]


@chapter.rewriting(
    "VJ.20", "The sum runs over the second index of both. A product needs the first index of its second factor: so Bᵀ."
)
def dA(du, B):
    return du @ B.T


@chapter.adjoint("VJ.21", "An element of B is used in all N rows, each time with another element of A.")
def dB(A, du):
    return sum_over(A[:, :, None] * du[:, None, :], (0,))[0]


@chapter.rewriting("VJ.22", "The sum runs over the first index of both: so Aᵀ.")
def dB(A, du):
    return A.T @ du


@chapter.adjoint("VJ.23", "v and t have one row only, so there is nothing to add up: each dt meets each v once.")
def dW(dt, v):
    return dt.T * v


@chapter.rewriting("VJ.24", "It is the same formula as VJ.22, with one row: an outer product.")
def dW(dt, v):
    return dt.T @ v


@chapter.table("The steps and what each does backward", "step", "forward", "backward")
def steps():
    style = Style(latex=False, sizes=chapter.sizes)
    last = {line.symbol: line for line in chapter.lines}

    def written(symbol):
        return f"{style.symbol(symbol, ''.join(chapter.letters(symbol)))} = {style.write(last[symbol].tree)}"

    kinds = {
        "function of each element": ("y", "dt"),
        "product": ("v", "ds"),
        "sum": ("q", "dw"),
        "repetition (b)": ("u", "db"),
        "matrix product (A)": ("u", "dA"),
        "matrix product (B)": ("u", "dB"),
    }
    return [(kind, written(forward), written(backward)) for kind, (forward, backward) in kinds.items()]
