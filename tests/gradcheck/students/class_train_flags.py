# always
# expect Dropout: right
# expect BatchNorm: right
# expect DropoutUnscaled: wrong: WRONG
# expect BatchNormEval: right
import numpy as np


class Module:
    def __init__(self):
        self.training = True

    def train(self):
        self.training = True

    def eval(self):
        self.training = False


class Dropout(Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        self.mask = (np.random.random(x.shape) >= self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask if self.training else grad


class DropoutUnscaled(Dropout):
    def backward(self, grad):
        return grad * (self.mask > 0) if self.training else grad


class BatchNorm(Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)

    def forward(self, x):
        if self.training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self.running_mean += self.momentum * (mean - self.running_mean)
            self.running_var += self.momentum * (var - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        self.inv_std = 1 / np.sqrt(var + self.eps)
        self.x_hat = (x - mean) * self.inv_std
        return self.gamma * self.x_hat + self.beta

    def backward(self, grad):
        self.dgamma, self.dbeta = np.sum(grad * self.x_hat, axis=0), np.sum(grad, axis=0)
        g = grad * self.gamma
        if not self.training:
            return g * self.inv_std
        return self.inv_std * (g - g.mean(axis=0) - self.x_hat * (g * self.x_hat).mean(axis=0))


class BatchNormEval(BatchNorm):
    """Frozen: only what was learned before counts."""

    def __init__(self, num_features):
        super().__init__(num_features)
        self.training = False
