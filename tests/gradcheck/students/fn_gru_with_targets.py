import numpy as np

# expect gru: right: Y: one-hot in columns, drawn; loss: compute_loss
# expect gru_slip: wrong: WRONG in dx, dW_z, dU_z, dW_h, dU_h

# steps on the last axis, classes on the first; backward begins at the loss


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def compute_loss(p, Y):
    return -np.sum(Y * np.log(p)) / Y.shape[1]


def gru_forward(x, parameters):
    W_z, U_z = parameters["W_z"], parameters["U_z"]
    W_h, U_h = parameters["W_h"], parameters["U_h"]
    W_y = parameters["W_y"]
    h = np.zeros((W_z.shape[0], x.shape[1]))
    outputs, caches = [], []
    for t in range(x.shape[2]):
        z = sigmoid(W_z @ x[:, :, t] + U_z @ h)
        c = np.tanh(W_h @ x[:, :, t] + U_h @ h)
        following = z * c + (1 - z) * h
        s = W_y @ following
        e = np.exp(s - s.max(axis=0))
        outputs.append(e / e.sum(axis=0))
        caches.append((x[:, :, t], h, z, c, following, outputs[-1]))
        h = following
    return np.stack(outputs, axis=2), caches


def _back(Y, caches, parameters, slip):
    grads = {f"d{key}": np.zeros_like(W) for key, W in parameters.items()}
    dx = np.zeros((caches[0][0].shape[0], Y.shape[1], len(caches)))
    dh = 0.0
    for t in reversed(range(len(caches))):
        x, h, z, c, following, p = caches[t]
        ds = (p - Y[:, :, t]) / Y.shape[1]
        grads["dW_y"] += ds @ following.T
        dh = dh + parameters["W_y"].T @ ds
        da = dh * (c - h) * z * (1 - z)
        dc = dh * z * (1 if slip else 1 - c**2)
        grads["dW_z"] += da @ x.T
        grads["dU_z"] += da @ h.T
        grads["dW_h"] += dc @ x.T
        grads["dU_h"] += dc @ h.T
        dx[:, :, t] = parameters["W_z"].T @ da + parameters["W_h"].T @ dc
        dh = dh * (1 - z) + parameters["U_z"].T @ da + parameters["U_h"].T @ dc
    return {**grads, "dx": dx}


def gru_backward(Y, caches, parameters):
    return _back(Y, caches, parameters, slip=False)


def gru_slip_forward(x, parameters):
    return gru_forward(x, parameters)


def gru_slip_backward(Y, caches, parameters):
    return _back(Y, caches, parameters, slip=True)
