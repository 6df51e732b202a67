# A program of the old days: Variable, FloatTensor, size_average, .data everywhere.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable

torch.manual_seed(45)
x_data = Variable(torch.Tensor([[1.0], [2.0], [3.0], [4.0]]))
y_data = Variable(torch.Tensor([[0.], [0.], [1.], [1.]]))


class Model(torch.nn.Module):
    def __init__(self):
        super(Model, self).__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, x):
        y_pred = torch.sigmoid(self.linear(x))
        return y_pred


model = Model()
criterion = torch.nn.BCELoss(reduction="mean")
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for epoch in range(300):
    y_pred = model(x_data)
    loss = criterion(y_pred, y_data)
    if epoch % 100 == 0:
        print(epoch, "%.3f" % loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

hour_var = Variable(torch.Tensor([[1.0]]))
print("predict 1 hour ", model.forward(hour_var).data[0][0] > 0.5)
hour_var = Variable(torch.Tensor([[7.0]]))
print("predict 7 hours", model.forward(hour_var).data[0][0] > 0.5)

out = torch.FloatTensor([[0.1, 2.0, 0.3], [1.0, 0.2, 0.1], [0.0, 0.1, 5.0]])
y = torch.LongTensor([1, 2, 2])
print((out.data.max(1)[1] == y).sum(), out.data.std(), out.data.transpose(0, 1).shape, out.data.norm())
print("%.4f" % F.cross_entropy(out, y, None, False).item(), "%.4f" % F.cross_entropy(out, y, size_average=False).item())
print("%.4f" % F.cross_entropy(out, y, size_average=True).item(), "%.4f" % F.mse_loss(out, out + 1, size_average=False).item())

t = torch.Tensor(3, 2)
t.fill_(0.5)
print(t, t.size(), t.data.numpy().sum(), t.nelement(), t.stride())
print(torch.Tensor(np.array([1, 2])).dtype, torch.Tensor(np.eye(2)), torch.FloatTensor(np.array([3, 4])))
v = Variable(torch.ones(2, 2), requires_grad=True)
w = (v + 2).pow(2).mul(3).mean()
w.backward()
print(v.grad, v.grad.data, w.data, type(w.data) is torch.Tensor, v.data.requires_grad)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Linear") != -1:
        m.weight.data.normal_(0.0, 0.02)
        m.bias.data.fill_(0)
    elif classname.find("BatchNorm") != -1:
        m.weight.data.normal_(1.0, 0.02)
        m.bias.data.fill_(0)


net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2, inplace=True), nn.Linear(8, 1), nn.Sigmoid())
net.apply(weights_init)
noise = Variable(torch.FloatTensor(5, 4).normal_(0, 1))
fake = net(noise)
print(fake.size(), fake.data.mean().item() > 0, net[1].weight.data.mean() > 0.9, net[0].bias.data.sum())
real_label = Variable(torch.FloatTensor(5).fill_(1))
print(torch.abs(nn.BCELoss()(fake.squeeze(1), real_label) - 0.69) < 0.05)
for name, child in net._modules.items():
    print(name, type(child).__name__, end=" ")
print()
