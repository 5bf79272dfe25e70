"""Blocks on a device: draws that depend on the place alone, a wave's step against loops over scores, the kernel in Triton's interpreter.

No test here needs a GPU, and none was run on one: tensors lie on the CPU, where the same code runs.
"""

import importlib
import sys

import numpy as np
import pytest
import torch

from benchmarks.runs import in_a_process
from helpers import model_pytorch as model
from helpers.beyond import blocks_device as made
from helpers.beyond.blocks import BLOCK_SIZE, NOISE_PER_BLOCK, load_blocks, weight_table, word2vec_tables
from helpers.examples import keep_probability

WAVE = 16
MASK = 2**64 - 1


@pytest.fixture(scope="module")
def blocks(small_text):
    return load_blocks(small_text, 4, 5, seed=3)[0]


@pytest.fixture(scope="module")
def data(blocks):
    return made.DeviceBlocks(blocks, "cpu", WAVE)


@pytest.fixture(scope="module")
def kernel():
    """The module of the kernel, read anew for Triton's interpreter."""
    pytest.importorskip("triton", reason="Triton comes with PyTorch's CUDA wheels, which are not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_INTERPRET", "1")
        sys.modules.pop("helpers.beyond.block_kernel", None)
        yield importlib.import_module("helpers.beyond.block_kernel")
    sys.modules.pop("helpers.beyond.block_kernel", None)


def splitmix64(number):
    """The finalizer of SplitMix64 in Python's whole numbers."""
    z = number & MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def test_random_numbers_are_those_of_splitmix64():
    key = -1234567890123456789
    drawn = made.uniform(torch.tensor(key), torch.arange(500))
    wanted = [(splitmix64(key + 0x9E3779B97F4A7C15 * (place + 1)) >> 11) / 2**53 for place in range(500)]
    assert drawn.tolist() == wanted
    # the first outputs of the generator from the seed 1234567, as its authors' C program prints them
    first = made.mix(1234567 + made.GOLDEN * torch.arange(1, 4))
    assert [number & MASK for number in first.tolist()] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_random_numbers_are_uniform_and_neighbors_do_not_depend_on_each_other():
    drawn = made.uniform(torch.tensor(7), torch.arange(200_000)).numpy()
    assert 0 <= drawn.min() and drawn.max() < 1
    assert np.abs(np.histogram(drawn, 20, (0, 1))[0] / 10_000 - 1).max() < 0.05
    other = made.uniform(torch.tensor(8), torch.arange(200_000)).numpy()
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.01 and abs(np.corrcoef(drawn, other)[0, 1]) < 0.01


def same(one, other):
    return len(one) == len(other) and all(torch.equal(*arrays) for waves in zip(one, other) for arrays in zip(*waves))


def test_a_piece_is_always_the_same_and_every_epoch_and_seed_has_its_own(small_text, blocks, data):
    again = made.DeviceBlocks(blocks, "cpu", WAVE)
    other_seed = made.DeviceBlocks(load_blocks(small_text, 4, 5, seed=4)[0], "cpu", WAVE)
    again.waves(5, 0)
    assert same(data.waves(1, 0), again.waves(1, 0))
    assert not same(data.waves(1, 0), data.waves(2, 0)) and not same(data.waves(1, 0), other_seed.waves(1, 0))


def test_pieces_draw_what_the_whole_text_draws(blocks, data, monkeypatch):
    whole, _, _ = data.draw(1, 0)
    monkeypatch.setattr(made, "TOKENS_PER_DEVICE_PIECE", 10_000)
    parts = [data.draw(1, number)[0] for number in range(len(data))]
    assert len(parts) == 6 and torch.equal(torch.cat(parts), whole)
    noise = [data.draw_noise(1, number, 100) for number in range(2)]
    assert not torch.equal(*noise)


def test_words_are_kept_with_their_probability_and_windows_are_uniform_and_end_with_the_sentence(blocks, data):
    counted, reaches = np.zeros(len(blocks.counts)), []
    for epoch in range(30):
        ids, left, right = data.draw(epoch, 0)
        counted += np.bincount(ids, minlength=len(counted))
        reaches.append(torch.maximum(left, right))
    expected = 30 * keep_probability(blocks.counts) * blocks.counts
    assert np.abs(counted - expected)[1:].max() < 5 * np.sqrt(expected[1:].max()) and counted[0] == 0
    shares = np.bincount(torch.cat(reaches)) / len(torch.cat(reaches))
    np.testing.assert_allclose(shares[1:], 1 / 4, atol=0.02)


