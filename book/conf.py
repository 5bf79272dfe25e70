"""Sphinx's settings for the book. All that its pages load lies beside them."""

import os
from pathlib import Path

from docutils.nodes import SkipNode
from pygments.formatters import HtmlFormatter
from sphinx.addnodes import index
from sphinx.highlighting import PygmentsBridge

from helpers.tools.formulas import display_mathml, to_mathml
from helpers.tools.run_pages import lined

HERE = Path(__file__).parent

project = "Word2Vec, step by step"
author = "the authors of the series"
html_title = project
html_favicon = str(HERE / "static" / "favicon.svg")
html_context = {
    "default_mode": "light",  # without JavaScript; with it, as the reader's system says
    "source": "/".join(filter(None, map(os.environ.get, ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY")))),
}
extensions = ["myst_parser", "sphinx_copybutton"]
myst_enable_extensions = ["attrs_inline", "dollarmath"]
myst_heading_anchors = 3
smartquotes = False  # prose and code print the same marks
templates_path = [str(HERE / "templates")]
html_theme = "sphinx_book_theme"
html_theme_options = {
    "use_download_button": False, "use_fullscreen_button": False, "show_toc_level": 2, "show_navbar_depth": 1,
    "article_header_end": ["framework.html", "article-header-buttons.html"], "footer_content_items": ["about.html"],
}  # fmt: skip
SHARED = HERE.parent / "helpers" / "tools" / "pages" / "shared.css"  # with a run's pages
html_static_path = [str(HERE / "static"), str(HERE / "_build" / "static"), str(SHARED)]  # the second is of "Press play", with its text
html_css_files = ["shared.css", "book.css"]
html_js_files = ["book.js"]
html_search_scorer = str(HERE / "static" / "scorer.js")
html_last_updated_fmt = "%d %B %Y"
html_use_index = False
html_math_renderer = "mathml"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
copybutton_selector = "div:not(.output) > div.highlight > pre"


class LinedFormatter(HtmlFormatter):
    """Code with an element for each line, which knows how far it is indented: a line that breaks goes on below its beginning."""

    def wrap(self, source):
        return super().wrap((kind, lined(text) if kind else text) for kind, text in source)


PygmentsBridge.html_formatter = LinedFormatter


def without_places(_, doctree):
    """Have the words of an index lead to the page: the search can't show what stands at an empty place."""
    for node in doctree.findall(index):
        node["entries"] = [(kind, words, "", *rest) for kind, words, _, *rest in node["entries"]]


def draw_inline(translator, node):
    translator.body.append(to_mathml(node.astext()))
    raise SkipNode


def draw_display(translator, node):
    translator.body.append(display_mathml(node.astext()))
    raise SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (draw_inline, None), (draw_display, None))
    app.connect("doctree-read", without_places)
