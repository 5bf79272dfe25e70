"""Step 17's objectives, each against finite differences, plain loops, or a library."""

import itertools
import math
import mmap
import subprocess
import sys

import numpy as np
import pytest
import torch
from gensim.models import Word2Vec
from scipy.sparse import csr_matrix
from scipy.special import log_expit, log_softmax
from sklearn.metrics import log_loss, mutual_info_score

from benchmarks import family as family_study
from helpers.beyond import family
from helpers.beyond.evaluation import ANALOGIES, PAIRS, study_table
from helpers.beyond.family_counts import (
    count_pairs,
    count_resampled,
    counted_pmi,
    factorize,
    huffman_tree,
    path_to,
    random_table,
    tree_paths,
)
from helpers.beyond.family_figures import costs_figure, shared_figure, tree_figure
from helpers.corpus import read_corpus
from helpers.examples import Vocab, count_words, encode
from tests.conftest import ROOT, own_topic_share

NOISE = np.array([0.0, 0.5, 0.2, 0.2, 0.1])


def drawn(shape, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape)


def counted(shape=(3, 5), seed=1):
    """Counts of which a third are 0."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 200, shape) * (rng.random(shape) > 1 / 3)


def doubles(*arrays):
    return [torch.from_numpy(np.asarray(array)) for array in arrays]


# Each objective as a function of the arrays that training changes, (float64) tensors.
NODES, TURNS = tree_paths([6, 1, 3, 2, 2])
WORDS = np.array([[2, 1, 3], [4, 4, 0]])
CONTEXTS = np.array([[1, 0, 3, 4], [2, 2, 0, 0]])
OBJECTIVES = {
    "full softmax": (lambda s: family.softmax_loss(s, *doubles(counted())), (3, 5)),
    "negative sampling": (lambda s: family.negative_sampling_loss(s, *doubles(counted(), NOISE), 5), (3, 5)),
    "GloVe": (lambda s: family.glove_loss(s, *doubles(counted())), (3, 5)),
    "hierarchical softmax": (
        lambda v, n: family.hierarchical_loss(v, n, *doubles(NODES[[2, 0, 4]], TURNS[[2, 0, 4]].astype(float))), (3, 4), (4, 4),
    ),
    "CBOW": (lambda v, u: family.cbow_loss(v, u, *doubles(CONTEXTS, WORDS)), (5, 4), (5, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_gradients_of_an_objective_are_those_of_finite_differences(name):
    loss_of, *shapes = OBJECTIVES[name]
    tables = [tensor.requires_grad_() for tensor in doubles(*(drawn(shape, seed) for seed, shape in enumerate(shapes)))]
    loss_of(*tables).backward()
    for table in tables:
        found = np.empty(table.shape)
        for place in np.ndindex(*table.shape):
            ends = []
            for step in (1e-5, -1e-5):
                with torch.no_grad():
                    table[place] += step
                    ends.append(float(loss_of(*tables)))
                    table[place] -= step
            found[place] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(table.grad.numpy(), found, rtol=1e-5, atol=1e-5)
        assert np.abs(found).max() > 0.1


def test_the_full_softmax_costs_what_scipy_and_scikit_learn_say():
    scores, pairs = drawn((3, 5)), counted()
    found = float(family.softmax_loss(*doubles(scores, pairs)))
    assert found == pytest.approx(-(pairs * log_softmax(scores, axis=1)).sum())
    center, word = np.nonzero(pairs)
    probability = np.exp(log_softmax(scores, axis=1))
    by_pair = log_loss(word, probability[center], labels=range(5), sample_weight=pairs[center, word], normalize=False)
    assert found == pytest.approx(by_pair)


def test_negative_sampling_on_counts_costs_the_mean_of_what_drawn_noise_words_cost():
    scores, pairs, K = drawn((3, 5)), counted().round(), 3
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(300):
        noise = rng.multinomial(K * pairs.sum(axis=1).astype(int), NOISE)  # how often each word comes as noise
        draws.append(-(pairs * log_expit(scores) + noise * log_expit(-scores)).sum())
    found = float(family.negative_sampling_loss(*doubles(scores, pairs, NOISE), K))
    assert found == pytest.approx(np.mean(draws), abs=4 * np.std(draws) / 300**0.5)


def test_negative_sampling_and_the_softmax_are_least_where_counting_says():
    pairs = counted() + 1
    pairs[:, 0] = 0
    times_no = 5 * pairs.sum(axis=1, keepdims=True) * NOISE
    with np.errstate(divide="ignore"):
        shifted = np.log(pairs[:, 1:] / times_no[:, 1:])
    best = torch.from_numpy(np.column_stack([np.zeros(3), shifted])).requires_grad_()
    family.negative_sampling_loss(best, *doubles(pairs, NOISE), 5).backward()
    np.testing.assert_allclose(best.grad[:, 1:].numpy(), 0, atol=1e-9)
    chances = torch.from_numpy(np.log(pairs[:, 1:])).requires_grad_()
    family.softmax_loss(chances, torch.from_numpy(pairs[:, 1:])).backward()
    np.testing.assert_allclose(chances.grad.numpy(), 0, atol=1e-9)


def test_glove_costs_what_a_loop_over_the_counted_pairs_says():
    scores, pairs = drawn((3, 5)), counted()
    wanted = 0
    for row, column in zip(*np.nonzero(pairs)):
        count = pairs[row, column]
        wanted += min(1, (count / 100) ** 0.75) * (scores[row, column] - math.log(count)) ** 2
    assert float(family.glove_loss(*doubles(scores, pairs))) == pytest.approx(wanted)


def test_cbow_costs_what_a_loop_over_the_windows_says():
    embed_v, embed_u = drawn((5, 4)), drawn((5, 4), 1)
    wanted = 0
    for contexts, (center, *noise) in zip(CONTEXTS, WORDS):
        mean = np.mean([embed_v[word] for word in contexts if word > 0], axis=0)
        wanted -= log_expit(embed_u[center] @ mean) + sum(log_expit(-embed_u[word] @ mean) for word in noise)
    assert float(family.cbow_loss(*doubles(embed_v, embed_u, CONTEXTS, WORDS))) == pytest.approx(wanted)


def gensims_tree(counts):
    """gensim's words in its own order: their counts, and for each the codes and the points of its tree."""
    model = Word2Vec(hs=1, negative=0, min_count=1, vector_size=4)
    model.build_vocab_from_freq({f"w{word}": int(count) for word, count in enumerate(counts)})
    names = [f"w{word}" for word in range(len(counts))]
    return [model.wv.get_vecattr(name, "code") for name in names], [model.wv.get_vecattr(name, "point") for name in names]


