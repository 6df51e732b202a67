"""A training loop at module level, of data that are not there, with a mistake.

# long
# expect training loop: wrong: WRONG in db1, dW1
"""

import numpy as np
import pandas as pd

table = pd.read_csv("not_there.csv")
X_train = table.drop("label", axis=1).values
y_train = table["label"].values.reshape(-1, 1)
m = X_train.shape[0]
W1 = np.random.randn(X_train.shape[1], 16) * 0.1
b1 = np.zeros((1, 16))
W2 = np.random.randn(16, 1) * 0.1
b2 = np.zeros((1, 1))
learning_rate = 0.01

for epoch in range(100):
    a1 = np.tanh(X_train @ W1 + b1)
    a2 = 1 / (1 + np.exp(-(a1 @ W2 + b2)))
    loss = -np.mean(y_train * np.log(a2) + (1 - y_train) * np.log(1 - a2))
    dz2 = a2 - y_train
    dW2 = a1.T @ dz2 / m
    db2 = dz2.sum(axis=0, keepdims=True) / m
    dz1 = dz2 @ W2.T * (1 - a1)  # the mistake: 1 - a1 ** 2
    dW1 = X_train.T @ dz1 / m
    db1 = dz1.sum(axis=0, keepdims=True) / m
    W1 -= learning_rate * dW1
    b1 -= learning_rate * db1
    W2 -= learning_rate * dW2
    b2 -= learning_rate * db2
