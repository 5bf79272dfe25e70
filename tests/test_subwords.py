"""Words from their n-grams: hashes against gensim's, a training step against a loop and against autograd, files and questions."""

import contextlib
import io

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from gensim.models.fasttext import compute_ngrams_bytes, ft_hash_bytes, ft_ngram_hashes
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from benchmarks import subwords as study
from helpers.beyond import subwords_pytorch
from helpers.beyond.blocks import BLOCK_SIZE, Piece, load_blocks
from helpers.beyond.blocks_pytorch import train_piece
from helpers.beyond.subwords import MAX_N, MIN_N, NUM_BUCKETS, buckets_of, hash_of, ngrams, rows_of_words, unseen_vector
from helpers.beyond.subwords_pytorch import add_to_rows, means_of_rows, subword_tables, train_subword_blocks, train_subword_piece
from helpers.beyond.talmud import write_talmud
from helpers.beyond.vector_files import read_subwords, read_vectors, write_subwords, write_table
from helpers.tools.vectors import main
from helpers.vectors import Vectors, load_vectors, vocab_of


def random_words(count):
    """Words of 1 to 12 characters from all of Unicode, surrogates aside, a third of them of letters alone."""
    rng = np.random.default_rng(0)
    ranges = (0x61, 0x7B), (0x5D0, 0x5EB), (1, 0xD800), (0xE000, 0x110000)
    words = []
    for number in range(count):
        low, high = ranges[number % 4]
        words.append("".join(map(chr, rng.integers(low, high, rng.integers(1, 13)))))
    return words


def test_ngrams_hashes_and_buckets_are_fasttexts_on_ten_thousand_random_words():
    for word in random_words(10_000):
        wanted = compute_ngrams_bytes(word, MIN_N, MAX_N)
        assert [ngram.encode() for ngram in ngrams(word)] == wanted, ascii(word)
        assert [hash_of(ngram) for ngram in ngrams(word)] == list(map(ft_hash_bytes, wanted)), ascii(word)
        assert buckets_of(word).tolist() == ft_ngram_hashes(word, MIN_N, MAX_N, NUM_BUCKETS), ascii(word)


def test_the_ngrams_of_a_word_by_hand():
    assert ngrams("where", 3, 3) == ["<wh", "whe", "her", "ere", "re>"]
    assert ngrams("a") == ["<a>"] and ngrams("") == []
    assert hash_of("") == 2166136261 and hash_of("a") == 0xE40C292C  # as published with FNV-1a


TOKENS = ["<unk>", "banana", "ban", "nab", "ananas", "where", "here", "her"]


@pytest.fixture
def subwords():
    return rows_of_words(TOKENS)


def test_a_word_is_made_of_its_own_row_and_one_for_each_ngram(subwords):
    assert (np.diff(subwords.buckets) > 0).all()
    for word, token in enumerate(TOKENS):
        rows = subwords.members[word].indices
        own = buckets_of(token) if word else []
        assert rows[0] == word
        np.testing.assert_array_equal(subwords.buckets[rows[1:] - len(TOKENS)], own)


def test_means_and_sums_over_rows_are_those_of_a_dense_matrix(subwords):
    rng = np.random.default_rng(0)
    chosen = subwords.members[[1, 4, 6]]
    dense = torch.from_numpy(chosen.toarray())
    rows = torch.from_numpy(rng.normal(size=(dense.shape[1], 5)).astype(np.float32))
    assert dense.max() == 1 or dense.max() == 2  # "banana" has "ana" twice
    torch.testing.assert_close(means_of_rows(chosen, rows), dense @ rows / dense.sum(axis=1, keepdims=True))
    changes = torch.from_numpy(rng.normal(size=(3, 5)).astype(np.float32))
    wanted = rows + dense.T @ changes
    add_to_rows(chosen, rows, changes)
    torch.testing.assert_close(rows, wanted)


