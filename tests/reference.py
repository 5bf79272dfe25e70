"""Skip-gram with negative sampling in plain NumPy, written from its formulas; imports nothing from helpers."""

import numpy as np


def loss_and_gradients(embed_v, embed_u, center, words, mask, label):
    """Return row losses (B,) and the gradients of their sum for both tables, one example and one position at a time."""
    losses, grad_v, grad_u = [], np.zeros_like(embed_v), np.zeros_like(embed_u)
    for row in range(len(center)):
        valid = [position for position in range(words.shape[1]) if mask[row, position]]
        loss = 0.0
        for position in valid:
            v, u = embed_v[center[row, 0]], embed_u[words[row, position]]
            probability = 1 / (1 + np.exp(-(v @ u)))
            loss -= np.log(probability if label[row, position] else 1 - probability) / len(valid)
            derivative = (probability - label[row, position]) / len(valid)
            grad_v[center[row, 0]] += derivative * u
            grad_u[words[row, position]] += derivative * v
        losses.append(loss)
    return np.array(losses), grad_v, grad_u


class Adam:
    """Adam by Kingma and Ba 2015, algorithm 1, on a list of arrays that it changes in place."""

    def __init__(self, arrays, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.arrays, self.settings, self.steps = arrays, (lr, beta_1, beta_2, epsilon), 0
        self.moments = [(np.zeros_like(array), np.zeros_like(array)) for array in arrays]

    def step(self, gradients):
        lr, beta_1, beta_2, epsilon = self.settings
        self.steps += 1
        for array, gradient, (first, second) in zip(self.arrays, gradients, self.moments):
            first += (1 - beta_1) * (gradient - first)
            second += (1 - beta_2) * (gradient**2 - second)
            first_hat, second_hat = first / (1 - beta_1**self.steps), second / (1 - beta_2**self.steps)
            array -= lr * first_hat / (np.sqrt(second_hat) + epsilon)


def random_batch(rng, vocab_size, batch_size=6, length=12):
    """Return a minibatch of arrays with rows of different length, repeated words and at least one position each."""
    valid = rng.integers(1, length + 1, batch_size)[:, None]
    mask = (np.arange(length) < valid).astype(np.float32)
    label = ((rng.random((batch_size, length)) < 0.3) * mask).astype(np.float32)
    words = rng.integers(1, vocab_size, (batch_size, length)) * mask.astype(np.int64)
    return rng.integers(1, vocab_size, (batch_size, 1)), words, mask, label
