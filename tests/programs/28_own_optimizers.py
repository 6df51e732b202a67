import math

import torch
from torch.optim import Optimizer


class MyAdam(Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0):
        if not 0.0 <= lr:
            raise ValueError("Invalid learning rate: {}".format(lr))
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        super(MyAdam, self).__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad.data
                if grad.is_sparse:
                    raise RuntimeError("no sparse gradients")
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(p.data, memory_format=torch.preserve_format)
                    state["exp_avg_sq"] = torch.zeros_like(p.data)
                exp_avg, exp_avg_sq = state["exp_avg"], state["exp_avg_sq"]
                beta1, beta2 = group["betas"]
                state["step"] += 1
                if group["weight_decay"] != 0:
                    grad = grad.add(p.data, alpha=group["weight_decay"])
                exp_avg.mul_(beta1).add_(grad, alpha=1 - beta1)
                exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                bias1, bias2 = 1 - beta1 ** state["step"], 1 - beta2 ** state["step"]
                denom = (exp_avg_sq.sqrt() / math.sqrt(bias2)).add_(group["eps"])
                p.data.addcdiv_(exp_avg, denom, value=-group["lr"] / bias1)
        return loss


class SignSGD(Optimizer):
    def __init__(self, params, lr=0.01, rand_zero=False):
        super().__init__(params, dict(lr=lr, rand_zero=rand_zero))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.add_(torch.sign(p.grad), alpha=-group["lr"])
        return loss


torch.manual_seed(28)
x, y = torch.randn(64, 3), torch.randn(64, 1)


def run(make, steps=40):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1))
    optimizer = make(model.parameters())
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (model(x) - y).pow(2).mean()
        loss.backward()
        optimizer.step()
    return model, optimizer, loss.item()


a, mine, loss_a = run(lambda p: MyAdam(p, lr=0.01, weight_decay=0.1))
b, theirs, loss_b = run(lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1, foreach=False))
print(f"{loss_a:.3f} {loss_b:.3f}", [torch.allclose(p, q, atol=1e-5) for p, q in zip(a.parameters(), b.parameters())])
print(mine.__class__.__name__, len(mine.state), mine.state[a[0].bias]["step"], sorted(mine.state[a[0].bias]))
print(sorted(mine.state_dict()), mine.state_dict()["param_groups"][0]["params"])
print(f"sign: {run(SignSGD)[2]:.2f}")

w = torch.tensor([3.0], requires_grad=True)
optimizer = MyAdam([w], lr=0.5)


def closure():
    optimizer.zero_grad()
    loss = (w - 1).square().sum()
    loss.backward()
    return loss


for _ in range(3):
    print(f"closure: {optimizer.step(closure).item():.3f}")
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
optimizer.step(closure)
scheduler.step()
print(optimizer.param_groups[0]["lr"], scheduler.get_last_lr())
try:
    MyAdam([w], lr=-1)
except ValueError as e:
    print(e)
optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.01})
print([g["lr"] for g in optimizer.param_groups])
