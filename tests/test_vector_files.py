"""Files of vectors of every kind: round trips, other programs' files, and files that are not right."""

import resource
import time

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath
from safetensors.numpy import save_file

from helpers.beyond.vector_files import LONGEST_LINE, metadata_path, read_vectors, write_table
from helpers.vectors import save_vectors

ONE_TABLE = ".txt", ".bin", ".tsv"


@pytest.fixture
def table():
    """Numbers of every size, and words of every plane of Unicode."""
    rng = np.random.default_rng(0)
    table = (rng.normal(size=(60, 7)) * 10.0 ** rng.integers(-44, 38, (60, 1))).astype(np.float32)
    table[0, :3] = -0.0, 1e-45, 3.4e38
    return table, ["naïve", "no\u00a0break", "語", "😀", "\u202eright", "quo\"te", "0.5", *(f"word{number}" for number in range(53))]


def same_bits(first, second):
    np.testing.assert_array_equal(np.asarray(first).view(np.uint32), np.asarray(second).view(np.uint32))


@pytest.mark.parametrize("suffix", ONE_TABLE)
def test_one_table_comes_back_to_the_bit(tmp_path, table, suffix):
    numbers, words = table
    write_table(tmp_path / f"v{suffix}", numbers, words)
    found = read_vectors(tmp_path / f"v{suffix}")
    same_bits(found.embed_v, numbers)
    assert found.tokens == words and found.embed_u is None and found.settings == {}
    assert len(list(tmp_path.iterdir())) == 1 + (suffix == ".tsv")


@pytest.mark.parametrize("suffix", (".txt", ".bin"))
def test_gensim_reads_what_is_written_and_writes_what_is_read(tmp_path, table, suffix):
    numbers, words = table
    write_table(tmp_path / f"ours{suffix}", numbers, words)
    theirs = KeyedVectors.load_word2vec_format(str(tmp_path / f"ours{suffix}"), binary=suffix == ".bin")
    same_bits(theirs.vectors, numbers)
    assert theirs.index_to_key == words
    theirs.save_word2vec_format(str(tmp_path / f"theirs{suffix}"), binary=suffix == ".bin")
    same_bits(read_vectors(tmp_path / f"theirs{suffix}").embed_v, numbers)


def test_a_text_file_has_numbers_that_read_as_they_were_written(tmp_path):
    write_table(tmp_path / "v.txt", np.array([[0.1, -2], [1e-8, 3]], np.float32), ["a", "b"])
    assert (tmp_path / "v.txt").read_text() == "2 2\na 0.1 -2.0\nb 1e-08 3.0\n"
    write_table(tmp_path / "v.tsv", np.array([[0.1, -2], [1e-8, 3]], np.float32), ["a", "b"])
    assert (tmp_path / "v.tsv").read_text() == "0.1\t-2.0\n1e-08\t3.0\n"
    assert (tmp_path / "v.metadata.tsv").read_text() == "a\nb\n"


@pytest.mark.parametrize("name, shape, first", [
    ("test_glove.txt", (76, 50), "the"), ("high_precision.kv.txt", (2, 2), "kangaroo.n.01"), ("euclidean_vectors.bin", (2747, 10), "the"),
])  # fmt: skip
def test_files_of_other_programs_are_read_as_gensim_reads_them(name, shape, first):
    found = read_vectors(datapath(name))
    theirs = KeyedVectors.load_word2vec_format(datapath(name), binary=name.endswith("bin"), no_header="glove" in name)
    assert found.embed_v.shape == shape and found.tokens == theirs.index_to_key and found.tokens[0] == first
    same_bits(found.embed_v, theirs.vectors)


def test_rows_that_end_as_word2vec_c_ends_them_are_read(tmp_path):
    (tmp_path / "v.txt").write_bytes(b"2 2\na 1 2 \nb 3 4 \n")
    numbers = np.array([[1, 2], [3, 4]], "<f4")
    (tmp_path / "v.bin").write_bytes(b"2 2\na " + numbers[0].tobytes() + b"\nb " + numbers[1].tobytes() + b"\n")
    for suffix in (".txt", ".bin"):
        found = read_vectors(tmp_path / f"v{suffix}")
        assert found.tokens == ["a", "b"]
        np.testing.assert_array_equal(found.embed_v, numbers)


