"""Autograd in ten lines: a value, its derivative, and the derivative of that, beside what one finds by hand.

For y = exp(x^2) these are y' = 2x y and y'' = (2 + 4x^2) y. The engine records y = exp(x * x) as it is computed and goes
back through the record; with create_graph=True it records the way back too, and can differentiate that.
"""

import tinynorm

x = tinynorm.tensor([-1.0, 0.0, 0.5], dtype=tinynorm.float64, requires_grad=True)
y = (x * x).exp()
(dy,) = tinynorm.autograd.grad(y.sum(), x, create_graph=True)
(d2y,) = tinynorm.autograd.grad(dy.sum(), x)
print("x                ", x.tolist())
print("y = exp(x^2)     ", y)
print("y'   by autograd ", dy.detach(), "  by hand", (2 * x * y).detach())
print("y''  by autograd ", d2y, "  by hand", ((2 + 4 * x * x) * y).detach())
print("largest error    ", (d2y - (2 + 4 * x * x) * y).abs().max().item())
