"""Minibatches whose examples are drawn anew for every epoch. NumPy only; taught in step 10."""

from helpers.examples import Minibatches, count_words, encode, generator, load_minibatches, make_examples


class DynamicMinibatches(Minibatches):
    """`Minibatches` that draw new examples for every epoch; `examples` and `len()` are those of the epoch that was asked for last.

    `once` is Minibatches, whose examples are those of epoch 0; `draw(number)` draws the Examples of any epoch. The held-out
    examples stay as they are.
    """

    def __init__(self, once, draw):
        super().__init__(once.examples, once.batch_size, once.seed, once.to_tensor, once.held_out, once.corpus)
        self.draw, self.drawn = draw, 0

    @property
    def settings(self):
        """What decides the minibatches, as of `Minibatches`; the hash is that of the examples of epoch 0."""
        self.epoch(0)  # from now on its examples are those of epoch 0
        return super().settings | {"resample": True}

    def epoch(self, number):
        if number != self.drawn:
            self.examples, self.drawn = self.draw(number), number
        return super().epoch(number)


def load_dynamic_minibatches(text, vocab, batch_size, max_window_size, num_noise_words, seed, to_tensor):
    """Make the minibatches of `load_minibatches`, of the same arguments, with new examples in every epoch after the first.

    Each epoch draws from generators of its own, children of those of epoch 0. Returns DynamicMinibatches.
    """
    settings = count_words(vocab), max_window_size, num_noise_words
    encoded = encode(text.sentences, vocab)

    def draw(epoch):
        keys = [epoch] if epoch else []
        rngs = generator(seed, "examples", *keys), generator(seed, "noise", *keys)
        return make_examples(*encoded, *settings, *rngs)

    once = load_minibatches(text, vocab, batch_size, *settings[1:], seed, to_tensor)
    return DynamicMinibatches(once, draw)
