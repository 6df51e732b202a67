import numpy as np
import torch
from torch import nn

torch.manual_seed(14)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))


def init_normal(module):
    if type(module) == nn.Linear:
        nn.init.normal_(module.weight, mean=0, std=0.01)
        nn.init.zeros_(module.bias)


net.apply(init_normal)
print(net[0].weight.data[0], net[0].bias.data[0])


def init_constant(module):
    if isinstance(module, nn.Linear):
        nn.init.constant_(module.weight.data, 1)
        nn.init.zeros_(module.bias.data)


net.apply(init_constant)
print(net[0].weight.data[0], net[0].bias.data[0])

nn.init.xavier_uniform_(net[0].weight)
nn.init.constant_(net[2].weight, 42)
print(net[0].weight[0].detach())
print(net[2].weight.data)


def my_init(module):
    if module.__class__.__name__.find("Linear") != -1:
        print("Init", *[(name, param.shape) for name, param in module.named_parameters()][0])
        nn.init.uniform_(module.weight, -10, 10)
        module.weight.data *= module.weight.data.abs() >= 5


net.apply(my_init)
print(net[0].weight[:2])
net[0].weight.data[:] += 1
net[0].weight.data[0, 0] = 42
print(net[0].weight.data[0])

# He et al. by hand, on .data
for m in net.modules():
    if isinstance(m, nn.Linear):
        n_in = m.weight.size(1)
        m.weight.data.normal_(0, 1)
        m.weight.data = m.weight.data * np.sqrt(2 / n_in)
        m.bias.data.zero_()
        print(m.weight.dtype, m.weight.requires_grad, "%.2f" % m.weight.data.std().item())

w = torch.empty(3, 5)
for fill in (nn.init.kaiming_normal_, nn.init.kaiming_uniform_, nn.init.xavier_normal_, nn.init.orthogonal_):
    fill(w)
    print(fill.__name__, f"{w.mean():.3f} {w.std():.3f}")
print(nn.init.kaiming_uniform_(w, mode="fan_out", nonlinearity="relu").abs().max() < 1.5)
print(nn.init.eye_(torch.empty(2, 3)), round(nn.init.calculate_gain("tanh"), 4))