@pytest.mark.parametrize("seed", range(3))
def test_the_mean_path_is_as_long_as_gensims(seed):
    counts = (1000 / np.arange(1, 300) * np.random.default_rng(seed).uniform(0.5, 2, 299)).astype(int) + 1
    codes, _ = gensims_tree(counts)
    lengths = np.abs(tree_paths(counts)[1]).sum(axis=1)
    assert lengths @ counts == sum(len(code) * count for code, count in zip(codes, counts))
    entropy = -(counts / counts.sum()) @ np.log2(counts / counts.sum())
    assert entropy <= lengths @ counts / counts.sum() < entropy + 1


def cheapest(counts):
    """The least sum of count times path length of any binary tree, by trying every split of the words."""
    if len(counts) == 1:
        return 0
    first, *rest = range(len(counts))
    least = math.inf
    for size in range(len(rest)):
        for others in itertools.combinations(rest, size):
            left = [counts[word] for word in (first, *others)]
            right = [counts[word] for word in rest if word not in others]
            least = min(least, cheapest(left) + cheapest(right))
    return least + sum(counts)


@pytest.mark.parametrize("counts", [[5], [1, 1], [0, 3, 1], [7, 5, 2, 1], [1, 1, 1, 1, 1], [40, 3, 3, 2, 9, 1]])
def test_no_tree_has_shorter_paths(counts):
    assert np.abs(tree_paths(counts)[1]).sum(axis=1) @ counts == cheapest(counts)


def test_the_leaves_of_a_tree_share_the_probability_1():
    counts = np.random.default_rng(0).integers(1, 90, 40)
    nodes, turns = map(torch.from_numpy, tree_paths(counts))
    v, embed_n = doubles(drawn(6), drawn((39, 6), 1))
    costs = [family.hierarchical_loss(v[None], embed_n, nodes[[word]], turns[[word]].double()) for word in range(40)]
    assert sum(math.exp(-cost) for cost in costs) == pytest.approx(1)
    above = huffman_tree(counts)
    assert sorted(above) == list(range(78)) and all(path_to(word, above)[0][0] == 78 for word in range(40))


