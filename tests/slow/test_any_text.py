"""Properties that hold for any text: SEED picks the texts, EXAMPLES says how many for each of the three."""

import os

import pytest

from tests.any_text import PROPERTIES, SEED, hold

pytestmark = pytest.mark.slow
EXAMPLES = int(os.environ.get("EXAMPLES", 7_000))


@pytest.mark.parametrize("property_", PROPERTIES, ids=lambda property_: property_.__name__)
def test_any_text_keeps_the_promises(property_):
    hold(property_, EXAMPLES)
    print(f"{property_.__name__}: {EXAMPLES} texts, seed {SEED}")
