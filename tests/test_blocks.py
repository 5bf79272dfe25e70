"""The block trainer: its windows and weights by brute force, its step against a loop over scores, in both frameworks."""

import functools
import itertools
import os
import signal
import threading
import time

import numpy as np
import pytest

from helpers import model_pytorch
from helpers.beyond import blocks as made
from helpers.beyond.blocks import BLOCK_SIZE, BLOCKS_PER_UPDATE, NOISE_PER_BLOCK, load_blocks
from helpers.beyond.processes import Workers, one_thread
from helpers.examples import generator, subsample
from helpers.training import blind_loss
from tests.training import beyond

CENTERS = BLOCK_SIZE * BLOCKS_PER_UPDATE


@pytest.fixture(scope="module")
def loaded(small_text):
    return load_blocks(small_text, 4, 5, seed=3)


def piece_by_hand(blocks, epoch, number):
    """The kept words of a piece, the number of each one's sentence, and the reach that each was drawn."""
    rng = generator(blocks.seed, "blocks", epoch, number)
    part = slice(number * made.TOKENS_PER_PIECE, (number + 1) * made.TOKENS_PER_PIECE)
    centers, sentence = subsample(blocks.ids[part], blocks.sentence[part], blocks.counts, rng)
    return centers, sentence, *made.get_reach(sentence, blocks.max_window_size, rng)


def test_reach_is_a_uniform_window_cut_at_the_sentence():
    sentence = np.repeat([4, 5, 7], [1, 2, 20_000])
    left, right = made.get_reach(sentence, 5, np.random.default_rng(0))
    assert (left[0], right[0]) == (0, 0) and (left[1], right[1], left[2], right[2]) == (0, 1, 1, 0)
    inner = slice(3 + 5, -5)
    np.testing.assert_array_equal(left[inner], right[inner])
    np.testing.assert_allclose(np.bincount(left[inner], minlength=6)[1:] / 20_000, 1 / 5, atol=0.02)


def test_the_weighted_context_words_of_each_center_are_those_of_its_window(loaded):
    blocks, _ = loaded
    centers, sentence, left, right = piece_by_hand(blocks, 2, 1)
    piece, vocab_size = blocks.piece(2, 1), len(blocks.counts)
    words = piece.ids[:, CENTERS:].reshape(-1, len(blocks.label)) - vocab_size
    laid_out, weights = piece.ids[:, :CENTERS].reshape(-1, BLOCK_SIZE), blocks.weights[piece.patterns.reshape(-1, BLOCK_SIZE)]
    assert 0 < words[:, -NOISE_PER_BLOCK:].min() and words[:, -NOISE_PER_BLOCK:].max() < vocab_size
    for number in range(len(words)):  # of the block, in the order of the text
        row = number % len(piece.ids) * BLOCKS_PER_UPDATE + number // len(piece.ids)
        for place in range(BLOCK_SIZE):
            weight, center = weights[row, place], number * BLOCK_SIZE + place
            if center >= len(centers):
                assert not weight.any(), "padding must have no weight"
                continue
            first, last = center - left[center], center + right[center]
            wanted = [centers[other] for other in range(first, last + 1) if other != center]
            assert laid_out[row, place] == centers[center]
            assert sentence[first] == sentence[center] == sentence[last]
            assert sorted(words[row][(weight == 1) & (blocks.label == 1)]) == sorted(wanted)
            assert weight[-NOISE_PER_BLOCK:].sum() == pytest.approx(blocks.num_noise_words * len(wanted))
            assert weight[:-NOISE_PER_BLOCK].sum() == len(wanted)


def test_an_update_takes_its_blocks_from_all_over_the_piece(loaded):
    blocks, _ = loaded
    centers = piece_by_hand(blocks, 0, 0)[0]
    piece = blocks.piece(0, 0)
    for block in range(BLOCKS_PER_UPDATE - 1):
        start = block * len(piece.ids) * BLOCK_SIZE
        np.testing.assert_array_equal(piece.ids[0, block * BLOCK_SIZE : (block + 1) * BLOCK_SIZE], centers[start : start + BLOCK_SIZE])


