"""Distillation with KLDivLoss, a moving average of the weights, early stopping on the best state."""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(52)
X = torch.randn(150, 5)
y = (X[:, 0] * X[:, 1] > 0).long()
X_train, X_val, y_train, y_val = X[:100], X[100:], y[:100], y[100:]


def make(hidden):
    return nn.Sequential(nn.Linear(5, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, 2))


@torch.no_grad()
def evaluate(model):
    model.eval()
    logits = model(X_val)
    model.train()
    return F.cross_entropy(logits, y_val).item(), (logits.argmax(-1) == y_val).float().mean().item()


class EMA:
    def __init__(self, model, decay):
        self.decay = decay
        self.model = copy.deepcopy(model)
        for p in self.model.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for old, new in zip(self.model.parameters(), model.parameters()):
            old.mul_(self.decay).add_(new.data, alpha=1 - self.decay)


teacher = make(24)
optimizer = torch.optim.AdamW(teacher.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "min", patience=3)
ema = EMA(teacher, 0.9)
best_loss, best_state, patience = float("inf"), None, 0
for epoch in range(60):
    optimizer.zero_grad()
    F.cross_entropy(teacher(X_train), y_train).backward()
    optimizer.step()
    ema.update(teacher)
    val_loss, acc = evaluate(teacher)
    scheduler.step(val_loss)
    if val_loss < best_loss:
        best_loss, best_state, patience = val_loss, copy.deepcopy(teacher.state_dict()), 0
    else:
        patience += 1
    if patience >= 10:
        print("early stop")
        break
teacher.load_state_dict(best_state)
print(f"teacher {best_loss:.2f} {evaluate(teacher)[1]:.1f}", any(p.requires_grad for p in ema.model.parameters()))
print("the average is near:", abs(evaluate(ema.model)[0] - best_loss) < 0.3)

student = make(12)
kl = nn.KLDivLoss(reduction="batchmean")
optimizer = torch.optim.SGD(student.parameters(), lr=0.2, momentum=0.9)
T, alpha = 2.0, 0.7
teacher.eval()
for epoch in range(40):
    with torch.no_grad():
        soft = F.softmax(teacher(X_train) / T, dim=-1)
    logits = student(X_train)
    distil = kl(F.log_softmax(logits / T, dim=-1), soft) * T * T
    loss = alpha * distil + (1 - alpha) * F.cross_entropy(logits, y_train)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch == 0:
        first = loss.item()
print("student learns:", loss.item() < 0.7 * first)

frozen = copy.deepcopy(student)
for name, p in frozen.named_parameters():
    p.requires_grad = name.startswith("3")
frozen(X_train[:4]).sum().backward()
print({name: p.grad is None for name, p in frozen.named_parameters()})
result = student.load_state_dict({k: v for k, v in frozen.state_dict().items() if "1." not in k}, strict=False)
print(result.missing_keys, result.unexpected_keys)
print(sum(p.numel() for p in frozen.parameters() if p.requires_grad), [tuple(v.shape) for v in student.state_dict().values()])
