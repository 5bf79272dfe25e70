"""Texts: PTB, the Wikipedia excerpt, files of one's own, and what is wrong with some of them."""

import bz2
import gzip
import lzma
import subprocess
import tracemalloc
import zipfile

import numpy as np
import pytest
from d2l import torch as d2l

from helpers import corpus
from helpers.beyond import texts
from helpers.beyond.blocks import Blocks
from helpers.beyond.scale import shards
from helpers.corpus import Sentences, read_corpus
from helpers.examples import Vocab, count_words, encode, load_minibatches
from tests.words import words_by_parts


def test_the_address_and_the_sha1_of_ptb_are_d2ls():
    assert d2l.DATA_HUB["ptb"] == (corpus.PTB_URL, corpus.PTB_SHA1)


def test_ptb_has_42068_sentences_and_a_vocabulary_of_6719(ptb):
    vocab = Vocab(ptb.sentences, min_freq=10)
    assert (ptb.name, len(ptb.sentences), len(vocab), vocab["<unk>"], vocab.to_tokens(0)) == ("ptb", 42_068, 6_719, 0, "<unk>")
    assert len(ptb.held_out) == 3_370
    assert all(ptb.sentences) and all(ptb.held_out)


def test_without_ptb_one_notice_is_printed_and_the_wikipedia_excerpt_is_read(no_ptb, capsys):
    text = read_corpus("ptb")
    notice = capsys.readouterr().out
    assert notice.count("\n") == 1 and "PTB" in notice and "Wikipedia" in notice
    assert text.name == "wikipedia"
    assert not [path for path in no_ptb.iterdir() if path.suffix != ".lock"]


def test_strict_fails_in_place_of_reading_another_text(no_ptb):
    with pytest.raises(RuntimeError, match="no download from"):
        read_corpus("ptb", strict=True)


def test_the_wikipedia_excerpt_is_of_the_known_size_and_about_a_twentieth_is_held_out():
    text = read_corpus("wikipedia")
    training, held_out = (sum(map(len, part)) for part in text[1:])
    assert training + held_out == 452_944
    assert held_out == pytest.approx(0.05 * 452_944, abs=1)
    assert len(Vocab(text.sentences, min_freq=10)) == pytest.approx(5_200, rel=0.05)


