"""Thousands of damaged files: SEED and COUNT repeat or lengthen it."""

import os

import pytest

from helpers.beyond.checkpoints import load_checkpoint
from helpers.beyond.vector_files import READERS, read_vectors
from tests.damage import read_damaged, refuse, require_valid_vectors
from tests.test_damaged_files import checkpoint_files, vectors_files

pytestmark = pytest.mark.slow
SEED, COUNT = int(os.environ.get("SEED", 1)), int(os.environ.get("COUNT", 2200))


def test_thousands_of_damaged_checkpoints_are_refused(tmp_path):
    refused, valid = read_damaged(checkpoint_files(tmp_path), load_checkpoint, refuse, SEED, COUNT)
    print(f"seed {SEED}: {refused} of {refused + valid} damaged checkpoints refused")
    assert refused > 0.9 * COUNT and not valid


@pytest.mark.parametrize("suffix", READERS)
def test_thousands_of_damaged_vectors_are_refused_or_valid(tmp_path, suffix):
    refused, valid = read_damaged(vectors_files(suffix, tmp_path), read_vectors, require_valid_vectors, SEED, COUNT)
    print(f"seed {SEED}: {refused} of {refused + valid} damaged {suffix} files refused, {valid} valid")
    assert refused > 0.6 * COUNT