def test_pairs_are_counted_within_sentences_by_the_chance_that_a_window_reaches_them():
    ids, sentence = np.array([1, 2, 3, 1, 2]), np.array([0, 0, 0, 1, 1])
    pairs = count_pairs(ids, sentence, 2, 4).toarray()
    np.testing.assert_array_equal(pairs, [[0, 0, 0, 0], [0, 0, 2, 0.5], [0, 2, 0, 1], [0, 0.5, 1, 0]])


def test_pmi_is_the_logarithm_of_how_much_more_often_a_pair_occurs_than_by_chance():
    counts = np.random.default_rng(0).poisson(1.5, (6, 6))
    counts = counts + counts.T
    shares = counts / counts.sum()
    with np.errstate(divide="ignore"):
        wanted = np.log(shares / np.outer(shares.sum(axis=1), shares.sum(axis=0)))
    found = counted_pmi(csr_matrix(counts.astype(float)))
    np.testing.assert_allclose(found.toarray(), np.maximum(wanted, 0), atol=1e-12)
    assert (found.data > 0).all() and found.nnz < np.count_nonzero(counts)


def test_the_mean_pmi_of_pairs_that_all_exceed_chance_is_scikit_learns_mutual_information():
    counts = np.full((2, 2), 1.0) + np.diag([3, 7])  # off the diagonal PMI is negative
    shares = counts / counts.sum()
    above = counted_pmi(csr_matrix(counts)).toarray()
    below = np.log(shares / np.outer(shares.sum(axis=1), shares.sum(axis=0))) * (1 - np.eye(2))
    assert (shares * (above + below)).sum() == pytest.approx(mutual_info_score(None, None, contingency=counts))


