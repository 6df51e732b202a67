# Four clouds in a plane, a small network, and its decision regions drawn with letters.
import torch
from torch import nn

torch.manual_seed(42)
centres = torch.tensor([[-2.0, -2.0], [2.0, 2.0], [-2.0, 2.0], [2.0, -2.0]])
points = torch.cat([torch.normal(mean=c.repeat(25, 1), std=0.5) for c in centres])
labels = torch.cat([torch.full((25,), i) for i in range(4)])
print(points.shape, labels.dtype, torch.bincount(labels))

model = nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 4), nn.LogSoftmax(dim=1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
criterion = nn.NLLLoss()
for epoch in range(80):
    optimizer.zero_grad()
    loss = criterion(model(points), labels)
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.1f}")

xx, yy = torch.meshgrid(torch.linspace(-3, 3, 7), torch.linspace(3, -3, 7), indexing="xy")
grid = torch.stack((xx.flatten(), yy.reshape(-1)), dim=1)
with torch.inference_mode():
    z = model(grid).argmax(1).view(xx.shape)
for row in z[::2]:
    print(" ".join("abcd"[int(k)] for k in row[[0, 1, 5, 6]]))

with torch.no_grad():
    _, predicted = torch.max(model(points).data, 1)
print("Accuracy: {} %".format(100 * (predicted == labels).sum() // labels.size(0)))

ii, jj = torch.meshgrid(torch.arange(3), torch.arange(4), indexing="ij")
print(ii * 10 + jj, ii.shape)
X, Y = torch.meshgrid([torch.arange(2.0), torch.arange(3.0)], indexing="ij")
Z = torch.sin(X) * torch.cos(Y)
print(Z.sum() > 0, Z.size(), [round(v, 2) for v in Z[1].tolist()])
