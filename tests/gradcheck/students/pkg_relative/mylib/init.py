import numpy as np


def xavier(n_in, n_out):
    return np.random.uniform(-1, 1, (n_in, n_out)) * np.sqrt(6 / (n_in + n_out))
