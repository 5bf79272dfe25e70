"""Vectors that `helpers.tools.vectors` converts, read by spaCy in an environment of its own: spaCy's NumPy is not the one of the series."""

import json
import subprocess
import venv

import numpy as np
import pytest
from click.testing import CliRunner

from helpers.tools.vectors import main
from helpers.vectors import nearest, save_vectors, vocab_of

pytestmark = pytest.mark.slow
SPACY = "spacy==3.8.18"
ASK = """
import json, sys
import numpy, spacy
vocab, words = spacy.load(sys.argv[1]).vocab, json.loads(sys.argv[2])
numpy.save(sys.argv[3], numpy.stack([vocab.get_vector(word) for word in words]))
keys = vocab.vectors.most_similar(vocab.get_vector(words[0])[None], n=6)[0][0]
print(json.dumps([vocab.strings[key] for key in keys]))
"""


def test_spacy_finds_the_same_numbers_and_neighbours_in_a_converted_file(tmp_path):
    words = ["chip", "naïve", "語", "😀", "0.5", *(f"word{number}" for number in range(200))]
    tokens = ["<unk>", *words]
    embed_v, embed_u = np.random.default_rng(0).normal(size=(2, len(tokens), 30)).astype(np.float32)
    save_vectors(tmp_path / "v.safetensors", embed_v, embed_u, tokens, {})
    converted = CliRunner().invoke(main, ["convert", str(tmp_path / "v.safetensors"), str(tmp_path / "v.txt")])
    assert converted.exit_code == 0, converted.output

    venv.create(tmp_path / "venv", with_pip=True)
    spacy = [tmp_path / "venv" / "bin" / "python", "-P"]
    subprocess.run([*spacy, "-m", "pip", "install", "--disable-pip-version-check", "-q", SPACY], check=True)
    subprocess.run([*spacy, "-m", "spacy", "init", "vectors", "en", tmp_path / "v.txt", tmp_path / "spacy"], check=True)
    arguments = tmp_path / "spacy", json.dumps(words), tmp_path / "found.npy"
    answer = subprocess.run([*spacy, "-c", ASK, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), embed_v[1:])
    itself, *near = json.loads(answer.stdout)
    assert itself == "chip" and near == nearest(["chip"], 5, embed_v, vocab_of(tokens))["chip"]
