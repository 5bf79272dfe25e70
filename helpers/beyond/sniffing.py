"""What a file is that is no text in UTF-8: one list for texts and for files of vectors, and other encodings tried. Not taught."""

import codecs
import gzip
import re
import shlex
import unicodedata
import zlib
from pathlib import Path

SNIFFED = 4096  # bytes, which are enough
GZIP = b"\x1f\x8b"
UNPACKING = EOFError, zlib.error, gzip.BadGzipFile  # what goes wrong with it
FILE_KINDS = {  # how a file begins: what it is, and the command that makes a text of it; FILE stands for its name
    rb"\x1f\x8b": "packed with gzip, and its name does not end in .gz: rename it, mv FILE FILE.gz",
    rb"BZh[1-9](1AY&SY|\x17rE8P\x90)": "packed with bzip2: unpack it, bzip2 -dc FILE > FILE.txt",
    rb"\xfd7zXZ\0": "packed with xz: unpack it, xz -dc FILE > FILE.txt",
    rb"\x28\xb5\x2f\xfd": "packed with zstd: unpack it, zstd -dc FILE > FILE.txt",
    rb"\x04\x22\x4d\x18": "packed with lz4: unpack it, lz4 -dc FILE > FILE.txt",
    rb"7z\xbc\xaf\x27\x1c": "a 7-Zip archive: unpack it, 7z x FILE",
    rb"Rar!\x1a\x07": "a RAR archive: unpack it, unrar x FILE",
    rb".{257}ustar": "a tar archive: unpack it, tar -xf FILE",
    rb"PK\x03\x04.{26}(\[Content_Types\]\.xml|mimetype|_rels/|docProps/|word/|xl/|ppt/)":
        "an office document or an e-book: save it as plain text in UTF-8",
    rb"PK(\x03\x04|\x05\x06)": "a zip archive: unpack it, unzip FILE",
    rb"%PDF-\d": "a PDF: take its text, pdftotext FILE FILE.txt",
    rb"\{\\rtf\d": "a document in RTF: save it as plain text in UTF-8",
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Office document: save it as plain text in UTF-8",
    rb"\x93NUMPY": "an array of NumPy: numpy.load reads it, and what is in it can be written as text",
    rb"version https://git-lfs": "a pointer of Git LFS, not the file that it stands for: fetch that, git lfs pull",
    rb"\x89PNG|\xff\xd8\xff|GIF8[79]a.{0,9}\0": "a picture: name a file of text",
    rb"\x7fELF": "a program: name a file of text",
    rb"\x89HDF|PAR1\x15|SQLite format 3\0": "a database or a table (HDF5, Parquet or SQLite): export its text",
}
MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
WITHOUT_MARK = "utf-32le", "utf-32be", "utf-16le", "utf-16be"
CONVERT = "iconv -f {} -t utf-8 FILE > FILE.txt"
OTHER_ENCODINGS = (
    *("latin1", "iso-8859-15", "windows-1252", "windows-1250", "iso-8859-2", "windows-1254", "windows-1251", "koi8-r"),
    *("windows-1253", "windows-1255", "windows-1256", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr"),
)
FEWEST_BEFORE = 10  # characters of UTF-8 beyond ASCII that in another encoding hardly come before the first that is none
MOST_SHOWN = 3  # encodings that a text may be in
AROUND = r"^[^\w¡-¿]+|[^\w¡-¿]+$|^[«»¡¿]+|[«»]+$|\d+"  # punctuation, but not the signs that letters of other encodings become
SAME_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK"}
MOST_WORDS_SEEN, LONGEST_SHOWN = 2000, 40  # words, characters
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
        return f"text in {encoding.upper()}, not in UTF-8: convert it, {CONVERT.format(encoding)}"
    return None


def named(what, path):
    """Return what is said of a file with its name in place of FILE, and a new one in place of FILE.txt, quoted as a shell needs them."""
    names = {"FILE": str(path), "FILE.txt": str(Path(path).with_suffix(".new.txt"))}
    return re.sub(r"\bFILE(\.txt)?\b", lambda found: shlex.quote(names[found[0]]), what)


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


def what_encoding_it_is(content, num_in_utf8=0):
    """Say what bytes are that are not all UTF-8, and what to do: stray bytes, or text in an encoding in which it reads as words.

    They are decoded in each of OTHER_ENCODINGS. `num_in_utf8` characters beyond ASCII, which were UTF-8, stand before them. FILE in the
    answer stands for the file's name.
    """
    content = re.sub(rb"\xed[\xa0-\xbf][\x80-\xbf]", b"\xed", content)  # half a character of UTF-16, in three bytes
    text = content.decode("utf-8", "surrogateescape")
    bad = [f"0x{ord(character) - 0xDC00:02x}" for character in text if "\udc80" <= character <= "\udcff"]
    num_before = num_in_utf8
    num_in_utf8 += sum(not character.isascii() for character in text) - len(bad)
    stray = f"leave out bytes such as {bad[0]}, iconv -c -f utf-8 -t utf-8 FILE > FILE.txt"
    if num_in_utf8 > 10 * len(bad) or set(bad) == {"0xed"}:
        return f"most of it is UTF-8: {stray}"
    if num_before >= FEWEST_BEFORE:
        return "it is UTF-8 up to there: convert the rest by itself, before the two are joined"
    words_in, found = {encoding: _words_beyond_ascii(content, encoding) for encoding in OTHER_ENCODINGS}, {}
    for encoding, words in words_in.items():
        num_letters = len(set("".join(words)))  # a single one tells nothing: a sign such as £ is a letter elsewhere
        if num_letters > 1 and sum(map(_is_a_word, words)) > 0.9 * len(words):
            found.setdefault(" ".join(words[:3])[:LONGEST_SHOWN], encoding)
    fits = sorted(found.items(), key=lambda item: sum(map(str.isupper, item[0])))[:MOST_SHOWN]
    if len(fits) == 1:
        return f"in {fits[0][1]} it has words such as {fits[0][0]!r}: if that is right, convert it, {CONVERT.format(fits[0][1])}"
    if fits:
        shown = ", ".join(f"{encoding} as {words!r}" for words, encoding in fits)
        return f"it reads in {shown}: convert it from the one that is right, {CONVERT.format('ENCODING')}"
    if len(bad) < len(text) / 100 or not any(words_in.values()):
        return stray
    return f"find out from where it comes what encoding it is in, and convert it, {CONVERT.format('ENCODING')}"


def _words_beyond_ascii(content, encoding):
    """Return words with a character beyond ASCII, without what stands around them; none where the bytes are not of this encoding."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(content)  # the last character may be cut
    except UnicodeDecodeError:
        return []
    words = (re.sub(AROUND, "", word[:LONGEST_SHOWN]) for word in text.split())
    return [word for word in words if not word.isascii()][:MOST_WORDS_SEEN]


def _is_a_word(word):
    """Return whether letters make a word: of one script, no capital after a small letter, and in Latin script not all with accents."""
    letters = re.sub("['’·-]", "", word)
    if not all(unicodedata.category(letter)[0] in "LM" and not "\uff00" <= letter <= "\uffef" for letter in letters):
        return False
    scripts = {SAME_SCRIPT.get(script, script) for script in (unicodedata.name(letter, "").split()[0] for letter in letters)}
    num_accents = sum(not letter.isascii() for letter in letters)
    one_case = not any(before.islower() and after.isupper() for before, after in zip(letters, letters[1:]))
    return one_case and len(scripts) == 1 and (scripts != {"LATIN"} or num_accents <= max(1, 0.75 * len(letters)))
