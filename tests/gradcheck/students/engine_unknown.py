# long
# expect file: not checked: Variable (it looks like an own autograd; no array with its gradient is seen in its objects)
"""Local gradients in a dict, of which another file makes gradients."""


class Variable:
    def __init__(self, value, local_grads=()):
        self.value, self.local_grads = value, dict(local_grads)

    def __add__(self, other):
        return Variable(self.value + other.value, {self: 1, other: 1})

    def __mul__(self, other):
        return Variable(self.value * other.value, {self: other.value, other: self.value})
