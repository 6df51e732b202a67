import numpy as np

# long
# expect Conv2D: right
# expect SoftmaxLoss: right


class Conv2D(object):
    def __init__(self, shape, output_channels, ksize=3):
        self.output_channels, self.ksize = output_channels, ksize
        self.weights = np.random.standard_normal((ksize, ksize, shape[-1], output_channels)) / ksize
        self.pad = ksize / 2
        self.w_gradient = np.zeros(self.weights.shape)
        self.out_shape = (shape[1] + 2 * self.pad - ksize) / 1 + 1
        if shape[1] < ksize:
            print 'too small', shape

    def forward(self, x):
        p = self.pad
        self.x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)), 'constant')
        out = np.zeros((x.shape[0], self.out_shape, self.out_shape, self.output_channels))
        for i in xrange(self.ksize):
            for j in xrange(self.ksize):
                out += np.dot(self.x[:, i:i + self.out_shape, j:j + self.out_shape], self.weights[i, j])
        return out

    def gradient(self, eta):
        dx, n = np.zeros(self.x.shape), self.out_shape
        for i in xrange(self.ksize):
            for j in xrange(self.ksize):
                self.w_gradient[i, j] = np.tensordot(self.x[:, i:i + n, j:j + n], eta, ([0, 1, 2], [0, 1, 2]))
                dx[:, i:i + n, j:j + n] += np.dot(eta, self.weights[i, j].T)
        return dx[:, self.pad:-self.pad, self.pad:-self.pad]

    def backward(self, alpha=0.0001):
        self.weights -= alpha * self.w_gradient


class SoftmaxLoss(object):
    def cal_loss(self, prediction, label):
        self.label = label
        self.softmax = np.exp(prediction) / np.sum(np.exp(prediction), axis=1, keepdims=True)
        return -np.sum(np.log(self.softmax[np.arange(len(label)), label]))

    def gradient(self):
        eta = self.softmax.copy()
        eta[np.arange(len(self.label)), self.label] -= 1
        return eta
