"""TeX formulas of Markdown as MathML, which browsers draw without a script: for the book's pages and a run's."""

import re

FORMULA = re.compile(
    r"^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"  # code, in which a dollar is a dollar
    r"|\\\$|\$\$(?P<display>.+?)\$\$|\$(?=\S)(?P<inline>(?:[^$\n\\]|\\.|\n(?!\n))+?)(?<=\S)\$(?!\d)",
    re.DOTALL | re.MULTILINE,
)
FUNCTIONS_OF_TEX = "<mi>(?:ln|log|exp|cos|sin|tan)</mi>"
THIN = '<mspace width="0.167em" />'
SPACED = (  # as TeX does, where MathML leaves it to its author
    (rf"(</m[in]>|&#x00029;</mo>)(?={FUNCTIONS_OF_TEX})", rf"\1{THIN}"),
    (rf"({FUNCTIONS_OF_TEX})(?=<m(?!o|space))", rf"\1{THIN}"),
    (r"(&#x00(?:028|03D|02C|05B);</mo>|&#x02248;</mo>)<mo>&#x02212;", r'\1<mo form="prefix">&#x02212;'),  # a sign, no difference
    (r"<mo>&#x0002F;", '<mo lspace="0" rspace="0">&#x0002F;'),
    (r"<mrow><mo>&#x0002C;</mo></mrow>", "<mtext>,</mtext>"),  # {,} parts thousands
)


def to_mathml(tex, display=False):
    """Return a formula as one line of MathML, on a line of its own if `display` says so.

    No character in it means anything to Markdown. Raises ValueError for TeX that can't be read.
    """
    from latex2mathml.converter import convert

    try:
        drawn = convert(tex.strip(), display="block" if display else "inline")
    except Exception as error:  # the package has a class for each fault, and none for all
        raise ValueError(f"${tex}$ is no formula ({type(error).__name__}): mend its TeX") from error
    if unknown := re.search(r"\\\w*|[{}]", drawn):
        raise ValueError(f"${tex}$ is no formula ({unknown[0]} is not known, or open): mend its TeX")
    for found, spaced in SPACED:
        drawn = re.sub(found, spaced, drawn)
    return re.sub(r"[*_`~|:[\]](?=[^<>]*<)", lambda mark: f"&#{ord(mark[0])};", drawn)


def display_mathml(tex):
    """Return the formulas of $$...$$ as an element of HTML. Raises ValueError as `to_mathml` does.

    What stands side by side, with \\qquad between, can stand one under the other in a narrow window.
    """
    parts = [to_mathml(part, display=True) for part in tex.split(r"\qquad")]
    return f'<div class="formula">{"".join(parts)}</div>'


def with_mathml(markdown):
    """Return Markdown with its formulas, $...$ and $$...$$, as MathML; code stays as it is. Raises ValueError as `to_mathml` does."""

    def formula(match):
        if match["display"]:
            return f"\n\n{display_mathml(match['display'])}\n\n"
        return to_mathml(match["inline"]) if match["inline"] else match[0]

    return FORMULA.sub(formula, markdown)
