"""Ask files of word vectors, and convert them: `python -m helpers.tools.vectors --help`."""

import os
import unicodedata

import click
import numpy as np

from helpers.arguments import require_query
from helpers.beyond.evaluation import evaluate, keyed_vectors
from helpers.beyond.subwords import ngrams, unseen_vector
from helpers.beyond.vector_files import (
    WHICH_TABLE,
    metadata_path,
    read_subwords,
    read_vectors,
    require_suffix,
    table_of,
    target_of,
    with_unknown,
    write_subwords,
    write_table,
    write_tables,
)
from helpers.tools.paths import OutsidePath
from helpers.tools.streams import require_told, set_up_streams, shown
from helpers.vectors import vocab_of


class Told(click.Group):
    """Commands whose errors a user can mend: told in a line, with exit code 1. Nothing that is printed steers the terminal."""

    def invoke(self, context):
        set_up_streams()
        try:
            super().invoke(context)
            require_told()
        except click.NoSuchOption as error:
            error.message += " A word that begins with - stands after --, as in: similar FILE -- -lrb-"
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(shown(where + (error.strerror or str(error)))) from error
        except (ValueError, LookupError) as error:
            raise click.ClickException(shown(str(error.args[0]))) from error


source = click.argument("source", metavar="FILE", type=OutsidePath())
which_table = click.option(
    "--table", type=click.Choice(list(WHICH_TABLE)), default="center", show_default=True, help="Of a file with two tables."
)
strict = click.option("--strict", is_flag=True, help="Refuse a file with a word that is not UTF-8, in place of leaving the word out.")
how_many = click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many words.")


def read_table(source, table, strict):
    """Return the words and one table (V, d) of a file, without `<unk>`, which stands for many words."""
    vectors = read_vectors(source, strict)
    table = table_of(vectors, table)
    rows = [row for row, word in enumerate(vectors.tokens) if word != "<unk>"]
    return [vectors.tokens[row] for row in rows], table[rows]


def to_length_1(rows):
    """Scale the rows of a table (V, d) to length 1, in place; those of zeros stay."""
    largest = np.maximum(rows.max(axis=1), -rows.min(axis=1))
    rows /= np.where(largest > 0, largest, 1)[:, None]  # first, since float32 can't hold the squares of large and small numbers
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.where(lengths > 0, lengths, 1)[:, None]


def ask(source, table, strict, words=()):
    """Load a table of a file as KeyedVectors of length 1; returns them, and `words` as the file spells them.

    A word that a file with n-grams doesn't have gets a vector from its own. Raises LookupError for a word that has no vector, and
    ValueError for one whose vector is of zeros, or that stands alone.
    """
    tokens, rows = read_table(source, table, strict)
    known = {"<unk>", *tokens}
    words = [spelled(word, known) for word in words]
    unseen = [word for word in dict.fromkeys(words) if word not in known and word.lower() not in known]
    if unseen and (subwords := read_subwords(source)):
        tokens, rows = [*tokens, *unseen], np.vstack([rows, made_of_ngrams(unseen, subwords, table)])
    to_length_1(rows)
    keyed = keyed_vectors(tokens, rows)
    if words and len(tokens) < 2:
        raise ValueError(f"{source} holds one word alone, so that no other is near to it")
    for word in words:
        require_query(word, 1, vocab_of(["<unk>", *tokens]))
        if not keyed[word].any():
            raise ValueError(f"{word!r} has a vector of zeros in {source}, which has no direction: no word is near to it")
    return keyed, words


def made_of_ngrams(words, subwords, table):
    """Make the vectors of words that a file doesn't have from its n-grams, (words, d), and say so on stderr.

    `subwords` is what `read_subwords` returns. Raises LookupError for a word without a known n-gram, ValueError for another table
    than that of the centers.
    """
    if table != "center":
        raise ValueError(f"{words[0]!r} is not in the vocabulary, and n-grams make vectors of the center table only, not of {table}")
    rows = []
    for word in words:
        row, known = unseen_vector(word, *subwords)
        told = f"its vector is made of {known} of its {len(ngrams(word))} n-grams"
        click.echo(f"{shown(word)} is not in the vocabulary: {told}", err=True)
        rows.append(row)
    return rows


def spelled(word, tokens):
    """Return a word as a vectors file has it, in whatever normal form of Unicode; as it is if the file doesn't have it.

    A word typed as UTF-8 where the locale knows ASCII alone (LC_ALL=C) is found, too.
    """
    forms = [word, *(unicodedata.normalize(form, word) for form in ("NFC", "NFD", "NFKC"))]
    forms.append(os.fsencode(word).decode("utf-8", "surrogateescape"))
    return next((form for form in forms if form in tokens), word)


def tell(neighbors):
    """Print words with their cosines, a line each."""
    for word, cosine in neighbors:
        click.echo(f"{cosine:6.3f}  {shown(word)}")


@click.group(cls=Told, context_settings={"max_content_width": 100})
def main():
    """Ask files of word vectors, and convert them.

    A file is known by its suffix. .safetensors is this series' own, with both tables; one that step 16 wrote has n-grams too, and
    answers for words that it never saw. .txt, .vec and .bin are word2vec's and
    fastText's, .txt also GloVe's, and are read with .gz behind too. .tsv is for TensorBoard's Projector, its words beside it in
    NAME.metadata.tsv. A WORD that begins with - stands after --, as in: similar FILE -- -lrb-
    """


@main.command()
@source
@click.argument("destination", type=OutsidePath())
@which_table
@strict
def convert(source, destination, table, strict):
    """Write FILE as DESTINATION, another kind of file.

    A .safetensors file keeps all that FILE holds, the others one table without `<unk>`.
    """
    suffix = require_suffix(destination)
    sources, targets = ([path, metadata_path(path)] if path.suffix == ".tsv" else [path] for path in (source, destination))
    if any(target_of(target).exists() and path.exists() and target.samefile(path) for target in targets for path in sources):
        raise ValueError(f"{destination} is FILE itself, or its words: name another DESTINATION")
    if suffix == ".safetensors":
        vectors = with_unknown(read_vectors(source, strict))
        if subwords := read_subwords(source):
            write_subwords(destination, vectors, *subwords)
        else:
            write_tables(destination, *vectors)
    else:
        tokens, rows = read_table(source, table, strict)
        write_table(destination, rows, tokens)


@main.command()
@source
@click.argument("word")
@how_many
@which_table
@strict
def similar(source, word, k, table, strict):
    """Print the nearest words of WORD, with their cosines."""
    keyed, (word,) = ask(source, table, strict, [word])
    tell(keyed.most_similar(word, topn=k))


@main.command()
@source
@click.argument("word")
@click.argument("partner")
@click.argument("other")
@how_many
@which_table
@strict
def analogy(source, word, partner, other, k, table, strict):
    """Print what is to OTHER as PARTNER is to WORD: `analogy FILE germany german japan`."""
    keyed, (word, partner, other) = ask(source, table, strict, [word, partner, other])
    tell(keyed.most_similar(positive=[partner, other], negative=[word], topn=k))


@main.command(name="evaluate")
@source
@which_table
@strict
def evaluate_file(source, table, strict):
    """Print how FILE fares on WordSim-353, SimLex-999 and Google's analogies, with 95 % intervals."""
    keyed, _ = ask(source, table, strict)
    for name, score in evaluate(keyed).items():
        click.echo(f"{name:20} {score}")


if __name__ == "__main__":
    main()
