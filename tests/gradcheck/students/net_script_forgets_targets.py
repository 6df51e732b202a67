# always
# expect training loop: wrong: WRONG in dshift
"""The step of one parameter forgets the targets: it is its step all the same."""

import numpy as np

rng = np.random.default_rng(1)
x = np.linspace(-1, 1, 20)
y = 2 * x - 1 + 0.1 * rng.standard_normal(20)

slope, shift, rate = 0.0, 0.0, 0.1
for _ in range(50):
    guess = slope * x + shift
    dslope = 2 / len(x) * np.sum((guess - y) * x)
    dshift = 2 / len(x) * np.sum(x)
    slope = slope - rate * dslope
    shift = shift - rate * dshift
print(slope, shift)
