"""Make the book from the committed notebooks, without running them: python -m book, or make book.

Writes pages in Markdown to book/_build/pages, and from them the site to book/_build/html. Needs no network.
"""

import shutil
import time
from pathlib import Path

import click

from book.pages import write_pages
from book.play_text import write_play
from helpers.beyond.notebooks import all_notebooks, lessons, read_notebook, stray_lessons, told_left_out

BUILT = Path(__file__).resolve().parent / "_build"


@click.command(help=__doc__)
def main():
    from sphinx.cmd.build import main as sphinx_build

    start = time.perf_counter()
    if stray_lessons():
        click.echo(told_left_out(stray_lessons()))
    for path in (*lessons("pytorch"), *lessons("mxnet"), *all_notebooks()):
        try:
            read_notebook(path)
        except (OSError, ValueError) as error:
            raise click.ClickException(str(error)) from error
    pages = write_pages(BUILT / "pages")
    write_play(BUILT / "static")
    site = BUILT / "html"
    shutil.rmtree(site, ignore_errors=True)  # pages that are no more would stay
    options = ["-q", "-W", "--keep-going", "-E", "-j", "auto", "-c", str(BUILT.parent), "-d", str(BUILT / "doctrees")]
    if sphinx_build(["-b", "html", *options, str(BUILT / "pages"), str(site)]):
        raise click.ClickException("Sphinx found faults; they stand above")
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    click.echo(f"{pages} pages, {size / 1e6:.1f} MB, {time.perf_counter() - start:.0f} s: open {site / 'index.html'}")


if __name__ == "__main__":
    main()
