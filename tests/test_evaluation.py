"""What vectors are worth: scores, intervals, and sets that no word of is known."""

from pathlib import Path

import numpy as np
import pytest
from gensim.test.utils import datapath
from scipy.stats import spearmanr

from helpers.beyond.evaluation import (
    ANALOGIES,
    PAIRS,
    bootstrap,
    evaluate,
    evaluate_pairs,
    judged_pairs,
    keyed_vectors,
    known_pairs,
    rank_correlation,
    score_analogies,
    score_pairs,
)
from helpers.vectors import vocab_of


@pytest.fixture(scope="module")
def vectors():
    """Random vectors of the words of all sets, some with a capital."""
    words = sorted({word for name in PAIRS for first, second, _ in judged_pairs(name) for word in (first, second)})
    words += ["athens", "greece", "baghdad", "iraq", "Bangkok", "thailand", "king", "queen", "man", "woman", "brother", "sister"]
    words = list(dict.fromkeys(words))
    return keyed_vectors(["<unk>", *words], np.random.default_rng(0).normal(size=(len(words) + 1, 20)).astype(np.float32))


def test_the_unknown_word_has_no_vector_for_others_to_be_near_to():
    vectors = keyed_vectors(["<unk>", "a", "b"], np.eye(3, dtype=np.float32))
    assert vectors.index_to_key == ["a", "b"]
    np.testing.assert_array_equal(vectors["b"], [0, 0, 1])


@pytest.mark.parametrize("name", PAIRS)
def test_a_score_is_that_of_gensim_with_its_coverage(vectors, name):
    score = score_pairs(vectors, name)
    assert (score.known, score.total) == (len(judged_pairs(name)),) * 2
    assert score.interval[0] < score.value < score.interval[1]
    (_, (spearman, _), _) = vectors.evaluate_word_pairs(datapath(PAIRS[name]))
    assert score.value == pytest.approx(spearman, abs=1e-9)
    judgments, cosines = known_pairs(vectors, name)
    assert rank_correlation(judgments, cosines) == pytest.approx(spearman, abs=1e-9)
    table, tokens = np.vstack([np.zeros(20), vectors.vectors]), ["<unk>", *vectors.index_to_key]
    assert evaluate_pairs(table, vocab_of(tokens))[name] == pytest.approx(spearman, abs=1e-6)


def test_the_rank_correlation_of_runs_is_the_mean_of_theirs():
    judgments, first, second = np.random.default_rng(1).integers(0, 9, (3, 40))
    wanted = np.mean([spearmanr(judgments, run).statistic for run in (first, second)])
    assert rank_correlation(judgments, first, second) == pytest.approx(wanted, abs=1e-9)
    stacked = rank_correlation(*(np.stack([array, array[::-1]]) for array in (judgments, first)), axis=-1)
    assert stacked.shape == (2,)


def test_an_interval_is_as_wide_as_theory_says_and_the_same_each_time():
    judged, other = np.random.default_rng(2).normal(size=(2, 400))
    low, high = bootstrap(rank_correlation, (judged, other), 3)
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(400), rel=0.2)
    assert bootstrap(rank_correlation, (judged, other), 3) == (low, high) != bootstrap(rank_correlation, (judged, other), 4)


def test_the_analogies_count_the_questions_whose_words_are_known():
    words = "athens greece baghdad iraq king queen man woman brother sister boy girl".split()
    table = np.random.default_rng(0).normal(size=(len(words), 30))
    table[1] = table[0] + (table[3] - table[2])  # so that each of the four is where the other three say
    score = score_analogies(keyed_vectors(words, table.astype(np.float32)))
    questions = [line.lower().split() for line in Path(datapath("questions-words.txt")).read_text().splitlines() if line[0] != ":"]
    known = sum(set(question) <= set(words) for question in questions)
    assert (score.known, score.total) == (known, len(questions)) and known > 10
    assert 2 / known <= score.value <= 1 and score.interval[0] <= score.value <= score.interval[1]


def test_sets_with_no_known_word_say_so():
    scores = evaluate(keyed_vectors(["qwx", "zyx", "xqz"], np.eye(3, dtype=np.float32)))
    assert [str(score) for score in scores.values()] == [
        "no score: 0 of 353 known", "no score: 0 of 999 known", "no score: 0 of 19,544 known",
    ]  # fmt: skip
    assert list(scores) == [*PAIRS, ANALOGIES]


def test_vectors_that_are_all_alike_have_no_score(vectors):
    alike = keyed_vectors(vectors.index_to_key, np.ones_like(vectors.vectors))
    assert score_pairs(alike, "WordSim-353").value is None
