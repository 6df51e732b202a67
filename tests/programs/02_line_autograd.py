# The same line, but autograd works out the slopes. Once with .data, once with no_grad.
import torch

torch.manual_seed(2)
x = torch.linspace(-1, 1, 50).view(-1, 1)
y = -2 * x + 0.3 + torch.normal(0, 0.05, x.shape)


def fit_with_data(steps):
    w = torch.randn(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for _ in range(steps):
        loss = (x * w + b - y).pow(2).mean()
        loss.backward()
        w.data -= 0.3 * w.grad.data
        b.data -= 0.3 * b.grad.data
        w.grad.data.zero_()
        b.grad.data.zero_()
    return loss, w, b


def fit_with_no_grad(steps):
    w = torch.randn(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for _ in range(steps):
        loss = (x * w + b - y).pow(2).mean()
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p -= 0.3 * p.grad
                p.grad = None
    return loss, w, b


for fit in (fit_with_data, fit_with_no_grad):
    loss, w, b = fit(100)
    print(fit.__name__, f"{loss.item():.5f}")
    print(w)
    print(b.data.numpy().round(3), w.requires_grad, w.data.requires_grad, w.is_leaf, loss.is_leaf)

print(w.data.type(), w.detach().dtype)