@pytest.fixture(scope="module")
def made(small_text):
    """Blocks of the small text, its members, and rows and tables with contexts that are not 0."""
    with contextlib.redirect_stdout(io.StringIO()):
        blocks, vocab = load_blocks(small_text, 4, 5, seed=3)
    members = rows_of_words(vocab.idx_to_token).members
    rows, tables = subword_tables(members, 8, 3)
    rng = np.random.default_rng(1)
    tables[len(vocab) :] = torch.from_numpy(rng.normal(size=(len(vocab), 8)).astype(np.float32))
    rows *= 20
    return blocks, members, rows, tables


def steps_by_hand(rows, members, tables, piece, blocks, lr):
    """An update after the other, a center at a time: every row of a center gets the whole step of its mean."""
    rows, contexts = rows.astype(np.float64), tables[members.shape[0] :].astype(np.float64)
    num_words, label = members.shape[0], blocks.label
    for ids, patterns in zip(piece.ids, piece.patterns):
        row_steps, context_steps = np.zeros_like(rows), np.zeros_like(contexts)
        words = ids[len(patterns) :].reshape(-1, len(label)) - num_words
        for place, pattern in enumerate(patterns):
            own = members[ids[place]].indices
            v, u = rows[own].mean(axis=0), contexts[words[place // BLOCK_SIZE]]
            derivative = (1 / (1 + np.exp(-u @ v)) - label) * blocks.weights[pattern]
            np.add.at(row_steps, own, -lr * derivative @ u)
            np.add.at(context_steps, words[place // BLOCK_SIZE], -lr * derivative[:, None] * v)
        rows, contexts = rows + row_steps, contexts + context_steps
    return rows, contexts


def test_with_rounds_of_one_update_a_step_is_that_of_a_loop_over_centers(made, monkeypatch):
    monkeypatch.setattr(subwords_pytorch, "LR_PER_ROUND", 0)
    blocks, members, rows, tables = made
    piece = Piece(*(array[:3] for array in blocks.piece(0, 0)))
    wanted, contexts = steps_by_hand(rows.numpy(), members, tables.numpy(), piece, blocks, 0.02)
    rows, tables = rows.clone(), tables.clone()
    train_subword_piece(rows, members, tables, piece, blocks, 0.02)
    np.testing.assert_allclose(rows, wanted, atol=2e-5)
    np.testing.assert_allclose(tables[members.shape[0] :], contexts, atol=2e-5)


def test_a_step_is_what_autograd_says_but_for_the_number_of_rows_by_which_fasttext_does_not_divide(made, monkeypatch):
    monkeypatch.setattr(subwords_pytorch, "LR_PER_ROUND", 0)
    blocks, members, rows, tables = made
    piece = Piece(*(array[:1] for array in blocks.piece(0, 0)))
    dense = torch.from_numpy(members.toarray())
    leaf = rows.clone().requires_grad_()
    means, sums = dense @ leaf / dense.sum(axis=1, keepdims=True), dense @ leaf
    center = means.detach() + sums - sums.detach()  # the mean's value with the sum's gradient
    ids, patterns = torch.from_numpy(piece.ids[0]), torch.from_numpy(piece.patterns[0])
    v = center[ids[: len(patterns)]].unflatten(0, (-1, BLOCK_SIZE))
    u = tables[ids[len(patterns) :]].unflatten(0, (len(v), -1))
    scores = torch.bmm(v, u.mT).flatten(0, 1)
    weight, label = torch.from_numpy(blocks.weights)[patterns], torch.from_numpy(blocks.label).expand_as(scores)
    torch.nn.functional.binary_cross_entropy_with_logits(scores, label, weight, reduction="sum").backward()
    trained, tables = rows.clone(), tables.clone()
    train_subword_piece(trained, members, tables, piece, blocks, 0.02)
    torch.testing.assert_close(trained - rows, -0.02 * leaf.grad, atol=1e-5, rtol=1e-4)


def test_words_without_ngrams_train_as_whole_words_do(made):
    blocks, _, _, tables = made
    members = rows_of_words(["<unk>"] * len(blocks.counts)).members
    tables, piece = tables.clone(), blocks.piece(0, 0)
    plain, rows = tables.clone(), tables[: members.shape[0]].clone()
    train_piece(plain, piece, blocks, 0.05)
    train_subword_piece(rows, members, tables, piece, blocks, 0.05)
    torch.testing.assert_close(tables, plain, atol=1e-5, rtol=1e-4)


def train(small_text, lr=0.02):
    blocks, vocab = load_blocks(small_text, 4, 5, seed=1)
    found = rows_of_words(vocab.idx_to_token)
    rows, tables = subword_tables(found.members, 16, 1)
    before = rows.clone(), tables.clone()
    return rows, tables, found.members, before, lambda: train_subword_blocks(rows, found.members, tables, blocks, lr, 2)


def test_the_same_seed_gives_the_same_bits_and_the_loss_falls(small_text):
    runs = []
    for _ in range(2):
        rows, tables, members, _, work = train(small_text)
        history = work()
        assert history[1].held_out < history[0].held_out < np.log(2)
        means = means_of_rows(members, rows)
        torch.testing.assert_close(tables[: len(means)], means)
        runs.append((rows, tables))
    assert torch.equal(runs[0][0], runs[1][0]) and torch.equal(runs[0][1], runs[1][1])


def test_a_training_that_diverges_says_so_and_leaves_the_values_before_it(small_text):
    rows, tables, _, before, work = train(small_text, lr=50.0)
    with pytest.raises(FloatingPointError, match="diverged.*smaller lr"):
        work()
    assert torch.equal(rows, before[0]) and torch.equal(tables, before[1])


def test_a_word_that_nobody_saw_is_the_mean_of_the_ngrams_that_are_known(subwords):
    ngram_rows = np.arange(3 * len(subwords.buckets), dtype=np.float32).reshape(-1, 3)
    known = [bucket for bucket in buckets_of("wherever") if bucket in subwords.buckets]
    wanted = np.mean([ngram_rows[subwords.buckets.tolist().index(bucket)] for bucket in known], axis=0)
    found, number = unseen_vector("wherever", subwords.buckets, ngram_rows)
    np.testing.assert_allclose(found, wanted)
    assert number == len(known) < len(ngrams("wherever"))
    with pytest.raises(LookupError, match="no n-gram of 'xyz'"):
        unseen_vector("xyz", subwords.buckets, ngram_rows)
    for bad in ("", "\ud800", "x" * 2000, None):
        with pytest.raises(ValueError, match="a word is a text"):
            unseen_vector(bad, subwords.buckets, ngram_rows)


@pytest.fixture
def file(subwords, tmp_path):
    """A file in which the vector of each word of TOKENS is the mean of its n-grams' rows."""
    ngram_rows = np.random.default_rng(0).normal(size=(len(subwords.buckets), 8)).astype(np.float32)
    embed_v = np.stack([np.zeros(8), *(unseen_vector(token, subwords.buckets, ngram_rows)[0] for token in TOKENS[1:])]).astype(np.float32)
    vectors = Vectors(embed_v, -embed_v, TOKENS, {"lr": 0.1}, {1: embed_v})
    path = tmp_path / "words.safetensors"
    write_subwords(path, vectors, subwords.buckets, ngram_rows)
    return path, vectors, ngram_rows


def ask(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_file_with_ngrams_is_read_as_any_other_and_keeps_them_in_a_copy(file, subwords):
    path, vectors, ngram_rows = file
    copy = path.with_name("copy.safetensors")
    assert ask("convert", path, copy).exit_code == 0
    for found, wanted in zip(load_vectors(copy), vectors):
        np.testing.assert_equal(found, wanted)
    for found, wanted in zip(read_subwords(copy), (subwords.buckets, ngram_rows)):
        np.testing.assert_array_equal(found, wanted)
    assert ask("convert", path, path.with_suffix(".vec")).exit_code == 0
    assert path.with_suffix(".vec").read_text().startswith("7 8\n")
    assert read_vectors(path.with_suffix(".vec")).tokens == TOKENS[1:] and read_subwords(path.with_suffix(".vec")) is None


def test_a_file_with_ngrams_answers_for_a_word_that_it_never_saw_and_says_so(file):
    path, *_ = file
    done = ask("similar", path, "bananas", "-k", 2)
    assert done.exit_code == 0 and {line.split()[1] for line in done.stdout.splitlines()} == {"banana", "ananas"}
    assert "bananas is not in the vocabulary: its vector is made of" in done.stderr and "of its 22 n-grams" in done.stderr
    assert ask("similar", path, "banana").stderr == ""
    assert ask("analogy", path, "her", "here", "bananas").exit_code == 0


@pytest.mark.parametrize("words, sentence", [
    (("xyz",), "no n-gram of 'xyz'"), (("Banana",), "try 'banana'"), (("<unk>",), "has no '<unk>'"),
    (("bananas", "--table", "context"), "center table only"),
])  # fmt: skip
def test_what_ngrams_can_not_answer_is_told(file, words, sentence):
    done = ask("similar", file[0], *words)
    assert done.exit_code == 1 and sentence in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_file_without_ngrams_still_refuses_an_unseen_word(file):
    path, vectors, _ = file
    write_table(path.with_suffix(".vec"), vectors.embed_v[1:], TOKENS[1:])
    assert "has no 'bananas'" in ask("similar", path.with_suffix(".vec"), "bananas").stderr


DAMAGE = {
    "int64": lambda parts: parts.update(subword_buckets=parts["subword_buckets"].astype(np.int32)),
    "rows of shape": lambda parts: parts.update(subword_rows=parts["subword_rows"][:-1]),
    "ascend": lambda parts: parts.update(subword_buckets=parts["subword_buckets"][::-1].copy()),
    "not finite": lambda parts: parts["subword_rows"].fill(np.nan),
    "a part is missing": lambda parts: parts.pop("subword_rows"),
}


@pytest.mark.parametrize("sentence", DAMAGE)
def test_damaged_ngrams_are_refused_in_a_line(file, sentence):
    path, *_ = file
    with safe_open(path, "numpy") as opened:
        metadata = opened.metadata()
    parts = load_file(path)
    DAMAGE[sentence](parts)
    save_file(parts, path, metadata)
    done = ask("similar", path, "bananas")
    assert done.exit_code == 1 and sentence in done.stderr and len(done.stderr.splitlines()) == 1


def test_ngrams_of_another_kind_are_refused(file):
    path, *_ = file
    save_file(load_file(path), path, {"tokens": "[]", "settings": "{}", "subwords": '{"min_n": 2}'})
    with pytest.raises(ValueError, match="min_n"):
        read_subwords(path)


def test_the_study_takes_the_lemma_of_a_form_and_never_a_lemma_away():
    words = {"dance", "dancing", "danced", "dancers", "bird", "birds", "big", "bigger"}
    found = study.inflected(words)
    assert found == {"dancing": "dance", "danced": "dance", "birds": "bird", "bigger": "big"}
    held = study.held_words("ptb", vocab_of(["<unk>", *sorted(words)]))
    assert held == found and not set(held) & set(held.values())
    assert study.prefixed({"הבית", "בית", "אב"}) == {"הבית": "בית"}


def test_ranks_count_ties_as_halves_and_neighbors_come_nearest_first(monkeypatch):
    monkeypatch.setattr(study, "NEAREST", 2)
    cosines = np.array([[0.1, 0.9, 0.5, 0.5], [0.4, 0.3, 0.2, 0.1]])
    ranks, neighbors = study.ranks_and_neighbors(cosines, list("abcd"), ["c", "a"])
    assert ranks == [2.5, 1.0] and neighbors == [["b", "c"], ["a", "b"]]


def test_the_talmud_is_some_hundred_thousand_words_of_hebrew(tmp_path):
    write_talmud(tmp_path / "talmud.txt")
    text = (tmp_path / "talmud.txt").read_text(encoding="utf-8")
    assert 700_000 < len(text.split()) < 900_000 and "רבי" in text
