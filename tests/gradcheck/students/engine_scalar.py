# always
# expect Value.__add__: wrong: a tensor that several operations use gets the sum of their gradients: add to self.grad (+=)
# expect Value.__add__: wrong: it is right with x (), other (), and wrong with each used by two operations
# expect Value.__mul__: right: and each used by two operations; and x < 0
# expect Value.__pow__: right: other 3
# expect Value.tanh: wrong: dx = dy * (1 - y²)
# expect Value.relu: wrong: it is right with x (); and each used by two operations, and wrong with x < 0
# expect Value.exp: right
# expect Value.backward: right: a result used at two depths
"""Numbers with a graph behind them. What is an expression of other operations, as a - b, has no line of its own."""

import math


class Value:
    def __init__(self, data, parents=(), name=""):
        self.data = data
        self.grad = 0.0
        self.parents, self.name = set(parents), name
        self._backward = lambda: None

    def __repr__(self):
        return f"Value({self.data})"

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad = out.grad
            other.grad = out.grad

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

    def __pow__(self, other):
        assert isinstance(other, int | float), "a power is a number"
        out = Value(self.data**other, (self,), f"**{other}")

        def _backward():
            self.grad += other * self.data ** (other - 1) * out.grad

        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,), "tanh")

        def _backward():
            self.grad += (1 - t) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = Value(0 if self.data < 0 else self.data, (self,), "relu")

        def _backward():
            self.grad += out.grad

        out._backward = _backward
        return out

    def exp(self):
        out = Value(math.exp(self.data), (self,), "exp")

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for parent in v.parents:
                    visit(parent)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()