def test_each_center_gets_weights_for_the_words_of_its_window_and_no_other(monkeypatch, blocks, data):
    ids, left, right = data.draw(1, 0)
    # which sentence each kept word is of, by drawing again
    places = torch.arange(len(data.ids))
    sentence = data.sentence[data.uniform(1, made.SUBSAMPLING, places) < data.keep[data.ids]]
    waves, seen = data.waves(1, 0), 0
    for number, wave in enumerate(waves):
        weights = made.wave_weights(wave, 4, 5)
        for row in range(0, WAVE, 5):
            first = (row * len(waves) + number) * BLOCK_SIZE
            for place in range(BLOCK_SIZE):
                center, weight = first + place, weights[row, place]
                if center >= len(ids):
                    assert weight.sum() == 0
                    continue
                wanted = {}
                for other in range(max(0, center - left[center]), min(len(ids), center + right[center] + 1)):
                    if other != center:
                        assert sentence[other] == sentence[center]
                        wanted[other - first + 4] = 1.0
                context = weight[: BLOCK_SIZE + 8]
                assert {int(column): float(context[column]) for column in context.nonzero()} == wanted
                assert [int(wave.words[row, column]) for column in wanted] == [int(ids[first + column - 4]) for column in wanted]
                assert torch.allclose(weight[BLOCK_SIZE + 8 :], torch.full((NOISE_PER_BLOCK,), 5 * len(wanted) / NOISE_PER_BLOCK))
                seen += 1
    assert seen > 1000
    assert sum(int((wave.left + wave.right > 0).sum()) for wave in waves) <= len(ids)


def test_weights_are_those_of_the_table_that_the_processor_uses(data):
    wave, reaches = data.waves(0, 0)[0], 5
    patterns = (torch.arange(BLOCK_SIZE) * reaches + wave.left) * reaches + wave.right
    np.testing.assert_array_equal(made.wave_weights(wave, 4, 5), weight_table(4, 5)[patterns])


def test_noise_words_come_as_often_as_their_probability_says(blocks, data):
    drawn = np.bincount(data.draw_noise(0, 0, 20_000).flatten(), minlength=len(blocks.counts))
    expected = blocks.noise_probability * drawn.sum()
    assert drawn[0] == 0 and (((drawn - expected)[1:] ** 2) / expected[1:]).sum() < 1.3 * len(expected)  # chi-squared


def random_wave(rng, vocab_size, num_blocks, window):
    """Blocks whose words repeat, with reaches from 0 to the window; the last block is ragged."""
    reach = rng.integers(0, window + 1, (2, num_blocks, BLOCK_SIZE))
    reach[:, -1, 20:] = 0
    stretches = rng.integers(0, vocab_size, (num_blocks, BLOCK_SIZE + 2 * window))
    noise = rng.integers(0, vocab_size, (num_blocks, NOISE_PER_BLOCK))
    arrays = stretches[:, window : window + BLOCK_SIZE], *reach, np.hstack([stretches, noise])
    return made.Wave(*(torch.from_numpy(np.ascontiguousarray(array, np.int32)) for array in arrays))


def loss_of(tables, wave, window, num_noise_words, blocks):
    """The weighted loss of some blocks, score by score, and its gradients, in float64."""
    embed_v, embed_u = tables
    loss, gradients = 0.0, [np.zeros_like(table) for table in tables]
    for block in blocks:
        for place in range(BLOCK_SIZE):
            left, right = int(wave.left[block, place]), int(wave.right[block, place])
            center, positions = int(wave.centers[block, place]), window + place
            for column, word in enumerate(wave.words[block].tolist()):
                is_context = column < BLOCK_SIZE + 2 * window
                if is_context:
                    weight = float(column != positions and positions - left <= column <= positions + right)
                else:
                    weight = (left + right) * num_noise_words / NOISE_PER_BLOCK
                probability = 1 / (1 + np.exp(-(embed_v[center] @ embed_u[word])))
                loss -= weight * np.log(probability if is_context else 1 - probability)
                gradients[0][center] += weight * (probability - is_context) * embed_u[word]
                gradients[1][word] += weight * (probability - is_context) * embed_v[center]
    return loss, gradients


