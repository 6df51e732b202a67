from collections import OrderedDict

import torch
import torch.nn as nn


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.choices = nn.ModuleDict({"linear": nn.Linear(4, 4), "deep": nn.Sequential(nn.Linear(4, 4), nn.Tanh())})
        self.activations = nn.ModuleDict([["lrelu", nn.LeakyReLU(0.2)], ["silu", nn.SiLU()], ["elu", nn.ELU(alpha=0.5)]])
        self.scales = nn.ParameterList([nn.Parameter(torch.full((1,), float(i + 1))) for i in range(3)])
        self.stack = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])

    def forward(self, x, choice, act):
        x = self.choices[choice](x)
        x = self.activations[act](x)
        for i, layer in enumerate(self.stack):
            x = layer(x) * self.scales[i // 2] + self.scales[i]
        return x


torch.manual_seed(30)
net = Branches()
print(net)
x = torch.randn(2, 4)
for choice in net.choices:
    for act in net.activations.keys():
        print(choice, act, f"{net(x, choice, act).sum().item():.3f}")
print("deep" in net.choices, len(net.scales), len(net.stack), list(net.choices.keys()))
net.scales.append(nn.Parameter(torch.zeros(2)))
net.choices["none"] = nn.Identity()
net.stack.append(nn.LayerNorm(4))
print(len(list(net.parameters())), [n for n, _ in net.named_parameters() if n.startswith("scales")])
print(list(net.state_dict())[:3])

model = nn.Sequential(OrderedDict([
    ("norm", nn.BatchNorm1d(6)),
    ("drop", nn.Dropout(0.1)),
    ("fc1", nn.Linear(6, 12)),
    ("shape", nn.Unflatten(1, (3, 4))),
    ("flat", nn.Flatten()),
    ("plus", nn.Softplus()),
    ("out", nn.Linear(12, 1, bias=False)),
]))
print(model)
print(model.fc1, model[0].num_features, model.out.bias, model[-1].weight.shape)
model.eval()
print(model(torch.zeros(3, 6)).shape, model.training, model.drop.training)
print(nn.Sequential(*[nn.Linear(2, 2) for _ in range(3)]))
print(nn.Sequential(*[nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(2)]))
for name, module in model.named_modules():
    if name and not list(module.children()):
        print(name, module.__class__.__name__, sum(p.numel() for p in module.parameters()))
print(net.scales)
