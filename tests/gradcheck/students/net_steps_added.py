import numpy as np

# long
# expect feed: right: half the squared error
# expect run: wrong: dW3, db3 are right, and dW2, db2 are wrong

# lists of weights and biases, to which backward adds its steps, with the error turned round: y - output


def logistic(x):
    return 1 / (1 + np.exp(-x))


def slope(out):
    return out * (1 - out)


def feed_forward(X, weights, biases):
    outputs = [X]
    for i in range(len(weights)):
        outputs.append(logistic(np.dot(outputs[-1], weights[i]) + biases[i]))
    return outputs


def feed_backward(X, y, outputs, weights, biases, learning_rate):
    deltas = [(y - outputs[-1]) * slope(outputs[-1])]
    for i in range(len(weights) - 1, 0, -1):
        deltas.append(deltas[-1].dot(weights[i].T) * slope(outputs[i]))
    deltas.reverse()
    for i in range(len(weights)):
        weights[i] += learning_rate * outputs[i].T.dot(deltas[i])
        biases[i] += learning_rate * np.sum(deltas[i], axis=0, keepdims=True)
    return weights, biases, np.mean(np.abs(y - outputs[-1]))


def run_forward(X, W1, b1, W2, b2, W3, b3):
    first = np.tanh(X @ W1 + b1)
    second = np.tanh(first @ W2 + b2)
    return first, second, logistic(second @ W3 + b3)


def run_backward(X, y, first, second, out, W1, b1, W2, b2, W3, b3, eta):
    d3 = (y - out) * slope(out)
    d2 = d3 @ W3.T * slope(second)  # of another activation
    d1 = d2 @ W2.T * (1 - first**2)
    W3 += eta * second.T @ d3
    b3 += eta * d3.sum(0)
    W2 += eta * first.T @ d2
    b2 += eta * d2.sum(0)
    W1 += eta * X.T @ d1
    b1 += eta * d1.sum(0)
    return W1, b1, W2, b2, W3, b3
