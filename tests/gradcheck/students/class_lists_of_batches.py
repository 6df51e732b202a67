# expect FullyConnected: right
# expect Softmax: right
# expect FullyConnectedWrong: wrong: WRONG
import numpy as np


class LayerBase:
    def __init__(self, optimizer=None):
        self.X = []
        self.gradients = {}
        self.parameters = {}
        self.derived_variables = {}
        self.trainable = True
        self.is_initialized = False

    def flush_gradients(self):
        self.X = []
        for k in self.derived_variables:
            self.derived_variables[k] = []
        for k, v in self.gradients.items():
            self.gradients[k] = np.zeros_like(v)


class FullyConnected(LayerBase):
    """Keeps all batches until the gradients are flushed, and adds their gradients up."""

    def __init__(self, n_out, act_fn=None, init="glorot_uniform", optimizer=None):
        super().__init__(optimizer)
        self.n_in = None
        self.n_out = n_out
        self.init = init
        self.parameters = {"W": None, "b": None}

    def _init_params(self):
        self.parameters = {"W": np.random.randn(self.n_in, self.n_out), "b": np.zeros((1, self.n_out))}
        self.derived_variables = {"Z": []}
        self.gradients = {"W": np.zeros_like(self.parameters["W"]), "b": np.zeros_like(self.parameters["b"])}
        self.is_initialized = True

    def forward(self, X, retain_derived=True):
        if not self.is_initialized:
            self.n_in = X.shape[1]
            self._init_params()
        Z = X @ self.parameters["W"] + self.parameters["b"]
        if retain_derived:
            self.X.append(X)
            self.derived_variables["Z"].append(Z)
        return Z

    def backward(self, dLdy, retain_grads=True):
        if not isinstance(dLdy, list):
            dLdy = [dLdy]
        dX = []
        for dy, x in zip(dLdy, self.X):
            dx, dw, db = self._bwd(dy, x)
            dX.append(dx)
            if retain_grads:
                self.gradients["W"] += dw
                self.gradients["b"] += db
        return dX[0] if len(self.X) == 1 else dX

    def _bwd(self, dLdy, X):
        return dLdy @ self.parameters["W"].T, X.T @ dLdy, dLdy.sum(axis=0, keepdims=True)


class FullyConnectedWrong(FullyConnected):
    def _bwd(self, dLdy, X):
        return dLdy @ self.parameters["W"].T, X.T @ dLdy, dLdy.sum(keepdims=True) * np.ones((1, self.n_out))


class Softmax(LayerBase):
    def __init__(self, dim=-1, optimizer=None):
        super().__init__(optimizer)
        self.dim = dim

    def forward(self, X, retain_derived=True):
        e_X = np.exp(X - np.max(X, axis=self.dim, keepdims=True))
        Y = e_X / e_X.sum(axis=self.dim, keepdims=True)
        if retain_derived:
            self.X.append(Y)
        return Y

    def backward(self, dLdy, retain_grads=True):
        Y = self.X[-1]
        return Y * (dLdy - (dLdy * Y).sum(axis=self.dim, keepdims=True))
