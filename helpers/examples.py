"""From ids to minibatches: vocabulary, subsampling, windows, noise words. NumPy only; taught in steps 1, 2, 7 and 10.

`<unk>` is word 0 of every vocabulary. Subsampling drops it, so that from there on a 0 in an array of words means
"no word here". Functions draw from the generator they are handed, and every generator is a child of one seed.
"""

import collections
import hashlib
import itertools
from typing import NamedTuple

import numpy as np

from helpers.arguments import require_noise_words, require_pairs, require_words

PURPOSES = (
    "examples", "noise", "order", "initial values", "held-out examples",
    "held-out noise", "random pairs", "blocks", "held-out blocks",
)  # fmt: skip
CENTERS_AT_ONCE = 8192  # noise words are drawn for so many in one go


def generator(seed, purpose, *keys):
    """Make the random generator that one purpose owns, so that a draw for one never shifts another.

    Returns a `numpy.random.Generator` on the child of `numpy.random.SeedSequence(seed)` whose number is the purpose's
    place in `PURPOSES`; `keys` (whole numbers, such as the epoch) lead to a child of that child.
    """
    key = PURPOSES.index(purpose), *keys
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


class Vocab:
    """Number the tokens that occur at least `min_freq` times: `<unk>` is 0 by construction, then the commonest first.

    `sentences` is an iterable of lists of tokens. `vocab[token]` is an id (0 for a token that has none), `vocab[list]`
    a list of ids, and `to_tokens` goes back; `token_freqs` lists (token, count) for every token of the text, whether it
    has an id or not. All this is as in d2l's Vocab, which sorts `<unk>` in among the words, and also takes a flat list.
    """

    unk = 0

    def __init__(self, sentences, min_freq=0):
        counter = collections.Counter(token for words in sentences for token in words)
        self.token_freqs = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
        frequent = [token for token, count in self.token_freqs if count >= min_freq]
        self.idx_to_token = ["<unk>"] + [word for word in frequent if word != "<unk>"]
        self.token_to_idx = {token: i for i, token in enumerate(self.idx_to_token)}

    def __len__(self):
        return len(self.idx_to_token)

    def __getitem__(self, tokens):
        if isinstance(tokens, (list, tuple)):
            return [self[token] for token in tokens]
        return self.token_to_idx.get(tokens, self.unk)

    def to_tokens(self, indices):
        if np.ndim(indices):
            return [self.to_tokens(index) for index in indices]
        return self.idx_to_token[int(indices)]


def count_words(vocab):
    """Return how often each word of a vocabulary occurs in the text it was made from, by id: (V,), 0 for `<unk>`."""
    frequency = dict(vocab.token_freqs)
    return np.array([0] + [frequency[token] for token in vocab.idx_to_token[1:]])


def encode(sentences, vocab):
    """Turn sentences into two arrays with one entry per token: the id of the word, and the number of its sentence.

    Both have shape (number of tokens,); the ids are of the smallest unsigned integer dtype that holds V.
    """
    lengths = np.array([len(sentence) for sentence in sentences], np.int32)
    tokens = itertools.chain.from_iterable(sentences)
    found = map(vocab.token_to_idx.get, tokens, itertools.repeat(vocab.unk))
    smallest = np.min_scalar_type(len(vocab))  # uint16 below 65,536 words
    ids = np.fromiter(found, smallest, lengths.sum())  # (n,)
    sentence_numbers = np.arange(len(lengths), dtype=np.int32)
    return ids, np.repeat(sentence_numbers, lengths)  # (n,), (n,)


def keep_probability(counts, threshold=1e-4):
    """Return each word's chance to survive subsampling: the square root of threshold / frequency, at most 1.

    `counts` (V,) is what `count_words` returns. The frequency of a word is its share of all known tokens; `<unk>` is
    never kept. Returns float64 (V,).
    Source: Mikolov et al. 2013, https://arxiv.org/abs/1310.4546, section 2.3.
    """
    frequency = counts / max(counts.sum(), 1)
    keep = np.sqrt(threshold / np.maximum(frequency, threshold))
    keep[0] = 0
    return keep


