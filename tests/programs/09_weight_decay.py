# Few examples, many inputs: without a penalty the weights grow and the test loss does not fall.
import torch
from torch import nn

torch.manual_seed(9)
n_train, n_test, num_inputs = 20, 100, 60
true_w, true_b = torch.ones((num_inputs, 1)) * 0.01, 0.05
X = torch.randn(n_train + n_test, num_inputs)
y = torch.matmul(X, true_w) + true_b + torch.normal(mean=0.0, std=0.01, size=(n_train + n_test, 1))
train, test = (X[:n_train], y[:n_train]), (X[n_train:], y[n_train:])


def l2_penalty(w):
    return torch.sum(w.pow(2)) / 2


def train_by_hand(lambd):
    w = torch.normal(0, 1, size=(num_inputs, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for _ in range(100):
        l = ((train[0] @ w + b - train[1]) ** 2).mean() / 2 + lambd * l2_penalty(w)
        l.backward()
        with torch.no_grad():
            for p in [w, b]:
                p -= 0.05 * p.grad
                p.grad.zero_()
    print(f"lambda {lambd}: L2 norm of w: {torch.norm(w).item():.3f}")


def train_concise(wd):
    net = nn.Sequential(nn.Linear(num_inputs, 1))
    for param in net.parameters():
        param.data.normal_()
    loss = nn.MSELoss()
    trainer = torch.optim.SGD([{"params": net[0].weight, "weight_decay": wd}, {"params": net[0].bias}], lr=0.05)
    for _ in range(100):
        trainer.zero_grad()
        l = loss(net(train[0]), train[1])
        l.backward()
        trainer.step()
    print(f"wd {wd}: L2 norm of w: {net[0].weight.norm().item():.3f}, L1 {net[0].weight.data.norm(p=1).item():.2f}, "
          f"test {loss(net(test[0]), test[1]).item():.2f}")
    return trainer


train_by_hand(0)
train_by_hand(3)
train_concise(0)
trainer = train_concise(3)
print([g["weight_decay"] for g in trainer.param_groups], len(trainer.param_groups[0]["params"]))
