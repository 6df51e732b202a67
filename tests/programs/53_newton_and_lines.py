"""Derivatives of derivatives: Newton's method, a gradient penalty, a Hessian by rows, a Jacobian."""
import torch


def f(x):
    return x ** 4 - 3 * x ** 2 + x


x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
for step in range(6):
    g, = torch.autograd.grad(f(x), x, create_graph=True)
    h, = torch.autograd.grad(g, x)
    x.data -= (g / h).data
    print(step, f"{x.item():.6f}")
print("a minimum:", abs(4 * x.item() ** 3 - 6 * x.item() + 1) < 1e-9)


def rosen(v):
    return ((1 - v[:-1]) ** 2 + 100 * (v[1:] - v[:-1] ** 2) ** 2).sum()


v = torch.tensor([0.5, 0.2, -0.3], dtype=torch.float64, requires_grad=True)
grad, = torch.autograd.grad(rosen(v), v, create_graph=True)
hessian = torch.stack([torch.autograd.grad(g, v, retain_graph=True)[0] for g in grad])
print(grad.detach())
print(hessian.round(), torch.equal(hessian, hessian.t()))

w = torch.randn(3, 2, generator=torch.Generator().manual_seed(53), dtype=torch.float64, requires_grad=True)
inputs = torch.arange(3, dtype=torch.float64).requires_grad_()
out = torch.tanh(inputs @ w)
jacobian = torch.zeros(2, 3, dtype=torch.float64)
for i in range(2):
    jacobian[i] = torch.autograd.grad(out[i], inputs, retain_graph=True)[0]
print(torch.allclose(jacobian, (1 - out ** 2)[:, None] * w.t()))

torch.manual_seed(53)
critic = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.LeakyReLU(0.2), torch.nn.Linear(8, 1))
real, fake = torch.randn(6, 2), torch.randn(6, 2) + 3
eps = torch.rand(6, 1)
between = (eps * real + (1 - eps) * fake).requires_grad_(True)
gradients = torch.autograd.grad(outputs=critic(between), inputs=between, grad_outputs=torch.ones(6, 1), create_graph=True)[0]
penalty = ((gradients.norm(2, dim=1) - 1) ** 2).mean()
penalty.backward()
print(f"{penalty.item():.4f}", critic[0].weight.grad.shape, critic[2].bias.grad)

# gradients add up; leaves, and what is not one
a = torch.tensor([1.0, 2.0], requires_grad=True)
for _ in range(3):
    (a * a).sum().backward()
print(a.grad, a.is_leaf, (a * 2).is_leaf, (a * 2).requires_grad, (a * 2).grad_fn is not None, a.grad_fn)
with torch.no_grad():
    print((a * 2).requires_grad, torch.is_grad_enabled())
with torch.set_grad_enabled(False):
    b = a * 2
print(b.requires_grad, a.detach().requires_grad)
b = a.clone()
b[0] = 10
b.sum().backward()
print(a.grad)
unused = torch.ones(1, requires_grad=True)
print(torch.autograd.grad(a.sum(), [a, unused], allow_unused=True)[1])


@torch.no_grad()
def half(t):
    return t / 2


print(half(a).requires_grad, torch.autograd.grad((a ** 3).sum(), a)[0])