def subsample(ids, sentence, counts, rng):
    """Drop the unknown tokens, and frequent words at random; returns what is left of `ids` and of `sentence`."""
    kept = rng.random(len(ids)) < keep_probability(counts)[ids]
    return ids[kept], sentence[kept]


def get_centers_and_contexts(ids, sentence, max_window_size, rng):
    """Pair every word with its neighbors, in a window of its own whose size is uniform on 1..`max_window_size`.

    Returns `centers` (N,) and `contexts` (N, 2 * max_window_size), left to right, with 0 where there is no word. No
    window reaches into another sentence; a word that is alone in its sentence is not a center.
    """
    window = rng.integers(1, max_window_size + 1, len(ids))  # (n,)
    together = sentence[:-1] == sentence[1:]  # (n - 1,)
    kept = (np.append(together, False) | np.insert(together, 0, False))[: len(ids)]
    ids, sentence, window = ids[kept], sentence[kept], window[kept]  # (N,) each
    contexts = np.zeros((len(ids), 2 * max_window_size), ids.dtype)  # (N, 2 * W)
    for distance in range(1, max_window_size + 1):
        left = slice(None, -distance)
        right = slice(distance, None)
        same = sentence[left] == sentence[right]  # (N - distance,)
        sees_left = same & (window[right] >= distance)  # (N - distance,)
        sees_right = same & (window[left] >= distance)  # (N - distance,)
        contexts[right, max_window_size - distance] = ids[left] * sees_left
        contexts[left, max_window_size + distance - 1] = ids[right] * sees_right
    return ids, contexts


def noise_probability(counts):
    """Return each word's chance to be drawn as noise: its count to the power 3/4, scaled to a sum of 1; 0 for `<unk>`.

    `counts` (V,) as in `keep_probability`; returns float64 (V,).
    Source: Mikolov et al. 2013, https://arxiv.org/abs/1310.4546, section 2.2.
    """
    weights = counts**0.75
    return weights / max(weights.sum(), 1)


def draw_words(probability, size, rng):
    """Draw `size` word ids independently; returns (size,) of the smallest unsigned integer dtype that holds them.

    How often each word comes up is multinomial; those words in random order are the draws, without a search per word.
    """
    smallest = np.min_scalar_type(len(probability))
    words = np.arange(len(probability), dtype=smallest)  # (V,)
    how_often = rng.multinomial(size, probability)  # (V,)
    return rng.permutation(np.repeat(words, how_often))  # (size,)


def draw_from_the_rest(negatives, redraw, contexts, probability, rng):
    """Fill the marked places of `negatives` where a center's context words hold nearly all of the probability.

    Shapes as in `get_negatives`; `redraw` is a mask of that shape. Raises ValueError where no other word is left.
    """
    for row in np.flatnonzero(redraw.any(axis=1)):
        rest = probability.copy()  # (V,)
        rest[contexts[row]] = 0
        require_noise_words(rest)
        chances = rest / rest.sum()  # (V,)
        size = redraw[row].sum()
        negatives[row, redraw[row]] = rng.choice(len(rest), size, p=chances)
    return negatives


def get_negatives(contexts, probability, num_noise_words, rng):
    """Draw `num_noise_words` noise words per context word, none of which is a context word of the same center.

    `contexts` (N, C) holds 0 where there is no word; returns (N, C * num_noise_words), 0 there too. A noise word may
    be its own center, as in d2l's loader.
    """
    wanted = np.repeat(contexts > 0, num_noise_words, axis=1)  # (N, C * K)
    negatives = np.zeros(wanted.shape, contexts.dtype)  # (N, C * K)
    redraw = wanted
    for _ in range(50):
        negatives[redraw] = draw_words(probability, redraw.sum(), rng)
        redraw = np.zeros(wanted.shape, bool)  # (N, C * K)
        for slot in contexts.T:
            redraw |= wanted & (negatives == slot[:, None])
        if not redraw.any():
            return negatives
    return draw_from_the_rest(negatives, redraw, contexts, probability, rng)


