# long
# expect MulLayer: right
# expect AddLayer: right
# expect Add: right
# expect Mul: right
# expect Div: right
# expect MatMul: right
# expect MulWrong: wrong: WRONG
# expect DivWrong: wrong: WRONG
import numpy as np


class MulLayer:
    """What the lecture calls a node: two numbers in, one out."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dout):
        return dout * self.y, dout * self.x


class AddLayer:
    def forward(self, x, y):
        return x + y

    def backward(self, dout):
        return dout * 1, dout * 1


class Mul(MulLayer):
    pass


class Add(AddLayer):
    pass


class MulWrong(MulLayer):
    def backward(self, dout):
        return dout * self.x, dout * self.y


class Div:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x / y

    def backward(self, dout):
        return dout / self.y, -dout * self.x / self.y**2


class DivWrong(Div):
    def backward(self, dout):
        return dout / self.y, -dout * self.x / self.y


class MatMul:
    def forward(self, x, w):
        self.x, self.w = x, w
        return x @ w

    def backward(self, dout):
        return dout @ self.w.T, self.x.T @ dout
