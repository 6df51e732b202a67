"""All parameters are one vector, which the loss takes apart; sizes are arguments. Also: one column, a triplet, ratings."""
# expect nn_cost_function: right
# expect nn_cost_function_wrong: wrong: WRONG in
# expect cofi_cost: right
# expect bce_with_logits_loss: right
# expect triplet_loss: right
# expect triplet_loss_wrong: wrong: WRONG in dnegative
# long

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def nn_cost_function(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda_, bias=1):
    split = hidden_layer_size * (input_layer_size + 1)
    theta1 = np.reshape(nn_params[:split], (hidden_layer_size, input_layer_size + 1))
    theta2 = np.reshape(nn_params[split:], (num_labels, hidden_layer_size + 1))
    m, Y = len(y), np.eye(num_labels)[y]
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), sigmoid(a1 @ theta1.T)]
    h = sigmoid(a2 @ theta2.T)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lambda_ / (2 * m) * (np.sum(theta1[:, 1:] ** 2) + np.sum(theta2[:, 1:] ** 2))
    d2 = ((h - Y) @ theta2 * a2 * (1 - a2))[:, 1:]
    grad1, grad2 = d2.T @ a1 / m, (h - Y).T @ a2 / m
    grad1[:, bias:] += lambda_ / m * theta1[:, bias:]
    grad2[:, bias:] += lambda_ / m * theta2[:, bias:]
    return J, np.concatenate([grad1.ravel(), grad2.ravel()])


def nn_cost_function_wrong(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda_):
    J, grad = nn_cost_function(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda_)
    _, regularised_too_much = nn_cost_function(
        nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda_, bias=0
    )
    n = nn_params[: hidden_layer_size * (input_layer_size + 1)].reshape(hidden_layer_size, -1).size
    return J, np.r_[regularised_too_much[:n], grad[n:]]


def cofi_cost(params, Y, R, num_users, num_movies, num_features, lambda_):
    X = params[: num_movies * num_features].reshape(num_movies, num_features)
    Theta = params[num_movies * num_features :].reshape(num_users, num_features)
    error = (X @ Theta.T - Y) * R
    J = np.sum(error**2) / 2 + lambda_ / 2 * (np.sum(X**2) + np.sum(Theta**2))
    return J, np.concatenate([(error @ Theta + lambda_ * X).ravel(), (error.T @ X + lambda_ * Theta).ravel()])


def bce_with_logits_loss(logits, targets):
    assert logits.shape[1] == 1
    t, p = targets.reshape(-1, 1), sigmoid(logits)
    return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)), (p - t) / len(t)


def triplet_loss(anchor, positive, negative, margin=1.0):
    hinge = np.maximum(0, ((anchor - positive) ** 2).sum(1) - ((anchor - negative) ** 2).sum(1) + margin)
    on = (hinge > 0)[:, None] / len(hinge)
    return hinge.mean(), (2 * (negative - positive) * on, 2 * (positive - anchor) * on, 2 * (anchor - negative) * on)


def triplet_loss_wrong(anchor, positive, negative, margin=1.0):
    loss, (da, dp, dn) = triplet_loss(anchor, positive, negative, margin)
    return loss, (da, dp, -dn)
