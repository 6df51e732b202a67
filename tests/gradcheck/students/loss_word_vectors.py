import numpy as np

# expect naive_softmax_loss_and_gradient: right
# expect neg_sampling_loss_and_gradient: right
# expect skipgram_loss: wrong

# one centre word and one outside word; vectors are rows


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def naive_softmax_loss_and_gradient(center_vec, outside_idx, outside_vectors):
    y_hat = softmax(outside_vectors @ center_vec)
    loss = -np.log(y_hat[outside_idx])
    delta = y_hat.copy()
    delta[outside_idx] -= 1
    grad_center_vec = outside_vectors.T @ delta
    grad_outside_vectors = np.outer(delta, center_vec)
    return loss, grad_center_vec, grad_outside_vectors


def naive_softmax_loss_and_gradient_inputs(rng):
    return rng.standard_normal(5), 2, rng.standard_normal((7, 5))


def neg_sampling_loss_and_gradient(center_vec, outside_idx, outside_vectors, negatives):
    u = outside_vectors
    pos = sigmoid(u[outside_idx] @ center_vec)
    neg = sigmoid(-u[negatives] @ center_vec)
    loss = -np.log(pos) - np.log(neg).sum()
    grad_center = (pos - 1) * u[outside_idx] + (1 - neg) @ u[negatives]
    grad_outside = np.zeros_like(u)
    grad_outside[outside_idx] += (pos - 1) * center_vec
    np.add.at(grad_outside, negatives, np.outer(1 - neg, center_vec))
    return loss, grad_center, grad_outside


def neg_sampling_loss_and_gradient_inputs(rng):
    return {"center_vec": rng.standard_normal(4), "outside_idx": 3, "outside_vectors": rng.standard_normal((6, 4)),
            "negatives": np.array([0, 1, 1, 5])}


def skipgram_loss(center, target, U):
    """scores of all words, the target word is an index"""
    p = softmax(U @ center)
    loss = -np.log(p[target])
    p[target] -= 1
    return loss, U.T @ p, np.outer(center, p).T * 2


def skipgram_loss_inputs(rng):
    return rng.standard_normal(5), 1, rng.standard_normal((7, 5))
