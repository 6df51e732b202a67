"""Activations that return lists of numbers: each list is one array."""

# long
# expect relu: right
# expect leaky: wrong: WRONG in dx


def relu(x):
    return [max(0, v) for v in x]


def relu_derivative(x):
    return [1 if v > 0 else 0 for v in x]


def leaky(x):
    return [v if v > 0 else 0.1 * v for v in x]


def leaky_derivative(x):
    return [1 if v > 0 else 0 for v in x]  # the mistake: 0.1
