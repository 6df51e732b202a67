import torch
from torch import nn

torch.manual_seed(29)
model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
activations = {}


def save(name):
    def hook(module, input, output):
        activations[name] = output.detach()
    return hook


handles = [m.register_forward_hook(save(n)) for n, m in model.named_children()]
x = torch.randn(5, 4)
out = model(x)
for name, a in activations.items():
    print(name, a.shape, f"{a.abs().mean().item():.3f}")
for h in handles:
    h.remove()
activations.clear()
model(x)
print(len(activations))


def double_input(module, args):
    return (args[0] * 2,)


h = model[0].register_forward_pre_hook(double_input)
print(torch.allclose(model(x), model[1:](model[0].weight.new_tensor(0) + x @ (2 * model[0].weight.T) + model[0].bias)))
h.remove()


def zero_output(module, args, output):
    return output * 0


with_hook = model[2].register_forward_hook(zero_output)
print(model(x)[0])
with_hook.remove()

norms = []


def watch(module, grad_input, grad_output):
    norms.append((type(module).__name__, grad_output[0].norm().item(), grad_input[0].shape))


x.requires_grad_()
handles = [m.register_full_backward_hook(watch) for m in model]
model(x).sum().backward()
for name, norm, shape in norms:
    print(f"{name:8s} {norm:.3f} {shape}")
for h in handles:
    h.remove()

# hooks of tensors: look at a gradient, or change it
v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
h = v.register_hook(lambda grad: grad * 10)
(v ** 2).sum().backward()
print(v.grad)
h.remove()
v.grad = None
mid = v * 3
mid.register_hook(lambda g: print("gradient in the middle:", g))
mid.retain_grad()
mid.square().sum().backward()
print(v.grad, mid.grad)


class Recorder:
    """A hook as an object; it counts the calls and remembers the largest value."""

    def __init__(self, module):
        self.calls, self.largest = 0, -torch.inf
        self.handle = module.register_forward_hook(self.hook)

    def hook(self, module, inputs, output):
        self.calls += 1
        self.largest = max(self.largest, output.max().item())


recorder = Recorder(model)
for scale in (1, 2, 4):
    model(scale * torch.ones(1, 4))
print(recorder.calls, f"{recorder.largest:.3f}")
