# always
# expect Bikes: right: targets (6, 4), weights_in (9, 7)
# expect BikesWrong: wrong: WRONG in dweights_in
# expect InOneMethod: right: taken as the gradient of half the squared error divided by the samples in rows
# expect InOneMethodWrong: wrong: WRONG in dweights_in
"""Networks that train on one sample after the other and step with the mean: the gradients are handed on, and added to."""

import numpy as np


class Bikes:
    def __init__(self, input_nodes, hidden_nodes, output_nodes, learning_rate):
        self.weights_in = np.random.normal(0.0, input_nodes**-0.5, (input_nodes, hidden_nodes))
        self.weights_out = np.random.normal(0.0, hidden_nodes**-0.5, (hidden_nodes, output_nodes))
        self.lr = learning_rate
        self.activation = lambda x: 1 / (1 + np.exp(-x))

    def train(self, features, targets):
        delta_in = np.zeros(self.weights_in.shape)
        delta_out = np.zeros(self.weights_out.shape)
        for X, y in zip(features, targets):
            outputs, hidden = self.forward_pass_train(X)
            delta_in, delta_out = self.backpropagation(outputs, hidden, X, y, delta_in, delta_out)
        self.update_weights(delta_in, delta_out, features.shape[0])

    def forward_pass_train(self, X):
        hidden = self.activation(np.dot(X, self.weights_in))
        return np.dot(hidden, self.weights_out), hidden

    def backpropagation(self, outputs, hidden, X, y, delta_in, delta_out):
        error = y - outputs
        hidden_error = np.dot(self.weights_out, error)
        delta_in += hidden_error * hidden * (1 - hidden) * X[:, None]
        delta_out += error * hidden[:, None]
        return delta_in, delta_out

    def update_weights(self, delta_in, delta_out, n_records):
        self.weights_out += self.lr * delta_out / n_records
        self.weights_in += self.lr * delta_in / n_records

    def run(self, features):
        return np.dot(self.activation(np.dot(features, self.weights_in)), self.weights_out)


class BikesWrong(Bikes):
    def backpropagation(self, outputs, hidden, X, y, delta_in, delta_out):
        error = y - outputs
        hidden_error = np.dot(self.weights_out, error)
        delta_in += hidden_error * X[:, None]
        delta_out += error * hidden[:, None]
        return delta_in, delta_out


class InOneMethod(Bikes):
    def train(self, features, targets):
        delta_in = np.zeros(self.weights_in.shape)
        delta_out = np.zeros(self.weights_out.shape)
        for X, y in zip(features, targets):
            hidden = self.activation(np.dot(X, self.weights_in))
            error = y - np.dot(hidden, self.weights_out)
            delta_in += np.dot(self.weights_out, error) * hidden * (1 - hidden) * X[:, None]
            delta_out += error * hidden[:, None]
        self.weights_out += self.lr * delta_out / len(features)
        self.weights_in += self.lr * delta_in / len(features)


class InOneMethodWrong(Bikes):
    def train(self, features, targets):
        delta_in = np.zeros(self.weights_in.shape)
        delta_out = np.zeros(self.weights_out.shape)
        for X, y in zip(features, targets):
            hidden = self.activation(np.dot(X, self.weights_in))
            error = y - np.dot(hidden, self.weights_out)
            delta_in += np.dot(self.weights_out, error) * hidden * (1 + hidden) * X[:, None]
            delta_out += error * hidden[:, None]
        self.weights_out += self.lr * delta_out / len(features)
        self.weights_in += self.lr * delta_in / len(features)
