"""Is my backward pass right? Compare it with central differences, number by number."""
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(16)


def numerical_gradient(f, x, df, h=1e-5):
    grad = torch.zeros_like(x)
    flat, out = x.view(-1), grad.view(-1)
    for i in range(flat.numel()):
        old = flat[i].item()
        flat[i] = old + h
        pos = f(x).clone()
        flat[i] = old - h
        neg = f(x).clone()
        flat[i] = old
        out[i] = ((pos - neg) * df).sum() / (2 * h)
    return grad


def rel_error(x, y):
    return (torch.max(torch.abs(x - y)) / torch.clamp(x.abs() + y.abs(), min=1e-8).max()).item()


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).mm(w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.mm(w.t()).view_as(x)
    dw = x.view(x.shape[0], -1).t().mm(dout)
    return dx, dw, dout.sum(dim=0)


def relu_forward(x):
    return x.clamp(min=0), x


def relu_backward(dout, cache):
    dx = dout.clone()
    dx[cache <= 0] = 0
    return dx


x = torch.randn(10, 2, 3)
w = torch.randn(6, 5)
b = torch.randn(5)
dout = torch.randn(10, 5)
_, cache = affine_forward(x, w, b)
dx, dw, db = affine_backward(dout, cache)
for name, analytic, numeric in [
    ("dx", dx, numerical_gradient(lambda x: affine_forward(x, w, b)[0], x, dout)),
    ("dw", dw, numerical_gradient(lambda w: affine_forward(x, w, b)[0], w, dout)),
    ("db", db, numerical_gradient(lambda b: affine_forward(x, w, b)[0], b, dout)),
]:
    print(name, tuple(analytic.shape), "right:", rel_error(analytic, numeric) < 1e-8)

x, dout = torch.randn(10, 10), torch.randn(10, 10)
print("relu", rel_error(relu_backward(dout, x), numerical_gradient(lambda x: relu_forward(x)[0], x, dout)) < 1e-8)

# a mistake of mine: the mean was forgotten
logits, labels = torch.randn(6, 4), torch.randint(4, (6,))


def loss(z):
    return -torch.log_softmax(z, 1).gather(1, labels.view(-1, 1)).mean()


wrong = torch.softmax(logits, dim=1)
wrong[torch.arange(6), labels] -= 1
numeric = numerical_gradient(loss, logits, torch.tensor(1.0))
print(f"wrong by a factor of {(wrong / numeric).mean():.2f}; after / 6: {rel_error(wrong / 6, numeric) < 1e-8}")
print(x.dtype, torch.get_default_dtype(), torch.zeros(1).type())
