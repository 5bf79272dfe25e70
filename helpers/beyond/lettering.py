"""Words of any script in figures: in the right order, from a font that has their letters, or as a number with a key under the figure.

Before 3.11 Matplotlib sets all letters from left to right, each in the form that stands alone.
"""

import unicodedata
from functools import lru_cache

import matplotlib
import regex
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, fontManager, get_font
from matplotlib.ft2font import FT2Font
from matplotlib.textpath import TextToPath

SETS_ALL_SCRIPTS = tuple(map(int, matplotlib.__version__.split(".")[:2])) >= (3, 11)
FROM_RIGHT = r"[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\U00010800-\U00010FFF\U0001E800-\U0001EFFF]"
DIGITS = r"\p{Nd}+(?:[.,:/+\-\u066b\u066c]\p{Nd}+)*"
# from the first such letter of a word to its last, or to the number that follows it
RUN = regex.compile(rf"{FROM_RIGHT}(?:\S*{FROM_RIGHT})?\p{{M}}*(?:[\p{{P}}\p{{S}}]*{DIGITS})?")
CLUSTERS = regex.compile(rf"{DIGITS}|\p{{Latin}}+|\P{{M}}\p{{M}}*")  # what keeps its order there: numbers, Latin, a letter's marks
# scripts whose letters change with those beside them, in ways that only a text engine knows
JOINING = regex.compile(
    r"[\p{Syriac}\p{Nko}\p{Adlam}\p{Mongolian}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}"
    r"\p{Malayalam}\p{Sinhala}\p{Tibetan}\p{Myanmar}\p{Khmer}]"
)
INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
POWER = regex.compile(r"\$\\mathdefault\{[^$]*\}\$")  # Matplotlib's own numbers at a logarithmic axis
FILLERS = "lastresort", "adobeblank"  # fonts that have a box for every letter
CANDIDATES = 4  # fonts that are remembered for a letter
LRM, ZWNJ = "\u200e", "\u200c"  # what follows LRM begins from the left; letters beside ZWNJ do not join


@lru_cache
def arabic_forms():
    """Return the characters for the forms of Arabic letters, {(letter, "initial"): character}; lam with alef counts as a letter."""
    forms = {}
    for code in (*range(0xFE80, 0xFEFD), *range(0xFB50, 0xFC00)):
        kind, *letters = unicodedata.decomposition(chr(code)).split() or ["none"]
        base = "".join(chr(int(letter, 16)) for letter in letters)
        if len(base) == 1 or code >= 0xFEF5:
            forms.setdefault((base, kind.strip("<>")), chr(code))
    return forms


def joined(letters):
    """Return letters, each with its marks, where each Arabic one has the form that its neighbors ask for."""
    forms, merged = arabic_forms(), []
    for letter in letters:
        if merged and merged[-1][0] == "\u0644" and ("\u0644" + letter[0], "isolated") in forms:
            merged[-1] = "\u0644" + letter[0], merged[-1][1] + letter[1:]
        else:
            merged.append((letter[0], letter[1:]) if regex.match(r"\P{M}\p{M}*$", letter) else (letter, ""))
    to_next = [(base, "initial") in forms or base == "\u0640" for base, _ in merged]
    to_last = [(base, "final") in forms or base == "\u0640" for base, _ in merged]
    found = []
    for place, (base, marks) in enumerate(merged):
        before = place > 0 and to_next[place - 1] and to_last[place]
        after = place + 1 < len(merged) and to_next[place] and to_last[place + 1]
        kind = ("isolated", "final", "initial", "medial")[before + 2 * after]
        found.append(marks + forms.get((base, kind), base))  # fonts have the marks of these scripts at the left edge of a letter
    return found


def from_left(run):
    """Return a run of letters that is read from the right as the characters to set from left to right."""
    parts = [joined(CLUSTERS.findall(part)) for part in run.split(ZWNJ)]
    return "".join(reversed([letter for part in parts for letter in part]))


def drawn(word):
    """Return a word as Matplotlib of this version sets it right, or None if it can't."""
    if SETS_ALL_SCRIPTS:
        return RUN.sub(lambda run: f"{LRM}{run[0]}{LRM}", word)  # so that the words of a list keep their order
    arabic = regex.findall(r"(?=\p{Arabic})\p{Lo}", word)
    if JOINING.search(word) or any((letter, "isolated") not in arabic_forms() for letter in arabic if letter < "\ufb50"):
        return None
    return INVISIBLE.sub("", RUN.sub(lambda run: from_left(run[0]), word))