def test_every_epoch_draws_anew_and_each_piece_always_the_same(loaded):
    blocks, _ = loaded
    one, again, other = blocks.piece(0, 0), blocks.piece(0, 0), blocks.piece(1, 0)
    np.testing.assert_array_equal(one.ids, again.ids)
    assert one.ids.shape != other.ids.shape or (one.ids != other.ids).any()


def test_workers_share_the_pieces_out_with_rates_that_fall_in_a_line_to_0(loaded):
    blocks, _ = loaded
    assert len(blocks) > 1

    def of(epoch, *place):
        return [(piece.ids.tobytes(), rate) for piece, rate in blocks.pieces_and_rates(0.1, 3, epoch, *place)]

    alone = of(0) + of(1) + of(2)
    assert sorted(of(1, 0, 0, 2) + of(1, 0, 1, 2)) == sorted(of(1))
    np.testing.assert_allclose([rate for _, rate in alone], 0.1 * (1 - np.arange(len(alone)) / len(alone)))


def by_hand(tables, piece, weights, label, rate):
    """One step after the other, a score at a time; returns the totals of the loss before any step."""
    totals = np.zeros(4)
    start, weights = tables.copy(), weights.astype(np.float64)
    for ids, patterns in zip(piece.ids, piece.patterns):
        steps = np.zeros_like(tables)
        for place in range(CENTERS):
            block = CENTERS + place // BLOCK_SIZE * len(label)
            loss = 0
            for column, weight in enumerate(weights[patterns[place]]):
                center, word = ids[place], ids[block + column]
                p_true = 1 / (1 + np.exp(-tables[center] @ tables[word]))
                derivative = (p_true - label[column]) * weight
                steps[center] -= rate * derivative * tables[word]
                steps[word] -= rate * derivative * tables[center]
                first = 1 / (1 + np.exp(-start[center] @ start[word]))
                loss -= weight * np.log(first if label[column] else 1 - first)
            if valid := weights[patterns[place]].sum():
                totals += loss / valid, 1, loss, valid
        tables += steps
    return totals


def test_a_piece_is_trained_as_by_hand_and_its_loss_too(model, loaded):
    blocks, vocab = loaded
    piece = made.Piece(*(array[:3] for array in blocks.piece(0, 0)))
    tables = np.random.default_rng(0).normal(0, 0.4, (2 * len(vocab), 6)).astype(np.float32)
    wanted = tables.astype(np.float64)
    totals = by_hand(wanted, piece, blocks.weights, blocks.label, 0.05)
    found = model.to_tensor(tables.copy())
    np.testing.assert_allclose(beyond(model, "blocks").block_totals(found, piece, blocks), totals, rtol=1e-5)
    beyond(model, "blocks").train_piece(found, piece, blocks, 0.05)
    found = found.numpy() if model is model_pytorch else found.asnumpy()
    assert np.abs(wanted - tables).max() > 0.05
    np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_a_sample_stands_for_the_whole_piece(loaded):
    piece = loaded[0].piece(0, 0)
    sample, share = piece.sample()
    assert len(sample.ids) == pytest.approx(share * len(piece.ids)) and 0 < share < 0.1


def trained(model, small_text, lr=0.1, num_epochs=3, **options):
    blocks, vocab = load_blocks(small_text, 5, 5, seed=1)
    net = model.model_from_tables(*made.word2vec_tables(len(vocab), 16, seed=1))
    return beyond(model, "blocks").train_blocks(net, blocks, lr, num_epochs, **options), model.to_arrays(net)


@pytest.fixture(scope="module")
def runs(small_text):
    return functools.cache(lambda model: [trained(model, small_text) for _ in range(2)])


