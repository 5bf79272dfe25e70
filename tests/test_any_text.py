"""Properties that hold for any text; make test-all tries 20,000 texts more."""

import pytest
from hypothesis import Phase

from tests.any_text import PROPERTIES, examples_are_as_the_lesson_says, hold


@pytest.mark.parametrize("property_", PROPERTIES, ids=lambda property_: property_.__name__)
def test_any_text_keeps_the_promises(property_):
    hold(property_, 300)


def test_a_promise_that_is_broken_is_found(monkeypatch):
    from helpers import examples

    def careless(contexts, probability, num_noise_words, rng):
        wanted = (contexts > 0).repeat(num_noise_words, axis=1)
        return examples.draw_words(probability, wanted.size, rng).reshape(wanted.shape) * wanted

    monkeypatch.setattr(examples, "get_negatives", careless)  # which draws context words as noise
    with pytest.raises(AssertionError):
        hold(examples_are_as_the_lesson_says, 300, [Phase.generate])
