import numpy as np
import torch

a = np.ones(5)
b = torch.from_numpy(a)
np.add(a, 1, out=a)
print(a, b, type(b.numpy()))
t = torch.ones(3)
n = t.numpy()
t.add_(1)
print(n, n.dtype, t.shape == torch.Size([3]))

x = torch.arange(4.0, requires_grad=True)
print(x.detach().numpy(), x.data.numpy(), x.detach().cpu().numpy().astype(int), np.array(x.tolist()))
stacked = np.stack([torch.ones(2), torch.zeros(2)])
print(type(stacked).__name__, stacked, type(np.concatenate([torch.ones(1), torch.zeros(1)])).__name__)
print(np.asarray(t).sum(), np.mean(t.numpy()), float(np.sqrt(torch.tensor(4.0).item())))
print(torch.tensor(np.array([1.5, 2.5])).dtype, torch.as_tensor(np.arange(3)).dtype, torch.Tensor(np.arange(3)).dtype)
print(torch.full((2,), np.float64(1)).dtype, torch.tensor([np.float32(2), 3.0]).dtype, torch.tensor(np.float64(0.1)).dtype)

# numpy draws, torch learns
rng = np.random.default_rng(48)
X = rng.normal(size=(80, 3)).astype(np.float32)
true_w = np.array([1.0, -2.0, 0.5], dtype=np.float32)
y = X @ true_w + 0.3
X_train, y_train = torch.from_numpy(X), torch.from_numpy(y.astype(np.float32)).view(-1, 1)
model = torch.nn.Linear(3, 1)
model.weight.data = torch.zeros(1, 3)
model.bias.data.zero_()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
losses = []
for epoch in range(120):
    loss = torch.nn.functional.mse_loss(model(X_train), y_train)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.detach().numpy())
print(np.round(model.weight.data.numpy(), 2), np.round(model.bias.detach().numpy(), 2), np.array(losses).shape)
predicted = model(X_train).detach().numpy()
print(predicted.shape, np.abs(predicted.ravel() - y).max() < 0.05, losses[-1] < losses[0])

w = torch.nn.Parameter(torch.ones(2, 3))
w.data = w.data * np.sqrt(2 / 3)
print(w.dtype, w.data[0], (torch.ones(2) * np.float64(2)).dtype, (torch.ones(2, dtype=torch.int) * 2.0).dtype)
mask = np.array([True, False, True])
print(torch.arange(3)[torch.from_numpy(mask)], torch.arange(6).view(2, 3)[:, mask], torch.arange(3)[np.array([2, 0])])
print(torch.utils.data.default_collate([np.float32(1.0), np.float32(2.0)]), torch.tensor([t_.item() for t_ in torch.arange(3)]))
for i, row in enumerate(torch.eye(2)):
    print(i, row, row[i] == 1, row.sum().item())
