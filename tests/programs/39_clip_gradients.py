import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, parameters_to_vector, vector_to_parameters

torch.manual_seed(39)
model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
x = torch.randn(16, 3)
y = 20 * x.sum(1, keepdim=True)


def gradients():
    model.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    return loss


def grad_norm():
    return torch.cat([p.grad.view(-1) for p in model.parameters()]).norm()


gradients()
before = grad_norm()
returned = clip_grad_norm_(model.parameters(), max_norm=1.0)
print(torch.allclose(before, returned), f"{grad_norm():.4f}", before > 1)

gradients()
clip_grad_value_(model.parameters(), 0.5)
print(max(p.grad.abs().max().item() for p in model.parameters()))

gradients()
largest = torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0, norm_type=float("inf"))
print(largest > 2, f"{max(p.grad.data.abs().max() for p in model.parameters()):.4f}")


def clip_by_hand(params, theta):
    params = [p for p in params if p.requires_grad]
    norm = torch.sqrt(sum(torch.sum((p.grad ** 2)) for p in params))
    if norm > theta:
        for param in params:
            param.grad[:] *= theta / norm


gradients()
clip_by_hand(model.parameters(), 3)
print(f"{grad_norm():.4f}")

vector = parameters_to_vector(model.parameters())
print(vector.shape, vector.numel() == sum(p.numel() for p in model.parameters()))
vector_to_parameters(torch.ones_like(vector), model.parameters())
print(model[2].bias, model[0].weight[0])
vector_to_parameters(vector, model.parameters())

optimizer = torch.optim.SGD(model.named_parameters(), lr=0.05, momentum=0.9)
for step in range(60):
    loss = gradients()
    clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 20 == 0:
        print(step, f"{loss.item():.1f}")
print(f"{loss.item():.0f}")
