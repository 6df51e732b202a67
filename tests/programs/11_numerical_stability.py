# Vanishing and exploding gradients, and two functions that are written so that nothing overflows.
import torch

torch.manual_seed(11)

x = torch.arange(-8.0, 8.0, 2.0, requires_grad=True)
y = torch.sigmoid(x)
y.backward(torch.ones_like(x))
print(y.detach())
print(x.grad)

M = torch.normal(0, 1, size=(4, 4))
print("a single matrix \n", M)
for _ in range(30):
    M = torch.mm(M, torch.normal(0, 1, size=(4, 4)))
print("grew:", bool(torch.log10(M.abs().max()) > 5))


def log_sum_exp(x):
    c = x.max()
    return c + torch.log(torch.exp(x - c).sum())


big = torch.tensor([1000.0, 1000.0, 1000.0])
print(torch.log(torch.exp(big).sum()), log_sum_exp(big), torch.logsumexp(big, dim=0))

small = torch.tensor([1e-10, 1e-3, 1.0], dtype=torch.float64)
print(torch.log(1 + small), torch.log1p(small))
print(torch.isinf(torch.exp(big)), torch.isnan(torch.exp(big) - torch.exp(big)))

# softplus(x) = log(1 + e^x), safe on both sides
z = torch.tensor([-15.0, -1.0, 0.0, 1.0, 100.0])
safe = z.clamp_min(0) + torch.log1p(torch.exp(-z.abs()))
print(safe, torch.nn.functional.softplus(z))
print(torch.finfo(torch.float32).eps, torch.finfo(torch.float32).max, torch.finfo(torch.float64).tiny)

for scale in (0.5, 1.0, 2.0):
    h = torch.randn(100, 64)
    for layer in range(12):
        h = torch.relu(h @ (torch.randn(64, 64) * scale * (2 / 64) ** 0.5))
    print(f"scale {scale}: log10 of the spread {torch.log10(h.std()).item():.1f}")