@pytest.mark.parametrize("suffix", [".txt", ".gz"])
def test_a_text_of_ones_own_is_lower_cased_and_split_into_words(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    content = "\ufeffThe Cat sat.\r\n\r\nIt's 3 o'clock: Ünïcödé!\n" * 10
    path.write_bytes(gzip.compress(content.encode()) if suffix == ".gz" else content.encode())
    text = read_corpus(str(path))
    assert text.name == path.name
    assert list(text.sentences[:2]) == [["the", "cat", "sat"], ["it", "s", "o", "clock", "ünïcödé"]]


def test_a_file_called_as_a_corpus_keeps_its_path_as_its_name(tmp_path):
    path = tmp_path / "ptb"
    path.write_text("cafe\u0301 au lait\n")
    text = read_corpus(path)
    assert text.name == str(path) and list(text.sentences)[0][0] == "caf\u00e9"


def test_the_last_twentieth_of_the_tokens_is_held_out_even_within_one_line(tmp_path):
    path = tmp_path / "line.txt"
    path.write_text(" ".join(f"word{'abcdefghij'[n % 10]}" for n in range(1000)))
    text = read_corpus(path)
    assert [sum(map(len, part)) for part in text[1:]] == [950, 50]


def test_sentences_behave_as_a_list_of_lists():
    sentences = Sentences(["a b", "", " \t", "c"])
    assert list(sentences) == [["a", "b"], ["c"]] == [sentences[0], sentences[-1]]
    assert len(sentences) == 2 and list(sentences[1:]) == [["c"]]


def test_a_file_without_a_word_is_refused(tmp_path):
    (tmp_path / "empty.txt").touch()
    with pytest.raises(ValueError, match="empty.txt holds no words: it has no letters"):
        read_corpus(tmp_path / "empty.txt")


PACKED = {
    "not.gz": (b"plain words\n", "not.gz is not packed, though its name ends in .gz: rename it, mv .*not.gz .*not.new.txt$"),
    "text8.zip": (b"PK\3\4" + bytes(26) + b"text8" + bytes(99), "text8.zip is a zip archive: unpack it, unzip .*text8.zip$"),
    "packed.txt": (gzip.compress(b"a b\n" * 99), "packed.txt is packed with gzip, .*: rename it, mv .*packed.txt .*packed.txt.gz$"),
    "text.bz2": (bz2.compress(b"a b\n" * 99), "text.bz2 is packed with bzip2: unpack it, bzip2 -dc .*text.bz2 > .*text.new.txt$"),
    "text.txt.xz": (lzma.compress(b"a b\n" * 99), "text.txt.xz is packed with xz: unpack it, xz -dc .*"),
    "thesis.pdf": (b"%PDF-1.4\n\xe2\xe3", "thesis.pdf is a PDF: take its text, pdftotext .*thesis.pdf .*thesis.new.txt$"),
    "windows.txt": ("The river\r\n".encode("utf-16"), "windows.txt is text in UTF-16, not in UTF-8: convert it, iconv -f utf-16 -t utf-8 "),
    "inside.gz": (gzip.compress("The river\n".encode("utf-16")), "inside.gz holds is text in UTF-16, .*; first unpack it, gzip -dk .*gz$"),
    "bz2.gz": (bz2.compress(b"a b\n" * 99), "bz2.gz is packed with bzip2"),
    "damaged.gz": (gzip.compress(b"some words\n" * 99)[:-8] + bytes(8), "damaged.gz can't be unpacked after line .*: it was damaged; copy"),
    "cut.gz": (gzip.compress(b"some words\n" * 9999)[:-20], "cut.gz can't be unpacked after line [1-9].*: it is cut; copy it again$"),
}


@pytest.mark.parametrize("name", PACKED)
def test_what_a_file_is_instead_of_a_text_is_told_in_a_line_by_both_readers(tmp_path, name):
    content, told = PACKED[name]
    path = tmp_path / name
    path.write_bytes(content)
    for read in (read_corpus, words_by_parts):
        with pytest.raises(ValueError, match=told) as error:
            read(path)
        assert "\n" not in str(error.value) and "b'" not in str(error.value)


ENCODINGS = {
    "latin1": ("Le garçon était là, près du café.\n", "in latin1 as 'garçon était là'"),
    "cp1252": ("the café “open” isn’t far\n", "in windows-1252 it has words such as 'café isn’t .*iconv -f windows-1252"),
    "iso-8859-15": ("un œuf déjà prêt, du bœuf\n", "in iso-8859-15 it has words such as 'œuf déjà prêt"),
    "iso-8859-2": ("gęś i ślimak są źli\n", "in iso-8859-2 .* 'gęś ślimak są'"),
    "koi8-r": ("река берег лодка\n", "in koi8-r as 'река берег лодка'"),
    "cp1251": ("Река и берег\n", "windows-1251 .* 'Река и берег'"),
    "gbk": ("河 流 小 船\n", "in gb18030 as '河 流 小'"),
    "gb18030": ("河流 银行 小船\n", "in gb18030 as '河流 银行 小船'"),
    "big5": ("河流銀行 小船\n", "big5 as '河流銀行 小船"),
    "shift_jis": ("静かな 川\n", "shift_jis as '静かな 川"),
    "euc-kr": ("안녕하세요 세계\n", "euc-kr as '안녕하세요 세계"),
    "cp1250": ("żółw i ślimak są\n", "windows-1250 .* 'żółw ślimak są'"),
    "cp1254": ("şimdi ığdır\n", "windows-1254 as 'şimdi ığdır"),
    "cp1253": ("το ποτάμι είναι\n", "windows-1253 .* 'το ποτάμι είναι'"),
    "cp1255": ("שלום עולם\n", "windows-1255 as 'שלום עולם"),
    "cp1256": ("السلام عليكم\n", "windows-1256 .* 'السلام عليكم"),
    "cp1257": ("it was 20° at £5\n", "find out from where it comes what encoding it is in"),
    "mac-roman": ("garçon été\n", "find out from where it comes what encoding it is in, and convert it, iconv -f ENCODING"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_text_in_another_encoding_is_shown_in_those_in_which_it_reads_as_words(tmp_path, encoding):
    text, told = ENCODINGS[encoding]
    path = tmp_path / "text.txt"
    path.write_bytes((text * 9).encode(encoding))
    for read in (read_corpus, words_by_parts):
        with pytest.raises(ValueError, match=f"text.txt is not UTF-8 in line 1; .*{told}") as error:
            read(path)
        assert len(str(error.value)) < 500 and "\n" not in str(error.value)
        assert encoding in ("latin1", "cp1254") or "latin1" not in str(error.value)  # Turkish reads as Icelandic: both are shown


@pytest.mark.parametrize("line, ends", [(31, "\n"), (12_345, "\n"), (9, "\r\n"), (7, "\r")])
def test_a_stray_byte_is_told_with_its_line_and_left_out_by_the_command_that_is_told(tmp_path, line, ends, monkeypatch):
    monkeypatch.setattr(shards, "PART_BYTES", (5_000, 5_000))
    path = tmp_path / "my text.txt"
    lines = [f"río orilla barco pequeño{ends}".encode()] * (line + 40)
    lines[line - 1] = b"caf\xe9 r\xc3\xado" + ends.encode()
    path.write_bytes(b"".join(lines))
    for read in (read_corpus, words_by_parts):
        with pytest.raises(ValueError, match=f"is not UTF-8 in line {line:,}; most of it is UTF-8: leave out bytes such as 0xe9") as error:
            read(path)
    command = str(error.value).partition("0xe9, ")[2]
    assert command == f"iconv -c -f utf-8 -t utf-8 '{path}' > '{path.with_suffix('.new.txt')}'"
    subprocess.run(["sh", "-c", command])
    assert words_by_parts(path.with_suffix(".new.txt"))[line - 1] == ["caf", "río"]


HIDDEN = {
    "bad.gz": (gzip.compress("río\n".encode() * 99 + b"caf\xe9\n"), "100; .*iconv -c .*/bad > .*/bad.new.txt; first unpack it, gzip -dk "),
    "long.txt": (b"word " * 100_000 + b"caf\xe9 noir\n", "1; in latin1 it has words such as 'café': .* iconv -f latin1 "),
    "joined.txt": ("là été\n".encode() * 9 + "là été\n".encode("latin1") * 9, "10; it is UTF-8 up to there: convert the rest by itself"),
    "cut.txt": ("río grande ".encode() * 12 + b"r\xc3", "1; most of it is UTF-8: leave out bytes such as 0xc3"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_not_utf_8_is_found_in_packed_files_in_long_lines_and_at_the_end(name, tmp_path):
    content, told = HIDDEN[name]
    (tmp_path / name).write_bytes(content)
    for read in (read_corpus, words_by_parts):
        with pytest.raises(ValueError, match=f"{name} is not UTF-8 in line {told}"):
            read(tmp_path / name)


@pytest.mark.parametrize("begin", [b"\x80\x04\x95", b"RIFF\0\0\0\0WAVE", b"MZ\x90\0"])
def test_a_file_of_bytes_is_called_no_text_by_both_readers(begin, tmp_path):
    (tmp_path / "bytes.txt").write_bytes(begin + bytes(range(256)) * 9)
    for read in (read_corpus, words_by_parts):
        with pytest.raises(ValueError, match="bytes.txt is not a text: line 1 holds a zero byte"):
            read(tmp_path / "bytes.txt")


def test_a_missing_file_and_a_folder_get_an_error_that_says_what_to_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="neither 'ptb' nor 'wikipedia'"):
        read_corpus(tmp_path / "nowhere.txt")
    with pytest.raises(ValueError, match="is a folder; name one text file"):
        read_corpus(tmp_path)
    for nonsense in (None, 3, ""):
        with pytest.raises(ValueError, match="corpus must be"):
            read_corpus(nonsense)


@pytest.mark.parametrize("damage", ["cut", "altered", "error page"])
def test_a_damaged_ptb_in_the_cache_is_never_read(no_ptb, damage, capsys):
    no_ptb.mkdir()
    path = no_ptb / "ptb.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ptb/ptb.train.txt", "not the treebank")
        archive.writestr("ptb/ptb.valid.txt", "not the treebank")
    content = path.read_bytes()
    damaged = {"cut": content[:40], "altered": content, "error page": b"<html>404 Not Found</html>"}[damage]
    path.write_bytes(damaged)
    with pytest.raises(RuntimeError):
        read_corpus("ptb", strict=True)
    assert read_corpus("ptb").name == "wikipedia"
    assert path.read_bytes() == damaged


def test_a_cache_folder_that_is_a_file_falls_back_with_a_notice(no_ptb, capsys):
    no_ptb.write_text("in the way")
    assert read_corpus("ptb").name == "wikipedia"
    assert "PTB can't be had" in capsys.readouterr().out


def test_a_line_of_any_length_is_read_in_parts_and_no_word_is_torn(tmp_path, monkeypatch):
    words = [f"{'abcdefgh'[: 1 + number % 8]}{chr(97 + number % 26)}" for number in range(5000)]
    path = tmp_path / "long.txt"
    path.write_text(" ".join(words) + "\nlast line")
    for longest in (2**20, 100, 12):
        monkeypatch.setattr(texts, "LONGEST_PART", longest)
        text = read_corpus(path)
        assert [token for part in (text.sentences, text.held_out) for sentence in part for token in sentence] == [*words, "last", "line"]
    assert len(text.sentences) > 1000


def test_what_is_no_text_or_unpacks_without_end_is_refused_in_little_memory(tmp_path):
    import tracemalloc

    files = {"zeros": bytes(2**24), "letters": b"x" * 2**24}
    for name, content in files.items():
        with gzip.open(tmp_path / f"{name}.gz", "wb", compresslevel=1) as file:
            for _ in range(4):
                file.write(content)
    tracemalloc.start()
    with pytest.raises(ValueError, match="line 1 holds a zero byte|a word of more than"):
        read_corpus(tmp_path / "zeros.gz")
    with pytest.raises(ValueError, match="a word of more than 1,048,576 characters: is it a text"):
        read_corpus(tmp_path / "letters.gz")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**25


def test_a_text_that_is_too_large_for_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "MOST_CHARACTERS", 1000)
    path = tmp_path / "large.txt"
    path.write_text("a few words\n" * 100)
    with pytest.raises(ValueError, match="more than 1,000 characters, too many to keep in memory: take a part of it"):
        read_corpus(path)


def test_a_million_empty_lines_are_no_sentences(tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("\n" * 500_000 + "a b c d e f g h i j k l m n o p q r s t\n" + "\r\n" * 500_000)
    text = read_corpus(path)
    assert [len(sentence) for sentence in [*text.sentences, *text.held_out]] == [19, 1]


def test_memory_grows_with_the_text_and_no_faster(tmp_path):
    peaks, rng, letters = [], np.random.default_rng(0), str.maketrans("0123456789", "abcdefghij")
    for num_lines in (4_000, 16_000):
        path = tmp_path / "text.txt"
        lines = (" ".join(f"{number}".translate(letters) for number in rng.zipf(1.3, 10) % 5000) for _ in range(num_lines))
        path.write_text("\n".join(lines))
        tracemalloc.start()
        text = read_corpus(path)
        vocab = Vocab(text.sentences, 2)
        blocks = Blocks(*encode(text.sentences, vocab), count_words(vocab), 5, 5, 0)
        load_minibatches(text, vocab, 512, 5, 5, 0, np.asarray)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert len(blocks) and peaks[1] < 4.5 * peaks[0]
