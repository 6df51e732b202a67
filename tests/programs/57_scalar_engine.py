# A scalar autograd engine of forty lines, and PyTorch as its judge.
import math

import torch


class Value:
    def __init__(self, data, children=(), op=""):
        self.data, self.grad = data, 0.0
        self._backward, self._prev, self._op = lambda: None, set(children), op

    def __repr__(self):
        return f"Value(data={self.data:.4f}, grad={self.grad:.4f})"

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,), "tanh")

        def _backward():
            self.grad += (1 - t ** 2) * out.grad
        out._backward = _backward
        return out

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        topo, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build(child)
                topo.append(v)
        build(self)
        self.grad = 1.0
        for v in reversed(topo):
            v._backward()


x1, x2, w1, w2, b = Value(2.0), Value(0.0), Value(-3.0), Value(1.0), Value(6.8813735870195432)
o = (x1 * w1 + x2 * w2 + b).tanh()
o.backward()
print(o, x1, w1, sep="\n")

X1 = torch.Tensor([2.0]).double()
X1.requires_grad = True
X2 = torch.Tensor([0.0]).double()
X2.requires_grad = True
W1 = torch.Tensor([-3.0]).double()
W1.requires_grad = True
W2 = torch.Tensor([1.0]).double()
W2.requires_grad = True
B = torch.Tensor([6.8813735870195432]).double()
B.requires_grad = True
n = X1 * W1 + X2 * W2 + B
O = torch.tanh(n)
print(f"{O.data.item():.4f}")
O.backward()
for mine, theirs in ((x1, X1), (x2, X2), (w1, W1), (w2, W2)):
    print(f"{mine.grad:.4f} {theirs.grad.item():.4f}", abs(mine.grad - theirs.grad.item()) < 1e-6)

# a neuron, trained with both
torch.manual_seed(57)
xs = torch.rand(6, 3, dtype=torch.float64) * 2 - 1
ys = torch.tensor([1.0, -1.0, -1.0, 1.0, 1.0, -1.0], dtype=torch.float64)
w = torch.randn(3, dtype=torch.float64)
values = [Value(v) for v in w.tolist()]
w.requires_grad_()
for step in range(10):
    out = [sum((v * x for v, x in zip(values, row)), 0.0).tanh() for row in xs.tolist()]
    loss = sum(((o + -y) * (o + -y) for o, y in zip(out, ys.tolist())), 0.0)
    for v in values:
        v.grad = 0.0
    loss.backward()
    loss_t = ((xs @ w).tanh() - ys).square().sum()
    g, = torch.autograd.grad(loss_t, w)
    with torch.no_grad():
        w -= 0.05 * g
    for v in values:
        v.data -= 0.05 * v.grad
    if step % 3 == 0:
        print(step, f"{loss.data:.4f} {loss_t.item():.4f}", torch.allclose(w, torch.tensor([v.data for v in values], dtype=w.dtype)))
