"""What layers.py imports by its folder's name; the folder is no package."""

import numpy as np


def positive(x):
    return np.maximum(x, 0)