def test_the_loss_falls_and_the_same_seed_gives_the_same_bits(model, runs):
    (one, tables_one), (two, tables_two) = runs(model)
    assert one[-1].loss < 0.97 * one[0].loss and one[-1].held_out < blind_loss(5) < one[0].loss
    assert [epoch[:4] for epoch in one] == [epoch[:4] for epoch in two]
    for first, second in zip(tables_one, tables_two):
        np.testing.assert_array_equal(first, second)


def test_both_frameworks_train_blocks_to_the_same_numbers(runs, model_mxnet):
    (one, tables_one), (two, tables_two) = runs(model_pytorch)[0], runs(model_mxnet)[0]
    for first, second in zip(one, two):
        assert first[:4] == pytest.approx(second[:4], rel=1e-4)
    for first, second in zip(tables_one, tables_two):
        np.testing.assert_allclose(first, second, atol=1e-3)


def test_two_processes_on_shared_tables_learn_as_well(small_text):
    alone, together = (trained(model_pytorch, small_text, 0.05, 6, num_workers=number)[0] for number in (1, 2))
    assert together[-1].held_out < together[0].held_out and together[-1].held_out < 0.7 * blind_loss(5)
    assert together[-1].held_out == pytest.approx(alone[-1].held_out, rel=0.1)


def test_mxnet_says_that_it_has_no_workers(model_mxnet, small_text):
    with pytest.raises(ValueError, match="num_workers must be 1, not 2"):
        trained(model_mxnet, small_text, num_workers=2)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_training_that_diverges_says_so_and_leaves_the_model_as_it_was(model, small_text, num_workers):
    if model is not model_pytorch and num_workers == 2:
        return
    blocks, vocab = load_blocks(small_text, 5, 5)
    start = made.word2vec_tables(len(vocab), 16, seed=1)
    net = model.model_from_tables(*start)
    with pytest.raises(FloatingPointError, match="diverged.*choose a smaller lr"):
        beyond(model, "blocks").train_blocks(net, blocks, 50, 3, num_workers)
    for before, after in zip(start, model.to_arrays(net)):
        np.testing.assert_array_equal(before, after)


def test_a_training_that_is_stopped_leaves_what_it_learned(model):
    net = model.new_model(20, 4, seed=0)
    before = model.to_arrays(net)
    with pytest.raises(KeyboardInterrupt), beyond(model, "blocks").joined_tables(net) as tables:
        tables += 1
        raise KeyboardInterrupt
    for old, new in zip(before, model.to_arrays(net)):
        np.testing.assert_allclose(new, old + 1)


def work(job, worker, num_workers):
    yield job, worker, num_workers
    if job == "be killed" and worker:
        os._exit(1)
    if job == "fail":
        raise ValueError(f"worker {worker} of {num_workers}")
    if job != "count":
        time.sleep(60)


def test_workers_do_one_job_after_the_other():
    with Workers(2, work) as workers:
        for _ in range(2):
            assert sorted(workers.run("count")) == [("count", 0, 2), ("count", 1, 2)]


@pytest.mark.parametrize("job, error", [("be killed", RuntimeError), ("fail", ValueError)])
def test_a_worker_that_is_killed_or_fails_ends_the_others_with_an_error(job, error):
    start = time.monotonic()
    with pytest.raises(error, match="worker process was killed|worker . of 2"), Workers(2, work) as workers:
        list(workers.run(job))
    assert time.monotonic() - start < 30
    assert not any(process.is_alive() for process in workers.processes)


@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_worker_that_is_killed_before_it_takes_its_next_job_is_told_in_words(meanwhile):
    with pytest.raises(RuntimeError, match="worker process was killed"), Workers(2, work) as workers:
        list(workers.run("count"))
        os.kill(workers.processes[1].pid, signal.SIGSTOP)
        killer = threading.Timer(0.3, workers.processes[1].kill)
        killer.start()
        if not meanwhile:
            workers.processes[1].join()
        list(workers.run("count"))


