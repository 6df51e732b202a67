from collections import OrderedDict

import torch
from torch import nn

torch.manual_seed(13)
net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(1))
X = torch.rand(size=(2, 4))
print(net(X).shape)
print(net[2].state_dict())
print(type(net[2].bias.data) is torch.Tensor, net[2].bias.data)
print(net[2].weight.grad is None)
print([(name, param.shape) for name, param in net.named_parameters()])
print(isinstance(net.state_dict(), OrderedDict), net.state_dict()["2.bias"].shape)

# tied parameters
shared = nn.LazyLinear(8)
net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.LazyLinear(1))
net(X)
print(net[2].weight.data[0] == net[4].weight.data[0])
net[2].weight.data[0, 0] = 100
print(net[2].weight.data[0] == net[4].weight.data[0])
print(len(list(net.parameters())), sum(p.nelement() for p in net.parameters()))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2, bias=False)
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("calls", torch.tensor(0))
        self.register_parameter("nothing", None)

    def forward(self, x):
        self.calls += 1
        return self.fc(x) * self.scale


block = Block()
block(torch.ones(1, 3))
print(block._parameters.keys(), block._buffers, block._modules)
print([name for name, _ in block.named_modules()], [name for name, _ in block.named_children()])
for name, value in block.state_dict().items():
    print(name, value.dtype, tuple(value.shape), value.requires_grad)

block.scale.data = torch.tensor(3.0)
print(block.scale)
block.fc.weight.data.fill_(1.0)
print(block(torch.ones(1, 3)))
for p in block.fc.parameters():
    p.requires_grad = False
print([p.requires_grad for p in block.parameters()], block.calls.item())
print(block.get_parameter("fc.weight").shape, hasattr(block, "nothing"), block.nothing)
