"""The small framework of a book: modules, data and a trainer that know one another, hyperparameters saved by inspection."""
import inspect

import torch
from torch import nn


class HyperParameters:
    def save_hyperparameters(self, ignore=[]):
        frame = inspect.currentframe().f_back
        _, _, _, local_vars = inspect.getargvalues(frame)
        self.hparams = {k: v for k, v in local_vars.items() if k not in set(ignore + ["self"]) and not k.startswith("_")}
        for k, v in self.hparams.items():
            setattr(self, k, v)


class Module(nn.Module, HyperParameters):
    def __init__(self):
        super().__init__()

    def loss(self, y_hat, y):
        raise NotImplementedError

    def forward(self, X):
        assert hasattr(self, "net"), "Neural network is not defined"
        return self.net(X)

    def training_step(self, batch):
        return self.loss(self(*batch[:-1]), batch[-1])

    def validation_step(self, batch):
        return self.loss(self(*batch[:-1]), batch[-1])


class DataModule(HyperParameters):
    def get_tensorloader(self, tensors, train, indices=slice(0, None)):
        tensors = tuple(a[indices] for a in tensors)
        dataset = torch.utils.data.TensorDataset(*tensors)
        return torch.utils.data.DataLoader(dataset, self.batch_size, shuffle=train)


class Blobs(DataModule):
    def __init__(self, classes=3, n=150, batch_size=30):
        super().__init__()
        self.save_hyperparameters()
        self.y = torch.arange(n) % classes
        centres = torch.randn(classes, 4) * 3
        self.X = centres[self.y] + torch.randn(n, 4)

    def get_dataloader(self, train):
        return self.get_tensorloader((self.X, self.y), train, slice(0, 100) if train else slice(100, None))


class Classifier(Module):
    def __init__(self, num_outputs, lr, hidden=0):
        super().__init__()
        self.save_hyperparameters(ignore=["hidden"])
        layers = [nn.Flatten(), nn.LazyLinear(num_outputs)]
        if hidden:
            layers[1:1] = [nn.LazyLinear(hidden), nn.ReLU()]
        self.net = nn.Sequential(*layers)

    def loss(self, Y_hat, Y, averaged=True):
        Y_hat = Y_hat.reshape((-1, Y_hat.shape[-1]))
        Y = Y.reshape((-1,))
        return nn.functional.cross_entropy(Y_hat, Y, reduction="mean" if averaged else "none")

    def accuracy(self, Y_hat, Y, averaged=True):
        Y_hat = Y_hat.reshape((-1, Y_hat.shape[-1]))
        preds = Y_hat.argmax(axis=1).type(Y.dtype)
        compare = (preds == Y.reshape(-1)).type(torch.float32)
        return compare.mean() if averaged else compare

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)


class Trainer(HyperParameters):
    def __init__(self, max_epochs, gradient_clip_val=0):
        self.save_hyperparameters()

    def fit(self, model, data):
        train, val = data.get_dataloader(train=True), data.get_dataloader(train=False)
        model(next(iter(val))[0])
        optim = model.configure_optimizers()
        for epoch in range(self.max_epochs):
            model.train()
            for batch in train:
                loss = model.training_step(batch)
                optim.zero_grad()
                with torch.no_grad():
                    loss.backward()
                    if self.gradient_clip_val > 0:
                        self.clip_gradients(self.gradient_clip_val, model)
                    optim.step()
            model.eval()
            with torch.no_grad():
                losses = torch.stack([model.validation_step(b) for b in val])
                acc = torch.cat([model.accuracy(model(X), y, averaged=False) for X, y in val]).mean()
            print(f"epoch {epoch + 1}: validation loss {losses.mean():.3f}, accuracy {acc:.2f}")

    def clip_gradients(self, grad_clip_val, model):
        params = [p for p in model.parameters() if p.requires_grad]
        norm = torch.sqrt(sum(torch.sum((p.grad ** 2)) for p in params))
        if norm > grad_clip_val:
            for param in params:
                param.grad[:] *= grad_clip_val / norm


torch.manual_seed(56)
data = Blobs(batch_size=25)
model = Classifier(num_outputs=3, lr=0.05, hidden=8)
Trainer(max_epochs=4, gradient_clip_val=1).fit(model, data)
print(model.hparams, data.hparams["batch_size"], model.lr)
print(model)
