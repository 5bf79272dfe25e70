"""Both frameworks against the NumPy reference, against each other, and against the seed document's own code."""

import functools
import importlib
import inspect
import math
import re
import signal

import numpy as np
import pytest

from helpers import model_pytorch
from helpers.examples import Examples, initial_tables
from helpers.training import Interrupted, blind_loss, frequency_loss, means
from tests.reference import loss_and_gradients, random_batch

VOCAB_SIZE, EMBED_SIZE = 30, 8


def new_tables(rng):
    return [rng.normal(0, 0.5, (VOCAB_SIZE, EMBED_SIZE)).astype(np.float32) for _ in range(2)]


def sgd(model, net, lr):
    if model is model_pytorch:
        return model_pytorch.torch.optim.SGD(net.parameters(), lr=lr)
    return model.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": lr})


def adam(model, net, lr):
    if model is model_pytorch:
        return model_pytorch.torch.optim.Adam(net.parameters(), lr=lr)
    return model.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": lr})


def in_framework(model, batch):
    return [model.to_tensor(array) for array in batch]


@pytest.mark.parametrize("seed", range(3))
def test_loss_and_both_gradients_equal_the_reference_under_sgd(model, seed):
    rng = np.random.default_rng(seed)
    start = new_tables(rng)
    batch = random_batch(rng, VOCAB_SIZE)
    losses, *gradients = loss_and_gradients(*(table.astype(np.float64) for table in start), *batch)
    net = model.model_from_tables(*start)
    found = model.train_batch(net, in_framework(model, batch), sgd(model, net, 1.0), model.get_device("cpu"))
    np.testing.assert_allclose([float(loss) for loss in found], losses, atol=1e-5)
    for before, after, gradient in zip(start, model.to_arrays(net), gradients):
        np.testing.assert_allclose(before - after, gradient, atol=1e-5)


def test_what_stands_under_the_mask_changes_nothing(model):
    rng = np.random.default_rng(3)
    net = model.model_from_tables(*new_tables(rng))
    center, words, mask, label = random_batch(rng, VOCAB_SIZE)
    other = np.where(mask > 0, words, rng.integers(1, VOCAB_SIZE, words.shape))
    assert (other != words).any()
    device = model.get_device("cpu")
    one, two = (model.batch_loss(net, in_framework(model, (center, w, mask, label)), device) for w in (words, other))
    one, two = (losses.detach() if model is model_pytorch else losses for losses in (one, two))
    assert [float(loss) for loss in one] == [float(loss) for loss in two]


def test_the_loss_gives_the_seed_documents_example(model):
    numbers = [[1.1, -2.2, 3.3, -4.4]] * 2, [[1.0, 0, 0, 0], [0, 1.0, 0, 0]], [[1.0, 1, 1, 1], [1.0, 1, 0, 0]]
    pred, label, mask = (model.to_tensor(np.array(rows, np.float32)) for rows in numbers)
    losses = model.SigmoidBCELoss()(pred, label, mask) * mask.shape[1] / mask.sum(axis=1)
    assert [round(float(loss), 4) for loss in losses] == [0.9352, 1.8462]


def test_skip_gram_scores_have_the_seed_documents_shape(model):
    net = model.new_model(20, 4, seed=0)
    ones = [model.to_tensor(np.ones(shape, np.int64)) for shape in ((2, 1), (2, 4))]
    assert tuple(model.skip_gram(*ones, net[0], net[1]).shape) == (2, 1, 4)


def test_both_modules_have_the_same_public_functions_and_signatures(model_mxnet):
    def public(module):
        defined = {name: thing for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__}
        functions = {name: thing for name, thing in defined.items() if not name.startswith("_") and inspect.isfunction(thing)}
        return {name: re.sub(" at 0x[0-9a-f]+", "", str(inspect.signature(thing))) for name, thing in functions.items()}

    assert public(model_pytorch) == public(model_mxnet)
    assert len(public(model_pytorch)) >= 12
    for module in (model_pytorch, model_mxnet):
        assert inspect.signature(module.SigmoidBCELoss.forward).parameters.keys() == {"self", "inputs", "target", "mask"}


def test_a_new_model_starts_from_numpys_values_in_both_frameworks(model):
    net = model.new_model(50, 7, seed=3)
    embed_v, embed_u = initial_tables(50, 7, seed=3)
    for found, wanted in zip(model.to_arrays(net), (embed_v, embed_u)):
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, wanted)
    assert not np.array_equal(embed_v, embed_u)
    assert np.abs(embed_v).max() <= math.sqrt(6 / 57) and np.abs(embed_v).max() > 0.95 * math.sqrt(6 / 57)


