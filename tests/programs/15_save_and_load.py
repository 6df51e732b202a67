import os
import tempfile

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(15)
folder = tempfile.mkdtemp()


def path(name):
    return os.path.join(folder, name)


x = torch.arange(4)
torch.save(x, path("x-file"))
print(torch.load(path("x-file")))

y = torch.zeros(4)
torch.save([x, y], path("x-files"))
x2, y2 = torch.load(path("x-files"))
print((x2, y2))

torch.save({"x": x, "y": y, "note": "two tensors", "epoch": 3, "rates": [0.1, 0.01]}, path("mydict"))
mydict2 = torch.load(path("mydict"))
print(mydict2)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(20, 32)
        self.norm = nn.BatchNorm1d(32)
        self.output = nn.Linear(32, 10)

    def forward(self, x):
        return self.output(F.relu(self.norm(self.hidden(x))))


net = MLP()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
X = torch.randn(size=(8, 20))
for _ in range(3):
    optimizer.zero_grad()
    net(X).square().mean().backward()
    optimizer.step()
    scheduler.step()

checkpoint = {
    "epoch": 3,
    "model_state_dict": net.state_dict(),
    "optimizer_state_dict": optimizer.state_dict(),
    "scheduler": scheduler.state_dict(),
    "loss": 0.25,
}
torch.save(checkpoint, path("checkpoint.tar"))

clone = MLP()
fresh = torch.optim.Adam(clone.parameters(), lr=0.5)
loaded = torch.load(path("checkpoint.tar"), map_location="cpu", weights_only=True)
print(clone.load_state_dict(loaded["model_state_dict"]))
fresh.load_state_dict(loaded["optimizer_state_dict"])
print(loaded["epoch"], loaded["loss"], fresh.param_groups[0]["lr"], loaded["scheduler"]["last_epoch"])

net.eval()
clone.eval()
print((net(X) == clone(X)).all())
for model, opt in ((net, optimizer), (clone, fresh)):
    model.train()
    opt.zero_grad()
    model(X).square().mean().backward()
    opt.step()
print(all(torch.equal(p, q) for p, q in zip(net.parameters(), clone.parameters())))

print(sorted(os.listdir(folder)), os.path.isfile(path("x-file")))
for name in os.listdir(folder):
    os.remove(path(name))
os.rmdir(folder)
