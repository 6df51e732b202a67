# y = sin(x + 1) by a polynomial of the third degree, and an optimiser that does the stepping.
import math

import torch

x = torch.linspace(-math.pi, math.pi, 400)
y = torch.sin(x + 1)

powers = torch.tensor([1, 2, 3])
xx = x.unsqueeze(-1).pow(powers)
print(xx.shape)

torch.manual_seed(4)
model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
loss_fn = torch.nn.MSELoss(reduction="sum")
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

history = []
for t in range(200):
    y_pred = model(xx)
    loss = loss_fn(y_pred, y)
    history.append(loss.item())
    if t % 50 == 49:
        print(t, round(loss.item(), 1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

layer = model[0]
print(f"y = {layer.bias.item():.2f} + {layer.weight[:, 0].item():.2f} x + {layer.weight[:, 1].item():.2f} x^2"
      f" + {layer.weight[:, 2].item():.2f} x^3")
print("better than at first:", history[-1] < history[0] / 20)

a, b = torch.cos(x[::100]), torch.cos(-x[::100])
print(a)
print(torch.equal(a, b), torch.allclose(torch.square(a) + torch.square(torch.sin(x[::100])), torch.ones(4)))
print(torch.pi == math.pi, torch.e == math.e)
