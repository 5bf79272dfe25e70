"""Arguments that can't serve: an error in one line that says what to do, before any work."""

import math

import pytest

NO_COUNT = [0, -3, 1.5, "7", None, True, math.nan]
NO_POSITIVE = [0, -0.1, "fast", None, math.nan, math.inf, True]


@pytest.mark.parametrize("name", ["batch_size", "max_window_size", "num_noise_words"])
@pytest.mark.parametrize("value", NO_COUNT)
def test_load_data_refuses_what_is_no_count(model, name, value):
    given = {"batch_size": 512, "max_window_size": 5, "num_noise_words": 5, name: value}
    with pytest.raises(ValueError, match=f"{name} must be a whole number of 1 or more, not "):
        model.load_data("no corpus is read before the check", **given)


@pytest.mark.parametrize("name", ["seed", "min_freq"])
@pytest.mark.parametrize("value", [-1, 0.5, "x", None])
def test_load_data_refuses_a_seed_or_min_freq_that_is_no_whole_number(model, name, value):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of 0 or more, not "):
        model.load_data("no corpus is read before the check", 512, 5, 5, **{name: value})


@pytest.mark.parametrize("value", NO_COUNT)
def test_new_model_refuses_an_embed_size_that_is_no_count(model, value):
    with pytest.raises(ValueError, match="embed_size must be a whole number of 1 or more"):
        model.new_model(10, value, seed=0)


@pytest.mark.parametrize("value", NO_COUNT)
def test_train_refuses_num_epochs_that_is_no_count(model, value):
    with pytest.raises(ValueError, match="num_epochs must be a whole number of 1 or more"):
        model.train(None, None, 0.002, value)


@pytest.mark.parametrize("value", NO_POSITIVE)
def test_train_refuses_a_learning_rate_that_is_no_positive_number(model, value):
    with pytest.raises(ValueError, match="lr must (be a number above 0, not |lie between )"):
        model.train(None, None, value, 5)


@pytest.fixture
def toy(model):
    from helpers.examples import Vocab

    vocab = Vocab([["market", "markets", "chip"]])
    return model.new_model(len(vocab), 3, seed=0)[0], vocab


@pytest.mark.parametrize("k", [*NO_COUNT, 3, 100])
def test_similar_tokens_refuses_a_k_out_of_range(model, toy, k):
    with pytest.raises(ValueError, match="k must be"):
        model.get_similar_tokens("chip", k, *toy)


def test_similar_tokens_refuses_an_unknown_word_with_close_matches_and_the_lower_case_hint(model, toy):
    with pytest.raises(LookupError, match="has no 'markt'; near matches: market, markets"):
        model.get_similar_tokens("markt", 1, *toy)
    with pytest.raises(LookupError, match="lower case: try 'chip'"):
        model.get_similar_tokens("Chip", 1, *toy)
    for nonsense in ("<unk>", "", 7, None):
        with pytest.raises(LookupError, match="has no"):
            model.get_similar_tokens(nonsense, 1, *toy)
