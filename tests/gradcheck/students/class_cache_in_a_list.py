import numpy as np

# long
# expect Normed: right: dx
# expect NormedSlip: wrong: WRONG in dx
# expect ConvFilters: right: x (5, 7)
# expect ConvFiltersSlip: right: not checked with x (5, 7), for there backward fails
# expect CrossEntropyAlone: right: right only with a softmax before it

# an object whose arrays are made by the first forward keeps a list of arrays too, and is no network for that


class Normed:
    def __init__(self, eps=1e-5):
        self.eps = eps
        self.gamma = None
        self.beta = None
        self.cache = None

    def forward(self, x):
        if self.gamma is None:
            self.gamma = np.ones(x.shape[1])
            self.beta = np.zeros(x.shape[1])
        mean, var = np.mean(x, axis=0), np.var(x, axis=0)
        x_hat = (x - mean) / np.sqrt(var + self.eps)
        self.cache = (x, mean, var, x_hat)
        return self.gamma * x_hat + self.beta

    def backward(self, dout, learning_rate):
        x, mean, var, x_hat = self.cache
        m = len(x)
        dx_hat = dout * self.gamma
        dvar = np.sum(dx_hat * (x - mean) * -0.5 * (var + self.eps) ** -1.5, axis=0)
        dmean = np.sum(-dx_hat / np.sqrt(var + self.eps), axis=0)
        dx = dx_hat / np.sqrt(var + self.eps) + dvar * 2 * (x - mean) / m + dmean / m
        self.gamma -= learning_rate * np.sum(dout * x_hat, axis=0)
        self.beta -= learning_rate * np.sum(dout, axis=0)
        return dx


class NormedSlip(Normed):
    def backward(self, dout, learning_rate):
        x, mean, var, x_hat = self.cache
        m = len(x)
        dx_hat = dout * self.gamma
        dvar = np.sum(dx_hat * (x - mean) * -0.5 * (var + self.eps) ** -1.5, axis=1)  # axis=0
        dmean = np.sum(-dx_hat / np.sqrt(var + self.eps), axis=0)
        dx = dx_hat / np.sqrt(var + self.eps) + dvar * 2 * (x - mean) / m + dmean / m
        self.gamma -= learning_rate * np.sum(dout * x_hat, axis=0)
        self.beta -= learning_rate * np.sum(dout, axis=0)
        return dx


# an image that is not as high as it is wide


class ConvFilters:
    def __init__(self, count):
        self.count = count
        self.filters = np.random.randn(count, 3, 3) / 9

    def forward(self, x):
        self.x = x
        h, w = x.shape
        out = np.zeros((h - 2, w - 2, self.count))
        for i in range(h - 2):
            for j in range(w - 2):
                out[i, j] = np.sum(x[i : i + 3, j : j + 3] * self.filters, axis=(1, 2))
        return out

    def backward(self, d_out, learn_rate):
        d_filters = np.zeros(self.filters.shape)
        for i in range(self.x.shape[0] - 2):
            for j in range(self.x.shape[1] - 2):
                for k in range(self.count):
                    d_filters[k] += d_out[i, j, k] * self.x[i : i + 3, j : j + 3]
        self.filters -= learn_rate * d_filters
        return None


class ConvFiltersSlip(ConvFilters):
    def backward(self, d_out, learn_rate):
        d_filters = np.zeros(self.filters.shape)
        for i in range(self.x.shape[1] - 2):  # shape[0]
            for j in range(self.x.shape[1] - 2):
                for k in range(self.count):
                    d_filters[k] += d_out[i, j, k] * self.x[i : i + 3, j : j + 3]
        self.filters -= learn_rate * d_filters
        return None


# a loss of probabilities whose gradient is that of the scores


class CrossEntropyAlone:
    def forward(self, y_pred, y_true):
        self.y_pred, self.y_true = y_pred, y_true
        return -np.sum(y_true * np.log(y_pred)) / len(y_true)

    def backward(self):
        return (self.y_pred - self.y_true) / len(self.y_true)
