import numpy as np

# expect softmax: right
# expect identity: right
# expect doubled: wrong
# expect softmax_loop: right
# expect log_softmax: right
# expect softmax_diag: wrong
# expect softmax_forgot: wrong
# expect log_softmax_v2: wrong


def softmax_forward(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, p


def softmax_backward(dout, p):
    # the whole Jacobian of every row, (N, C, C)
    jac = np.einsum("ij,jk->ijk", p, np.eye(p.shape[1])) - np.einsum("ij,ik->ijk", p, p)
    return np.einsum("ijk,ik->ij", jac, dout)


def softmax_forward_loop(x):
    return softmax_forward(x)


def softmax_backward_loop(dout, p):
    dx = np.empty_like(dout)
    for row, (one, grad) in enumerate(zip(p, dout)):
        one = one.reshape(-1, 1)
        jacobian = np.diagflat(one) - np.dot(one, one.T)
        dx[row] = np.dot(jacobian, grad)
    return dx


def log_softmax_forward(x):
    z = x - x.max(axis=-1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return logp, logp


def log_softmax_backward(dout, logp):
    return dout - np.exp(logp) * dout.sum(axis=-1, keepdims=True)


def softmax_diag_forward(x):
    return softmax_forward(x)


def softmax_diag_backward(dout, p):
    return dout * p * (1 - p)


def softmax_forgot_forward(x):
    return softmax_forward(x)


def softmax_forgot_backward(dout, p):
    jac = -np.einsum("ij,ik->ijk", p, p)
    return np.einsum("ijk,ik->ij", jac, dout)


def log_softmax_forward_v2(x):
    return log_softmax_forward(x)


def log_softmax_backward_v2(dout, logp):
    return dout - logp * dout.sum(axis=-1, keepdims=True)


def identity_forward(potentials):
    return potentials


def identity_backward(potentials, activations):
    # the Jacobian of every row
    return np.repeat(np.eye(potentials.shape[1])[np.newaxis], potentials.shape[0], axis=0)


def doubled_forward(potentials):
    return 2 * potentials


def doubled_backward(potentials, activations):
    return np.repeat(np.eye(potentials.shape[1])[np.newaxis], potentials.shape[0], axis=0)
