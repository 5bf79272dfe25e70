"""From ids to minibatches, by properties that must hold and by counting draws."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from d2l import torch as d2l

from helpers import examples as made
from helpers.beyond.dynamic import load_dynamic_minibatches
from helpers.corpus import Sentences, Text
from helpers.examples import Vocab, batchify, generator, get_centers_and_contexts, get_negatives, load_minibatches
from helpers.training import History
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(1)
    weights = 1 / np.arange(1, 301)
    words = np.array(["".join(pair) for pair in itertools.product("abcdefghijklmnopqrst", repeat=2)][:300])
    lines = [" ".join(rng.choice(words, rng.integers(1, 40), p=weights / weights.sum())) for _ in range(2000)]
    return Text("random", Sentences(lines[:1900]), Sentences(lines[1900:]))


@pytest.fixture(scope="module")
def vocab(text):
    return Vocab(text.sentences, min_freq=5)


def load(text, vocab, seed=0, batch_size=100, resample=False, **settings):
    settings = {"max_window_size": 5, "num_noise_words": 5, **settings}
    load_some = load_dynamic_minibatches if resample else load_minibatches
    return load_some(text, vocab, batch_size, seed=seed, to_tensor=np.asarray, **settings)


def test_the_vocabulary_agrees_with_d2ls_but_for_the_place_of_unk(text):
    ours, theirs = Vocab(text.sentences, min_freq=5), d2l.Vocab(list(text.sentences), min_freq=5)
    assert set(ours.idx_to_token) == set(theirs.idx_to_token) and len(ours) == len(theirs)
    assert dict(ours.token_freqs) == dict(theirs.token_freqs)
    assert ours.unk == 0 and ours["no such word"] == 0 and ours.to_tokens(0) == "<unk>"
    tokens = text.sentences[0][:3]
    assert ours.to_tokens(ours[tokens]) == [token if token in theirs.token_to_idx else "<unk>" for token in tokens]
    counts = made.count_words(ours)
    assert all(counts[:-1][1:] >= counts[2:])


def test_unk_in_the_text_is_word_0_and_never_an_ordinary_word():
    vocab = Vocab([["<unk>", "a", "<unk>", "b", "a"]])
    assert vocab.idx_to_token == ["<unk>", "a", "b"]
    assert made.count_words(vocab).tolist() == [0, 2, 1]


def test_encoding_gives_back_the_text(text, vocab):
    ids, sentence = made.encode(text.sentences, vocab)
    for number in (0, 7, len(text.sentences) - 1):
        known = [token if vocab[token] else "<unk>" for token in text.sentences[number]]
        assert vocab.to_tokens(ids[sentence == number]) == known


def test_subsampling_keeps_each_word_with_its_chance(text, vocab):
    counts = made.count_words(vocab) * 50
    keep = made.keep_probability(counts)
    assert keep[0] == 0
    np.testing.assert_allclose(keep[1:], np.minimum(1, np.sqrt(1e-4 * counts.sum() / counts[1:])))
    ids = np.repeat(np.arange(len(vocab)), counts)
    kept, _ = made.subsample(ids, ids, counts, np.random.default_rng(0))
    found = np.bincount(kept, minlength=len(vocab))
    spread = np.sqrt(counts * keep * (1 - keep)) + 1
    assert (np.abs(found - counts * keep) < 6 * spread).all()


def test_windows_have_every_size_equally_often(text, vocab):
    ids, sentence = made.encode(text.sentences, vocab)
    place = np.arange(1, len(ids) + 1)  # every token its own id, so that contexts tell where they come from
    centers, contexts = get_centers_and_contexts(place, sentence, 4, np.random.default_rng(0))
    lengths = np.bincount(sentence)
    inside = [c for c in centers if lengths[sentence[c - 1]] >= 9 and (sentence[max(0, c - 5) : c + 4] == sentence[c - 1]).sum() == 9]
    reaches = [np.abs(row[row > 0] - c).max() for c, row in zip(centers, contexts) if c in set(inside[:3000])]
    shares = np.bincount(reaches, minlength=5)[1:] / len(reaches)
    np.testing.assert_allclose(shares, 0.25, atol=0.04)


def test_a_word_alone_in_its_sentence_is_no_center():
    centers, _ = get_centers_and_contexts(np.array([1, 2, 3]), np.array([0, 1, 1]), 5, np.random.default_rng(0))
    assert centers.tolist() == [2, 3]


def test_every_ordinary_word_is_drawn_as_noise_as_often_as_its_count_to_the_three_quarters_says(vocab):
    probability = made.noise_probability(made.count_words(vocab))
    draws = np.bincount(made.draw_words(probability, 2_000_000, np.random.default_rng(0)), minlength=len(vocab))
    assert draws[0] == 0 and (draws[1:] > 0).all()
    np.testing.assert_allclose(draws[1:] / 2e6, probability[1:], rtol=0.12)
    counts = made.count_words(vocab)
    assert probability[5] / probability[50] == pytest.approx((counts[5] / counts[50]) ** 0.75)


def test_draws_are_independent_of_their_place():
    draws = made.draw_words(np.array([0, 0.5, 0.5]), 100_000, np.random.default_rng(0))
    assert np.corrcoef(draws[:-1], draws[1:])[0, 1] == pytest.approx(0, abs=0.02)


def test_noise_is_never_a_context_word_of_its_center_and_follows_the_other_words_chances():
    probability = np.array([0, 0.4, 0.3, 0.2, 0.1])
    contexts = np.tile([1, 0, 3], (20_000, 1))
    negatives = get_negatives(contexts, probability, 2, np.random.default_rng(0))
    assert negatives.shape == (20_000, 6)
    assert (negatives[:, 2:4] == 0).all()
    drawn = negatives[:, [0, 1, 4, 5]]
    shares = np.bincount(drawn.ravel(), minlength=5) / drawn.size
    np.testing.assert_allclose(shares, [0, 0, 0.75, 0, 0.25], atol=0.01)


def test_noise_is_found_when_context_words_hold_nearly_all_of_the_probability():
    probability = np.array([0, 1 - 1e-9, 1e-9])
    negatives = get_negatives(np.ones((5, 2), int), probability, 3, np.random.default_rng(0))
    assert (negatives == 2).all()


def test_contexts_that_are_the_whole_vocabulary_are_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match="whole vocabulary .* lower min_freq or max_window_size"):
        get_negatives(np.array([[1, 2]]), np.array([0, 0.5, 0.5]), 1, np.random.default_rng(0))


def test_each_epoch_has_an_order_of_its_own_and_a_look_changes_nothing(text, vocab):
    def centers(batches):
        return np.concatenate([batch[0][:, 0] for batch in batches]).tolist()

    data_iter = load(text, vocab)
    peek = [next(iter(data_iter))[0].tolist() for _ in range(2)]
    assert peek[0] == peek[1]
    first, second = centers(data_iter), centers(data_iter)
    assert first != second and sorted(first) == sorted(second) == sorted(data_iter.examples.centers)
    assert first == centers(data_iter.epoch(0)) and second == centers(data_iter.epoch(1))


def test_one_seed_gives_the_same_minibatches_and_another_seed_others(text, vocab):
    one, two, other = (next(iter(load(text, vocab, seed=seed))) for seed in (3, 3, 4))
    for first, second in zip(one, two):
        np.testing.assert_array_equal(first, second)
    assert one[0].tolist() != other[0].tolist()


def test_each_purpose_draws_from_a_generator_of_its_own(text, vocab):
    draws = {purpose: generator(0, purpose).random() for purpose in made.PURPOSES}
    assert len(set(draws.values())) == len(made.PURPOSES)
    more_noise, less_noise = (load(text, vocab, num_noise_words=k).examples for k in (2, 7))
    np.testing.assert_array_equal(more_noise.centers, less_noise.centers)


def is_equal(one, other):
    return all(np.array_equal(*arrays) for arrays in zip(one, other))


def test_redrawn_the_first_epoch_is_the_one_drawn_once_and_each_later_one_is_another_and_always_the_same(text, vocab):
    once, redrawn = (load(text, vocab, resample=resample) for resample in (False, True))
    for batch, other in zip(once.epoch(0), redrawn.epoch(0)):
        assert is_equal(batch, other)
    draws = [redrawn.draw(number) for number in (0, 1, 2)]
    assert is_equal(draws[0], once.examples)
    assert not any(np.array_equal(*(draw.words for draw in pair)) for pair in itertools.combinations(draws, 2))
    other = load(text, vocab, resample=True)
    for number in (2, 0, 1, 2):  # in any order
        batches = list(redrawn.epoch(number))
        assert len(batches) == len(redrawn) and is_equal(redrawn.examples, draws[number])
        assert all(is_equal(*pair) for pair in itertools.zip_longest(batches, other.epoch(number)))


def test_windows_and_noise_are_both_drawn_anew_and_epochs_differ_a_little_in_size(text, vocab):
    redrawn = load(text, vocab, resample=True)
    sizes = [len(redrawn.draw(number).centers) for number in range(5)]
    assert len(set(sizes)) > 1 and max(sizes) < 1.05 * min(sizes)
    more_noise, less_noise = (load(text, vocab, resample=True, num_noise_words=k).draw(3) for k in (2, 7))
    np.testing.assert_array_equal(more_noise.centers, less_noise.centers)


def test_redrawn_examples_keep_what_holds_for_the_first():
    lines = ["a b c", "d e f", "g h i"] * 400  # words of one line are never neighbors of another's
    text = Text("lines", Sentences(lines), Sentences(lines[:3]))
    vocab = Vocab(text.sentences)
    data_iter = load(text, vocab, resample=True)
    line_of = np.array([0, *("abcdefghi".index(token) // 3 + 1 for token in vocab.idx_to_token[1:])])
    for number in (1, 2):
        for center, words, mask, label in data_iter.epoch(number):
            assert (line_of[words] == line_of[center])[label == 1].all()
            assert (mask.sum(axis=1) == 6 * label.sum(axis=1)).all() and (words[mask == 1] > 0).all()
            for row, is_context in zip(words, label == 1):
                assert not set(row[is_context]) & set(row[~is_context]) - {0}


def test_held_out_examples_are_never_redrawn(text, vocab):
    once, redrawn = (load(text, vocab, resample=resample) for resample in (False, True))
    list(redrawn), list(redrawn)
    assert type(redrawn.held_out) is made.Minibatches and is_equal(once.held_out.examples, redrawn.held_out.examples)


def test_an_epoch_that_was_begun_goes_on_with_its_own_examples(text, vocab):
    data_iter = load(text, vocab, resample=True)
    begun, whole = data_iter.epoch(1), list(data_iter.epoch(1))
    next(begun), next(data_iter.epoch(2))
    assert all(is_equal(*pair) for pair in itertools.zip_longest(begun, whole[1:]))


def test_the_record_of_a_training_counts_each_epochs_own_minibatches(text, vocab):
    data_iter = load(text, vocab, resample=True, batch_size=10)
    history, counted = History(data_iter, 3, "cpu"), []
    with history.recording(None, lambda net: [np.zeros((2, 2))] * 2, print):
        for _ in range(3):
            counted.append(0)
            for batch in history.batches():
                history.add(np.ones(len(batch[0])), batch[2])
                counted[-1] += 1
            history.end_epoch(np.zeros(4))
    assert len(set(counted)) > 1 and history.bar.total == history.bar.n == sum(counted)
    xs, _ = history.curve.points["training"]
    assert len(xs) == 15 and xs[4::5] == [1, 2, 3]


def test_the_held_out_text_shares_the_vocabulary_and_not_the_examples(text, vocab):
    data_iter = load(text, vocab)
    assert 0 < len(data_iter.held_out.examples.centers) < 0.2 * len(data_iter.examples.centers)
    assert data_iter.held_out.examples.words.max() < len(vocab)


def test_fewer_than_five_batches_and_an_empty_held_out_part_are_fine(vocab, text):
    short = Text("short", text.sentences[:80], Sentences([]))
    data_iter = load(short, vocab, batch_size=10_000)
    assert len(data_iter) == len(list(data_iter)) == 1 and len(data_iter.held_out) == len(list(data_iter.held_out)) == 0


@pytest.mark.parametrize("lines", [["alone"], ["one", "two"], ["word " * 30], ["rare words only once"]])
def test_a_text_without_pairs_or_noise_words_is_an_error_that_says_what_to_do(lines):
    small = Text("small", Sentences(lines), Sentences([]))
    with pytest.raises(ValueError, match="use more text, or a lower min_freq"):
        load(small, Vocab(small.sentences, min_freq=2))


def test_batchify_takes_the_rows_it_is_given():
    found = made.Examples(np.array([1, 2]), np.array([2, 3, 4, 4, 5, 5, 1, 4, 5]), np.array([0, 6, 9]), 2)
    center, words, mask, label = batchify(found, np.array([1]))
    assert (center.tolist(), words.tolist(), mask.tolist(), label.tolist()) == ([[2]], [[1, 4, 5]], [[1, 1, 1]], [[1, 0, 0]])


@pytest.mark.parametrize("module", ["corpus", "examples", "vectors"])
def test_importing_the_numpy_modules_loads_no_framework(module):
    code = f"import sys, helpers.{module}; sys.exit(bool({{'torch', 'mxnet'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_describe_prints_size_share_of_unknown_and_commonest_words(capsys):
    sentences = Sentences(["a a a b b c"])
    made.describe(Text("tiny.txt", sentences, Sentences([])), Vocab(sentences, min_freq=2))
    assert capsys.readouterr().out == "corpus tiny.txt: 6 tokens, vocabulary 3, 16.7% unknown\ncommonest: a, b, c\n"
