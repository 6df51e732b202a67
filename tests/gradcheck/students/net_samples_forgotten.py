import numpy as np

# long
# expect predict: right: binary cross-entropy
# expect classify: not checked: name 'm' is not defined

# the number of samples is that of a script; or nobody sets it


def predict(X, W, b):
    return 1 / (1 + np.exp(-(np.dot(W, X) + b)))


def predict_backward(X, Y, A):
    dZ = A - Y
    return np.dot(dZ, X.T) / n_samples, np.sum(dZ, axis=1, keepdims=True) / n_samples


def classify(X, W, b):
    m = X.shape[1]
    assert m > 0
    return 1 / (1 + np.exp(-(np.dot(W, X) + b)))


def classify_backward(X, Y, A):
    dZ = A - Y
    return np.dot(dZ, X.T) / m, np.sum(dZ, axis=1, keepdims=True) / m


if __name__ == "__main__":
    data = np.load("data.npy")
    n_samples = data.shape[1]
    print(predict_backward(data, data[:1], predict(data, np.zeros((1, len(data))), 0)))
