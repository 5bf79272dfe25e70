"""Files of vectors of every kind: round trips, other programs' files, and files that are not right."""

import gzip
import os
import resource
import time

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath
from safetensors.numpy import save_file

from helpers.beyond.vector_files import LONGEST_LINE, metadata_path, read_vectors, with_unknown, write_table, write_vectors
from helpers.vectors import load_vectors, save_vectors

ONE_TABLE = ".txt", ".vec", ".bin", ".tsv"


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


ROW, OTHER = (np.array(row, "<f4").tobytes() for row in ([1, 2], [3, 4]))
WILD = {  # files as they are in the wild; each holds a: 1 2 and b: 3 4
    "mark.txt": b"\xef\xbb\xbfa 1 2\nb 3 4\n", "marks.txt": b"\xef\xbb\xbf\xef\xbb\xbfa 1 2\n\xef\xbb\xbfb 3 4\n",
    "mark.vec": b"\xef\xbb\xbf2 2\na 1 2\nb 3 4\n",
    "crlf.txt": b"2 2\r\na 1 2\r\nb 3 4\r\n", "mark-and-crlf.txt": b"\xef\xbb\xbf2 2\r\na 1 2\r\nb 3 4\r\n",
    "tabs.txt": b"a\t1\t2\nb\t3\t4\n", "tabs.vec": b"2\t2\na\t1\t2\nb\t3\t4\n", "one-tab.txt": b"a\t1 2\nb\t3 4\n",
    "blanks.txt": b"2   2\na  1   2\n  b 3  4 \n", "header.txt": b" 2 2 \na 1 2\nb 3 4\n",
    "no-end.txt": b"a 1 2\nb 3 4", "no-end.vec": b"2 2\na 1 2\nb 3 4", "empty-lines.txt": b"a 1 2\nb 3 4\n\n \n",
    "UPPER.TXT": b"a 1 2\nb 3 4\n",
    "forms.txt": b"a +1 2.\nb .3e1 40E-1\n", "word2vec.vec": b"2 2\na 1 2 \nb 3 4 \n",
    "packed.txt.gz": gzip.compress(b"a 1 2\nb 3 4\n"), "packed.VEC.GZ": gzip.compress(b"2 2\na 1 2\n") + gzip.compress(b"b 3 4\n"),
    "crlf.bin": b"2 2\r\na " + ROW + b"b " + OTHER, "blanks.BIN": b" 2  2 \na " + ROW + b"\nb " + OTHER + b"\n",
    "packed.bin.gz": gzip.compress(b"2 2\na " + ROW + b"b " + OTHER),
    "blanks.tsv": b"1 2\n3 4", "mark.tsv": b"\xef\xbb\xbf1\t2\r\n3\t4\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", WILD)
def test_files_are_read_as_they_are_in_the_wild(tmp_path, name, capsys):
    path = tmp_path / name
    path.write_bytes(WILD[name])
    metadata_path(path).write_bytes(b"\xef\xbb\xbfa\r\nb" if name == "mark.tsv" else b"a\nb\n")
    found = read_vectors(path, strict=True)
    assert found.tokens == ["a", "b"] and found.embed_v.tolist() == [[1, 2], [3, 4]] and capsys.readouterr() == ("", "")


NOT_BY_GENSIM = (
    "mark.txt", "marks.txt", "mark.vec", "mark-and-crlf.txt", "tabs.txt", "tabs.vec", "one-tab.txt", "blanks.txt", "empty-lines.txt",
)  # fmt: skip


@pytest.mark.parametrize("name", [name for name in WILD if name.lower().endswith((".txt", ".vec", ".bin", ".gz"))])
def test_where_gensim_reads_a_file_of_the_wild_it_reads_the_same(tmp_path, name):
    path = tmp_path / name.lower()
    path.write_bytes(WILD[name])
    found, agreed = read_vectors(path), 0
    for no_header in (False, True):
        try:
            theirs = KeyedVectors.load_word2vec_format(str(path), binary=".bin" in path.name, no_header=no_header)
        except (ValueError, NotImplementedError):
            continue
        if theirs.vectors.shape == (2, 2) and theirs.index_to_key[0].isascii():
            assert theirs.index_to_key == found.tokens
            same_bits(theirs.vectors, found.embed_v)
            agreed += 1
    assert agreed == (name not in NOT_BY_GENSIM)