@lru_cache
def fonts_of(letter):
    """Return up to CANDIDATES installed fonts that have a letter, [(family, font)], upright ones of usual weight first."""
    found = []
    for entry in sorted(fontManager.ttflist, key=lambda one: (one.style != "normal", str(one.weight) not in ("400", "normal"), one.name)):
        if not entry.name.lower().replace(" ", "").startswith(FILLERS) and len(found) < CANDIDATES:
            try:
                font = FT2Font(entry.fname)
            except (OSError, RuntimeError):  # a damaged file is no font
                continue
            if font.scalable and font.get_char_index(ord(letter)):
                found.append((entry.name, font))
    return found


FIRST_LETTERS = {}  # of each script: the fonts that have it are asked first, and where there are none, no font is


def family_with(letter):
    """Return the name of an installed font that has a letter, or None."""
    script = unicodedata.name(letter, "?").split()[0]
    fonts = fonts_of(FIRST_LETTERS.setdefault(script, letter))
    found = [family for family, font in fonts if font.get_char_index(ord(letter))]
    found = found or [family for family, _ in fonts and fonts_of(letter)]
    return found[0] if found else None


class LetteringRenderer(RendererAgg):
    """Draws texts as `drawn` sets them; `numbers` {word: number} gets the words that no font can draw, `used` those that were drawn."""

    def __init__(self, width, height, dpi, numbers, used):
        super().__init__(width, height, dpi)
        self.numbers, self.used = numbers, used
        self._text2path = LetteringPaths(self)  # what texts with an edge of another color are drawn with

    def written(self, text, prop):
        """Return a text and its font with what Matplotlib needs to draw them, and the words for which numbers stand."""
        if text.isascii() and text.isprintable():
            return text, prop, []
        font, parts, families, numbered = get_font(findfont(prop)), [], [], []
        for place, word in enumerate(regex.split(r"([\s,:;]+)", text)):
            if place % 2:  # what stands between words
                parts.append(word)
                continue
            set_right = word if word.isascii() else drawn(word)
            visible = INVISIBLE.sub("", set_right or "")
            missing = [letter for letter in visible if not font.get_char_index(ord(letter))]
            found = [family_with(letter) for letter in missing]
            if set_right is None or None in found:
                numbered.append(word)
                set_right = f"[{self.numbers.setdefault(word, len(self.numbers) + 1)}]"
            else:
                families += [family for family in found if family not in families]
            parts.append(set_right)
        if families:
            prop = prop.copy()
            prop.set_family([*prop.get_family(), *families])
            prop.set_weight("normal")  # that face has the letters, a bold one may not
        return "".join(parts), prop, numbered

    def to_draw(self, text, prop, ismath):
        """Return a text, its font and whether it is a formula, and remember which words in it are numbers."""
        if POWER.fullmatch(text):
            return text, prop, ismath
        text, prop, numbered = self.written(text, prop)
        self.used.update(numbered)
        return text, prop, False  # all else that holds $ is a word, no formula

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        s, prop, ismath = self.to_draw(s, prop, ismath)
        super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)

    def get_text_width_height_descent(self, s, prop, ismath):
        if not POWER.fullmatch(s):
            s, prop, _ = self.written(s, prop)
            ismath = False
        return super().get_text_width_height_descent(s, prop, ismath)


class LetteringPaths(TextToPath):
    """Gives the outlines of texts, as a LetteringRenderer draws them."""

    def __init__(self, renderer):
        super().__init__()
        self.renderer = renderer

    def get_text_path(self, prop, s, ismath=False, **options):
        s, prop, ismath = self.renderer.to_draw(s, prop, ismath)
        return super().get_text_path(prop, s, ismath, **options)


class LetteringCanvas(FigureCanvasAgg):
    """The canvas of a figure that may hold words of any script."""

    def __init__(self, figure):
        super().__init__(figure)
        self.numbers, self.used, self.size = {}, set(), None

    def print_figure(self, *arguments, **options):
        matplotlib.rcdefaults()
        return super().print_figure(*arguments, **options)

    def get_renderer(self):
        size = (*self.figure.bbox.size, self.figure.dpi)
        if size != self.size:
            self.renderer, self.size = LetteringRenderer(*size, self.numbers, self.used), size
        return self.renderer

    @property
    def key(self):
        """Say in a line, after a line break, which words the numbers in the figure stand for; empty if there are none."""
        words = [f"[{number}] {word}{LRM}" for word, number in self.numbers.items() if word in self.used]
        return f"\nNo font here draws some words; in the figure numbers stand for them: {', '.join(words)}." if words else ""


def lettered_figure(size, layout):
    """Return a Figure of a size in inches that draws words of any script, with Matplotlib's own settings in place of a person's."""
    matplotlib.rcdefaults()
    figure = Figure(figsize=size, layout=layout)
    LetteringCanvas(figure)
    return figure
