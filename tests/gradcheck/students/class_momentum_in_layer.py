import numpy as np

# long
# expect Dense: right: up to 1/m
# expect DenseWrong: wrong: dweights
# expect StateUnfold: right: without the first
# expect StateUnfoldWrong: wrong
# expect Rows: right
# expect L1: right


class Dense:
    def __init__(self, inputDim, outputDim, lr, beta):
        self.weights = np.random.randn(outputDim, inputDim)
        self.bias = np.random.randn(1, outputDim)
        self.v_w, self.v_b = np.zeros_like(self.weights), np.zeros_like(self.bias)
        self.lr, self.beta = lr, beta

    def forward(self, x):
        self.x = x
        return x @ self.weights.T + self.bias

    def backward(self, dE_dY):
        batch = len(dE_dY)
        dE_dX = dE_dY @ self.weights
        self.v_w = self.beta * self.v_w + (1 - self.beta) * (dE_dY.T @ self.x / batch)
        self.v_b = self.beta * self.v_b + (1 - self.beta) * (dE_dY.sum(axis=0, keepdims=True) / batch)
        self.weights -= self.lr * self.v_w
        self.bias -= self.lr * self.v_b
        return dE_dX


class DenseWrong(Dense):
    def backward(self, dE_dY):
        dE_dX = dE_dY @ self.weights
        self.v_w = self.beta * self.v_w + (1 - self.beta) * (dE_dY.T @ (self.x > 0))
        self.weights -= self.lr * self.v_w
        self.bias -= self.lr * dE_dY.sum(axis=0, keepdims=True)
        return dE_dX


class StateUnfold:
    """Forward returns the state before x too; what comes back is the gradient of those after it."""

    def __init__(self, nbStates, nbTimesteps):
        self.W = 0.5 * np.random.randn(nbStates, nbStates)
        self.S0 = np.zeros(nbStates)
        self.nbTimesteps = nbTimesteps

    def forward(self, X):
        S = np.zeros((X.shape[0], X.shape[1] + 1, len(self.W)))
        S[:, 0] = self.S0
        for k in range(self.nbTimesteps):
            S[:, k + 1] = np.tanh(X[:, k] + S[:, k] @ self.W)
        return S

    def backward(self, X, S, gY):
        gX, gW, gS = np.zeros_like(X), np.zeros_like(self.W), np.zeros_like(gY[:, 0])
        for k in range(self.nbTimesteps - 1, -1, -1):
            gX[:, k] = (gS + gY[:, k]) * (1 - S[:, k + 1] ** 2)
            gW += S[:, k].T @ gX[:, k]
            gS = gX[:, k] @ self.W.T
        return gX, gW, gS.sum(axis=0)


class StateUnfoldWrong(StateUnfold):
    def backward(self, X, S, gY):
        gX, gW, gS = np.zeros_like(X), np.zeros_like(self.W), np.zeros_like(gY[:, 0])
        for k in range(self.nbTimesteps - 1, -1, -1):
            gX[:, k] = (gS + gY[:, k]) * (1 - S[:, k + 1] ** 2)
            gW += S[:, k].T @ gX[:, k]
            gS = gX[:, k] @ self.W
        return gX, gW, gS.sum(axis=0)


class Rows:
    """Y is what forward has returned, and no target, beside the gradient of the output."""

    def forward(self, X):
        return np.tanh(X)

    def backward(self, Y, output_grad):
        return (1 - Y**2) * output_grad


class Loss:
    def forward(self, y_out, y_truth):
        return NotImplementedError

    def backward(self, y_out, y_truth):
        return NotImplementedError


class L1(Loss):
    def forward(self, y_out, y_truth):
        return np.abs(y_out - y_truth)

    def backward(self, y_out, y_truth):
        return np.sign(y_out - y_truth)