CASES = {  # vocabulary, blocks, window, size of a vector
    "windows of 5": (50, 3, 5, 20), "a vocabulary of two": (2, 2, 2, 16),
    "long windows, odd sizes": (9, 2, 7, 33), "one block": (30, 1, 1, 5),
}  # fmt: skip


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    vocab_size, num_blocks, window, embed_size = request.param
    rng = np.random.default_rng(vocab_size)
    tables = [torch.from_numpy(rng.normal(size=(vocab_size, embed_size)).astype(np.float32) / 4) for _ in range(2)]
    bounds = [torch.from_numpy(rng.choice([0.01, 1.0], vocab_size).astype(np.float32)) for _ in range(2)]
    return tables, bounds, random_wave(rng, vocab_size, num_blocks, window), window


def stepped(tables, bounds, wave, window, lr, blocks):
    """The tables after one step on some blocks together, by hand: each word with its own rate."""
    old = [np.asarray(table, np.float64) for table in tables]
    _, gradients = loss_of(old, wave, window, 5, blocks)
    return [table - np.minimum(bound, lr)[:, None] * gradient for table, bound, gradient in zip(old, map(np.asarray, bounds), gradients)]


def test_a_wave_is_one_step_of_gradient_descent_by_hand_no_word_faster_than_its_bound(case):
    tables, bounds, wave, window = case
    wanted = stepped(tables, bounds, wave, window, 0.05, range(len(wave.words)))
    made.train_wave(tables, bounds, wave, window, 5, 0.05)
    for table, other in zip(tables, wanted):
        np.testing.assert_allclose(table, other, rtol=0, atol=2e-6)


def test_the_kernel_takes_the_same_step_block_by_block(kernel, case):
    tables, bounds, wave, window = case
    wanted = tables
    for block in range(len(wave.words)):  # the interpreter runs its programs one after the other
        wanted = stepped(wanted, bounds, wave, window, 0.05, [block])
    kernel.train_wave_in_a_kernel(tables, bounds, wave, window, 5, 0.05)
    for table, other in zip(tables, wanted):
        np.testing.assert_allclose(table, other, rtol=0, atol=2e-6)


def compiled(capability):
    """The bytes of shared memory of a program, compiled for a card that is not here."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from helpers.beyond.block_kernel import step_of_a_block

    names = step_of_a_block.arg_names
    kinds = ["*fp32"] * 4 + ["*i32"] * 4 + ["fp32"] * 2 + ["i32"] * 2 + ["constexpr"] * 4
    sizes = {"BLOCK": BLOCK_SIZE, "WINDOW": 5, "COLUMNS": 64, "WIDTH": 128}
    constants = {(names.index(name),): size for name, size in sizes.items()}
    source = ASTSource(fn=step_of_a_block, signature=dict(zip(names, kinds)), constexprs=constants)
    program = triton.compile(source, target=GPUTarget("cuda", capability, 32), options={"num_warps": 8})
    assert program.asm["cubin"]
    return program.metadata.shared


@pytest.mark.slow
@pytest.mark.parametrize("capability", [75, 80, 90], ids=["T4", "A100", "H100"])
def test_the_kernel_compiles_for_cards_and_fits_into_their_shared_memory(capability, tmp_path):
    pytest.importorskip("triton", reason="Triton comes with PyTorch's CUDA wheels, which are not installed")
    shared = in_a_process(compiled, capability, TRITON_CACHE_DIR=str(tmp_path), TRITON_INTERPRET="0")
    assert 0 < shared <= 64 * 1024


def test_the_totals_of_a_wave_are_those_of_its_scores(case):
    tables, _, wave, window = case
    totals = made.wave_totals(tables, wave, window, 5).numpy()
    loss, _ = loss_of([np.asarray(table, np.float64) for table in tables], wave, window, 5, range(len(wave.words)))
    reached = (wave.left + wave.right).numpy()
    assert totals[2] == pytest.approx(loss, rel=1e-5)
    assert totals[1] == (reached > 0).sum() and totals[3] == pytest.approx(6 * reached.sum(), rel=1e-6)


def test_the_bounds_hold_the_weight_of_a_word_in_a_wave_times_its_rate(blocks, data):
    """Counted over an epoch: what a word's scores weigh in a wave on average, times its bound, is MOST_WEIGHT."""
    weights, num_waves = [np.zeros(len(blocks.counts)) for _ in range(2)], 0
    for epoch in range(20):
        for wave in data.waves(epoch, 0)[:-1]:  # the last is padded
            found = made.wave_weights(wave, 4, 5).numpy()
            np.add.at(weights[0], wave.centers.numpy(), found.sum(axis=2))
            np.add.at(weights[1], wave.words.numpy(), found.sum(axis=1))
            num_waves += 1
    common = np.argsort(-blocks.counts)[:200]
    for weight, bound in zip(weights, made.rate_bounds(blocks, WAVE)):
        product = (weight / num_waves * bound)[common]
        assert 0.75 * made.MOST_WEIGHT < product.mean() < made.MOST_WEIGHT  # less, since windows are cut where sentences end


