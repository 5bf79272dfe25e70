"""Make a prepared text of any number of files: `python -m helpers.tools.prepare --help`."""

import click

from helpers.beyond.scale.prepare import prepare
from helpers.beyond.words import SPLITS
from helpers.tools.paths import OutsidePath
from helpers.tools.streams import set_up_streams


@click.command(context_settings={"max_content_width": 100})
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option("--out", type=OutsidePath(file_okay=False), required=True, metavar="FOLDER", help="Folder of the prepared text.")
@click.option("--min-freq", type=click.IntRange(0), default=10, show_default=True, help="Rarer words count as unknown.")
@click.option("--split", type=click.Choice(SPLITS), default="letters", show_default=True, help="Words of letters, or tokens as they stand.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786.  [default: two processes of this machine]")
def main(texts, out, min_freq, split, scheduler):
    """Make a folder of token ids of one text or of many: plain or .gz, UTF-8, a sentence or paragraph per line.

    A TEXT is a file, or a pattern such as 'news/*.gz'. The folder is a corpus for every notebook and command of the series.
    Stop it with Ctrl-C when you like: the same command goes on where it was. The workers of a scheduler need this
    repository, and the files and the folder under the same paths.
    """
    set_up_streams()
    try:
        text = prepare(texts, out, min_freq, scheduler, split)
    except (ValueError, OSError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException("stopped; what is done stays, and the same command goes on from there") from None
    num_words = len(text.vocab())
    click.echo(f"{out}: {text.num_tokens:,} tokens in {len(text.shards)} shards, vocabulary {num_words:,}")


if __name__ == "__main__":
    main()
