"""Checkpoints and vectors that were damaged at random: refused with a clear error, or valid; and never a pickle."""

import json
import pickle
import re

import numpy as np
import pytest
from safetensors.numpy import save

from helpers.beyond.checkpoints import load_checkpoint, save_checkpoint
from helpers.beyond.notebooks import all_notebooks, read_notebook
from helpers.beyond.vector_files import READERS, metadata_path, read_vectors, write_table
from helpers.vectors import save_vectors
from tests.conftest import ROOT
from tests.damage import read_damaged, refuse, require_valid_vectors

COUNT = 66


def vectors_files(suffix, folder):
    """Write a small file of vectors, and return its paths."""
    rng, words, path = np.random.default_rng(0), ["naïve", "語", "0.5", *(f"word{number}" for number in range(27))], folder / f"v{suffix}"
    embed_v, embed_u = rng.normal(size=(2, len(words), 6)).astype(np.float32)
    if suffix == ".safetensors":
        save_vectors(path, embed_v, embed_u, words, {"corpus": "ptb", "epochs": [{"loss": 0.5}]})
    else:
        write_table(path, embed_v, words)
    return [path, *([metadata_path(path)] if suffix == ".tsv" else [])]


def checkpoint_files(folder):
    rng, path = np.random.default_rng(0), folder / "c.safetensors"
    state = {name: rng.normal(size=(30, 6)).astype(np.float32) for name in ("embed_v", "embed_u", "embed_v.mean")}
    save_checkpoint(path, {**state, "steps": np.array(7)}, {"settings": {"lr": 0.1}, "record": {"step": 3}})
    return [path]


def test_a_checkpoint_damaged_in_any_way_is_refused(tmp_path):
    refused, valid = read_damaged(checkpoint_files(tmp_path), load_checkpoint, refuse, seed=0, count=COUNT)
    assert refused > 0.9 * COUNT and not valid


@pytest.mark.parametrize("suffix", READERS)
def test_damaged_vectors_are_refused_or_valid(tmp_path, suffix):
    refused, _ = read_damaged(vectors_files(suffix, tmp_path), read_vectors, require_valid_vectors, seed=0, count=COUNT)
    assert refused > 0.6 * COUNT


@pytest.mark.parametrize("tokens, settings, dtype", [
    ("[" * 100_000, "{}", np.float32), ('"ab"', "{}", np.float32), ("[1, 2]", "{}", np.float32), ('["a", ["b"]]', "{}", np.float32),
    ('["a", "b"]', "[]", np.float32), ('["a", "b"]', "{}", np.int32),
])  # fmt: skip
def test_a_safetensors_file_with_other_things_in_it_is_refused(tmp_path, tokens, settings, dtype):
    path = tmp_path / "v.safetensors"
    path.write_bytes(save({"embed_v": np.ones((2, 3), dtype)}, {"tokens": tokens, "settings": settings}))
    with pytest.raises(ValueError, match="v.safetensors is not a vectors file"):
        read_vectors(path)


class Trap:
    """What a pickle would run when it is read."""

    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was read')",)


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_never_run(tmp_path, suffix, protocol):
    path = tmp_path / f"v{suffix}"
    for content in (pickle.dumps(Trap(), protocol), pickle.dumps({"embed_v": Trap()}, protocol) + b"\n"):
        path.write_bytes(content)
        metadata_path(path).write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(str(path))):
            read_vectors(path)
        with pytest.raises(ValueError, match="is not a whole checkpoint"):
            load_checkpoint(path)


def test_no_read_path_uses_a_pickle():
    """Nor what reads one unasked: NumPy's object arrays, torch.load, gensim's and MXNet's own files."""
    reads = r"pickle|shelve|marshal|joblib|allow_pickle|np\.load\b|torch\.load\b|(load|save)_states|"
    reads += r"Word2Vec\.load|KeyedVectors\.load\b|\beval\(|\bexec\("
    sources = [*(ROOT / "helpers").rglob("*.py")]
    assert len(sources) > 20
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts[path] = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert {path.name: line for path, text in texts.items() for line in text.splitlines() if re.search(reads, line)} == {}


def test_no_shell_is_started_and_no_archive_is_unpacked_to_files():
    sources = [path.read_text(encoding="utf-8") for folder in ("helpers", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    sources += [cell["text"] for path in all_notebooks() for cell in read_notebook(path)["cells"] if cell["cell_type"] == "code"]
    shells = r"shell\s*=|os\.system|os\.popen|getoutput|\.extract(?:all)?\(|unpack_archive|Unzip|Untar|^\s*[!%]|run_(?:line|cell)_magic"
    assert [match for source in sources for match in re.findall(shells, source, re.MULTILINE)] == []
    assert re.findall(shells, "subprocess.run(line, shell=True)\n!ls\n", re.MULTILINE)
