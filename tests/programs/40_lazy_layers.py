import torch
from torch import nn

torch.manual_seed(40)
net = nn.Sequential(nn.LazyLinear(16), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(3))
print(net)
print(net[0].weight)
X = torch.rand(size=(4, 20))
print(net(X).shape)
print(net)
print(net[0].weight.shape, net[1].running_mean.shape, type(net[0]).__name__, type(net[1]).__name__)


class Classifier(nn.Module):
    """Only the outputs are named; what goes in is seen with the first batch."""

    def __init__(self, hidden=32, classes=2, lr=0.1):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Flatten(), nn.LazyLinear(hidden), nn.ReLU(), nn.LazyLinear(classes))

    def forward(self, X):
        return self.net(X)

    def apply_init(self, inputs, init=None):
        self.forward(*inputs)
        if init is not None:
            self.net.apply(init)

    def layer_summary(self, X_shape):
        X = torch.randn(*X_shape)
        for layer in self.net:
            X = layer(X)
            print(layer.__class__.__name__, "output shape:\t", X.shape)


def init_cnn(module):
    if type(module) == nn.Linear:
        nn.init.xavier_uniform_(module.weight)


model = Classifier()
model.layer_summary((1, 2, 4))
model.apply_init([torch.zeros(1, 2, 4)], init_cnn)
print(f"{model.net[1].weight.abs().max():.1f}", (6 / (8 + 32)) ** 0.5 > model.net[1].weight.abs().max())

images = torch.randn(60, 2, 4)
labels = (images.sum((1, 2)) > 0).long()
optimizer = torch.optim.SGD(model.parameters(), lr=model.lr)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(60):
    optimizer.zero_grad()
    loss = loss_fn(model(images), labels)
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.2f}, accuracy {(model(images).argmax(1) == labels).float().mean().item():.2f}")
print(sum(p.numel() for p in model.parameters()), [k for k in model.state_dict()])
