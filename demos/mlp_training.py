"""The network of train_mlp.py and its training: everything a run changes, and how that is saved and restored."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from mlp_data import Data
from mlp_options import Settings

import tinynorm
import tinynorm.nn.functional as F
from tinynorm import nn, optim
from tinynorm.optim import lr_scheduler
from tinynorm.utils.data import DataLoader, TensorDataset

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm1d,
    "layer": nn.LayerNorm,
    "group": lambda width: nn.GroupNorm(groups(width), width),
    "rms": nn.RMSNorm,
}
EVALUATION_ROWS = 2000  # at once: bounds the memory, changes no number that training sees


def groups(width: int) -> int:
    """How many groups GroupNorm makes of `width` features: 8, or the most below that divide it into groups of two or more."""
    return max((g for g in range(1, 9) if width % g == 0 and width >= 2 * g), default=1)


def mlp(inputs: int, hidden: list[int], outputs: int, norm: str, activation: str) -> nn.Sequential:
    """Linear, normalisation, activation for each hidden width; then a Linear to the classes."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers.append(nn.Linear(inputs, width))
        if norm != "none":
            layers.append(NORMS[norm](width))
        layers.append(ACTIVATIONS[activation]())
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def make_optimizer(settings: Settings, parameters: Iterator[Any]) -> optim.Optimizer:
    if settings.optimizer == "sgd":
        return optim.SGD(parameters, lr=settings.lr, momentum=0.9, weight_decay=settings.weight_decay)
    kind = {"adam": optim.Adam, "adamw": optim.AdamW}[settings.optimizer]
    return kind(parameters, lr=settings.lr, weight_decay=settings.weight_decay)


def make_schedule(settings: Settings, optimizer: optim.Optimizer, steps: int) -> Any:
    """The schedule over `steps` training steps, one call of its `step` after each; None for a constant rate."""
    match settings.schedule:
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
        case "linear":
            return lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.01, total_iters=steps)
        case "step":
            return lr_scheduler.StepLR(optimizer, step_size=max(1, steps // 3), gamma=0.1)
        case "onecycle":
            return lr_scheduler.OneCycleLR(optimizer, max_lr=settings.lr, total_steps=steps)
    return None


class Training:
    """A run: its model, optimiser, schedule, random numbers, and the history of its epochs.

    Parameters
    ----------
    settings : Settings
    data : Data
    device : str
    capture : bool
        Whether the training step is captured. It changes no number.

    Examples
    --------
    ``training = Training(settings, data, "cpu")``, then ``training.epoch()`` as often as ``settings.epochs`` says.
    """

    def __init__(self, settings: Settings, data: Data, device: str, capture: bool = True) -> None:
        tinynorm.manual_seed(settings.seed)
        self.settings, self.data = settings, data
        x, y, self.x_test, self.y_test = (tinynorm.as_tensor(array, device=device) for array in data[:4])
        self.model = mlp(x.shape[1], settings.hidden, data.classes, settings.norm, settings.activation).to(device)
        # BatchNorm cannot train on a batch of one row: if one row would be left over, it waits for the next epoch
        lone_row = settings.norm == "batch" and len(x) % settings.batch_size == 1
        self.batches = DataLoader(TensorDataset(x, y), settings.batch_size, shuffle=True, drop_last=lone_row)
        self.optimizer = make_optimizer(settings, self.model.parameters())
        self.schedule = make_schedule(settings, self.optimizer, settings.epochs * len(self.batches))
        self.history: list[dict[str, float]] = []
        if capture and device == "cpu":
            self.step = tinynorm.capture(self.step)  # type: ignore[method-assign]

    @property
    def done(self) -> int:
        """How many epochs are behind it."""
        return len(self.history)

    def step(self, x: tinynorm.Tensor, y: tinynorm.Tensor) -> tuple[tinynorm.Tensor, tinynorm.Tensor]:
        """Train on one batch: (its loss, how many of its rows were right), before the step."""
        logits = self.model(x)  # (B, classes)
        loss = F.cross_entropy(logits, y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        return loss, (logits.argmax(1) == y).sum()

    def epoch(self, after_step: Callable[[float, float], object] = lambda loss, accuracy: None) -> dict[str, float]:
        """One pass over the training data, then one over the test data; what came out is appended to the history.

        The training loss and accuracy are those of the batches as they were trained on; `after_step` gets their means so far.
        """
        self.model.train()
        rate = self.optimizer.param_groups[0]["lr"]
        loss_sum, correct, rows = 0.0, 0, 0
        for x, y in self.batches:
            loss, right = self.step(x, y)
            loss_sum += loss.item() * len(y)
            correct += int(right.item())
            rows += len(y)
            after_step(loss_sum / rows, correct / rows)
        test_loss, test_accuracy = self.evaluate()
        entry = {
            "lr": rate,
            "train_loss": loss_sum / rows,
            "train_accuracy": correct / rows,
            "test_loss": test_loss,
            "test_accuracy": test_accuracy,
        }
        self.history.append(entry)
        return entry

    def evaluate(self) -> tuple[float, float]:
        """Mean loss and accuracy on the test data, with the normalisation's running statistics."""
        self.model.eval()
        loss, correct, n = 0.0, 0, len(self.y_test)
        with tinynorm.no_grad():
            for start in range(0, n, EVALUATION_ROWS):
                rows = slice(start, start + EVALUATION_ROWS)
                logits, y = self.model(self.x_test[rows]), self.y_test[rows]
                loss += F.cross_entropy(logits, y, reduction="sum").item()
                correct += int((logits.argmax(1) == y).sum().item())
        return loss / n, correct / n

    def save(self, path: str | os.PathLike) -> None:
        """Write everything that the next epoch depends on, atomically."""
        tinynorm.save_checkpoint(
            path,
            model=self.model,
            optimizer=self.optimizer,
            scheduler=self.schedule,
            epoch=self.done,
            extra={"settings": asdict(self.settings), "history": self.history, "data": self.data.fingerprint},
        )

    def load(self, path: str | os.PathLike) -> None:
        """Go on from where `save` was called.

        Raises
        ------
        tinynorm.CheckpointError
            The file is damaged, or of another network.
        ValueError
            It is of other data.
        """
        extra = saved_run(path)
        if extra["data"] != self.data.fingerprint:
            raise ValueError(f"{path} was trained on other {self.settings.dataset} data than these; give the --data-dir it had")
        tinynorm.load_checkpoint(path, model=self.model, optimizer=self.optimizer, scheduler=self.schedule)
        self.history = list(extra["history"])


def saved_run(path: str | os.PathLike) -> dict[str, Any]:
    """What a checkpoint of `Training.save` tells about its run: ``settings``, ``history``, ``data``.

    Raises
    ------
    tinynorm.CheckpointError
        The file is damaged, or no checkpoint.
    ValueError
        It is a checkpoint of another program.
    """
    extra = tinynorm.load_checkpoint(path).extra
    if not isinstance(extra, dict) or not {"settings", "history", "data"} <= set(extra):
        raise ValueError(f"{path} is a checkpoint, but not one of train_mlp.py")
    return extra


def parameter_count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def finite(entry: dict[str, float]) -> bool:
    return all(np.isfinite(value) for value in entry.values())
