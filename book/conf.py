"""Sphinx's settings for the book. All that its pages load lies beside them."""

from importlib.metadata import distribution
from pathlib import Path

HERE = Path(__file__).parent
MATHJAX = "tex-svg.js"  # a single file that needs no fonts

project = "Word2Vec, step by step"
author = "the authors of the series"
html_title = project
html_favicon = str(HERE / "static" / "favicon.svg")
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system says
extensions = ["myst_parser", "sphinx_design", "sphinx_copybutton", "sphinx.ext.mathjax"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
smartquotes = False  # prose and code print the same marks
html_theme = "sphinx_book_theme"
html_theme_options = {"use_download_button": False, "use_fullscreen_button": False, "show_toc_level": 2, "show_navbar_depth": 1}
html_static_path = [
    str(HERE / "static"),
    str(HERE / "_build" / "static"),  # of "Press play", with the text
    str(distribution("sphinx-mathjax-offline").locate_file(f"sphinx-mathjax-offline/static/mathjax/{MATHJAX}")),
]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_use_index = False
mathjax_path = MATHJAX
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
copybutton_selector = "div:not(.output) > div.highlight > pre"
