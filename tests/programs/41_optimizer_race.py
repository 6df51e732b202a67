# Who is fastest on this small problem? All of torch.optim on the same network and the same data.
import torch
from torch import nn, optim

torch.manual_seed(41)
x = torch.unsqueeze(torch.linspace(-1, 1, 100), dim=1)
y = x.pow(2) + 0.1 * torch.normal(torch.zeros(*x.size()))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(1, 12)
        self.predict = nn.Linear(12, 1)

    def forward(self, x):
        return self.predict(torch.tanh(self.hidden(x)))


makers = {
    "SGD": lambda p: optim.SGD(p, lr=0.05),
    "Momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.8, dampening=0),
    "Nesterov": lambda p: optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True, weight_decay=1e-4),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9),
    "RMSprop centred": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.01),
    "Adadelta": lambda p: optim.Adadelta(p, lr=1.0, rho=0.9),
    "Adam": lambda p: optim.Adam(p, lr=0.02, betas=(0.9, 0.99)),
    "AMSGrad": lambda p: optim.Adam(p, lr=0.02, amsgrad=True, differentiable=False),
    "AdamW": lambda p: optim.AdamW(p, lr=0.02, weight_decay=0.01, foreach=None, fused=None),
}
first = Net().state_dict()
results = {}
for name, make in makers.items():
    net = Net()
    net.load_state_dict(first)
    optimizer = make(net.parameters())
    losses = []
    for step in range(40):
        loss = torch.nn.functional.mse_loss(net(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    results[name] = losses
    print(f"{name:16s} {losses[0]:.3f} {losses[10]:.3f} {losses[-1]:.3f}")

best = min(results, key=lambda name: results[name][-1])
print("best is not plain SGD:", best != "SGD")
optimizer = optim.Adam(Net().parameters(), lr=0.1)
print(sorted(k for k in optimizer.defaults if k in ("lr", "betas", "eps", "weight_decay", "amsgrad")))
print(optimizer.param_groups[0]["betas"], len(optimizer.state))
print(optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1))
