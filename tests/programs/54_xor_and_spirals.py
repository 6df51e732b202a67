import math

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

# --- XOR, with everything that autograd offers switched off -----------------------------------------------------------
torch.manual_seed(54)
X = torch.tensor(([0, 0], [0, 1], [1, 0], [1, 1]), dtype=torch.float)
y = torch.tensor(([0], [1], [1], [0]), dtype=torch.float)


class NeuralNetwork:
    def __init__(self, lr=1.0):
        self.lr = lr
        self.W1, self.b1 = torch.randn(2, 6), torch.zeros(6)
        self.W2, self.b2 = torch.randn(6, 1), torch.zeros(1)

    def sigmoid(self, s):
        return 1 / (1 + torch.exp(-s))

    def forward(self, X):
        self.z2 = self.sigmoid(torch.matmul(X, self.W1) + self.b1)
        return self.sigmoid(torch.matmul(self.z2, self.W2) + self.b2)

    def backward(self, X, y, o):
        delta2 = o - y
        delta1 = torch.matmul(delta2, torch.t(self.W2)) * self.z2 * (1 - self.z2)
        self.W2 -= self.lr * torch.matmul(torch.t(self.z2), delta2)
        self.b2 -= self.lr * delta2.sum(0)
        self.W1 -= self.lr * torch.matmul(torch.t(X), delta1)
        self.b1 -= self.lr * delta1.sum(0)


NN = NeuralNetwork()
for i in range(500):
    o = NN.forward(X)
    if i % 250 == 0:
        print("#" + str(i), "loss: %.2f" % torch.mean((y - o) ** 2).detach().item())
    NN.backward(X, y, o)
print(NN.forward(X).round().flatten(), torch.mean((y - NN.forward(X)) ** 2) < 0.05)

# --- spirals ------------------------------------------------------------------------------------------------------------
N, D, K = 60, 2, 3
points, labels = torch.zeros(N * K, D), torch.zeros(N * K, dtype=torch.uint8)
for j in range(K):
    ix = range(N * j, N * (j + 1))
    r = torch.linspace(0.05, 1, N)
    t = torch.linspace(j * 2 * math.pi / K, j * 2 * math.pi / K + 3, N) + torch.randn(N) * 0.1
    points[ix] = torch.stack([r * torch.sin(t), r * torch.cos(t)], dim=1)
    labels[ix] = j
labels = labels.long()
print(points.shape, sorted(set(labels.tolist())), points.abs().max() <= 1)

loader = DataLoader(TensorDataset(points, labels), batch_size=60, shuffle=True)
model = nn.Sequential(nn.Linear(D, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(0.05), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, K))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.03, epochs=25, steps_per_epoch=len(loader))
first = None
for epoch in range(25):
    model.train()
    running_loss = 0.0
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), targets)
        loss.backward()
        optimizer.step()
        scheduler.step()
        running_loss += loss.item() * inputs.size(0)
    first = first or running_loss
model.eval()
with torch.no_grad():
    acc = (model(points).argmax(dim=1) == labels).sum().item() / len(labels)
print("accuracy over 0.9:", acc > 0.9, "loss a fifth:", running_loss < first / 3, "lr %.6f" % scheduler.get_last_lr()[0])
print(model[1].num_batches_tracked, model[1].running_mean.shape, [round(b, 2) for b in optimizer.param_groups[0]["betas"]])
confusion = torch.zeros(K, K, dtype=torch.int64)
for t_, p_ in zip(labels.view(-1), model(points).argmax(1).view(-1)):
    confusion[t_.long(), p_.long()] += 1
print(confusion.sum(), (confusion * torch.eye(K, dtype=torch.int64)).sum().item() / N / K == acc, confusion.sum(1))
