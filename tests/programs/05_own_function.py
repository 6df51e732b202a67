"""Functions of one's own: forward and backward by hand, used like any other operation."""
import torch


class Hermite(torch.autograd.Function):
    """H3(x) = 8 x^3 - 12 x"""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 8 * x ** 3 - 12 * x

    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_tensors
        return grad_output * (24 * x ** 2 - 12)


class ScaledLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input, weight, bias=None, scale=1.0):
        ctx.save_for_backward(input, weight, bias)
        ctx.scale = scale
        output = input.mm(weight.t()) * scale
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight) * ctx.scale
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input) * ctx.scale
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_input, grad_weight, grad_bias, None


class ClampGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, limit):
        ctx.limit = limit
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g.clamp(-ctx.limit, ctx.limit), None


x = torch.tensor([-1.0, 0.0, 0.5, 2.0], requires_grad=True)
y = Hermite.apply(x)
print(y)
y.sum().backward()
print(x.grad)

torch.manual_seed(5)
data = torch.randn(6, 4, dtype=torch.double, requires_grad=True)
weight = torch.randn(3, 4, dtype=torch.double, requires_grad=True)
bias = torch.randn(3, dtype=torch.double, requires_grad=True)
print("gradcheck:", torch.autograd.gradcheck(ScaledLinear.apply, (data, weight, bias, 0.5), eps=1e-6, atol=1e-4))

mine = torch.autograd.grad(ScaledLinear.apply(data, weight, bias, 2.0).sin().sum(), (data, weight, bias))
theirs = torch.autograd.grad((2.0 * data @ weight.T + bias).sin().sum(), (data, weight, bias))
print([torch.allclose(a, b) for a, b in zip(mine, theirs)])

z = torch.arange(4.0, requires_grad=True)
(ClampGradient.apply(z, 1.5) ** 2).sum().backward()
print(z.grad, torch.max(z.grad).item())
