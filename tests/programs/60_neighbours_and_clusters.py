"""Without a network: nearest neighbours, k-means, principal components by power iteration, a Markov chain."""
import torch

torch.manual_seed(60)
centres = torch.tensor([[0.0, 0.0, 5.0], [5.0, 0.0, 0.0], [0.0, 5.0, 0.0]])
labels = torch.arange(60) % 3
X = centres[labels] + 0.5 * torch.randn(60, 3)
train, test = X[:45], X[45:]


def distances(a, b):
    return (a.pow(2).sum(1)[:, None] + b.pow(2).sum(1)[None] - 2 * a @ b.t()).clamp(min=0).sqrt()


loops = torch.zeros(15, 45)
for i in range(15):
    for j in range(45):
        loops[i, j] = torch.sqrt(torch.sum((test[i] - train[j]) ** 2))
print("two loops and none:", torch.allclose(loops, distances(test, train), atol=1e-4))
_, nearest = distances(test, train).topk(5, dim=1, largest=False)
votes = torch.stack([torch.bincount(labels[:45][row], minlength=3) for row in nearest])
print("neighbours:", (votes.argmax(1) == labels[45:]).float().mean())

means = X[torch.randperm(60)[:3]].clone()
means[:] = torch.stack([X[labels == k][0] for k in range(3)])
for step in range(5):
    owner = distances(X, means).argmin(dim=1)
    new = torch.stack([X[owner == k].mean(dim=0) for k in range(3)])
    moved = (new - means).norm()
    means = new
    if moved < 1e-6:
        break
print("k-means stopped after", step, "sizes", torch.bincount(owner), (means - centres).abs().max() < 0.5)

centred = X - X.mean(0)
cov = centred.t() @ centred / (len(X) - 1)
v = torch.ones(3)
v[0] = 2
for _ in range(100):
    v = cov @ v
    v /= v.norm()
print(f"first variance {(v @ cov @ v).item():.2f} of {(cov * torch.eye(3)).sum().item():.2f}")
z = (X - X.mean(0, keepdim=True)) / X.std(0, keepdim=True)
print("standardised:", torch.allclose(z.mean(0), torch.zeros(3), atol=1e-6), torch.allclose(z.std(0), torch.ones(3)))

P = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.0, 0.4, 0.6]])
state = torch.tensor([1.0, 0.0, 0.0])
for _ in range(200):
    state = state @ P
print("stationary:", state, torch.isclose(state.sum(), torch.tensor(1.0)).item())
walk, at = [], torch.tensor(0)
for _ in range(300):
    at = torch.multinomial(P[at], 1)[0]
    walk.append(at)
share = torch.stack(walk).bincount(minlength=3) / 300
print("walk near it:", (share - state).abs().max() < 0.15, torch.stack(walk)[:12])

# ridge regression by gradient descent and an L1 penalty by soft thresholding
A, coef = torch.randn(50, 6), torch.tensor([3.0, 0.0, 0.0, -2.0, 0.0, 0.0])
b = A @ coef + 0.1 * torch.randn(50)
w = torch.zeros(6)
for _ in range(200):
    w = w - 0.1 * A.t() @ (A @ w - b) / 50
    w = w.sign() * (w.abs() - 0.02).clamp(min=0)
print("sparse:", (w == 0).tolist(), w[[0, 3]])
