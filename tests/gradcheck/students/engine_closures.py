# long
# expect Node.__add__: right: x (), other ()
# expect Node.__mul__: wrong: WRONG in dother
"""Nothing calls the closures yet: each is called alone, so that it is not asked whether a gradient is added or set."""


class Node:
    def __init__(self, value, inputs=()):
        self.value, self.grad = value, 0
        self.inputs = inputs
        self._push = None

    def __add__(self, other):
        out = Node(self.value + other.value, (self, other))

        def _push():
            self.grad += out.grad
            other.grad += out.grad

        out._push = _push
        return out

    def __mul__(self, other):
        out = Node(self.value * other.value, (self, other))

        def _push():
            self.grad += other.value * out.grad
            other.grad += other.value * out.grad

        out._push = _push
        return out

    def __sub__(self, other):
        return self + other * Node(-1)
