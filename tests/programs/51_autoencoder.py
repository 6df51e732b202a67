import torch
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self, code=4):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ELU(), nn.Linear(16, code))
        self.decoder = nn.Sequential(nn.Linear(code, 16), nn.SiLU(), nn.Linear(16, 36), nn.Sigmoid(), nn.Unflatten(1, (1, 6, 6)))

    def forward(self, x):
        return self.decoder(self.encoder(x))


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.mu, self.logvar = nn.Linear(36, 16), nn.Linear(16, 2), nn.Linear(16, 2)
        self.fc3, self.fc4 = nn.Linear(2, 16), nn.Linear(16, 36)

    def encode(self, x):
        h1 = torch.relu(self.fc1(x))
        return self.mu(h1), self.logvar(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 36))
        z = self.reparameterize(mu, logvar)
        return torch.sigmoid(self.fc4(torch.relu(self.fc3(z)))), mu, logvar


def bars(n):
    """Images with one row and one column lit."""
    images = torch.zeros(n, 1, 6, 6)
    rows, columns = torch.randint(6, (n,)), torch.randint(0, 6, size=(n,))
    images[torch.arange(n), 0, rows] = 1.0
    images[torch.arange(n), 0, :, columns] = 1.0
    return images


torch.manual_seed(51)
images = bars(64)
print(images.shape, images[0, 0].sum(), images.max(), images.min())
model = Autoencoder()
print(model)
criterion = nn.BCELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(101):
    loss = criterion(model(images), images)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(step, f"{loss.item():.2f}")
with torch.inference_mode():
    code = model.encoder(images)
    restored = model(images)
print(code.shape, restored.shape, restored.requires_grad, ((restored > 0.5) == (images > 0.5)).float().mean() > 0.8)

vae = VAE()
optimizer = torch.optim.RMSprop(vae.parameters(), lr=0.005)


def loss_function(recon_x, x, mu, logvar):
    BCE = nn.functional.binary_cross_entropy(recon_x, x.view(-1, 36), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


for epoch in range(60):
    recon, mu, logvar = vae(images)
    loss = loss_function(recon, images, mu, logvar) / len(images)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 20 == 0:
        print("vae", epoch, f"{loss.item():.1f}")
with torch.no_grad():
    sample = torch.sigmoid(vae.fc4(torch.relu(vae.fc3(torch.randn(3, 2))))).view(3, 6, 6)
print(sample.shape, bool((sample > 0).all() and (sample < 1).all()))
