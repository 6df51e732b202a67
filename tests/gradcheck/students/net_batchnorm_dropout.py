# long
# expect Net: right
# expect NetWrong: wrong: WRONG
import numpy as np


class Net:
    """Affine, batch norm, ReLU, dropout, affine, softmax; with a seed for the dropout and a mode by y."""

    def __init__(self, input_dim=8, hidden_dim=6, num_classes=3, dropout=0.5, reg=0.1, seed=123):
        self.reg, self.keep, self.seed = reg, dropout, seed
        self.params = {
            "W1": np.random.randn(input_dim, hidden_dim) * 0.1,
            "b1": np.zeros(hidden_dim),
            "gamma1": np.ones(hidden_dim),
            "beta1": np.zeros(hidden_dim),
            "W2": np.random.randn(hidden_dim, num_classes) * 0.1,
            "b2": np.zeros(num_classes),
        }
        self.bn_param = {"mode": "train", "running_mean": np.zeros(hidden_dim), "running_var": np.ones(hidden_dim)}

    def loss(self, X, y=None):
        p, train = self.params, y is not None
        a = X @ p["W1"] + p["b1"]
        if train:
            mean, var = a.mean(axis=0), a.var(axis=0)
            self.bn_param["running_mean"] = 0.9 * self.bn_param["running_mean"] + 0.1 * mean
            self.bn_param["running_var"] = 0.9 * self.bn_param["running_var"] + 0.1 * var
        else:
            mean, var = self.bn_param["running_mean"], self.bn_param["running_var"]
        rstd = 1 / np.sqrt(var + 1e-5)
        x_hat = (a - mean) * rstd
        r = np.maximum(p["gamma1"] * x_hat + p["beta1"], 0)
        np.random.seed(self.seed)
        mask = (np.random.rand(*r.shape) < self.keep) / self.keep if train else 1.0
        h = r * mask
        scores = h @ p["W2"] + p["b2"]
        if not train:
            return scores
        n = len(X)
        probs = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs /= probs.sum(axis=1, keepdims=True)
        loss = -np.log(probs[np.arange(n), y]).mean()
        loss += 0.5 * self.reg * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))
        probs[np.arange(n), y] -= 1
        d = probs / n
        grads = {"W2": h.T @ d + self.reg * p["W2"], "b2": d.sum(axis=0)}
        d = d @ p["W2"].T * self.back(mask) * (r > 0)
        grads["gamma1"], grads["beta1"] = (d * x_hat).sum(axis=0), d.sum(axis=0)
        g = d * p["gamma1"]
        da = rstd * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0))
        grads["W1"], grads["b1"] = X.T @ da + self.reg * p["W1"], da.sum(axis=0)
        return loss, grads

    def back(self, mask):
        return mask


class NetWrong(Net):
    """The dropout is forgotten on the way back."""

    def back(self, mask):
        return 1.0