ROW = np.array([1, 2], "<f4").tobytes()
WRONG = {
    "empty.txt": (b"", "it is empty, or cut"),
    "cut.txt": (b"2 2\na 1 2\nb 3 4", "cut: its last line does not end"),
    "fewer.txt": (b"3 2\na 1 2\nb 3 4\n", "line 1 promises 3 rows, and there are 2"),
    "more.txt": (b"1 2\na 1 2\nb 3 4\n", "line 1 promises 1 rows, and there are 2"),
    "huge.txt": (b"1000000000000 100\na 1 2\n", "line 1 promises 1000000000000 rows, and there are 1"),
    "wide.txt": (b"1 1000000000000\na 1 2\n", "more than its 22 bytes can hold"),
    "none.txt": (b"0 5\n", "0 rows of 5 numbers are no table"),
    "ragged.txt": (b"2 2\na 1 2\nb 3\n", "line 3 has 1 numbers where 2 belong"),
    "blank.txt": (b"2 2\na 1 2\n\n", "line 3 has 0 numbers where 2 belong"),
    "space.txt": (b"a 1 2\nb c 3 4\n", "line 2 has 3 numbers where 2 belong: the line is cut, or its word has a space"),
    "twice.txt": (b"3 2\na 1 2\nb 3 4\na 5 6\n", "line 4: the word 'a' stands in row 1 already"),
    "nan.txt": (b"2 2\na 1 2\nb nan 4\n", "line 3: a number of 'b' is not finite"),
    "infinite.txt": (b"a 1 2\nb 1e99 4\n", "line 2: a number of 'b' is not finite, or too large"),
    "letters.txt": (b"a 1 2\nb 3 x4\n", "line 2: could not convert string to float: .*x4"),
    "latin1.txt": (b"2 2\na 1 2\nna\xefve 3 4\n", r"line 3: the word b'na\\xefve' is not UTF-8"),
    "no-word.txt": (b"2 2\na 1 2\n 3 4\n", "line 3 has no word"),
    "prose.txt": (b"Call me Ishmael.\nSome years ago\n", "line 1: could not convert string to float"),
    "one-line.txt": (b"a " + b"1 " * (LONGEST_LINE // 2) + b"\n", "line 1 has more than"),
    "empty.bin": (b"", "its first line is not the number of rows and of columns"),
    "pickle.bin": (b"\x80\x04\x95cos\nsystem\n", "its first line is not"),
    "cut.bin": (b"2 2\na " + ROW + b"b " + ROW[:5], "it ends in row 2 of 2"),
    "fewer.bin": (b"2 2\na " + ROW + b"\n", "it ends in row 2 of 2|more than its"),
    "more.bin": (b"1 2\na " + ROW + b"b " + ROW, "it goes on after the 1 rows that it promises"),
    "huge.bin": (b"1000000000000 100\na " + ROW, "more than its .* bytes can hold"),
    "twice.bin": (b"2 2\na " + ROW + b"a " + ROW, "row 2: the word 'a' stands in row 1 already"),
    "nan.bin": (b"1 2\na " + np.array([1, np.nan], "<f4").tobytes(), "row 1: a number of 'a' is not finite"),
    "latin1.bin": (b"1 2\na\xff " + ROW, "row 1: the word .* is not UTF-8"),
    "no-word.bin": (b"1 2\n " + ROW + b"\n", "row 1 has no word"),
    "alone.tsv": (b"1\t2\n", "its words belong into alone.metadata.tsv beside it"),
    "text.safetensors": (b"word 0.1 0.2", "header too large"),
    "pickle.safetensors": (b"\x80\x04\x95cos\nsystem\n", "header too large"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_not_right_is_refused_with_its_place_in_little_time_and_memory(tmp_path, name):
    content, reason = WRONG[name]
    path = tmp_path / name
    path.write_bytes(content)
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=rf"{name} is not a vectors file of this kind: .*({reason})"):
        read_vectors(path)
    assert time.perf_counter() - start < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18, "in kilobytes: 256 MB"


def test_the_two_files_of_a_tsv_must_belong_together(tmp_path, table):
    path = tmp_path / "v.tsv"
    write_table(path, *table)
    metadata_path(path).write_text("too\nfew\n")
    with pytest.raises(ValueError, match="it has 60 rows, and v.metadata.tsv has 2 words"):
        read_vectors(path)


@pytest.mark.parametrize("damage", ["nan", "twice", "cut", "other", "folder", "missing", "suffix"])
def test_a_safetensors_file_that_is_not_right_is_refused(tmp_path, damage):
    path, numbers, words = tmp_path / "v.safetensors", np.ones((3, 2), np.float32), list("abc")
    if damage == "nan":
        numbers[1, 1] = np.nan
    elif damage == "twice":
        words[2] = "a"
    save_vectors(path, numbers, None, words, {})
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-8])
    elif damage == "other":
        save_file({"weights": numbers}, path)
    elif damage in ("folder", "missing"):
        path.unlink()
        if damage == "folder":
            path.mkdir()
    elif damage == "suffix":
        path = path.rename(tmp_path / "v.pkl")
    reasons = {"nan": "row 2 of embed_v has a number that is not finite", "twice": "a word stands in it twice"}
    reasons["suffix"] = "a vectors file ends in"
    with pytest.raises((ValueError, FileNotFoundError), match=reasons.get(damage, "not a vectors file|no vectors file")):
        read_vectors(path)


@pytest.mark.parametrize("suffix", ONE_TABLE)
@pytest.mark.parametrize("word", ["two words", "", "line\nbreak", "tab\there"])
def test_words_that_a_format_can_not_hold_are_refused_before_anything_is_written(tmp_path, suffix, word):
    path = tmp_path / f"v{suffix}"
    with pytest.raises(ValueError, match="is empty or has a space in it"):
        write_table(path, np.ones((2, 2), np.float32), ["good", word])
    assert not list(tmp_path.iterdir())
