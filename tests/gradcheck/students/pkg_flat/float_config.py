import numpy as np

FLOAT = np.float32
