"""A recurrent network and a network of two layers whose parameters are arrays of the file, which trains when it is run."""

# expect char_loss: right
# expect char_loss_last_step: wrong: it is right where inputs and targets have one element
# expect char_loss_slope: wrong
# expect forward: wrong: look at the derivative of its activation
# expect scores: right
import numpy as np

text = open("letters.txt").read()
letters = sorted(set(text))
V, H = len(letters), 3
number = {letter: i for i, letter in enumerate(letters)}

Wxh = np.random.randn(H, V) * 0.01
Whh = np.random.randn(H, H) * 0.01
Why = np.random.randn(V, H) * 0.01
bh = np.zeros((H, 1))
by = np.zeros((V, 1))


def run(inputs, targets, hprev):
    x, h, p, loss = {}, {-1: np.copy(hprev)}, {}, 0
    for t in range(len(inputs)):
        x[t] = np.zeros((V, 1))
        x[t][inputs[t]] = 1
        h[t] = np.tanh(Wxh @ x[t] + Whh @ h[t - 1] + bh)
        e = np.exp(Why @ h[t] + by)
        p[t] = e / e.sum()
        loss -= np.log(p[t][targets[t], 0])
    return loss, x, h, p


def char_loss(inputs, targets, hprev):
    loss, x, h, p = run(inputs, targets, hprev)
    dWxh, dWhh, dWhy, dbh, dby = (np.zeros_like(w) for w in (Wxh, Whh, Why, bh, by))
    dhnext = np.zeros_like(hprev)
    for t in reversed(range(len(inputs))):
        dy = p[t].copy()
        dy[targets[t]] -= 1
        dWhy += dy @ h[t].T
        dby += dy
        dz = (Why.T @ dy + dhnext) * (1 - h[t] ** 2)
        dWxh += dz @ x[t].T
        dWhh += dz @ h[t - 1].T
        dbh += dz
        dhnext = Whh.T @ dz
    for d in (dWxh, dWhh, dWhy, dbh, dby):
        np.clip(d, -5, 5, out=d)
    return loss, dWxh, dWhh, dWhy, dbh, dby, h[len(inputs) - 1]


def char_loss_last_step(inputs, targets, hprev):
    loss, x, h, p = run(inputs, targets, hprev)
    dWhy, dby = np.zeros_like(Why), np.zeros_like(by)
    for t in reversed(range(len(inputs))):
        dy = p[t].copy()
        dy[targets[t]] -= 1
        dWhy += dy @ h[t].T
        dby = dy
    return loss, dWhy, dby


def char_loss_slope(inputs, targets, hprev):
    loss, x, h, p = run(inputs, targets, hprev)
    dWhh, dbh = np.zeros_like(Whh), np.zeros_like(bh)
    dhnext = np.zeros_like(hprev)
    for t in reversed(range(len(inputs))):
        dy = p[t].copy()
        dy[targets[t]] -= 1
        dz = (Why.T @ dy + dhnext) * (1 - h[t])
        dWhh += dz @ h[t - 1].T
        dbh += dz
        dhnext = Whh.T @ dz
    return loss, dWhh, dbh


W1 = np.random.randn(4, 5) * 0.5
b1 = np.zeros((1, 5))
W2 = np.random.randn(5, 3) * 0.5
b2 = np.zeros((1, 3))


def forward(x):
    global a1, a2
    a1 = np.tanh(x @ W1 + b1)
    a2 = 1 / (1 + np.exp(-(a1 @ W2 + b2)))
    return a2


def backward(x, y, learning_rate=0.1):
    global W1, b1, W2, b2
    d2 = (a2 - y) / len(x)
    d1 = d2 @ W2.T * (1 - a1)
    W2 -= learning_rate * a1.T @ d2
    b2 -= learning_rate * d2.sum(0, keepdims=True)
    W1 -= learning_rate * x.T @ d1
    b1 -= learning_rate * d1.sum(0, keepdims=True)


w = np.zeros((4, 3))


def scores_forward(x):
    return x @ w


def scores_backward(dout, x):
    return dout @ w.T, x.T @ dout


step = 0
hidden = np.zeros((H, 1))
while True:
    ids = [number[letter] for letter in text[step : step + 8]]
    hidden = char_loss(ids[:-1], ids[1:], hidden)[-1]
    step += 1
