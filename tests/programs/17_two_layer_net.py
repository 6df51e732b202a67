# A two-layer network with a hand-written backward pass, as a class with its parameters in a dict.
import torch


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, dtype=torch.float32, device="cpu", std=1e-1):
        self.params = {}
        self.params["W1"] = std * torch.randn(input_size, hidden_size, dtype=dtype, device=device)
        self.params["b1"] = torch.zeros(hidden_size, dtype=dtype, device=device)
        self.params["W2"] = std * torch.randn(hidden_size, output_size, dtype=dtype, device=device)
        self.params["b2"] = torch.zeros(output_size, dtype=dtype, device=device)

    def scores(self, X):
        hidden = X.mm(self.params["W1"]) + self.params["b1"]
        hidden[hidden < 0] = 0
        return hidden.mm(self.params["W2"]) + self.params["b2"], hidden

    def loss(self, X, y, reg=0.0):
        scores, hidden = self.scores(X)
        N = X.shape[0]
        shifted = scores - scores.max(dim=1, keepdim=True).values
        probs = shifted.exp()
        probs /= probs.sum(dim=1, keepdim=True)
        loss = -probs[torch.arange(N), y].log().mean()
        loss += reg * sum((self.params[k] ** 2).sum() for k in ("W1", "W2"))

        grads = {}
        dscores = probs.clone()
        dscores[range(N), y] -= 1
        dscores /= N
        grads["W2"] = hidden.t().mm(dscores) + 2 * reg * self.params["W2"]
        grads["b2"] = dscores.sum(0)
        dhidden = dscores.mm(self.params["W2"].t())
        dhidden[hidden == 0] = 0
        grads["W1"] = X.t().mm(dhidden) + 2 * reg * self.params["W1"]
        grads["b1"] = dhidden.sum(0)
        return loss, grads

    def train(self, X, y, learning_rate, decay, reg, num_iters, batch_size):
        history = []
        for it in range(num_iters):
            at = torch.randint(X.shape[0], (batch_size,))
            loss, grads = self.loss(X[at], y[at], reg)
            history.append(loss.item())
            for name in self.params:
                self.params[name] -= learning_rate * grads[name]
            if it % 50 == 49:
                learning_rate *= decay
        return history


torch.manual_seed(17)
X = torch.randn(120, 8)
y = (X[:, :4].sum(1) > 0).long() + (X[:, 4] > 0.5).long()
net = TwoLayerNet(8, 20, 3)

# against autograd
loss, grads = net.loss(X, y, reg=0.05)
leaves = {k: v.clone().requires_grad_() for k, v in net.params.items()}
h = torch.relu(X @ leaves["W1"] + leaves["b1"])
auto = torch.nn.functional.cross_entropy(h @ leaves["W2"] + leaves["b2"], y)
auto = auto + 0.05 * (leaves["W1"].pow(2).sum() + leaves["W2"].pow(2).sum())
auto.backward()
print(f"{loss:.4f} {auto:.4f}", {k: torch.allclose(grads[k], leaves[k].grad, atol=1e-6) for k in sorted(grads)})

history = net.train(X, y, 0.5, 0.9, 1e-4, 200, 40)
print("first %.3f last %.3f" % (history[0], sum(history[-10:]) / 10))
pred = net.scores(X)[0].argmax(dim=1)
print("accuracy", round((pred == y).double().mean().item(), 3))
print("confusion", torch.stack([torch.bincount(pred[y == k], minlength=3) for k in range(3)]).sum())