def test_more_blocks_at_once_leave_less_of_the_rate_and_a_long_training_allows_so_many(blocks, capsys):
    shares = [made.share_of_rates(blocks, number, 0.05) for number in (8, 64, 512, 4096)]
    assert shares == sorted(shares, reverse=True) and shares[0] <= 1
    chosen = made.choose_blocks_per_wave(blocks, 0.05, 1000)
    assert made.share_of_rates(blocks, chosen, 0.05) >= made.LEAST_SHARE > made.share_of_rates(blocks, 2 * chosen, 0.05)
    assert made.choose_blocks_per_wave(blocks, 0.025, 1000) > chosen and capsys.readouterr().out == ""
    assert made.choose_blocks_per_wave(blocks, 5.0, 1000) == made.FEWEST_BLOCKS
    assert "allows 1 blocks at once, at lr 5.0 in 1000 epochs: too few for a GPU" in capsys.readouterr().out


def test_a_short_training_gets_so_few_blocks_at_once_that_its_waves_are_enough(blocks):
    def waves_per_epoch(number):
        data = made.DeviceBlocks(blocks, "cpu", number)
        return np.mean([len(data.waves(epoch, 0)) for epoch in range(5)])

    chosen = made.choose_blocks_per_wave(blocks, 0.01, 40)
    assert made.FEWEST_BLOCKS < chosen < made.choose_blocks_per_wave(blocks, 0.01, 400)
    assert 40 * waves_per_epoch(chosen) >= made.FEWEST_WAVES > 40 * (waves_per_epoch(2 * chosen) - 1)


def trained(blocks, num_epochs=3, **settings):
    net = model.model_from_tables(*word2vec_tables(len(blocks.counts), 16, seed=0))
    history = made.train_on_device(net, blocks, 0.1, num_epochs, "cpu", **settings)
    return history, model.to_arrays(net)


def test_training_learns_the_topics_of_the_text_and_gives_the_same_bits_twice_on_the_processor(blocks):
    history, tables = trained(blocks)
    again, other = trained(blocks)
    assert history[-1].held_out < history[0].held_out < np.log(2) and history[-1].loss < 0.44
    for one, two in zip(tables, other):
        np.testing.assert_array_equal(one, two)
    assert [epoch.loss for epoch in history] == [epoch.loss for epoch in again]


def test_a_training_that_was_stopped_resumes_to_the_same_bits(blocks, tmp_path, monkeypatch):
    monkeypatch.setattr(made, "TOKENS_PER_DEVICE_PIECE", 10_000)
    path, seen, usual = tmp_path / "c.safetensors", [], made.wave_totals
    _, wanted = trained(blocks)

    def stop(*arguments):
        seen.append(1)
        if len(seen) == 20:
            raise KeyboardInterrupt
        return usual(*arguments)

    monkeypatch.setattr(made, "wave_totals", stop)
    with pytest.raises(KeyboardInterrupt):
        trained(blocks, checkpoint_path=path)
    monkeypatch.setattr(made, "wave_totals", usual)
    _, tables = trained(blocks, checkpoint_path=path)
    for one, two in zip(tables, wanted):
        np.testing.assert_array_equal(one, two)
    with pytest.raises(ValueError, match="method is 'waves of .* blocks"):
        trained(blocks, checkpoint_path=path, blocks_per_wave=16)


def test_a_rate_far_too_large_stops_the_training_and_leaves_the_good_tables(blocks):
    net = model.model_from_tables(*word2vec_tables(len(blocks.counts), 16, seed=0))
    before = model.to_arrays(net)
    with pytest.raises(FloatingPointError, match="choose a smaller lr"):
        made.train_on_device(net, blocks, 1e6, 2, "cpu", blocks_per_wave=1)
    for one, two in zip(model.to_arrays(net), before):
        np.testing.assert_array_equal(one, two)


def test_workers_are_refused_on_a_device(blocks):
    from helpers.beyond.blocks_pytorch import train_blocks

    with pytest.raises(ValueError, match="num_workers must be 1 on cuda, not 2"):
        train_blocks(None, blocks, 0.05, 1, num_workers=2, device="cuda")