def initial_tables(vocab_size, embed_size, seed):
    """Draw the values that training starts from: two tables (vocab_size, embed_size) of float32, Xavier-uniform.

    Uniform between plus and minus the square root of 6 / (vocab_size + embed_size), for centers and for contexts.
    Source: Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html, equation 16.
    """
    rng = generator(seed, "initial values")
    bound = np.sqrt(6 / (vocab_size + embed_size))
    shape = vocab_size, embed_size
    embed_v = rng.uniform(-bound, bound, shape).astype(np.float32)  # (V, d)
    embed_u = rng.uniform(-bound, bound, shape).astype(np.float32)  # (V, d)
    return embed_v, embed_u


class Examples(NamedTuple):
    """All examples of a text: a row per center word, kept without padding.

    `words` holds, for one center after the other, its context words and then its noise words; those of center i are
    `words[offsets[i] : offsets[i + 1]]`. Shapes: `centers` (N,), `offsets` (N + 1,).
    """

    centers: np.ndarray
    words: np.ndarray
    offsets: np.ndarray
    num_noise_words: int

    def context_words(self):
        """Return the context words of all examples, without the noise words: (num_pairs,)."""
        lengths = np.diff(self.offsets)  # (N,)
        start = np.repeat(self.offsets[:-1], lengths)  # (words,)
        position = np.arange(len(self.words)) - start  # (words,)
        num_contexts = np.repeat(lengths // (1 + self.num_noise_words), lengths)
        return self.words[position < num_contexts]

    @property
    def num_pairs(self):
        """The number of pairs of a center and a context word."""
        return len(self.words) // (1 + self.num_noise_words)


def make_examples(
    ids, sentence, counts, max_window_size, num_noise_words, example_rng, noise_rng
):
    """Draw the examples of a text: subsample it, draw the windows, then the noise words; returns Examples.

    `ids` and `sentence` (n,) are those of `encode`, `counts` (V,) that of `count_words`.
    """
    ids, sentence = subsample(ids, sentence, counts, example_rng)
    centers, contexts = get_centers_and_contexts(
        ids, sentence, max_window_size, example_rng
    )  # (N,), (N, C)
    probability = noise_probability(counts)  # (V,)
    lengths = np.count_nonzero(contexts, axis=1) * (1 + num_noise_words)  # (N,)
    offsets = np.append(0, np.cumsum(lengths))  # (N + 1,)
    words = np.empty(offsets[-1], ids.dtype)
    for first in range(0, len(centers), CENTERS_AT_ONCE):
        some = contexts[first : first + CENTERS_AT_ONCE]  # (8192, C)
        negatives = get_negatives(some, probability, num_noise_words, noise_rng)
        rows = np.hstack([some, negatives])  # (8192, C * (1 + K))
        words[offsets[first] : offsets[first + len(some)]] = rows[rows > 0]
    return Examples(centers, words, offsets, num_noise_words)


class Minibatches:
    """Iterate over examples in minibatches, in a new order every epoch; `len()` is the number of an epoch's minibatches.

    A minibatch is `(center, contexts_and_negatives, mask, label)` of shapes (B, 1), (B, L), (B, L) and (B, L): ids are
    int64, mask and label float32, and `to_tensor` turns each array into what a framework wants. L is the length of the
    minibatch's longest row; shorter ones are filled up with 0, where the mask is 0. The label is 1 for context words.
    The last minibatch may be short.

    `held_out` holds the minibatches of the text that was kept from training, `corpus` the name of the text.
    `epoch(number)` gives the minibatches of that epoch, always the same ones. Plain iteration takes epoch after epoch; it
    moves on when an epoch was run through, so that a look at one minibatch changes nothing later.
    """

    def __init__(self, examples, batch_size, seed, to_tensor=np.asarray, held_out=None, corpus=""):
        self.examples, self.batch_size, self.seed = examples, batch_size, seed
        self.to_tensor, self.held_out, self.corpus = to_tensor, held_out, corpus
        self.num_noise_words, self.next_epoch = examples.num_noise_words, 0

    def __len__(self):
        return -(-len(self.examples.centers) // self.batch_size)

    @property
    def settings(self):
        """What decides the minibatches, as JSON can hold it; the examples and the held-out ones as a hash."""
        digest = hashlib.sha256()
        for part in (self, *([] if self.held_out is None else [self.held_out])):
            for array in part.examples[:-1]:
                digest.update(f"{array.dtype} {array.shape}".encode())
                digest.update(np.ascontiguousarray(array))
        names = "corpus", "seed", "batch_size", "num_noise_words"
        settings = {name: getattr(self, name) for name in names}
        return {**settings, "examples": digest.hexdigest()[:16]}

    def __iter__(self):
        yield from self.epoch(self.next_epoch)
        self.next_epoch += 1

    def epoch(self, number):
        examples = self.examples
        rng = generator(self.seed, "order", number)
        order = rng.permutation(len(examples.centers))
        starts = range(0, len(order), self.batch_size)
        rows = (order[start : start + self.batch_size] for start in starts)
        return (tuple(map(self.to_tensor, batchify(examples, some))) for some in rows)


def batchify(examples, rows):
    """Lay some rows of the examples side by side as one minibatch of arrays; see `Minibatches`."""
    start = examples.offsets[rows][:, None]  # (B, 1)
    length = examples.offsets[rows + 1][:, None] - start  # (B, 1)
    position = np.arange(length.max())  # (L,)
    mask = position < length  # (B, L)
    label = position < length // (1 + examples.num_noise_words)  # (B, L)
    words = examples.words[start + position * mask] * mask  # (B, L)
    center = examples.centers[rows][:, None]  # (B, 1)
    ids = [array.astype(np.int64) for array in (center, words)]
    return *ids, *(array.astype(np.float32) for array in (mask, label))


def load_minibatches(text, vocab, batch_size, max_window_size, num_noise_words, seed, to_tensor):
    """Make the minibatches of a text's training part, with those of its held-out part as their `held_out`.

    `text` is what `read_corpus` returns. The held-out examples are drawn as the training examples are, with the training
    text's counts and with generators of their own. Raises ValueError where the text has no pair of words.
    """
    settings = count_words(vocab), max_window_size, num_noise_words
    rngs = generator(seed, "examples"), generator(seed, "noise")
    examples = make_examples(*encode(text.sentences, vocab), *settings, *rngs)
    require_pairs(len(examples.centers) > 0, text, vocab)
    rngs = generator(seed, "held-out examples"), generator(seed, "held-out noise")
    held_out = make_examples(*encode(text.held_out, vocab), *settings, *rngs)
    held_out = Minibatches(held_out, batch_size, seed, to_tensor)
    return Minibatches(examples, batch_size, seed, to_tensor, held_out, text.name)


def describe(text, vocab):
    """Say in two lines what a text holds: a look that tells a misread file before an hour of training does.

    Raises ValueError where no word is common enough for the vocabulary.
    """
    require_words(text, vocab)
    num_tokens = sum(count for _, count in vocab.token_freqs)
    num_known = sum(count for token, count in vocab.token_freqs if vocab[token] != vocab.unk)
    commonest = ", ".join(token for token, _ in vocab.token_freqs[:10])
    print(f"corpus {text.name}: {num_tokens:,} tokens, vocabulary {len(vocab):,}, {1 - num_known / num_tokens:.1%} unknown")
    print(f"commonest: {commonest}")
