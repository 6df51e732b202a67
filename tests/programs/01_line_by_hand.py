# A straight line through noisy points. No autograd yet: the two slopes are worked out on paper.
import torch

torch.manual_seed(1)
x = torch.rand(60, 1) * 4
y = 0.7 * x + 1.5 + 0.1 * torch.randn(60, 1)

w = torch.zeros(1)
b = torch.zeros(1)
rate = 0.1

for epoch in range(200):
    guess = w * x + b
    error = guess - y
    loss = (error ** 2).mean()

    # d loss / d w = 2 mean(error * x),  d loss / d b = 2 mean(error)
    dw = 2 * (error * x).mean()
    db = 2 * error.mean()

    w -= rate * dw
    b -= rate * db
    if epoch % 40 == 0:
        print(f"epoch {epoch:3d}  loss {loss:.4f}  w {w.item():.3f}  b {b.item():.3f}")

print("w", w, "b", b)

# the closed form, by the normal equations of two unknowns
n, sx, sy = x.nelement(), x.sum(), y.sum()
sxx, sxy = (x * x).sum(), (x * y).sum()
slope = (n * sxy - sx * sy) / (n * sxx - sx ** 2)
print("closed form: {:.3f} {:.3f}".format(slope.item(), ((sy - slope * sx) / n).item()))
print("close:", torch.isclose(w, slope, rtol=1e-2).item())
