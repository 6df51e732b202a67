import torch
from torch import nn
from torch.utils import data

torch.manual_seed(8)
num_inputs, num_hiddens, num_outputs = 2, 16, 2


def load_array(data_arrays, batch_size, is_train=True):
    dataset = data.TensorDataset(*data_arrays)
    return data.DataLoader(dataset, batch_size, shuffle=is_train)


angle = torch.rand(200) * 2 * torch.pi
inner = torch.arange(200) < 100
radius = torch.where(inner, torch.tensor(1.0), torch.tensor(2.5)) + 0.1 * torch.randn(200)
points = torch.stack((radius * torch.cos(angle), radius * torch.sin(angle)), dim=1)
labels = inner.long()
train_iter = load_array((points, labels), 50)

W1 = nn.Parameter(torch.randn(num_inputs, num_hiddens, requires_grad=True) * 0.1)
b1 = nn.Parameter(torch.zeros(num_hiddens, requires_grad=True))
W2 = nn.Parameter(torch.randn(num_hiddens, num_outputs, requires_grad=True) * 0.1)
b2 = nn.Parameter(torch.zeros(num_outputs, requires_grad=True))
params = [W1, b1, W2, b2]


def relu(X):
    a = torch.zeros_like(X)
    return torch.max(X, a)


def net(X):
    X = X.reshape((-1, num_inputs))
    H = relu(X @ W1 + b1)
    return (H @ W2 + b2)


loss = nn.CrossEntropyLoss(reduction="none")
updater = torch.optim.SGD(params, lr=0.5)

for epoch in range(20):
    total, right, count = 0.0, 0, 0
    for X, y in train_iter:
        y_hat = net(X)
        l = loss(y_hat, y)
        updater.zero_grad()
        l.mean().backward()
        updater.step()
        total += l.sum().item()
        right += (y_hat.data.max(1)[1] == y).sum().item()
        count += len(y)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:2d}  loss {total / count:.2f}  train acc {right / count:.2f}")

with torch.no_grad():
    probe = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.5], [-2.5, -1.0]])
    print(net(probe).argmax(dim=1))
print([tuple(p.shape) for p in params], sum(p.numel() for p in params))
