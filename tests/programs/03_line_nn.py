import torch
from torch import nn

torch.manual_seed(3)

X = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
Y = torch.tensor([[3.0], [5.0], [7.0], [9.0]])
n_samples, n_features = X.shape
print(f"samples {n_samples}, features {n_features}")


class Line(nn.Module):
    def __init__(self, inputs, outputs):
        super(Line, self).__init__()
        self.lin = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.lin(x)


model = Line(n_features, n_features)
print(model)
ten = torch.tensor([10], dtype=torch.float32)
print(f"before training: f(10) = {model(ten).item():.3f}")

criterion = nn.MSELoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, foreach=False)

for epoch in range(400):
    prediction = model(X)
    loss = criterion(prediction, Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 100 == 0:
        [w, b] = model.parameters()
        print("epoch", epoch, "w = %.3f" % w[0][0].item(), "loss = %.4f" % loss.item())

print(f"after training: f(10) = {model(ten).item():.2f}")
print(list(model.state_dict().keys()))
for name, p in model.named_parameters():
    print(name, p.size(), p.data.round(decimals=1))
