"""A straight line whose slope is called m, as the number of samples may be.

# always
# expect training loop: right: squared error
"""

import numpy as np

rng = np.random.default_rng(7)
x = rng.uniform(0, 10, 50)
y = 3 * x + 2 + rng.normal(size=50)
m, c = 0.0, 0.0
n = float(len(x))

for _ in range(50):
    y_pred = m * x + c
    D_m = (-2 / n) * sum(x * (y - y_pred))
    D_c = (-2 / n) * sum(y - y_pred)
    m = m - 0.001 * D_m
    c = c - 0.001 * D_c
