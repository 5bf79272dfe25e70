"""Ask files of word vectors, and convert them: `python -m helpers.tools.vectors --help`."""

import click

from helpers.arguments import require_query
from helpers.beyond.evaluation import evaluate, keyed_vectors
from helpers.beyond.vector_files import WHICH_TABLE, read_vectors, table_of, with_unknown, write_table
from helpers.tools.paths import OutsidePath
from helpers.vectors import save_vectors, vocab_of


class Told(click.Group):
    """Commands whose errors a user can mend: told in a line, with exit code 1."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except (ValueError, LookupError, OSError) as error:
            raise click.ClickException(error.args[0] if isinstance(error, LookupError) else str(error)) from error


source = click.argument("source", metavar="FILE", type=OutsidePath())
which_table = click.option(
    "--table", type=click.Choice(list(WHICH_TABLE)), default="center", show_default=True, help="Of a file with two tables."
)
how_many = click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many words.")


def ask(source, table, words=()):
    """Load a table of a file as KeyedVectors, with `<unk>` left out; LookupError if a word has no vector."""
    vectors = read_vectors(source)
    keyed = keyed_vectors(vectors.tokens, table_of(vectors, table))
    for word in words:
        require_query(word, 1, vocab_of(["<unk>", *keyed.index_to_key]))
    return keyed


def tell(neighbors):
    """Print words with their cosines, a line each."""
    for word, cosine in neighbors:
        click.echo(f"{cosine:6.3f}  {word}")


@click.group(cls=Told, context_settings={"max_content_width": 100})
def main():
    """Ask files of word vectors, and convert them.

    A file is known by its suffix. .safetensors is this series' own, with both tables. .txt and .bin are word2vec's, .txt also
    GloVe's. .tsv is for TensorBoard's Projector, its words beside it in NAME.metadata.tsv.
    """


@main.command()
@source
@click.argument("destination", type=OutsidePath())
@which_table
def convert(source, destination, table):
    """Write FILE as DESTINATION, another kind of file.

    A .safetensors file keeps all that FILE holds, the others one table without `<unk>`.
    """
    if destination.suffix == ".safetensors":
        save_vectors(destination, *with_unknown(read_vectors(source)))
    else:
        keyed = ask(source, table)
        write_table(destination, keyed.vectors, keyed.index_to_key)


@main.command()
@source
@click.argument("word")
@how_many
@which_table
def similar(source, word, k, table):
    """Print the nearest words of WORD, with their cosines."""
    tell(ask(source, table, [word]).most_similar(word, topn=k))


@main.command()
@source
@click.argument("word")
@click.argument("partner")
@click.argument("other")
@how_many
@which_table
def analogy(source, word, partner, other, k, table):
    """Print what is to OTHER as PARTNER is to WORD: `analogy FILE germany german japan`."""
    tell(ask(source, table, [word, partner, other]).most_similar(positive=[partner, other], negative=[word], topn=k))


@main.command(name="evaluate")
@source
@which_table
def evaluate_file(source, table):
    """Print how FILE fares on WordSim-353, SimLex-999 and Google's analogies, with 95 % intervals."""
    for name, score in evaluate(ask(source, table)).items():
        click.echo(f"{name:20} {score}")


if __name__ == "__main__":
    main()
