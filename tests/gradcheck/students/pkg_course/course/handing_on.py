import numpy as np

# long
# expect Linear: right
# expect LinearWrong: wrong: dbias
# expect Tanh: right
# expect Sequential: right
# expect SequentialWrong: wrong


class Module:
    """forward and backward hand their arguments on to what the heirs write."""

    def __init__(self):
        self.training = True

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    def forward(self, *args, **kwargs):
        self.output = self.compute_output(*args, **kwargs)
        return self.output

    def backward(self, *args, **kwargs):
        grad_input = self.compute_grad_input(*args, **kwargs)
        self.update_grad_parameters(*args, **kwargs)
        return grad_input

    def compute_output(self, *args, **kwargs):
        raise NotImplementedError

    def compute_grad_input(self, *args, **kwargs):
        raise NotImplementedError

    def update_grad_parameters(self, *args, **kwargs):
        pass


class Linear(Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = np.random.randn(out_features, in_features)
        self.bias = np.zeros(out_features)
        self.grad_weight, self.grad_bias = np.zeros_like(self.weight), np.zeros_like(self.bias)

    def compute_output(self, input):
        return input @ self.weight.T + self.bias

    def compute_grad_input(self, input, grad_output):
        return grad_output @ self.weight

    def update_grad_parameters(self, input, grad_output):
        self.grad_weight += grad_output.T @ input
        self.grad_bias += grad_output.sum(axis=0)


class LinearWrong(Linear):
    def update_grad_parameters(self, input, grad_output):
        self.grad_weight += grad_output.T @ input
        self.grad_bias += grad_output.mean(axis=0)


class Tanh(Module):
    def compute_output(self, input):
        return np.tanh(input)

    def compute_grad_input(self, input, grad_output):
        return grad_output * (1 - np.tanh(input) ** 2)


class Sequential(Module):
    def __init__(self, *args):
        super().__init__()
        self.modules = list(args)

    def compute_output(self, input):
        for module in self.modules:
            input = module(input)
        return input

    def compute_grad_input(self, input, grad_output):
        inputs = [input]
        for module in self.modules[:-1]:
            inputs.append(module.output)
        for module, x in zip(self.modules[::-1], inputs[::-1]):
            grad_output = module.backward(x, grad_output)
        return grad_output


class SequentialWrong(Sequential):
    def compute_grad_input(self, input, grad_output):
        inputs = [input] + [module.output for module in self.modules[:-1]]
        for module, x in zip(self.modules, inputs):
            grad_output = module.backward(x, grad_output)
        return grad_output
