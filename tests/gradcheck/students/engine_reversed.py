# long
# expect Node.__add__: right
# expect Node.__mul__: right
# expect Node.square: right
# expect Node.backward: wrong: no gradient reaches what is behind its tensors
"""backward begins with the leaves: what is behind one operation gets nothing."""


class Node:
    def __init__(self, value, children=(), slopes=()):
        self.value, self.children, self.slopes = value, children, slopes
        self.grad = 0

    def __add__(self, other):
        return Node(self.value + other.value, (self, other), (1, 1))

    def __mul__(self, other):
        return Node(self.value * other.value, (self, other), (other.value, self.value))

    def square(self):
        return Node(self.value**2, (self,), (2 * self.value,))

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1
        for node in order:
            for child, slope in zip(node.children, node.slopes):
                child.grad += slope * node.grad
