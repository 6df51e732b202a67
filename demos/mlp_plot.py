"""The picture of a training run: loss and accuracy by epoch."""

from __future__ import annotations

from pathlib import Path


def draw_curves(history: list[dict[str, float]], title: str, path: Path) -> None:
    """Write the curves of the training and test part to an image file (its type is told by the file's name)."""
    import matplotlib

    matplotlib.use("Agg")  # draws into files: needs no screen
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    epochs = range(1, len(history) + 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for axes, quantity, factor in ((left, "loss", 1), (right, "accuracy", 100)):
        for part, colour in (("train", "tab:blue"), ("test", "tab:orange")):
            values = [factor * entry[f"{part}_{quantity}"] for entry in history]
            last = f"{values[-1]:.2f} %" if factor == 100 else f"{values[-1]:.4f}"
            axes.plot(epochs, values, color=colour, marker="o", markersize=3, label=f"{part} (last: {last})")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    left.set_ylabel("cross-entropy loss (nats), logarithmic")
    left.set_yscale("log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))  # 0.05, not 5 x 10^-2
    left.yaxis.set_minor_formatter(NullFormatter())
    right.set_ylabel("accuracy (%)")
    figure.suptitle(title)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
