import numpy as np
import pandas as pd

# long
# expect relu: right
# expect forward: right
# expect forward: right: Y: class numbers of columns, drawn; loss: compute_loss
# expect three: wrong: WRONG in db3
# expect ten: wrong: WRONG in dW2
# expect ten: wrong: W2 (10, 4)

# the file's own loss takes class numbers; m comes from a table that is not there; masks of dropout are returned last

table = pd.read_csv("digits.csv")
data = np.array(table)
m, n = data.shape
X_train = data[:, 1:].T / 255.0
NUM_CLASSES = 10


def relu(Z):
    return np.maximum(Z, 0)


def relu_deriv(Z):
    return Z > 0


def softmax(Z):
    e = np.exp(Z - Z.max(axis=0))
    return e / e.sum(axis=0)


def one_hot(Y):
    rows = np.zeros((Y.size, Y.max() + 1))
    rows[np.arange(Y.size), Y] = 1
    return rows.T


def compute_loss(A2, Y):
    return -np.sum(one_hot(Y) * np.log(A2)) / Y.size


def forward(W1, b1, W2, b2, X):
    Z1 = W1.dot(X) + b1
    A1 = relu(Z1)
    Z2 = W2.dot(A1) + b2
    A2 = softmax(Z2)
    return Z1, A1, Z2, A2


def backward(Z1, A1, Z2, A2, W2, X, Y):
    dZ2 = A2 - one_hot(Y)
    dW2 = 1 / m * dZ2.dot(A1.T)
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = W2.T.dot(dZ2) * relu_deriv(Z1)
    dW1 = 1 / m * dZ1.dot(X.T)
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return dW1, db1, dW2, db2


def forward_three(W1, b1, W2, b2, W3, b3, X, keep_prob):
    A1 = relu(W1.dot(X) + b1)
    D1 = np.random.rand(*A1.shape) < keep_prob
    A1 = A1 * D1 / keep_prob
    A2 = relu(W2.dot(A1) + b2)
    A3 = softmax(W3.dot(A2) + b3)
    return A1, A2, A3, D1


def backward_three(A1, A2, A3, D1, W2, W3, X, Y, keep_prob):
    N = X.shape[1]
    dZ3 = A3 - one_hot(Y)
    dW3 = dZ3.dot(A2.T) / N
    db3 = np.sum(dZ3, axis=1, keepdims=True)  # not divided
    dZ2 = W3.T.dot(dZ3) * (A2 > 0)
    dW2 = dZ2.dot(A1.T) / N
    db2 = np.sum(dZ2, axis=1, keepdims=True) / N
    dZ1 = W2.T.dot(dZ2) * D1 / keep_prob * (A1 > 0)
    dW1 = dZ1.dot(X.T) / N
    db1 = np.sum(dZ1, axis=1, keepdims=True) / N
    return dW1, db1, dW2, db2, dW3, db3


def forward_ten(W1, b1, W2, b2, X):
    A1 = np.tanh(W1.dot(X) + b1)
    A2 = softmax(W2.dot(A1) + b2)
    return A1, A2


def backward_ten(A1, A2, W2, X, Y):
    N = X.shape[1]
    T = np.zeros((NUM_CLASSES, N))
    T[Y, np.arange(N)] = 1
    dZ2 = A2 - T
    dZ1 = W2.T.dot(dZ2) * (1 - A1**2)
    dW2 = dZ2.dot(A1.T)  # not divided
    return dZ1.dot(X.T) / N, np.sum(dZ1, axis=1, keepdims=True) / N, dW2, np.sum(dZ2, axis=1, keepdims=True) / N


W1, b1, W2, b2 = np.zeros((16, n - 1)), np.zeros((16, 1)), np.zeros((10, 16)), np.zeros((10, 1))
