"""SGD, momentum, Adagrad, RMSprop and Adam in a few lines each, down a valley."""
import torch
from torch import optim


def valley(p):
    x, y = p[0], p[1]
    return (1 - x) ** 2 + 5 * (y - x ** 2) ** 2


def sgd(p, g, state, lr=0.02):
    p -= lr * g


def momentum(p, g, state, lr=0.02, beta=0.9):
    v = state.setdefault("v", torch.zeros_like(p))
    v.mul_(beta).add_(g)
    p.sub_(lr * v)


def adagrad(p, g, state, lr=0.3, eps=1e-10):
    s = state.setdefault("s", torch.zeros_like(p))
    s += torch.square(g)
    p -= lr * g / (torch.sqrt(s) + eps)


def rmsprop(p, g, state, lr=0.02, alpha=0.9, eps=1e-8):
    s = state.setdefault("s", torch.zeros_like(p))
    s.mul_(alpha).addcmul_(g, g, value=1 - alpha)
    p.addcdiv_(g, s.sqrt().add_(eps), value=-lr)


def adam(p, g, state, lr=0.05, betas=(0.9, 0.999), eps=1e-8):
    m = state.setdefault("m", torch.zeros_like(p))
    v = state.setdefault("v", torch.zeros_like(p))
    state["t"] = t = state.get("t", 0) + 1
    m.mul_(betas[0]).add_(g, alpha=1 - betas[0])
    v.mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])
    denom = (v / (1 - betas[1] ** t)).sqrt().add_(eps)
    p.addcdiv_(m / (1 - betas[0] ** t), denom, value=-lr)


theirs = {
    "sgd": lambda p: optim.SGD(p, lr=0.02),
    "momentum": lambda p: optim.SGD(p, lr=0.02, momentum=0.9),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.3),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.02, alpha=0.9),
    "adam": lambda p: optim.Adam(p, lr=0.05, fused=False, capturable=False),
}
start = torch.tensor([-1.0, 0.5])
print("start", valley(start))
for step in (sgd, momentum, adagrad, rmsprop, adam):
    w, state = start.clone().requires_grad_(), {}
    for _ in range(60):
        g, = torch.autograd.grad(valley(w), w)
        with torch.no_grad():
            step(w, g, state)
    q = start.clone().requires_grad_()
    optimizer = theirs[step.__name__]([q])
    for _ in range(60):
        optimizer.zero_grad()
        valley(q).backward()
        optimizer.step()
    print(f"{step.__name__:9s} loss {valley(w).item():.3f}  at ({w[0].item():.2f}, {w[1].item():.2f})  "
          f"as in torch.optim: {torch.allclose(w, q, atol=1e-4)}")