def test_minibatches_have_the_promised_dtypes_and_shapes(model, small_text):
    data_iter, vocab = model.load_data(small_text, 64, 3, 4, seed=1)
    ids = "torch.int64" if model is model_pytorch else "int32"
    floats = "torch.float32" if model is model_pytorch else "float32"
    batches = list(data_iter)
    assert len(batches) == len(data_iter)
    for center, words, mask, label in batches:
        kinds = [str(np.dtype(a.dtype)) if ids == "int32" else str(a.dtype) for a in (center, words, mask, label)]
        assert kinds == [ids, ids, floats, floats]
        assert tuple(center.shape) == (len(words), 1) and words.shape == mask.shape == label.shape
    rows = [len(batch[0]) for batch in batches]
    assert set(rows[:-1]) == {64} and 0 < rows[-1] <= 64
    assert sum(rows) == len(data_iter.examples.centers)


@pytest.fixture(scope="module")
def histories(small_text):
    """For each framework, the record and the tables of two runs with one seed, and of one that hardly learns."""

    @functools.cache
    def get(model):
        runs = []
        for lr in (0.01, 0.01, 1e-12):
            data_iter, vocab = model.load_data(small_text, 128, 5, 5, seed=5)
            net = model.new_model(len(vocab), 16, seed=5)
            runs.append((model.train(net, data_iter, lr, 3, "cpu"), model.to_arrays(net)))
        return runs

    return get


def falls(history):
    return history[-1].loss < 0.97 * history[0].loss


def test_the_loss_falls_by_three_percent_and_does_not_without_learning(model, histories):
    learned, _, idle = (history for history, _ in histories(model))
    assert falls(learned) and not falls(idle)
    assert learned[-1].held_out < blind_loss(5) < idle[-1].held_out
    assert abs(idle[0].loss - math.log(2)) < 1e-3


def test_the_same_seed_gives_the_same_bits(model, histories):
    (one, tables_one), (two, tables_two), _ = histories(model)
    assert [epoch.loss for epoch in one] == [epoch.loss for epoch in two]
    for first, second in zip(tables_one, tables_two):
        np.testing.assert_array_equal(first, second)


def test_both_frameworks_train_to_the_same_numbers(histories, model_mxnet):
    (one, tables_one), (two, tables_two) = histories(model_pytorch)[0], histories(model_mxnet)[0]
    for first, second in zip(one, two):
        assert first.loss == pytest.approx(second.loss, rel=1e-3)
        assert first.held_out == pytest.approx(second.held_out, rel=1e-3)
    for first, second in zip(tables_one, tables_two):
        assert np.corrcoef(first[1:].ravel(), second[1:].ravel())[0, 1] > 0.999


def test_the_step_is_what_is_handed_in_and_tables_of_chosen_epochs_are_kept(model, small_text):
    data_iter, vocab = model.load_data(small_text, 128, 5, 5)
    net, calls = model.new_model(len(vocab), 8, seed=0), []

    def counted(*arguments):
        calls.append(1)
        return model.train_batch(*arguments)

    start = model.to_arrays(net)[0]
    history = model.train(net, data_iter, 0.01, 2, "cpu", step=counted, keep=(0, 2))
    assert len(calls) == 2 * len(data_iter)
    assert list(history.tables) == [0, 2]
    np.testing.assert_array_equal(history.tables[0], start)
    np.testing.assert_array_equal(history.tables[2], model.to_arrays(net)[0])


def test_a_training_that_diverges_stops_at_that_step_and_has_the_last_epochs_tables(model, small_text):
    data_iter, vocab = model.load_data(small_text, 128, 5, 5)
    net, calls, kept = model.new_model(len(vocab), 8, seed=0), [], []

    def spoiled(net, batch, optimizer, device):
        calls.append(1)
        losses = model.train_batch(net, batch, optimizer, device)
        if len(calls) == len(data_iter):
            kept.append(model.to_arrays(net))
        if len(calls) == len(data_iter) + 3:
            model.set_arrays(net, [np.full_like(table, 100) for table in model.to_arrays(net)])
        return losses

    with pytest.raises(FloatingPointError, match="diverged.*choose a smaller lr; the model has the last good tables"):
        model.train(net, data_iter, 0.01, 5, "cpu", step=spoiled)
    assert len(calls) <= len(data_iter) + 5
    for found, wanted in zip(model.to_arrays(net), kept[0]):
        np.testing.assert_array_equal(found, wanted)


def test_ctrl_c_ends_a_training_at_a_whole_step(model, small_text):
    data_iter, vocab = model.load_data(small_text, 128, 5, 5)
    net, after = model.new_model(len(vocab), 8, seed=0), []

    def interrupted(net, batch, optimizer, device):
        if len(after) == 2:
            signal.raise_signal(signal.SIGINT)
        losses = model.train_batch(net, batch, optimizer, device)
        after.append(model.to_arrays(net))
        return losses

    usual = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="stopped after batch 3 of epoch 1; the model has what it learned"):
        model.train(net, data_iter, 0.01, 2, "cpu", step=interrupted)
    assert len(after) == 3 and signal.getsignal(signal.SIGINT) is usual
    np.testing.assert_array_equal(model.to_arrays(net)[0], after[-1][0])


