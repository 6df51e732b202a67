"""What the pictures share: figures of one size, curves with bands over seeds, heat maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Row


def axes_of(columns: int, lines: int = 1, height: float = 3.6, width: float = 0.0, **options: Any) -> tuple[Any, list[Any]]:
    """A figure and its axes. It is drawn into files, and needs no screen."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    size = (width or (6.4 if columns == 1 else 4.2 * columns), height * lines)
    figure, axes = plt.subplots(lines, columns, figsize=size, layout="constrained", squeeze=False, **options)
    for a in axes.flat:
        a.grid(alpha=0.3)
        a.spines[["top", "right"]].set_visible(False)
    return figure, list(axes.flat)


def by_x(rows: list[Row], x: str, y: str, **where: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For each value of x: the mean of y over the seeds, the least and the most."""
    groups: dict[float, list[float]] = {}
    for row in rows:
        if all(row.get(k) == v for k, v in where.items()):
            groups.setdefault(row[x], []).append(row[y])
    xs = sorted(groups)
    found = [np.asarray(groups[k], float) for k in xs]
    mean, low, high = (np.array([f(v) for v in found]) for f in (np.mean, np.min, np.max))  # type: ignore[operator]
    return np.array(xs, float), mean, low, high


def band(
    axes: Any, rows: list[Row], x: str, y: str, label: str, style: tuple[str, Any], scale: float = 1.0, **where: Any
) -> None:
    """A line through the means over the seeds, and a band from the least to the most."""
    xs, mean, low, high = by_x(rows, x, y, **where)
    colour, dashes = style
    line = {"linestyle": dashes} if isinstance(dashes, tuple) else {}
    axes.plot(xs, scale * mean, "" if line else dashes, color=colour, label=label, linewidth=1.8, **line)
    axes.fill_between(xs, scale * low, scale * high, color=colour, alpha=0.18, linewidth=0)


def bars(found: list[np.ndarray]) -> np.ndarray:
    """Error bars from the least to the most of the seeds: below and above the mean of each."""
    return np.array([[x.mean() - x.min() for x in found], [x.max() - x.mean() for x in found]])


def heat_map(
    figure: Any,
    axes: Any,
    z: np.ndarray,
    rows: list[str],
    columns: list[str],
    label: str,
    extend: str = "neither",
    **options: Any,
) -> None:
    """Numbers as colours, each written into its field; line 0 is at the top. `extend` says where z goes beyond the colours."""
    image = axes.imshow(z, aspect="auto", cmap=options.pop("cmap", "cividis"), **options)
    axes.grid(False)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    figure.colorbar(image, ax=axes, label=label, shrink=0.9, extend=extend)
    for i, j in np.ndindex(z.shape):
        if np.isfinite(z[i, j]):
            r, g, b, _ = image.cmap(image.norm(z[i, j]))
            dark = 0.3 * r + 0.59 * g + 0.11 * b < 0.5
            axes.text(j, i, f"{z[i, j]:.3g}", ha="center", va="center", fontsize=7, color="white" if dark else "black")
