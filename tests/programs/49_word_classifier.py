# Sentences of different lengths: a vocabulary, padding, an embedding, the mean over the words that are there.
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

good = ["the soup was warm and good", "a fine day", "good bread and good friends", "what a warm welcome", "fine soup",
        "the friends were kind", "kind words and warm bread"]
bad = ["the soup was cold and bad", "a grim day", "bad bread and cold rooms", "what a rude welcome", "grim soup",
       "the words were rude", "cold words and bad rooms"]
texts = [(t, 1) for t in good] + [(t, 0) for t in bad]

vocab = {"<pad>": 0, "<unk>": 1}
for text, _ in texts:
    for word in text.split():
        vocab.setdefault(word, len(vocab))


class Sentences(Dataset):
    def __init__(self, texts, vocab):
        self.samples = [(torch.tensor([vocab.get(w, 1) for w in t.split()]), label) for t, label in texts]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        return self.samples[i]


def collate(batch):
    lengths = torch.tensor([len(ids) for ids, _ in batch])
    ids = torch.zeros((len(batch), int(lengths.max())), dtype=torch.long)
    for i, (s, _) in enumerate(batch):
        ids[i, :len(s)] = s
    labels = torch.tensor([label for _, label in batch], dtype=torch.float)
    return ids, lengths, labels


class MeanOfWords(nn.Module):
    def __init__(self, vocab_size, dim=8):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=0)
        self.fc = nn.Linear(dim, 1)

    def forward(self, ids):
        mask = (ids != 0).unsqueeze(-1)
        emb = self.embedding(ids) * mask
        mean = emb.sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        return self.fc(mean).squeeze(-1)


torch.manual_seed(49)
loader = DataLoader(Sentences(texts, vocab), batch_size=4, shuffle=True, collate_fn=collate)
model = MeanOfWords(len(vocab))
print(model, len(vocab))
print(model.embedding.weight[0], collate([(torch.tensor([3]), 1), (torch.tensor([4, 5]), 0)]))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
for epoch in range(1, 16):
    total, right = 0.0, 0
    for ids, lengths, labels in loader:
        logits = model(ids)
        loss = criterion(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * labels.size(0)
        right += ((torch.sigmoid(logits) > 0.5).float() == labels).sum().item()
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d} | loss {total / len(texts):.2f} | accuracy {right / len(texts):.2f}")

print("padding stays zero:", model.embedding.weight[0].abs().sum().item(), "its gradient:", model.embedding.weight.grad[0].norm().item())
model.eval()
with torch.no_grad():
    for sentence in ("warm bread", "cold bread", "a rude day"):
        ids = torch.tensor([[vocab.get(w, vocab["<unk>"]) for w in sentence.split()]])
        print(sentence, "->", "good" if model(ids).item() > 0 else "bad")

vectors = nn.functional.normalize(model.embedding.weight.detach()[2:], dim=1)
similarity = vectors @ vectors.t()
similarity = similarity.masked_fill(torch.eye(len(similarity)).bool(), -1)
words = list(vocab)[2:]
print(similarity.shape, similarity.max(dim=1).values.max() < 1, words[:3])
table = nn.Embedding.from_pretrained(torch.arange(6.0).view(3, 2))
print(table(torch.tensor([2, 0])), table.weight.requires_grad, nn.functional.embedding(torch.tensor([1]), table.weight))
