"""Properties that hold for any text, as functions that hypothesis calls with texts of its own; SEED picks them."""

import collections
import contextlib
import io
import os
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from helpers import examples as made
from helpers.beyond.blocks import Blocks
from helpers.corpus import read_corpus
from helpers.examples import Vocab, count_words, encode, generator, load_minibatches, noise_probability

SEED = int(os.environ.get("SEED", 1))
WORDS = ("the", "a", "chip", "new", "oil", "rare")
CHARACTERS = st.characters(exclude_categories=("Cs",))  # of every plane, control characters too; UTF-8 has no surrogates
SENTENCES = st.lists(st.lists(st.sampled_from(WORDS), max_size=12), max_size=12)
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=200),
    st.text(st.sampled_from(" \t\n\r\x0b\x1c\u2028\u0301aA1_.İß中"), max_size=200),
    st.text(st.sampled_from(" \n\x01_aeIıİ\u0307\u0301\u00ad\u200b\u200c\u200d\ufeff\ufe0f\u20e3❤👍ﬁＷ＿ｶﾞ\u0640مﷺศําΣ"), max_size=200),
    st.builds(lambda sentences: "\n".join(map(" ".join, sentences)), SENTENCES),
    st.builds(lambda word, number: f"{word} " * number, st.sampled_from(WORDS), st.integers(1, 300)),
)


def hold(property_, max_examples, phases=tuple(Phase)):
    """Try a property with so many examples, always the same ones for a SEED; the example that breaks it is in the error."""
    tried = given(**PROPERTIES[property_])(property_)
    tried = settings(max_examples=max_examples, phases=phases, deadline=None, database=None, suppress_health_check=list(HealthCheck))(tried)
    seed(SEED)(tried)()


def windows_keep_to_their_sentence(lengths, max_window_size, number):
    """With a word of its own at each place, every pair tells where it came from."""
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    ids = np.arange(1, len(sentence) + 1)
    centers, contexts = made.get_centers_and_contexts(ids, sentence, max_window_size, generator(number, "examples"))
    assert set(centers) == {place + 1 for place in range(len(ids)) if lengths[sentence[place]] > 1}
    for center, row in zip(centers, contexts):
        words = row[row > 0]
        assert len(words) and center not in words and len(set(words)) == len(words)
        assert (sentence[words - 1] == sentence[center - 1]).all()
        assert (np.abs(words - center) <= max_window_size).all() and (np.diff(words) > 0).all()


def examples_are_as_the_lesson_says(sentences, max_window_size, num_noise_words, number, centers_at_once):
    """Counts, masks, labels and noise words, in minibatches of any size, whatever number of centers is drawn for at once."""
    vocab = Vocab(sentences)
    counts = count_words(vocab)
    words = [word for sentence in sentences for word in sentence]
    assert counts.sum() == len(words) and dict(zip(vocab.idx_to_token[1:], counts[1:])) == collections.Counter(words)
    encoded, before = encode(sentences, vocab), made.CENTERS_AT_ONCE
    made.CENTERS_AT_ONCE = centers_at_once
    try:
        rngs = generator(number, "examples"), generator(number, "noise")
        found = made.make_examples(*encoded, counts, max_window_size, num_noise_words, *rngs)
    except ValueError as error:
        assert "no noise word is left to draw" in str(error)
        return
    finally:
        made.CENTERS_AT_ONCE = before
    probability = noise_probability(counts)
    assert not len(words) or (probability[1:] > 0).all() and probability[0] == 0
    seen, num_pairs = [], 0
    for batch in made.Minibatches(found, 3, number).epoch(0):
        for (center,), row, mask, label in zip(*batch):
            valid = row[mask == 1]
            contexts, noise = row[label == 1], row[(mask == 1) & (label == 0)]
            assert (row[mask == 0] == 0).all() and (valid > 0).all() and (label <= mask).all()
            assert len(noise) == num_noise_words * len(contexts) > 0 and not set(noise) & set(contexts)
            assert label[: len(contexts)].all() and mask[: len(valid)].all()  # context words come first, padding last
            num_pairs += len(contexts)
            seen.append((center, *row[mask == 1]))
    assert num_pairs == found.num_pairs
    ends = zip(found.offsets, found.offsets[1:])
    assert sorted(seen) == sorted((center, *found.words[first:last]) for center, (first, last) in zip(found.centers, ends))


def a_file_is_trained_on_or_refused_in_a_line(text, min_freq):
    """Whatever stands in a file: either examples and blocks come out, or one line says why not."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "text.txt"
        path.write_bytes(text.encode("utf-8"))
        try:
            found = read_corpus(path)
            tokens = [token for part in found[1:] for sentence in part for token in sentence]
            assert tokens and all(token and token == "".join(token.split()) for token in tokens)
            vocab = Vocab(found.sentences, min_freq)
            made.describe(found, vocab)
            data = load_minibatches(found, vocab, 4, 2, 2, SEED, np.asarray)
        except ValueError as error:
            assert len(str(error).splitlines()) == 1 and len(str(error)) < 500, error
            return
        assert sum(len(batch[0]) for batch in data.epoch(0)) == len(data.examples.centers) > 0
        blocks = Blocks(*encode(found.sentences, vocab), count_words(vocab), 2, 2, SEED)
        ids = blocks.piece(0, 0).ids
        assert ids.min() >= 0 and ids.max() < 2 * len(vocab)


PROPERTIES = {
    windows_keep_to_their_sentence: dict(
        lengths=st.lists(st.integers(0, 9), max_size=9), max_window_size=st.integers(1, 12), number=st.integers(0, 99),
    ),
    examples_are_as_the_lesson_says: dict(
        sentences=SENTENCES, max_window_size=st.integers(1, 6), num_noise_words=st.integers(1, 6), number=st.integers(0, 99),
        centers_at_once=st.sampled_from((1, 2, 8192)),
    ),
    a_file_is_trained_on_or_refused_in_a_line: dict(text=TEXTS, min_freq=st.integers(0, 3)),
}  # fmt: skip
