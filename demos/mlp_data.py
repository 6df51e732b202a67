"""The images that train_mlp.py learns, as rows of scaled numbers."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinynorm.utils.datasets import mnist


class Data(NamedTuple):
    """Images as rows, scaled; classes as numbers."""

    x_train: np.ndarray  # (N, D), float32
    y_train: np.ndarray  # (N,), int64
    x_test: np.ndarray  # (M, D), float32
    y_test: np.ndarray  # (M,), int64

    @property
    def classes(self) -> int:
        return int(self.y_train.max()) + 1

    @property
    def fingerprint(self) -> int:
        """A number that tells whether two runs saw the same data."""
        check = 0
        for array in self:
            check = zlib.crc32(np.ascontiguousarray(array).tobytes(), check)
        return check


def load_data(dataset: str, data_dir: str | None, seed: int) -> Data:
    """The data set, split (the digits: stratified 80/20, by the seed) and scaled.

    Raises
    ------
    FileNotFoundError, ValueError
        MNIST's files are missing and cannot be downloaded, or are not what they should be.
    """
    if dataset == "digits":
        return scaled(*digits(seed))
    x_train, y_train, x_test, y_test = mnist(Path("data") / dataset if data_dir is None else data_dir, dataset)
    return scaled(x_train.reshape(len(x_train), -1), y_train, x_test.reshape(len(x_test), -1), y_test)


def digits(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """scikit-learn's digits, 1,797 scans of 8 x 8 grey values: 80 % of each class to train on, 20 % to test with."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)  # (1797, 64)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    return x_train, y_train, x_test, y_test


def scaled(x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> Data:
    """Both parts shifted and scaled by one mean and one standard deviation, those of the training part's grey values."""
    x_train, x_test = x_train.astype(np.float32), x_test.astype(np.float32)
    mean, std = x_train.mean(), x_train.std()
    for x in (x_train, x_test):
        x -= mean
        x /= std or 1.0
    return Data(x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64))