def test_one_worker_shares_no_memory_and_several_say_what_they_need_before_they_start(small_text, monkeypatch):
    def full(_):
        raise RuntimeError("unable to allocate shared memory(shm): No space left on device (28)")

    monkeypatch.setattr(model_pytorch.torch.Tensor, "share_memory_", full)
    trained(model_pytorch, small_text, 0.05, 1, num_workers=1)
    monkeypatch.setattr(Workers, "__enter__", None)
    with pytest.raises(RuntimeError, match=r"2 workers need 0.\d MB of shared memory for the tables.*: one worker needs none"):
        trained(model_pytorch, small_text, 0.05, 1, num_workers=2)


def test_one_thread_is_for_the_training_only():
    before = model_pytorch.torch.get_num_threads()
    with one_thread():
        assert model_pytorch.torch.get_num_threads() == 1
    assert model_pytorch.torch.get_num_threads() == before


def test_a_text_smaller_than_a_block_can_be_trained_on(model, tmp_path):
    path = tmp_path / "tiny.txt"
    words = ["".join(letters) for letters in itertools.product("abcdefgh", repeat=3)]
    path.write_text("\n".join([" ".join(words)] * 2))
    blocks, vocab = load_blocks(path, 5, 5, min_freq=1)
    history = beyond(model, "blocks").train_blocks(model.new_model(len(vocab), 4, seed=0), blocks, 0.1, 2)
    assert [epoch.loss for epoch in history] == pytest.approx([np.log(2)] * 2, rel=0.1)


def test_a_text_of_which_subsampling_leaves_nothing_is_named(model, tmp_path):
    path = tmp_path / "few.txt"
    path.write_text("one two three\n" * 4)
    blocks, vocab = load_blocks(path, 5, 5, min_freq=1)
    with pytest.raises(ValueError, match="subsampling left no pair of words of corpus few.txt"):
        beyond(model, "blocks").train_blocks(model.new_model(len(vocab), 4, seed=0), blocks, 0.1, 2)


def test_a_text_without_a_pair_of_words_is_named(tmp_path):
    path = tmp_path / "lonely.txt"
    path.write_text("one\ntwo\nthree\n")
    with pytest.raises(ValueError, match="has no pair of words to train on"):
        load_blocks(path, 5, 5, min_freq=1)


def test_mxnet_selects_rows_whatever_it_can_count_at_once(model_mxnet, monkeypatch):
    from helpers.beyond.selections import selections

    ids = np.random.default_rng(0).integers(0, 9, (5, 4))
    wanted = np.eye(9, dtype=np.float32)[ids]
    for most in (2**31 - 1, 4 * 9 * 2, 4 * 9):
        monkeypatch.setattr("helpers.beyond.selections.MOST_PLACES", most)
        np.testing.assert_array_equal([found.asnumpy() for found in selections(ids, 9)], wanted)
    monkeypatch.setattr("helpers.beyond.selections.MOST_PLACES", 4 * 9 - 1)
    with pytest.raises(ValueError, match="can't select from 9 rows: take a larger min_freq"):
        next(selections(ids, 9))


def test_blocks_of_a_large_vocabulary_can_be_trained_on(model, loaded):
    rng, (blocks, _) = np.random.default_rng(0), loaded
    piece, many = blocks.piece(0, 0), 40_000  # so many that MXNet can't count one matrix for the whole piece
    laid = made.Piece(rng.integers(0, 2 * many, piece.ids.shape), piece.patterns)
    tables = model.to_tensor(rng.normal(0, 0.1, (2 * many, 2)).astype(np.float32))
    before = tables.numpy().copy() if model is model_pytorch else tables.asnumpy()
    beyond(model, "blocks").train_piece(tables, laid, blocks, 0.01)
    after = tables.numpy() if model is model_pytorch else tables.asnumpy()
    assert np.isfinite(after).all() and (after != before).any()
