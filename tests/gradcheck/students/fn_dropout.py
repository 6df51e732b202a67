import numpy as np

# long
# expect dropout: right
# expect dropout_old: wrong: mask
# expect dropout_scaled: wrong
# expect inverted_dropout: right


def dropout_forward(x, dropout_param):
    """Inverted dropout; p is the probability to keep a unit."""
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    mask = None
    out = None
    if mode == "train":
        mask = (np.random.rand(*x.shape) < p) / p
        out = x * mask
    elif mode == "test":
        out = x
    cache = (dropout_param, mask)
    out = out.astype(x.dtype, copy=False)
    return out, cache


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    dx = None
    if dropout_param["mode"] == "train":
        dx = dout * mask
    elif dropout_param["mode"] == "test":
        dx = dout
    return dx


def dropout_forward_old(x, dropout_param):
    return dropout_forward(x, dropout_param)


def dropout_backward_old(dout, cache):
    dropout_param, mask = cache
    dx = dout / dropout_param["p"]  # TODO where does the mask go?
    return dx


def dropout_forward_scaled(x, dropout_param):
    return dropout_forward(x, dropout_param)


def dropout_backward_scaled(dout, cache):
    dropout_param, mask = cache
    return dout * (mask > 0)


def inverted_dropout_forward(x, keep_prob=0.8, seed=3):
    rng = np.random.RandomState(seed)
    D = rng.uniform(size=x.shape) < keep_prob
    return x * D / keep_prob, (D, keep_prob)


def inverted_dropout_backward(dout, cache):
    D, keep_prob = cache
    return dout * D / keep_prob
