# long
# expect CharRNN: right
# expect CharRNNShort: wrong: WRONG
import numpy as np


class CharRNN:
    """Letters in, the next letters as targets; backpropagation through time."""

    def __init__(self, vocab_size, hidden_size):
        self.V, self.H = vocab_size, hidden_size
        self.params = {
            "Wxh": np.random.randn(hidden_size, vocab_size) * 0.3,
            "Whh": np.random.randn(hidden_size, hidden_size) * 0.3,
            "Why": np.random.randn(vocab_size, hidden_size) * 0.3,
            "bh": np.zeros((hidden_size, 1)),
            "by": np.zeros((vocab_size, 1)),
        }

    def loss(self, inputs, targets):
        p = self.params
        xs, hs, ps = {}, {-1: np.zeros((self.H, 1))}, {}
        loss = 0
        for t in range(len(inputs)):
            xs[t] = np.zeros((self.V, 1))
            xs[t][inputs[t]] = 1
            hs[t] = np.tanh(p["Wxh"] @ xs[t] + p["Whh"] @ hs[t - 1] + p["bh"])
            y = p["Why"] @ hs[t] + p["by"]
            ps[t] = np.exp(y - y.max()) / np.sum(np.exp(y - y.max()))
            loss += -np.log(ps[t][targets[t], 0])
        grads = {name: np.zeros_like(value) for name, value in p.items()}
        dh_next = np.zeros((self.H, 1))
        for t in reversed(range(len(inputs))):
            dy = ps[t].copy()
            dy[targets[t]] -= 1
            grads["Why"] += dy @ hs[t].T
            grads["by"] += dy
            draw = (1 - hs[t] ** 2) * (p["Why"].T @ dy + dh_next)
            grads["bh"] += draw
            grads["Wxh"] += draw @ xs[t].T
            grads["Whh"] += draw @ hs[t - 1].T
            dh_next = self.carry(p["Whh"].T @ draw)
        return loss, grads

    def carry(self, dh):
        return dh


class CharRNNShort(CharRNN):
    def carry(self, dh):
        return np.zeros_like(dh)