def test_training_goes_on_from_where_the_model_is(model, small_text):
    data_iter, vocab = model.load_data(small_text, 128, 5, 5)
    net = model.new_model(len(vocab), 8, seed=0)
    first = model.train(net, data_iter, 0.01, 2, "cpu")
    more = model.train(net, data_iter, 0.01, 1, "cpu")
    assert more[0].loss < first[-1].loss


def test_rates_count_what_was_trained_in_the_time_it_took(model, small_text):
    data_iter, vocab = model.load_data(small_text, 128, 5, 5)
    history = model.train(model.new_model(len(vocab), 8, seed=0), data_iter, 0.01, 2, "cpu")
    for epoch in history:
        assert epoch.pairs_per_second * epoch.seconds == pytest.approx(data_iter.examples.num_pairs)
        assert epoch.centers_per_second * epoch.seconds == pytest.approx(len(data_iter.examples.centers))


def test_the_two_means_are_those_of_rows_and_of_valid_positions(model):
    from helpers.training import loss_totals

    losses, mask = np.array([1.0, 4.0], np.float32), np.array([[1, 1, 1], [1, 0, 0]], np.float32)
    assert means(loss_totals(model.to_tensor(losses), model.to_tensor(mask))) == pytest.approx((2.5, (3 * 1 + 1 * 4) / 4))


def test_the_loss_of_a_model_that_knows_word_frequencies_is_that_of_the_best_constant_of_each_word():
    words = np.array([1, 2, 2, 1, 2, 2, 2, 1, 2])  # rows of one context word and two noise words
    examples = Examples(np.array([3, 3, 3]), words, np.array([0, 3, 6, 9]), 2)
    shares = {1: (2 + 1 / 3) / (3 + 1), 2: (1 + 1 / 3) / (6 + 1)}
    answers = [(1, 1), (2, 0), (2, 0), (1, 1), (2, 0), (2, 0), (2, 1), (1, 0), (2, 0)]
    wanted = np.mean([-math.log(shares[word] if yes else 1 - shares[word]) for word, yes in answers])
    assert frequency_loss(examples, examples) == pytest.approx(wanted)
    assert examples.context_words().tolist() == [1, 1, 2]


def test_word_frequencies_say_less_than_training_and_more_than_nothing(histories, small_text):
    data_iter, _ = model_pytorch.load_data(small_text, 128, 5, 5, seed=5)
    known = frequency_loss(data_iter.examples, data_iter.held_out.examples)
    learned = histories(model_pytorch)[0][0]
    assert learned[-1].held_out_per_position < known < math.log(2)


def test_similar_tokens_are_those_of_gensim(model):
    from gensim.models import KeyedVectors

    from helpers.examples import Vocab

    rng = np.random.default_rng(0)
    vocab = Vocab([[f"word{number}" for number in range(40)]])
    table = rng.normal(size=(41, 6)).astype(np.float32)
    vectors = KeyedVectors(6)
    vectors.add_vectors(vocab.idx_to_token[1:], table[1:])
    net = model.model_from_tables(table, table)
    for word in ("word3", "word17"):
        wanted = vectors.most_similar(word, topn=39)
        found = model.get_similar_tokens(word, 39, net[0], vocab)
        assert [token for token, _ in found] == [token for token, _ in wanted]
        np.testing.assert_allclose([c for _, c in found], [c for _, c in wanted], atol=1e-5)


@pytest.mark.parametrize("framework", ["pytorch", "mxnet"])
def test_the_seed_documents_own_code_runs_unchanged(framework, small_text, monkeypatch, capsys):
    seed, model = (importlib.import_module(f"{name}_{framework}") for name in ("tests.seed", "helpers.model"))
    read_corpus = model.read_corpus
    monkeypatch.setattr(model, "read_corpus", lambda corpus: read_corpus(small_text))
    data_iter, seed.vocab = model.load_data_ptb(128, 5, 5)
    net = seed.new_net(len(seed.vocab), 16)
    seed.train(net, data_iter, 0.01, 2)
    seed.get_similar_tokens(seed.vocab.to_tokens(5), 3, net[0])
    printed = capsys.readouterr().out
    assert float(printed.split("loss ")[1].split(",")[0]) < 0.55
    assert printed.count("cosine sim=") == 3


def test_minibatches_are_the_same_in_both_frameworks(small_text, model_mxnet):
    loaded = [model.load_data(small_text, 100, 5, 5, seed=2)[0] for model in (model_pytorch, model_mxnet)]
    for one, two in zip(*loaded):
        for first, second in zip(one, two):
            np.testing.assert_array_equal(first.numpy(), second.asnumpy())
