"""The first bytes of a file tell what it is, and what to do."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import numpy as np
import pytest

from helpers.beyond.sniffing import SNIFFED, named, require_no_other_kind, what_it_is

TEXT = "The river bank was wide.\nЛодка стоит у реки.\n船在河边。\n" * 40


def zipped(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def tarred(content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(info := tarfile.TarInfo("text.txt"), io.BytesIO(content[: info.size]))
    return file.getvalue()


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


CONTENT = TEXT.encode()
KNOWN = {
    "zip": (zipped("text8", CONTENT), "a zip archive: unpack it, unzip FILE"),
    "docx": (zipped("[Content_Types].xml", CONTENT), "an office document or an e-book: save it as plain text"),
    "xlsx": (zipped("xl/workbook.xml", CONTENT), "an office document or an e-book: save it as plain text"),
    "pptx": (zipped("docProps/app.xml", CONTENT), "an office document or an e-book: save it as plain text"),
    "git-lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a pointer of Git LFS, .*fetch that, git lfs pull"),
    "epub": (zipped("mimetype", b"application/epub+zip"), "an office document or an e-book: save it as plain text"),
    "gzip": (gzip.compress(CONTENT), "packed with gzip, and its name does not end in .gz: rename it, mv FILE FILE.gz"),
    "bz2": (bz2.compress(CONTENT), "packed with bzip2: unpack it, bzip2 -dc FILE > FILE.txt"),
    "xz": (lzma.compress(CONTENT), "packed with xz: unpack it, xz -dc FILE > FILE.txt"),
    "tar": (tarred(CONTENT), "a tar archive: unpack it, tar -xf FILE"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF: take its text, pdftotext FILE FILE.txt"),
    "numpy": (saved(np.zeros((3, 2))), "an array of NumPy: numpy.load reads it"),
    "utf-16 of Windows": (b"\xff\xfe" + TEXT.encode("utf-16-le"), "text in UTF-16, .*iconv -f utf-16 -t utf-8 FILE > FILE.txt"),
    "utf-16, the other way round": (b"\xfe\xff" + TEXT.encode("utf-16-be"), "text in UTF-16, .*iconv -f utf-16 -t"),
    "utf-32": (TEXT.encode("utf-32"), "text in UTF-32, .*iconv -f utf-32 -t"),
    "utf-16le without a mark": (TEXT.encode("utf-16-le"), "text in UTF-16LE, .*iconv -f utf-16le -t"),
    "utf-16be without a mark": (TEXT.encode("utf-16-be"), "text in UTF-16BE, .*iconv -f utf-16be -t"),
    "utf-32le without a mark": (TEXT.encode("utf-32-le"), "text in UTF-32LE, .*iconv -f utf-32le -t"),
    "utf-32be without a mark": (TEXT.encode("utf-32-be"), "text in UTF-32BE, .*iconv -f utf-32be -t"),
    "utf-16 of Chinese": ("春天到了，河水涨了。 孩子们在岸边玩耍\n".encode("utf-16-be"), "text in UTF-16BE, .*iconv -f utf-16be -t"),
    "utf-16 of Russian": ("ёлка растёт в лесу\n".encode("utf-16-le"), "text in UTF-16LE, .*iconv -f utf-16le -t"),
    "utf-16 of Hindi": ("नदी का पानी बढ़ गया\n".encode("utf-16-be"), "text in UTF-16BE, .*iconv -f utf-16be -t"),
    "utf-16 of Arabic": ("ارتفع ماء النهر\n".encode("utf-16-be"), "text in UTF-16BE, .*iconv -f utf-16be -t"),
}


@pytest.mark.parametrize("kind", KNOWN)
def test_the_first_bytes_tell_what_a_file_is_and_what_makes_a_text_of_it(kind):
    content, told = KNOWN[kind]
    told = told.replace("FILE.txt", "'my file.new.txt'").replace("FILE", "'my file'")
    with pytest.raises(ValueError, match=f"^my file is {told}"):
        require_no_other_kind("my file", content)
    assert what_it_is(content[:SNIFFED]) == what_it_is(content)


NOT_NAMED = {
    "nothing": b"", "a zero": b"\0", "a letter": b"P", "text like bzip2": b"BZhang said", "text like Parquet": b"PAR1 is",
    "text like a PDF": b"%PDF files", "text like a GIF": b"GIF89a and", "text": CONTENT, "with a mark": b"\xef\xbb\xbf" + CONTENT,
    "Windows-1251": TEXT.encode("cp1251", "ignore"), "GB18030": TEXT.encode("gb18030"), "zeros": bytes(300), "bytes": bytes(range(256)) * 9,
    "vectors": b"3 4\nriver \0\0\x80\x3f\0\0\0\x40\0\0\0\xc0\x9a\x99\x99\x3e\n", "UTF-16 with a zero": "ab\x00cd\n".encode("utf-16-le"),
    "text with a zero": b"hello wor\0ld is told\n",
    "words with zeros": "dlouh\u00fd\0 text\0 je\u0161t\u011b\n".encode(), "vectors with a zero": b"a 1 2\nb\0 3 4\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", NOT_NAMED)
def test_what_may_be_text_in_some_way_or_is_not_known_gets_no_name(kind):
    assert what_it_is(NOT_NAMED[kind]) is None
    require_no_other_kind("mine.txt", NOT_NAMED[kind])


def test_names_are_quoted_as_a_shell_needs_them_and_never_the_file_itself_is_written():
    assert named("unpack it, bzip2 -dc FILE > FILE.txt", "my FILE.txt") == "unpack it, bzip2 -dc 'my FILE.txt' > 'my FILE.new.txt'"
