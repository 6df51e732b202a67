import torch

torch.manual_seed(7)
num_inputs, num_outputs = 6, 3


def softmax(X):
    X_exp = torch.exp(X - X.max(1, keepdim=True)[0])
    partition = X_exp.sum(1, keepdim=True)
    return X_exp / partition


X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
print(X.sum(0, keepdim=True), "\n", X.sum(1, keepdim=True))
X_prob = softmax(X)
print(X_prob, torch.isclose(X_prob.sum(1), torch.ones(2)))

y = torch.tensor([0, 2])
y_hat = torch.tensor([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]])
print(y_hat[[0, 1], y])


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[range(len(y_hat)), y])


def accuracy(y_hat, y):
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(axis=1)
    cmp = y_hat.type(y.dtype) == y
    return float(cmp.type(y.dtype).sum())


print(cross_entropy(y_hat, y))
print(accuracy(y_hat, y) / len(y))

# three clouds of points
centres = torch.randn(num_outputs, num_inputs) * 2
labels = torch.arange(num_outputs).repeat(40)
features = centres[labels] + torch.randn(len(labels), num_inputs)

W = torch.normal(0, 0.01, size=(num_inputs, num_outputs), requires_grad=True)
b = torch.zeros(num_outputs, requires_grad=True)


class Accumulator:
    def __init__(self, n):
        self.data = [0.0] * n

    def add(self, *args):
        self.data = [a + float(b) for a, b in zip(self.data, args)]

    def __getitem__(self, idx):
        return self.data[idx]


for epoch in range(6):
    metric = Accumulator(3)
    for at in torch.randperm(len(labels)).split(16):
        y_hat = softmax(torch.matmul(features[at].reshape((-1, W.shape[0])), W) + b)
        l = cross_entropy(y_hat, labels[at])
        l.mean().backward()
        for param in (W, b):
            param.data.sub_(0.1 * param.grad)
            param.grad.data.zero_()
        metric.add(l.sum(), accuracy(y_hat, labels[at]), labels[at].numel())
    print(f"epoch {epoch}: loss {metric[0] / metric[2]:.3f}, accuracy {metric[1] / metric[2]:.3f}")
