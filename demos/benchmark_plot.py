"""The picture of how a training step's time grows with its batch and its width, between what a copy and the products take."""

from __future__ import annotations

import math
from pathlib import Path

from benchmark_contenders import SCALING

# contender -> its name in the picture, colour, line; the roofs come last
LINES = {
    "captured": ("tinynorm, captured", "#c4351c", "-"),
    "tinynorm": ("tinynorm, eager", "#e8845c", "-"),
    "jax": ("JAX jit", "#2e7d32", "-"),
    "torch": ("PyTorch, eager", "#7fa6d6", "-"),
    "torch-fused": ("PyTorch, fused Adam", "#3d6fb4", "-"),
    "torch-compiled": ("PyTorch, compile", "#17365f", "-"),
    "gemm": ("bare products", "0.35", "--"),
    "copy": ("bare copy", "0.55", ":"),
}
TITLES = {
    "batch": "Rows of a batch, at width 128",
    "width": "Width of both hidden layers, at batch 64",
}
TITLE = "A training step of the MLP 784-width-width-10 with BatchNorm, cross-entropy and Adam, in float32"
ROOF = "NumPy's products, or a copy\nof the bytes, alone take longer:\nhere only other products get"
APART = 0.052  # names at the lines' ends stand so far apart, as parts of the axis's height


def draw(seconds: dict[str, dict[str, float]], path: str, clock: str) -> None:
    """Write the picture to a file (its type is told by the file's name)."""
    drawn = {case: seconds[case] for cases in SCALING.values() for case in cases.values() if case in seconds}
    measured = [by[c] for by in drawn.values() for c in LINES if c in by]
    if not measured:
        raise SystemExit("benchmark: --plot: no step of another batch or width was measured; leave out --only")
    import matplotlib

    matplotlib.use("Agg")  # draws into files: needs no screen
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    figure, both = plt.subplots(1, 2, figsize=(13, 6), sharey=True, layout="constrained")
    for axes, (grows, cases) in zip(both, SCALING.items(), strict=True):
        sizes = [n for n, case in cases.items() if case in drawn]
        ends = {}
        for contender, (_, colour, style) in LINES.items():
            points = [(n, drawn[cases[n]][contender]) for n in sizes if contender in drawn[cases[n]]]
            if points:
                width = 3 if contender == "captured" else 1.6
                axes.plot(*zip(*points, strict=True), style, color=colour, linewidth=width, marker="o", markersize=4)
                ends[contender] = points[-1][1]
        below = [max(drawn[cases[n]].get(roof, 0) for roof in ("gemm", "copy")) for n in sizes]
        axes.text(0.97, 0.04, ROOF, transform=axes.transAxes, ha="right", color="0.45")
        axes.set(xscale="log", yscale="log", xlabel=TITLES[grows])
        axes.fill_between(sizes, min(measured) / 1.5, below, color="0.93", zorder=0)
        axes.set_ylim(min(measured) / 1.5, max(measured) * 1.5)
        axes.set_xticks(sizes, [f"{n:,}" for n in sizes])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(which="both", color="0.9", linewidth=0.6)
        if ends:
            _name_ends(axes, ends, sizes[-1])
    left = both[0]
    left.set_ylabel(f"{'CPU' if clock == 'cpu' else 'wall'} time of a training step")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(FuncFormatter(lambda t, _: f"{t * 1e3:g} ms" if t >= 0.9995e-3 else f"{t * 1e6:.0f} µs"))
    left.yaxis.set_minor_formatter(NullFormatter())
    figure.suptitle(TITLE)
    figure.savefig(Path(path), dpi=130)
    plt.close(figure)


def _name_ends(axes: object, ends: dict[str, float], at: float) -> None:
    """Each line's name at its right end, moved up or down where names would meet."""
    low, high = (math.log(t) for t in axes.get_ylim())  # type: ignore[attr-defined]
    lines = sorted(ends, key=lambda c: ends[c])
    heights = [(math.log(ends[c]) - low) / (high - low) for c in lines]
    for _ in range(200):  # each pair that is too near goes apart by a little, until none is
        for i in range(len(heights) - 1):
            near = APART - (heights[i + 1] - heights[i])
            if near > 0:
                heights[i] -= near / 2
                heights[i + 1] += near / 2
    for contender, height in zip(lines, heights, strict=True):
        name, colour, _ = LINES[contender]
        axes.annotate(  # type: ignore[attr-defined]
            name,
            (at, ends[contender]),
            (1.06, height),
            textcoords="axes fraction",
            color=colour,
            va="center",
            weight="bold" if contender == "captured" else "normal",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.7, "relpos": (0, 0.5)},
        )
