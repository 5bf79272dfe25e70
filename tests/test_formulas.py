"""Formulas as MathML: those of the series one by one, and what is no formula."""

import html
import re
from xml.etree import ElementTree

import pytest
from nbconvert.filters import markdown2html

from helpers.beyond.notebooks import all_notebooks, read_notebook
from helpers.tools.formulas import FORMULA, to_mathml, with_mathml
from tests.conftest import ROOT

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"


def texts():
    """All Markdown of the series: cells, what cells show, docs."""
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("notebooks/*.md")):
        yield path.read_text(encoding="utf-8")
    for path in all_notebooks():
        for cell in read_notebook(path)["cells"]:
            if cell["cell_type"] == "markdown":
                yield cell["text"]
            shown = [output.get("data", {}).get("text/markdown") for output in cell.get("outputs", ())]
            yield from ("".join(text) for text in shown if text)


def test_every_formula_of_the_series_becomes_mathml_and_no_tex_is_left():
    formulas = {match["display"] or match["inline"] for text in texts() for match in FORMULA.finditer(text)} - {None}
    assert len(formulas) > 150
    for formula in formulas:
        drawn = ElementTree.fromstring(to_mathml(formula))
        assert drawn.tag == f"{NAMESPACE}math" and not re.search(r"[\\{}$]", "".join(drawn.itertext())), formula
        if not re.search(r"\\(text|quad|,|!)| ", formula):  # digits come in their order
            assert re.findall(r"\d", "".join(drawn.itertext())) == re.findall(r"\d", formula), formula


def test_no_dollar_outside_code_is_left_and_markdown_leaves_formulas_alone():
    for text in texts():
        made = with_mathml(text)
        page = markdown2html(made)
        prose = re.sub(r"<(pre|code)\b.*?</\1>", "", page, flags=re.DOTALL)
        assert "$" not in prose and page.count("<math ") == made.count("<math ")
        for formula in re.findall(r"<math .*?</math>", page):
            assert not re.search(r"<(em|strong|a|code|br)\b", formula)
            ElementTree.fromstring(formula)


@pytest.mark.parametrize("text", [
    "It costs $5 and $10.", "`$x$` and ``a ` $x$``", "```python\nprint('$x$', \"$$y$$\")\n```", "a \\$x\\$ b", "$ x $",
    "$(BIN)/python and $(OUT)/a", "~~~\n$x$\n~~~\n", "one $\n\nother $", "$20,000 to $30,000",
])  # fmt: skip
def test_what_is_no_formula_stays_as_it_is(text):
    assert with_mathml(text) == text


def test_formulas_beside_code_and_money_are_found():
    made = with_mathml("`$a$` is $b$, and\n$$c$$\nor $d\n+ e$ for \\$5")
    assert [html.unescape(re.sub("<[^>]*>", "", found)) for found in re.findall("<math .*?</math>", made)] == ["b", "c", "d+e"]
    assert made.startswith("`$a$` is <math ") and made.endswith("</math> for \\$5") and made.count('display="block"') == 1


@pytest.mark.parametrize("tex, told", [
    (r"\foo x", r"\\foo is not known"), ("a_{", "MissingSuper"), ("x}", "} is not known"), (r"\left(x", "Extra"),
])  # fmt: skip
def test_tex_that_cannot_be_read_is_named(tex, told):
    with pytest.raises(ValueError, match=told) as refused:
        with_mathml(f"So ${tex}$ it is")
    assert f"${tex}$" in str(refused.value) and len(str(refused.value).splitlines()) == 1


def test_formulas_side_by_side_can_be_parted():
    made = with_mathml(r"$$a = 1, \qquad b = 2.$$")
    assert made.strip().startswith('<div class="formula">') and made.count("<math ") == made.count('display="block"') == 2


def test_braces_that_are_meant_are_drawn():
    assert html.unescape(re.sub("<[^>]*>", "", to_mathml(r"\{x\}"))) == "{x}"


def test_names_of_functions_keep_their_distance_and_thousands_their_comma():
    assert re.sub("<[^>]*>", "", to_mathml("10{,}000")) == "10,000" and "<mo>" not in to_mathml("10{,}000")
    assert [to_mathml(tex).count("<mspace") for tex in (r"\ln x", r"p\ln x", r"\ln(x)", r"-\ln\frac{1}{2}", r"\cos(x)")] == [1, 2, 0, 1, 0]
