"""What training makes of a wrong backward pass: the digits, learned with one layer's backward replaced by a wrong one.

    OMP_NUM_THREADS=1 python demos/wrong_backward.py --json tinynorm/derivations/mistakes_training.json

The network is 64-64-64-10: Linear, BatchNorm (or LayerNorm), ReLU, twice, then Linear and cross-entropy. A mistake about a
layer takes the place of both layers of its kind. Each is trained with SGD and with Adam, from the right one's first weights.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from mlp_data import Data, load_data
from tqdm.auto import tqdm

import tinynorm
import tinynorm.nn.functional as F
from tinynorm import nn, optim
from tinynorm.autograd import from_arrays
from tinynorm.gradcheck import mistakes
from tinynorm.utils.data import DataLoader, TensorDataset

WRONG = (
    "batchnorm_missing_x_hat_term",
    "batchnorm_missing_mean_term",
    "batchnorm_eval_formula_in_training",
    "batchnorm_variance_for_deviation",
    "batchnorm_sums_for_means",
    "batchnorm_means_over_features",
    "batchnorm_shuffled_batch",
    "batchnorm_gamma_in_its_own_gradient",
    "layernorm_missing_x_hat_term",
    "layernorm_x_for_x_hat_in_gamma",
    "linear_bias_mean",
    "linear_weight_divided_by_rows",
    "linear_weight_transposed",
    "relu_mask_forgotten",
    "relu_mask_inverted",
    "cross_entropy_mean_forgotten",
    "cross_entropy_target_minus_softmax",
)
LAYERS = {"BatchNorm": nn.BatchNorm1d, "LayerNorm": nn.LayerNorm, "Linear": nn.Linear, "ReLU": nn.ReLU}
OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    "sgd": lambda parameters: optim.SGD(parameters, lr=0.1, momentum=0.9),
    "adam": lambda parameters: optim.Adam(parameters, lr=3e-3),
}
WIDTH, BATCH, EPOCHS, SEEDS = 64, 64, 15, 5


class Replaced(nn.Module):
    """A layer with its own parameters, and in training with another op."""

    def __init__(self, layer: Any, function: Callable) -> None:
        super().__init__()
        self.layer, self.function = layer, function

    def forward(self, x: tinynorm.Tensor) -> tinynorm.Tensor:
        with nullcontext() if not self.training else tinynorm.no_grad():
            y = self.layer(x)  # BatchNorm keeps its running statistics by this
        return self.function(x, *self.layer.parameters()) if self.training else y


def network(norm: Callable[[int], nn.Module], seed: int) -> nn.Sequential:
    tinynorm.manual_seed(seed)
    layers: list[nn.Module] = []
    for _ in range(2):
        layers += [nn.Linear(WIDTH, WIDTH), norm(WIDTH), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 10))


def with_mistake(model: nn.Sequential, mistake: mistakes.Mistake | None) -> Callable:
    """Put the mistake into the model (not into its last layer); returns the loss function."""
    if mistake is None:
        return F.cross_entropy
    function = from_arrays(mistake.forward, mistake.backward)
    if mistake.layer == "SoftmaxCrossEntropy":
        return function
    for k in range(len(model) - 1):
        if type(model[k]) is LAYERS[mistake.layer]:
            model[k] = Replaced(model[k], function)
    return F.cross_entropy


def norm_of(mistake: mistakes.Mistake | None) -> Any:
    return nn.LayerNorm if mistake is not None and mistake.layer == "LayerNorm" else nn.BatchNorm1d


def gradient(mistake: mistakes.Mistake | None, norm: Any, data: Data, seed: int) -> np.ndarray:
    """All parameters' gradients as one row, at the first weights, for the first rows of the data."""
    model = network(norm, seed)
    loss = with_mistake(model, mistake)
    loss(model(tinynorm.tensor(data.x_train[:BATCH])), tinynorm.tensor(data.y_train[:BATCH])).backward()
    return np.concatenate([p.grad.numpy().ravel() for p in model.parameters() if p.grad is not None]).astype("float64")