def test_two_tables_come_as_near_to_a_matrix_as_numpys_decomposition_allows():
    matrix = counted_pmi(count_pairs(*np.array([np.random.default_rng(0).zipf(1.5, 4000) % 60, np.arange(4000) // 20]), 3, 60))
    embed_v, embed_u = factorize(matrix, 8, seed=0)
    left, values, right = np.linalg.svd(matrix.toarray())
    best = left[:, :8] * values[:8] @ right[:8]
    np.testing.assert_allclose(embed_v @ embed_u.T, best, atol=0.02 * np.abs(best).max())
    np.testing.assert_allclose((embed_v**2).sum(axis=0), values[:8], rtol=0.01)
    assert embed_v.dtype == embed_u.dtype == np.float32


def test_random_vectors_are_alike_for_a_seed_and_have_the_moments_of_the_normal_distribution():
    table = random_table(2000, 10, 3)
    assert table.shape == (2000, 10) and table.dtype == np.float32
    np.testing.assert_array_equal(table, random_table(2000, 10, 3))
    assert abs(table.mean()) < 0.03 and abs(table.std() - 1) < 0.03 and abs((table**4).mean() - 3) < 0.2


@pytest.fixture(scope="module")
def topics(small_text):
    text = read_corpus(str(small_text))
    vocab = Vocab(text.sentences)
    return vocab, encode(text.sentences, vocab), count_words(vocab)


TRAININGS = {
    "full softmax": lambda encoded, counts, pairs: family.train_on_counts(family.softmax_loss, pairs, 10, 0.05, 10, 0),
    "GloVe": lambda encoded, counts, pairs: family.train_glove(pairs, 10, 0.05, 20, 0),
    "hierarchical softmax": lambda encoded, counts, pairs: family.train_hierarchical(encoded, counts, 5, 10, 0.05, 2, 0),
    "CBOW": lambda encoded, counts, pairs: family.train_cbow(encoded, counts, 5, 5, 10, 0.05, 3, 0),
    "counted": lambda encoded, counts, pairs: factorize(counted_pmi(pairs), 10, 0),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_every_way_brings_the_words_of_a_topic_together(name, topics):
    vocab, encoded, counts = topics
    pairs = count_resampled(*encoded, counts, 5, 0, num_draws=2).tocsr()
    if name == "GloVe":  # of pairs that were never counted, here all others, it learns nothing
        pairs = csr_matrix(pairs.toarray() + 0.02)
    table = TRAININGS[name](encoded, counts, pairs)[0]
    assert own_topic_share(vocab.idx_to_token, table) > 0.9


def test_the_same_seed_gives_the_same_tables(topics):
    _, encoded, counts = topics
    one, again, other = (family.train_cbow(encoded, counts, 5, 5, 10, 0.05, 1, seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_rate_that_is_too_large_is_told(topics):
    _, encoded, counts = topics
    with pytest.raises(FloatingPointError, match="choose a smaller lr"):
        family.train_cbow(encoded, counts, 5, 5, 10, 1e30, 1, 0)


def test_the_counts_of_many_draws_are_the_pairs_that_windows_give(topics):
    _, encoded, counts = topics
    pairs = count_resampled(*encoded, counts, 5, 0, num_draws=20)
    minibatches = family.window_minibatches(encoded, counts, 5, 512, 20, 1)
    drawn_pairs = np.zeros(pairs.shape)
    for _, center, contexts in minibatches:
        row, column = np.nonzero(contexts.numpy())
        np.add.at(drawn_pairs, (center.numpy()[row], contexts.numpy()[row, column]), 1 / 20)
    dense = pairs.toarray()
    assert drawn_pairs.sum() == pytest.approx(dense.sum(), rel=0.01)
    assert np.corrcoef(drawn_pairs.ravel(), dense.ravel())[0, 1] > 0.97


def test_a_drawn_tree_shows_each_word_below_the_nodes_of_its_path():
    words, counts = ["the", "rate", "bank", "fell", "river"], [8, 4, 3, 2, 1]
    (axes,) = tree_figure(words, counts).axes
    places = {text.get_text().split("\n")[0]: text.get_position() for text in axes.texts if text.get_text() not in ("left", "right")}
    assert set(places) == {*words, "3", "6", "10", "18"}
    heights = [places[name][1] for name in ("18", "10", "6", "3", "fell")]
    assert heights == [4, 3, 2, 1, 0] and places["the"][1] == 3
    assert len({places[word][0] for word in words}) == 5


def test_figures_tell_all_pairs_correlation_and_scale_a_formula_to_what_was_measured():
    counted = drawn(5000)
    trained = counted + drawn(5000, 1)
    panels = dict.fromkeys("abcd", (counted, trained, "counted", "trained"))
    fig, found = shared_figure(panels, "title", most=100)
    assert found["a"] == pytest.approx(np.corrcoef(counted, trained)[0, 1])
    assert [len(axes.lines[0].get_xdata()) for axes in fig.axes] == [100] * 4
    (axes,) = costs_figure([10, 20, 40], {"a": [1e-6, 2e-6, 5e-6]}, {"a": [10, 20, 40]}, "title").axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [1, 2, 4])


def test_the_study_sums_up_both_kinds_of_sets():
    rng = np.random.default_rng(0)
    judged = rng.normal(size=200)

    def run(noise, chance):
        pairs = {name: [judged.tolist(), (judged + noise * rng.normal(size=200)).tolist()] for name in PAIRS}
        return {"seconds": 1.0, "megabytes": 2, **pairs, ANALOGIES: rng.binomial(1, chance, 300).tolist()}

    found = {family_study.REFERENCE: [run(0.5, 0.8), run(0.5, 0.8)], "worse": [run(5, 0.1), run(5, 0.1)]}
    rows = family_study.summed_up(found)
    for name in (*PAIRS, ANALOGIES):
        good, bad = (row[name] for row in rows.values())
        assert good["difference"] == [0, 0] and bad["difference"][1] < 0
        assert good["interval"][0] < good["mean"] < good["interval"][1]
    header, _, first, other = study_table("way", rows)
    assert header.endswith("Google's analogies, 300 known |") and first.count("[") == 0 and other.count("[") == 3


def test_memory_that_was_given_back_before_is_not_counted():
    def peak():
        before = family_study.megabytes("VmRSS")
        family_study.reset_peak()
        yield
        yield family_study.megabytes("VmHWM") - before

    def hold(size):
        with mmap.mmap(-1, size) as held:
            for place in range(0, size, 4096):
                held[place] = 1

    with_more, without = peak(), peak()
    next(with_more)
    hold(100 * 2**20)
    assert next(with_more) == pytest.approx(100, abs=10)
    next(without)
    assert next(without) < 10


@pytest.mark.slow
def test_the_quick_form_of_the_study_runs_and_writes_nothing():
    path = ROOT / "benchmarks" / "family.json"
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-m", "benchmarks.family", "--quick"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(f"| {method} |" in done.stdout for method in family_study.METHODS)
    assert path.read_bytes() == before