@pytest.mark.parametrize("header", [b"", b"6 2\n"])
def test_a_word_may_have_blanks_in_it(tmp_path, header):
    lines = b"a 1 2\n. . . 3 4\nat name@example.org 5 6\nsan\tjose 7 8\nno\xc2\xa0break 9 10\n5 11 12\n"
    (tmp_path / "v.txt").write_bytes(header + lines)
    found = read_vectors(tmp_path / "v.txt")
    assert found.tokens == ["a", ". . .", "at name@example.org", "san\tjose", "no\u00a0break", "5"]
    assert found.embed_v.ravel().tolist() == list(range(1, 13))
    (tmp_path / "first.txt").write_bytes(b". . . 3 4\na 1 2\n")
    assert read_vectors(tmp_path / "first.txt").tokens == [". . .", "a"]


CUT = "Übergröße".encode()[:-2]
NOT_UTF_8 = {"v.txt": b"a 1 2\n%b 5 6\nb 3 4\n%b 5 6", "v.bin": b"4 2\na " + ROW + b"%b " + ROW + b"b " + OTHER + b"%b " + ROW,
             "v.tsv": b"1\t2\n5\t6\n3\t4\n5\t6\n"}  # fmt: skip


@pytest.mark.parametrize("name", NOT_UTF_8)
def test_words_that_are_not_utf_8_are_left_out_counted_and_told_or_refused(tmp_path, name, capsys):
    path = tmp_path / name
    path.write_bytes(NOT_UTF_8[name] if name == "v.tsv" else NOT_UTF_8[name] % (CUT, b"na\xefve"))
    metadata_path(path).write_bytes(b"a\n%b\nb\nna\xefve\n" % CUT)
    found, place = read_vectors(path), "row 2" if name == "v.bin" else "line 2"
    assert found.tokens == ["a", "b"] and found.embed_v.tolist() == [[1, 2], [3, 4]]
    reason = f"{place}: the word {CUT!r} is not UTF-8"
    assert capsys.readouterr() == ("", f"{path}: 2 of its 4 words are cut or in another encoding, and left out ({reason})\n")
    with pytest.raises(ValueError, match=rf"{name} is not a vectors file of this kind: {place}: the word .* is not UTF-8"):
        read_vectors(path, strict=True)


