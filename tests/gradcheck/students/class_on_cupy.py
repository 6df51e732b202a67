"""Layers on CuPy's arrays, which are checked on NumPy's where CuPy is not installed."""

# expect Recurrent: right
# expect RecurrentWrong: wrong: dx: it is the right gradient reversed along axis 1
import cupy as cp


class Array(cp.ndarray):
    pass


class Recurrent:
    def __init__(self, input_dim, hidden_dim):
        self.W_x: Array = cp.random.randn(input_dim, hidden_dim)
        self.W_h: Array = cp.random.randn(hidden_dim, hidden_dim)

    def forward(self, x: Array) -> Array:
        self.x, h, self.states = x, cp.zeros((len(x), len(self.W_h))), []
        for t in range(x.shape[1]):
            h = cp.tanh(x[:, t] @ self.W_x + h @ self.W_h)
            self.states.append(h)
        return cp.stack(self.states, axis=1)

    def backward(self, dh: Array) -> Array:
        return cp.stack(self.steps(dh)[::-1], axis=1)

    def steps(self, dh):
        self.dW_x, self.dW_h = cp.zeros_like(self.W_x), cp.zeros_like(self.W_h)
        later, found = cp.zeros_like(dh[:, 0]), []
        for t in reversed(range(dh.shape[1])):
            dz = (dh[:, t] + later) * (1 - self.states[t] ** 2)
            before = self.states[t - 1] if t else cp.zeros_like(dz)
            self.dW_x, self.dW_h = self.dW_x + self.x[:, t].T @ dz, self.dW_h + before.T @ dz
            later = dz @ self.W_h.T
            found.append(dz @ self.W_x.T)
        return found


class RecurrentWrong(Recurrent):
    def backward(self, dh):
        return cp.stack(self.steps(dh), axis=1)