def cosine(mistake: mistakes.Mistake, data: Data, seed: int) -> float:
    """Of the angle between the wrong gradient and the right one: below 0, a step goes uphill."""
    wrong, right = (gradient(m, norm_of(mistake), data, seed) for m in (mistake, None))
    return float(wrong @ right / np.linalg.norm(wrong) / np.linalg.norm(right))


def train(mistake: mistakes.Mistake | None, norm: Any, optimizer: str, data: Data, seed: int, epochs: int) -> dict[str, float]:
    """The last epoch's mean loss, and the accuracy on the test part."""
    model = network(norm, seed)
    loss_of = with_mistake(model, mistake)
    x, y, x_test = (tinynorm.tensor(a) for a in data[:3])
    batches = DataLoader(TensorDataset(x, y), BATCH, shuffle=True)
    steps = OPTIMIZERS[optimizer](model.parameters())
    schedule = optim.lr_scheduler.CosineAnnealingLR(steps, T_max=epochs * len(batches))
    for _ in range(epochs):
        total = 0.0
        for rows, classes in batches:
            loss = loss_of(model(rows), classes)
            steps.zero_grad()
            loss.backward()
            steps.step()
            schedule.step()
            total += loss.item() * len(classes) / len(x)
    model.eval()
    with tinynorm.no_grad():
        guessed = model(x_test).argmax(1).numpy()
    return {"loss": total, "accuracy": float(np.mean(guessed == data.y_test))}


def runs(quick: bool) -> Iterator[dict[str, Any]]:
    """One row for each network: the right ones, then the mistakes."""
    seeds, epochs = (range(1), 1) if quick else (range(SEEDS), EPOCHS)
    data = [load_data("digits", None, seed) for seed in seeds]
    rows: list[tuple[str, Any, Any]] = [(f"right, with {norm}", None, LAYERS[norm]) for norm in ("BatchNorm", "LayerNorm")]
    rows += [(name, mistakes.find(name), norm_of(mistakes.find(name))) for name in WRONG]
    with tqdm(total=len(rows) * len(seeds) * len(OPTIMIZERS), disable=None) as bar, np.errstate(all="ignore"):
        for name, mistake, norm in rows:
            bar.set_description(name)
            angles = [1.0 if mistake is None else round(cosine(mistake, data[s], s), 6) for s in seeds]
            row: dict[str, Any] = {"mistake": name, "cosine": angles}
            for optimizer in OPTIMIZERS:
                found = []
                for seed in seeds:
                    found.append(train(mistake, norm, optimizer, data[seed], seed, epochs))
                    bar.update()
                row[optimizer] = {key: [finite(each[key]) for each in found] for key in ("loss", "accuracy")}
            yield row


def finite(x: float) -> float | None:
    """For JSON, which has no nan."""
    return round(x, 6) if math.isfinite(x) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed, one epoch")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, with versions and command, to this file")
    arguments = parser.parse_args()
    found = []
    for row in runs(arguments.quick):
        found.append(row)
        accuracies = (f"{name} {100 * np.mean(row[name]['accuracy']):5.1f} %" for name in OPTIMIZERS)
        tqdm.write(f"{row['mistake']:36} cosine {np.mean(row['cosine']):5.2f}   test accuracy: {', '.join(accuracies)}")
    if arguments.json:
        data = {
            "command": "OMP_NUM_THREADS=1 python demos/wrong_backward.py --json tinynorm/derivations/mistakes_training.json",
            "versions": {"python": platform.python_version()}
            | {name: version(name) for name in ("tinynorm", "numpy", "scikit-learn")},
            "seeds": len(found[0]["cosine"]),
            "epochs": 1 if arguments.quick else EPOCHS,
            "rows": found,
        }
        arguments.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
