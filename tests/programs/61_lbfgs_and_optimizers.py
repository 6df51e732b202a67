"""Curve fitting with L-BFGS, and a comparison of optimisers on a valley; schedules in a chain."""

import torch
from torch import nn, optim
from torch.optim import lr_scheduler

torch.manual_seed(0)

# ---- Rosenbrock's valley ----------------------------------------------------


def rosenbrock(xy):
    x, y = xy
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


xy = torch.tensor([-1.5, 2.0], dtype=torch.float64, requires_grad=True)
lbfgs = optim.LBFGS([xy], lr=1, max_iter=4, history_size=10, line_search_fn="strong_wolfe")


def closure():
    lbfgs.zero_grad()
    loss = rosenbrock(xy)
    loss.backward()
    return loss


for i in range(10):
    loss = lbfgs.step(closure)
    print(i, f"{loss.item():.6f}")
print("minimum at", [round(v, 4) for v in xy.tolist()])
print(lbfgs)
print("remembered:", len(lbfgs.state_dict()["state"][0]["old_dirs"]), "steps")

# ---- least squares, without a line search -----------------------------------

X = torch.linspace(-1, 1, 20, dtype=torch.float64).reshape(-1, 1)
Y = 0.5 * X**2 - X + 0.3
model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)).double()
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5)
criterion = nn.MSELoss()
for epoch in range(5):

    def closure():
        optimizer.zero_grad()
        loss = criterion(model(X), Y)
        loss.backward()
        return loss

    optimizer.step(closure)
with torch.no_grad():
    print(f"fit: {criterion(model(X), Y).item() < 1e-3}")

# ---- the optimisers side by side --------------------------------------------

for name in ["SGD", "Adam", "Adamax", "RAdam", "ASGD", "Rprop", "RMSprop", "Adagrad"]:
    w = torch.tensor([2.0, -1.0], requires_grad=True)
    opt = getattr(optim, name)([w], lr=0.05)
    for _ in range(30):
        opt.zero_grad()
        loss = (w[0] - 1) ** 2 + 3 * (w[1] + 2) ** 2
        loss.backward()
        opt.step()
    print(f"{name:8} {loss.item():.4f} {[round(v, 3) for v in w.tolist()]}")

# ---- schedules ----------------------------------------------------------------

opt = optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
chain = lr_scheduler.ChainedScheduler(
    [lr_scheduler.ConstantLR(opt, factor=0.5, total_iters=2), lr_scheduler.ExponentialLR(opt, gamma=0.9)]
)
poly_opt = optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
poly = lr_scheduler.PolynomialLR(poly_opt, total_iters=4, power=2.0)
times_opt = optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
times = lr_scheduler.MultiplicativeLR(times_opt, lr_lambda=lambda epoch: 0.95)
for _ in range(5):
    print([round(s.get_last_lr()[0], 5) for s in (chain, poly, times)])
    for o, s in ((opt, chain), (poly_opt, poly), (times_opt, times)):
        o.step()
        s.step()