WRONG = {
    "empty.txt": (b"", "it is empty"),
    "empty-lines.txt": (b"\n\n", "it is empty"),
    "cut.txt": (b"2 2\na 1 2\nb 3", "line 3 has 1 numbers where 2 belong"),
    "cut-number.txt": (b"a 1 2\nb 3 4e-", "line 2: '4e-' is no number"),
    "fewer.txt": (b"3 2\na 1 2\nb 3 4\n", "line 1 promises 3 rows, and there are 2"),
    "more.txt": (b"1 2\na 1 2\nb 3 4\n", "line 1 promises 1 rows, and there are 2"),
    "huge.txt": (b"1000000000000 100\na 1 2\n", "line 1 promises 1000000000000 rows, and there are 1"),
    "wide.txt": (b"1 1000000000000\na 1 2\n", "more than its 22 bytes can hold"),
    "none.txt": (b"0 5\n", "0 rows of 5 numbers are no table"),
    "ragged.txt": (b"2 2\na 1 2\nb 3\n", "line 3 has 1 numbers where 2 belong"),
    "longer.txt": (b"2 2\na 1 2\nb 3 4 5\n", "line 3 has 3 numbers where 2 belong by line 1"),
    "lost-newline.txt": (b"a 1 2\nb 3 4 c 5 6\n", "line 2 has 4 numbers where 2 belong by line 1"),
    "numbered.txt": (b"0 a 1 2\n1 b 3 4\n", "line 1 has 3 numbers where 2 belong"),
    "form-feed.txt": (b"a 1 2\x0cb 3 4\n", "line 1 has 4 numbers where 2 belong"),
    "blank.txt": (b"2 2\na 1 2\n\n", "line 1 promises 2 rows, and there are 1"),
    "empty-line.txt": (b"a 1 2\n\nb 3 4\n", "line 2 has 0 numbers where 2 belong"),
    "empty-line-first.txt": (b"\na 1 2\nb 3 4\n", "line 1 has 0 numbers"),
    "twice.txt": (b"3 2\na 1 2\nb 3 4\na 5 6\n", "line 4: the word 'a' stands in row 1 already"),
    "nan.txt": (b"2 2\na 1 2\nb nan 4\n", "line 3: a number of 'b' is not finite"),
    "infinite.txt": (b"a 1 2\nb 1e99 4\n", "line 2: a number of 'b' is not finite, or too large"),
    "letters.txt": (b"a 1 2\nb 3 x4\n", "line 2: 'x4' is no number$"),
    "python.txt": (b"a 1 2\nb 3 1_000\n", "line 2: '1_000' is no number$"),
    "underscore.vec": (b"2 1\na_b 1\nb_ 1_0\n", "line 3: '1_0' is no number$"),
    "decimal-comma.txt": (b"a 0,1 0,2\nb 0,3 0,4\n", "line 1: '0,2' is no number; numbers have a point"),
    "commas.txt": (b"a,1,2\nb,3,4\n", "line 1: 'a,1,2' is no number; numbers have a point, and blanks or tabs between them"),
    "latin1.txt": (b"1 2\nna\xefve 3 4\n", r"line 2: the word b'na\\xefve' is not UTF-8"),
    "no-word.txt": (b"2 2\na 1 2\n 3 4\n", "line 3 has no word"),
    "prose.txt": (b"Call me Ishmael.\nSome years ago\n", "line 1: 'Ishmael.' is no number"),
    "one-line.txt": (b"a " + b"1 " * (LONGEST_LINE // 2) + b"\n", "line 1 has more than"),
    "old-mac.txt": (b"a 1 2\rb 3 4\r", "line 1 has a carriage return in it"),
    "hole.txt": (b"a 1 2\nb\0\0\0\0 3 4\n", "line 2 holds a zero byte"),
    "cut.txt.gz": (gzip.compress(b"a 1 2\nb 3 4\n")[:-9], "it can't be unpacked: it is cut or damaged"),
    "plain.txt.gz": (b"a 1 2\nb 3 4\n", "it can't be unpacked: .* not packed with gzip"),
    "one-line.txt.gz": (gzip.compress(bytes(2**26)), "line 1 has more than"),
    "huge.bin.gz": (gzip.compress(b"1000000000000 100\na " + ROW), "more than its .* bytes can hold"),
    "empty.bin": (b"", "its first line is not the number of rows and of columns"),
    "cut.bin": (b"2 2\na " + ROW + b"b " + ROW[:5], "it ends in row 2 of 2"),
    "fewer.bin": (b"2 2\na " + ROW + b"\n", "it ends in row 2 of 2|more than its"),
    "more.bin": (b"1 2\na " + ROW + b"b " + ROW, "it goes on after the 1 rows of 2 numbers that it promises"),
    "double.bin": (b"2 2\na " + bytes(16) + b"b " + bytes(16), "row 2: the word .* holds a zero byte: rows are not as long as line 1 says"),
    "no-blank.bin": (b"1 2\n" + b"\1" * 2**17, "it ends in row 1 of 1, or that row has no word"),
    "blank-in-word.bin": (b"2 2\nnew york " + ROW + b"b " + OTHER, "row 2: the word .* holds a zero byte"),
    "huge.bin": (b"1000000000000 100\na " + ROW, "more than its .* bytes can hold"),
    "twice.bin": (b"2 2\na " + ROW + b"a " + ROW, "row 2: the word 'a' stands in row 1 already"),
    "nan.bin": (b"1 2\na " + np.array([1, np.nan], "<f4").tobytes(), "row 1: a number of 'a' is not finite"),
    "latin1.bin": (b"1 2\na\xff " + ROW, "row 1: the word .* is not UTF-8"),
    "no-word.bin": (b"1 2\n " + ROW + b"\n", "row 1 has no word"),
    "alone.tsv": (b"1\t2\n", "its words belong into alone.metadata.tsv beside it"),
    "cut.safetensors": (bytes(4), "header too small"),
}  # fmt: skip
OF_ANOTHER_KIND = {
    "v.txt": (gzip.compress(b"a 1 2\n"), "packed with gzip, and its name does not end in .gz: rename it, mv .*v.txt"),
    "v.bin": (gzip.compress(b"1 2\na " + ROW), "packed with gzip"),
    "zip.txt": (b"PK\3\4" + bytes(40), "a zip archive: unpack it, unzip"),
    "glove.zip": (b"PK\3\4" + bytes(40), "a zip archive: unpack it, unzip"),
    "zip.txt.gz": (b"PK\3\4" + bytes(40), "a zip archive: unpack it, unzip"),
    "v.npy": (b"\x93NUMPY\1\0v\0", "an array of NumPy: numpy.load reads it"),
    "numpy.txt": (b"\x93NUMPY\1\0v\0", "an array of NumPy: numpy.load reads it"),
    "numpy.bin": (b"\x93NUMPY\1\0v\0", "an array of NumPy: numpy.load reads it"),
    "bz2.txt": (b"BZh91AY&SY" + bytes(9), "packed with bzip2"),
    "utf-16.txt": ("a 1 2\nb 3 4\n".encode("utf-16"), "text in UTF-16, not in UTF-8"),
    "utf-16.txt.gz": (gzip.compress("a 1 2\nb 3 4\n".encode("utf-16")), "text in UTF-16, not in UTF-8"),
    "torch.bin": (b"PK\3\4" + bytes(26) + b"torch/data.pkl" + bytes(9), "a file of torch.save, which could run code"),
    "v.npz": (b"PK\3\4" + bytes(26) + b"embed_v.npy" + bytes(9), "an archive of NumPy's arrays"),
    "fasttext.bin": (b"\xba\x16O/\x0c\0\0\0", "a model of fastText: name the .vec file"),
    "gensim.kv": (b"\x80\x04\x95cos\nsystem\n", "one of Python's own objects, .* gensim's save_word2vec_format"),
    "gensim.bin": (b"\x80\x04\x95cos\nsystem\n", "one of Python's own objects"),
    "gensim.safetensors": (b"\x80\x04\x95cos\nsystem\n", "one of Python's own objects"),
    "glove.bin": (b"a 1 2\nb 3 4\n", "text: name it .txt"),
    "header.bin": (b"2 2\na 1 2\nb 3 4\n", "text: name it .txt"),
    "text.safetensors": (b"word 0.1 0.2", "text: name it .txt"),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_ANOTHER_KIND)
def test_a_file_of_another_kind_is_named_by_its_first_bytes_with_what_to_do(tmp_path, name):
    content, what = OF_ANOTHER_KIND[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} is {what}"):
        read_vectors(tmp_path / name)


@pytest.mark.parametrize("name", ["v", "v.pkl", "v.gz", "v.tsv.gz", "v.safetensors.gz", ".txt"])
def test_a_name_that_says_no_kind_is_refused_with_those_that_do(tmp_path, name):
    (tmp_path / name).write_bytes(b"a 1 2\n")
    with pytest.raises(ValueError, match=r"a vectors file ends in .safetensors, .txt, .vec, .bin, .tsv; .txt, .vec, .bin may have .gz"):
        read_vectors(tmp_path / name)
    with pytest.raises(ValueError, match="a vectors file ends in"):
        write_table(tmp_path / name, np.ones((1, 2), np.float32), ["a"])


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


@pytest.mark.parametrize("damage", ["nan", "twice", "cut", "other", "metadata", "words", "folder", "missing", "suffix"])
def test_a_safetensors_file_that_is_not_right_is_refused(tmp_path, damage):
    path, numbers, words = tmp_path / "v.safetensors", np.ones((3, 2), np.float32), list("abc")
    if damage == "nan":
        numbers[1, 1] = np.nan
    elif damage == "twice":
        words[2] = "a"
    save_vectors(path, numbers, None, words, {})
    if damage in ("metadata", "words"):
        save_file({"embed_v": numbers}, path, None if damage == "metadata" else {"format": "pt"})
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
    reasons |= dict.fromkeys(("other", "metadata", "words"), "this series did not write it: .* no words under 'tokens'")
    with pytest.raises((ValueError, FileNotFoundError), match=reasons.get(damage, "not a vectors file|no vectors file")):
        read_vectors(path)


@pytest.mark.parametrize("suffix, words", [(suffix, words) for suffix in ONE_TABLE for words in (
    ["", "ze\0ro", "line\nbreak", "tab\there", "no \ud800", " front", "end ", "\ufeffmark"] + ["two words"] * (suffix != ".tsv")
)])  # fmt: skip
def test_words_that_a_format_can_not_hold_are_refused_before_anything_is_written(tmp_path, suffix, words):
    path = tmp_path / f"v{suffix}"
    with pytest.raises(ValueError, match=rf"can't stand in a {suffix} file \(.*\); a .safetensors file holds it"):
        write_table(path, np.ones((2, 2), np.float32), ["good", words])
    assert not list(tmp_path.iterdir())


def test_a_tsv_holds_words_with_blanks(tmp_path):
    write_table(tmp_path / "v.tsv", np.ones((2, 2), np.float32), [". . .", "two words"])
    assert read_vectors(tmp_path / "v.tsv").tokens == [". . .", "two words"]


def test_vectors_are_not_written_packed(tmp_path):
    with pytest.raises(ValueError, match="vectors are written unpacked; leave .gz out"):
        write_table(tmp_path / "v.txt.gz", np.ones((1, 2), np.float32), ["a"])


EVERY_KIND = ".safetensors", ".TXT", *ONE_TABLE


def write_two(path):
    write_vectors(path, np.float32([[0, 0], [1, 2]]), np.ones((2, 2), np.float32), ["<unk>", "a"], {})


@pytest.mark.parametrize("suffix", EVERY_KIND)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_symbolic_link_is_followed_and_its_target_written(tmp_path, suffix, is_there):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / f"target{suffix}", tmp_path / f"link{suffix}"
    if is_there:
        target.write_bytes(b"before")
    link.symlink_to(f"elsewhere/target{suffix}")
    write_two(link)
    assert link.is_symlink() and not target.is_symlink()
    for path in (link, target):
        assert "a" in read_vectors(path).tokens
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [link.name]


@pytest.mark.parametrize("suffix", EVERY_KIND)
@pytest.mark.parametrize("behind_a_link", [True, False])
def test_a_file_that_may_only_be_read_is_refused_and_stays(tmp_path, suffix, behind_a_link):
    path = target = tmp_path / f"v{suffix}"
    target.write_bytes(b"precious")
    target.chmod(0o444)
    if behind_a_link:
        path = tmp_path / f"link{suffix}"
        path.symlink_to(target)
    with pytest.raises(PermissionError, match=f"{path.name} may only be read: name another file"):
        write_two(path)
    assert target.read_bytes() == b"precious" and {found.suffix for found in tmp_path.iterdir()} == {suffix}


def test_the_words_of_a_tsv_that_may_only_be_read_are_refused_and_stay(tmp_path):
    metadata_path(tmp_path / "v.tsv").write_text("precious")
    metadata_path(tmp_path / "v.tsv").chmod(0o444)
    with pytest.raises(PermissionError, match="v.metadata.tsv may only be read"):
        write_two(tmp_path / "v.tsv")
    assert metadata_path(tmp_path / "v.tsv").read_text() == "precious" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("suffix", EVERY_KIND)
def test_what_is_no_file_is_not_written_to(tmp_path, suffix):
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match=f"{name}{suffix} is no file"):
            write_two(tmp_path / f"{name}{suffix}")
    (tmp_path / f"loop{suffix}").symlink_to(f"loop{suffix}")
    with pytest.raises(OSError, match="is a symbolic link that leads to itself"):
        write_two(tmp_path / f"loop{suffix}")
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("suffix", EVERY_KIND)
@pytest.mark.parametrize("letter", ["a", "é", "語"])
def test_a_name_may_be_as_long_as_the_disk_takes_it(tmp_path, suffix, letter):
    longest = 255 - len(".metadata.tsv" if suffix == ".tsv" else suffix)
    path = tmp_path / f"{letter * (longest // len(letter.encode()))}{suffix}"
    write_two(path)
    assert "a" in read_vectors(path).tokens and len(list(tmp_path.iterdir())) == 1 + (suffix == ".tsv")


def test_the_tables_of_earlier_epochs_get_a_row_of_the_unknown_word_too(tmp_path):
    numbers = np.float32([[1, 2], [3, 4]])
    save_vectors(tmp_path / "v.safetensors", numbers, None, ["a", "<unk>"], {}, {0: numbers + 10})
    found = with_unknown(load_vectors(tmp_path / "v.safetensors"))
    assert found.tokens == ["<unk>", "a"] and found.frames[0].tolist() == [[13, 14], [11, 12]]
