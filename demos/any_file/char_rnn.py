"""A recurrent network that learns letters. Its parameters stand at module level; the text is not there, and the loop has no end."""

import numpy as np

text = open("text.txt").read()
letters = sorted(set(text))
hidden, size = 8, len(letters)
number = {letter: i for i, letter in enumerate(letters)}
rng = np.random.default_rng(0)
Wxh, Whh, Why = (rng.normal(0, 0.3, shape) for shape in [(hidden, size), (hidden, hidden), (size, hidden)])
bh, by = np.zeros((hidden, 1)), np.zeros((size, 1))


def loss_function(inputs, targets, h_prev):
    xs, hs, ps = [], [h_prev], []
    loss = 0
    for letter, target in zip(inputs, targets):
        xs.append(np.eye(size)[:, [letter]])
        hs.append(np.tanh(Wxh @ xs[-1] + Whh @ hs[-1] + bh))
        scores = np.exp(Why @ hs[-1] + by)
        ps.append(scores / scores.sum())
        loss -= np.log(ps[-1][target, 0])
    dWxh, dWhh, dWhy, dbh, dby = map(np.zeros_like, (Wxh, Whh, Why, bh, by))
    dh_next = np.zeros_like(h_prev)
    for t in reversed(range(len(inputs))):
        dy = ps[t].copy()
        dy[targets[t]] -= 1
        dWhy += dy @ hs[t + 1].T
        dby += dy
        dz = Why.T @ dy * (1 - hs[t + 1] ** 2)  # wrong: dh_next is forgotten
        dWxh += dz @ xs[t].T
        dWhh += dz @ hs[t].T
        dbh += dz
        dh_next = Whh.T @ dz
    return loss, dWxh, dWhh, dWhy, dbh, dby, hs[-1]


start, h = 0, np.zeros((hidden, 1))
while True:
    codes = [number[letter] for letter in text[start : start + 26]]
    loss, *grads, h = loss_function(codes[:-1], codes[1:], h)
    for parameter, grad in zip((Wxh, Whh, Why, bh, by), grads):
        parameter -= 0.1 * grad
    start = (start + 25) % (len(text) - 26)
