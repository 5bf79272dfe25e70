"""What counts as a word of a text, and what looks wrong in a text. Not taught.

Of Unicode's compatibility forms only those are given their usual letters that differ in layout alone: ligatures, full-width and
half-width forms, Arabic letters by their place, styled letters. NFKC of a whole text would glue the sign of a trade mark to
its word as "tm", and spell ordinary Thai and Korean anew.
"""

import re
import unicodedata

WORD = (  # an apostrophe that is a letter, as in Hawaiian, a letter, then more of them with marks, and what may join two
    r"(?V1)[\u02bb-\u02bf]?[\p{Lu}\p{Ll}\p{Lt}\p{Lo}〇--[ªº]]"
    r"(?:[\p{L}\p{M}\p{Nl}]|_+(?=\p{L})|[\u200c\u200d]+(?=[\p{L}\p{M}])|(?<=\p{M})\u200d)*"
)
SPLITS = "letters", "whitespace"
LAYOUT_FORMS = "[µſĲĳĿŀŉǄ-ǌǱ-ǳⅠ-ⅿ\ufb00-\ufdff\ufe70-\ufefc\uff00-\uff9f\U0001d400-\U0001d7ff]+"
TURKISH_SHARE = 0.01  # of the letters are ı: some 5 % in Turkish and Azerbaijani, next to none in a text that names Turks
UNSPACED = {  # scripts without spaces between words: the most letters that their words have on average
    r"[\p{Han}\p{Hiragana}\p{Katakana}]": 4,
    r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]": 9,
}
TOKENS_KEPT = 'read with split="whitespace", which a command has as --split whitespace'
MARKUP = r"<(?!/?(?:unk|s|eos|num)>)[a-zA-Z/!?][^<>\n]*>|&[#\w]+;|\"\w+\":|\\[a-zA-Z]+|\[\[|\]\]|\{\{|\}\}|\bhttps?://\S+"
FEWEST_LINES, WIDTHS = 20, range(30, 121)  # to tell that a text is hard-wrapped
SENTENCE_END = ".!?…:;。\"'”’»)]"


def require_split(split):
    """Raise a ValueError unless `split` is one of SPLITS."""
    if split not in SPLITS:
        raise ValueError(f"split must be {' or '.join(map(repr, SPLITS))}, not {split!r}")


def is_turkish(text):
    """Return whether I is ı in lower case here, as in Turkish and Azerbaijani, by the share of the letter ı."""
    return text.count("ı") > TURKISH_SHARE * sum(map(str.isalpha, text))


def speller(turkish=False):
    """Return a function that gives a text one spelling: lower case, NFC, usual letters, without what is not seen.

    What is not seen are soft hyphens, variation selectors, marks of direction and their like, and the Arabic tatweel. Joiners stay,
    since Persian and Sinhala write with them. İ becomes i, with or without its dot apart.
    """
    import regex

    forms, dotted = re.compile(LAYOUT_FORMS), re.compile("i\u0307+")
    unseen = regex.compile(r"(?V1)[\p{Default_Ignorable_Code_Point}\u0640--[\u200b-\u200d]]+")

    def spell(text):
        text = forms.sub(lambda found: unicodedata.normalize("NFKC", found[0]), unicodedata.normalize("NFC", text))
        text = unicodedata.normalize("NFC", unseen.sub("", text)).replace("İ", "i")
        text = text.replace("I", "ı") if turkish else text
        text = text.lower()
        return unicodedata.normalize("NFC", dotted.sub("i", text)) if "\u0307" in text else unicodedata.normalize("NFC", text)

    return spell


def word_finder(split="letters", turkish=False):
    """Return a function that lists the words of a line: `str.split` for "whitespace".

    For "letters" they are runs of letters, each with its marks, in the spelling of `speller`; a joiner or _ may stand between two.
    """
    import regex

    if split == "whitespace":
        return str.split
    spell, word = speller(turkish), regex.compile(WORD)
    return lambda line: word.findall(spell(line))


def what_looks_wrong(text, split="letters"):
    """Say in a line what may be wrong with the words of a text, from its beginning: the cause, and a cure; None where nothing is seen.

    FILE stands for the file's name.
    """
    checks = (words_without_spaces,) if split == "whitespace" else (words_without_spaces, markup, digits, hard_wrapped)
    return next(filter(None, (check(text) for check in checks)), None)


def words_without_spaces(text):
    """Say so if the words of a script without spaces are too long to be words."""
    import regex

    words = word_finder()(text)
    for script, most in UNSPACED.items():
        found = list(filter(regex.compile(script).match, words))
        num_letters = len(regex.findall(r"\p{L}", "".join(found)))
        if num_letters > sum(map(len, words)) / 5 and num_letters > most * len(found):
            return (
                f"runs of letters such as {max(found, key=len)[:20]!r} are more than a word: put spaces between words first "
                f"(jieba does it for Chinese, MeCab for Japanese, PyThaiNLP for Thai), and {TOKENS_KEPT}"
            )
    return None


def markup(text):
    """Say so if tags, keys and addresses are more than a twentieth of the characters."""
    found = [match[0] for match in re.finditer(MARKUP, text)]
    if sum(map(len, found)) <= num_visible(text) / 20:
        return None
    return f"tags, keys or addresses such as {found[0][:30]!r} are read as words: take the plain text out of the markup first"


def digits(text):
    """Say so if digits and signs are more than a tenth of the characters."""
    import regex

    share = len(regex.findall(r"[\p{N}\p{S}]", text)) / max(1, num_visible(text))
    if share <= 0.1:
        return None
    return f"digits and signs make no words, and are {share:.0%} of the characters: if they belong to words, {TOKENS_KEPT}"


def hard_wrapped(text):
    """Say so if lines end at a width and not where a sentence does."""
    import regex

    lines = text.splitlines()
    pairs = [(line.rstrip(), after.strip()) for line, after in zip(lines, lines[1:]) if line.strip() and after.strip()]
    if len(pairs) < FEWEST_LINES:
        return None
    inside = sum(line[-1] not in SENTENCE_END and after[0].islower() for line, after in pairs) / len(pairs)
    has_sentences = regex.search(r"\p{Ll}[.!?][\W_]{0,9} [\W_]{0,9}\p{Lu}\p{Ll}", text)  # that end within a line
    different = set(pairs)
    width = sorted(len(line) for line, _ in different)[int(0.95 * len(different))]  # headings may be longer
    full = sum(len(line) + 1 + len(after.split(maxsplit=1)[0]) > width for line, after in different) / len(different)
    if (has_sentences and inside > 0.5) or (len(different) >= FEWEST_LINES and width in WIDTHS and full > 0.7):
        return (
            "lines end within sentences, so that no context crosses them: join the lines of a paragraph, for example with "
            "tr -d '\\r' < FILE | awk 'BEGIN { RS = \"\" } { gsub(/\\n/, \" \"); print }' > FILE.txt"
        )
    return None


def num_visible(text):
    """Return the number of characters that are no spaces."""
    return len("".join(text.split()))
