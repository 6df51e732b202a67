# A chapter in the manner of a textbook: synthetic data, a reader of minibatches, the model, the loss, the training.
import random

import torch


class SyntheticData:
    def __init__(self, w, b, noise=0.01, num_train=200, num_val=100, batch_size=20):
        self.num_train, self.batch_size = num_train, batch_size
        n = num_train + num_val
        self.X = torch.normal(0, 1, (n, len(w)))
        self.y = torch.matmul(self.X, w.reshape((-1, 1))) + b
        self.y += torch.normal(0, noise, self.y.shape)

    def batches(self, train=True):
        if train:
            indices = list(range(0, self.num_train))
            random.shuffle(indices)
        else:
            indices = list(range(self.num_train, len(self.X)))
        for i in range(0, len(indices), self.batch_size):
            at = torch.tensor(indices[i:i + self.batch_size])
            yield self.X[at], self.y[at]


def linreg(X, w, b):
    return torch.matmul(X, w) + b


def squared_loss(y_hat, y):
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


random.seed(6)
torch.manual_seed(6)
true_w, true_b = torch.tensor([2, -3.4]), 4.2
data = SyntheticData(true_w, true_b)

w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)

X, y = next(iter(data.batches()))
print("X shape:", X.shape, "\ny shape:", y.shape)

for epoch in range(8):
    for X, y in data.batches():
        l = squared_loss(linreg(X, w, b), y)
        l.sum().backward()
        sgd([w, b], 0.1, data.batch_size)
    with torch.no_grad():
        val = [squared_loss(linreg(X, w, b), y).mean() for X, y in data.batches(train=False)]
        print(f"epoch {epoch + 1}, validation loss {float(sum(val) / len(val)):.4f}")

print("error in estimating w:", (true_w - w.reshape(true_w.shape)).abs().max() < 5e-3)
print("error in estimating b:", (true_b - b).abs() < 5e-3)
