import torch
import torch.nn.functional as F
from torch import nn

x = torch.tensor([-3.0, -1.0, -0.25, 0.5, 2.0], requires_grad=True)
modules = [nn.ReLU(), nn.LeakyReLU(), nn.LeakyReLU(negative_slope=0.2), nn.ELU(), nn.SiLU(), nn.Softplus(), nn.Sigmoid(),
           nn.Tanh(), nn.GELU(), nn.GELU(approximate="tanh"), nn.Softplus(beta=2), nn.Identity()]
for m in modules:
    x.grad = None
    y = m(x)
    y.sum().backward()
    print(m)
    print("  y ", [f"{v:.3f}" for v in y.tolist()])
    print("  dy", [f"{v:.3f}" for v in x.grad.tolist()])

pairs = [
    ("relu", F.relu(x), x.clamp(min=0)),
    ("leaky_relu", F.leaky_relu(x, 0.1), torch.where(x > 0, x, 0.1 * x)),
    ("elu", F.elu(x, alpha=0.7), torch.where(x > 0, x, 0.7 * (torch.exp(x) - 1))),
    ("silu", F.silu(x), x * torch.sigmoid(x)),
    ("softplus", F.softplus(x), torch.log1p(torch.exp(x))),
    ("gelu", F.gelu(x), 0.5 * x * (1 + torch.erf(x / 2 ** 0.5))),
    ("softmax", F.softmax(x, dim=0), torch.exp(x) / torch.exp(x).sum()),
    ("tanh", torch.tanh(x), (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1)),
    ("max", torch.maximum(x, torch.zeros(5)), F.relu(x)),
]
for name, ours, by_hand in pairs:
    g1, = torch.autograd.grad(ours.square().sum(), x)
    g2, = torch.autograd.grad(by_hand.square().sum(), x)
    print(name, torch.allclose(ours, by_hand, atol=1e-6), torch.allclose(g1, g2, atol=1e-6))


class Swish(nn.Module):
    def __init__(self):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return x * torch.sigmoid(self.beta * x)


class Maxout(nn.Module):
    def __init__(self, d_in, d_out, pool):
        super().__init__()
        self.d_out, self.pool = d_out, pool
        self.lin = nn.Linear(d_in, d_out * pool)

    def forward(self, x):
        m, i = self.lin(x).view(*x.shape[:-1], self.d_out, self.pool).max(-1)
        return m


torch.manual_seed(38)
swish = Swish()
swish(x).sum().backward()
print(swish.beta.grad, swish)
print(Maxout(5, 3, 2)(x).shape, Maxout(5, 3, 2))
inplace = nn.ReLU(inplace=True)
z = torch.tensor([-1.0, 1.0])
inplace(z)
print(z, inplace, F.relu(torch.tensor([-2.0, 2.0]), inplace=True))
print(torch.softmax(torch.tensor(2.0), 0), F.log_softmax(torch.tensor([0.0, 0.0]), 0))
