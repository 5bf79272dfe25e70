"""What the first bytes of a file tell of it, where it is no UTF-8 text: one list for texts and for files of vectors. Not taught."""

import codecs
import re
import shlex
import unicodedata

SNIFFED = 4096  # bytes, which are enough
FILE_KINDS = {  # how a file begins: what it is, and the command that makes a text of it; FILE stands for its name
    rb"\x1f\x8b": "packed with gzip, and its name does not end in .gz: rename it, mv FILE FILE.gz",
    rb"BZh[1-9](1AY&SY|\x17rE8P\x90)": "packed with bzip2: unpack it, bzip2 -dc FILE > FILE.txt",
    rb"\xfd7zXZ\0": "packed with xz: unpack it, xz -dc FILE > FILE.txt",
    rb"\x28\xb5\x2f\xfd": "packed with zstd: unpack it, zstd -dc FILE > FILE.txt",
    rb"\x04\x22\x4d\x18": "packed with lz4: unpack it, lz4 -dc FILE > FILE.txt",
    rb"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it, 7z x FILE",
    rb"Rar!\x1a\x07": "a RAR archive: unpack it, unrar x FILE",
    rb".{257}ustar": "a tar archive: unpack it, tar -xf FILE",
    rb"PK\x03\x04.{26}(\[Content_Types\]\.xml|mimetype|_rels/|word/)": "an office document or an e-book: save it as plain text in UTF-8",
    rb"PK(\x03\x04|\x05\x06)": "a zip archive: unpack it, unzip FILE",
    rb"%PDF-\d": "a PDF: take its text, pdftotext FILE FILE.txt",
    rb"\{\\rtf\d": "a document in RTF: save it as plain text in UTF-8",
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office document: save it as plain text in UTF-8",
    rb"\x93NUMPY": "an array of NumPy: numpy.load reads it, and what is in it can be written as text",
    rb"\x89PNG|\xff\xd8\xff|GIF8[79]a.{0,9}\0": "a picture: name a file of text",
    rb"\x7fELF": "a program: name a file of text",
    rb"\x89HDF|PAR1\x15|SQLite format 3\0": "a database or a table (HDF5, Parquet or SQLite): export its text",
}
MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
WITHOUT_MARK = "utf-32le", "utf-32be", "utf-16le", "utf-16be"
NO_LETTERS = "Cc", "Cn", "Co", "Cs"  # Unicode's categories: control characters, unassigned ones, private ones, surrogates


def what_it_is(first_bytes):
    """Say what a file is that begins with these bytes, and what to do; None where nothing speaks against UTF-8 text.

    Up to SNIFFED bytes are looked at. FILE in the answer stands for the file's name: see `named`.
    """
    first_bytes = bytes(first_bytes[:SNIFFED])
    for begin, what in FILE_KINDS.items():
        if re.match(begin, first_bytes, re.DOTALL):
            return what
    if encoding := _wide_encoding(first_bytes):
        return f"text in {encoding.upper()}, not in UTF-8: convert it, iconv -f {encoding} -t utf-8 FILE > FILE.txt"
    return None


def named(what, path):
    """Return what `what_it_is` says with the file's name in place of FILE, quoted as a shell needs it."""
    return what.replace("FILE", shlex.quote(str(path)))


def require_no_other_kind(path, first_bytes):
    """Raise a ValueError that names a file, what it is and what to do, if its first bytes tell that it is no text in UTF-8."""
    if what := what_it_is(first_bytes):
        raise ValueError(f"{path} is {named(what, path)}")


def _wide_encoding(first_bytes):
    """Return the encoding of text with two or four bytes per character, else None: from the mark at its start, or by decoding it."""
    for mark, encoding in MARKS.items():  # that of UTF-32 begins as that of UTF-16 does
        if first_bytes.startswith(mark):
            return encoding
    if b"\0" in first_bytes and not _is_damaged_utf_8(first_bytes):
        return next((encoding for encoding in WITHOUT_MARK if _is_text(first_bytes, encoding)), None)
    return None


def _is_damaged_utf_8(first_bytes):
    """Return whether a few zero bytes alone keep this from being text in UTF-8: taken in pairs, its letters would look like Chinese."""
    few = first_bytes.count(0) < len(first_bytes) / 4  # of Latin letters in two bytes each, every other byte is 0
    return few and _is_text(first_bytes.replace(b"\0", b""), "utf-8")


def _is_text(first_bytes, encoding):
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(first_bytes)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return bool(text) and all(character.isspace() or unicodedata.category(character) not in NO_LETTERS for character in text)
