"""Where the embedding layers have become arrays: cosines, neighbors, words on a map. No framework.

`python -m helpers.vectors` asks any file of vectors, and converts it: see its --help.
"""

import hashlib
import importlib
import json
from pathlib import Path

import click
import numpy as np

from helpers.arguments import require_query
from helpers.beyond.evaluation import evaluate, keyed_vectors
from helpers.beyond.vector_files import Vectors, load_vectors, save_vectors, write_table
from helpers.corpus import cache_folder
from helpers.examples import Vocab
from helpers.figures import frames_figure


def vocab_of(tokens):
    """Return the Vocab of a vectors file, whose tokens already stand in the order of their ids."""
    vocab = Vocab(())
    vocab.idx_to_token, vocab.token_to_idx = list(tokens), {token: index for index, token in enumerate(tokens)}
    return vocab


def unit_rows(table):
    """Scale each row of a table (n, d) to length 1; a row of zeros stays."""
    norms = np.linalg.norm(table, axis=1, keepdims=True)
    return table / np.where(norms > 0, norms, 1)


def random_pair_cosines(table, num_pairs, rng):
    """Return the cosines (num_pairs,) of random pairs of different rows of a table, row 0 (`<unk>`) left out."""
    first = rng.integers(1, len(table), num_pairs)
    other = 1 + (first - 1 + rng.integers(1, len(table) - 1, num_pairs)) % (len(table) - 1)
    rows = unit_rows(table)
    return np.einsum("ij,ij->i", rows[first], rows[other])


def largest(values, k):
    """Return the columns (n, k) of the `k` largest numbers of each row (n, V), largest first.

    The k largest lie in the k stretches of 64 columns with the largest maxima; so most columns are looked at once only.
    """
    stretches = np.pad(values, ((0, 0), (0, -values.shape[1] % 64)), constant_values=-np.inf).reshape(len(values), -1, 64)
    best = np.argsort(-stretches.max(axis=2), axis=1)[:, :k]
    columns = (best[:, :, None] * 64 + np.arange(64)).reshape(len(values), -1)
    found = np.take_along_axis(stretches, best[:, :, None], axis=1).reshape(columns.shape)
    part = np.argpartition(-found, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(found, part, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, np.take_along_axis(part, order, axis=1), axis=1)


def nearest(words, k, table, vocab):
    """Return, for each word, the `k` words of largest cosine, as `get_similar_tokens` finds them, without printing."""
    for word in words:
        require_query(word, k, vocab)
    rows, tokens, neighbors = unit_rows(table), np.array(vocab.idx_to_token, object), {}
    for start in range(0, len(words), 256):  # so many at once: one product for all, in little memory
        some = words[start : start + 256]
        ids = np.array([vocab[word] for word in some])
        cosines = rows[ids] @ rows.T
        cosines[:, vocab.unk] = cosines[np.arange(len(ids)), ids] = -2
        neighbors.update(zip(some, tokens[largest(cosines, k)].tolist()))
    return neighbors


TOPICS = "oil", "court", "germany", "football", "earthquake", "music", "president", "water", "church"


def map_groups(query_token, vocab, table, num_groups=6, group_size=10):
    """Choose words for a map: groups of a word and its nearest words, no word twice; returns {word: words}.

    The first group is the query word's. The others start from words that most English texts have, then from the
    commonest words of 6 letters or more, then from the commonest.
    """
    by_frequency = vocab.idx_to_token[1:]
    longer = [token for token in by_frequency if len(token) >= 6 and token.isalpha()]
    groups, taken = {}, set()
    for start in [query_token, *TOPICS, *longer, *by_frequency]:
        if len(groups) < num_groups and start in vocab.token_to_idx and start not in taken:
            k = min(3 * group_size, len(vocab) - 2)
            words = [token for token in nearest([start], k, table, vocab)[start] if token not in taken]
            groups[start] = [start, *words[: group_size - 1]]
            taken.update(groups[start])
    return groups


def place_on_map(table, rows, seed):
    """Place chosen rows of a table on a map (n, 2) whose distances come as near to those of the unit vectors as can be.

    Distances between unit vectors grow as their cosines fall. Multidimensional scaling, started from `seed`.
    Source: Kruskal 1964, https://doi.org/10.1007/BF02289565.
    """
    from sklearn.manifold import MDS

    scaling = MDS(n_init=4, random_state=seed, normalized_stress="auto")
    return scaling.fit_transform(unit_rows(table)[rows].astype(np.float64))


def place_frames(frames, rows, seed):
    """Place the same rows of several tables, {epoch: (V, d)}, each on a map; returns {epoch: (n, 2)}.

    Each map is then turned or mirrored, never stretched, so that it lies as well as it can on that
    of the last epoch.
    Source: Schönemann 1966, https://doi.org/10.1007/BF02289451.
    """
    from scipy.linalg import orthogonal_procrustes

    places = {epoch: place_on_map(table, rows, seed) for epoch, table in frames.items()}
    places = {epoch: found - found.mean(axis=0) for epoch, found in places.items()}
    last = places[max(places)]
    return {epoch: found @ orthogonal_procrustes(found, last)[0] for epoch, found in places.items()}


def map_in_frames(query_token, vocab, frames, seed, group_size=8):
    """Draw the words of `map_groups` at each epoch of {epoch: table (V, d)}; returns `(figure, groups)`.

    The words are chosen from the last table.
    """
    groups = map_groups(query_token, vocab, frames[max(frames)], group_size=group_size)
    rows = vocab[[token for words in groups.values() for token in words]]
    return frames_figure(place_frames(frames, rows, seed), groups), groups


def place_by_pca(rows):
    """Place rows (n, d) on a map (n, 2) by the two directions in which they differ most; returns it and the share that it keeps.

    Source: Pearson 1901, https://doi.org/10.1080/14786440109462720.
    """
    from sklearn.decomposition import PCA

    pca = PCA(2, svd_solver="full")
    with np.errstate(invalid="ignore"):  # rows that are all alike keep 0 of 0
        places = pca.fit_transform(np.pad(rows, ((0, 0), (0, 1))))  # a table of one column has no second direction
    return places, float(np.nan_to_num(pca.explained_variance_ratio_).sum())


def choose_query(query_token, k, vocab, corpus):
    """Return the word to ask about: the one that is named, which must exist, or a word that suits the corpus.

    That is "chip" for PTB, "computer" for Wikipedia, and for text of one's own its commonest word of 6 letters or more
    (else its commonest word).
    """
    if query_token is None:
        by_frequency = vocab.idx_to_token[1:]
        longer = [token for token in by_frequency if len(token) >= 6]
        query_token = {"ptb": "chip", "wikipedia": "computer"}.get(corpus) or (longer or by_frequency)[0]
    require_query(query_token, k, vocab)
    return query_token


def kept_path(framework, settings):
    """Return where step 5 keeps its vectors for step 6: a file in the cache folder, named after framework and settings."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    return cache_folder() / "vectors" / f"{framework}-{digest}.safetensors"


def keep_vectors(framework, tables, vocab, data_iter, history, lr, vectors_path=None):
    """Write both tables of a model that `train` trained to `vectors_path`, or to where step 6 looks; a line says so.

    `tables` are those of `to_arrays`. With them go their words, the settings and the losses of this run, and the tables of
    centers that `history.tables` holds of the epochs that step 6 draws: 0, 1, 3 and the last. Errors are those of
    `save_vectors`; where the cache folder can't be written, as one that a class shares, a line says so instead.
    """
    settings = data_iter.settings | {"embed_size": tables[0].shape[1], "lr": lr, "num_epochs": len(history)}
    path = vectors_path or kept_path(framework, settings)
    epochs = [epoch for epoch in sorted({0, 1, 3, len(history)}) if epoch in history.tables]
    found = {"epochs": [epoch._asdict() for epoch in history]}
    frames = {epoch: history.tables[epoch] for epoch in epochs}
    try:
        save_vectors(path, *tables, vocab.idx_to_token, settings | found, frames)
    except OSError as error:
        if vectors_path:
            raise
        print(f"vectors not kept: the cache folder can't be written ({error.strerror or error}); step 6 trains them again")
        return
    print(f"vectors kept, with the tables of centers of epochs {', '.join(map(str, epochs))}")


def load_kept_vectors(vectors_path, framework, settings):
    """Return the Vectors that step 5 kept with these settings, None if there are none; a line says which were taken.

    A file that `vectors_path` names is taken as it is, and the line says where its settings differ. Errors are those of
    `load_vectors`.
    """
    path = Path(vectors_path) if vectors_path else kept_path(framework, settings)
    if not vectors_path and not path.is_file():
        print("no vectors with these settings are kept: they are trained now, as in step 5")
        return None
    vectors = load_vectors(path)
    different = [f"{name} {vectors.settings.get(name)!r}, not {value!r}" for name, value in settings.items()
                 if vectors.settings.get(name) != value]  # fmt: skip
    if not vectors_path and different:
        print("the vectors that are kept have other settings: they are trained again")
        return None
    told = f"whose settings are {'; '.join(different)}" if different else "trained in step 5 with these settings"
    print(f"vectors from {path.name}, {told}")
    return vectors


def find_vectors(framework, data_iter, vocab, embed_size, lr, num_epochs, seed,
                 vectors_path=None, query_token=None, k=1):  # fmt: skip
    """Return the Vectors that step 5 kept, or train them again as it does; and the word to ask about.

    `framework` is "pytorch" or "mxnet". A file that `vectors_path` names is taken as it is. The
    word is that of `choose_query`, chosen and checked before anything is trained. The Vectors'
    `frames` hold at least the last table. Errors are those of `load_kept_vectors` and
    `choose_query`, and a ValueError for a file with one table only.
    """
    settings = data_iter.settings | {"embed_size": embed_size, "lr": lr, "num_epochs": num_epochs}
    vectors = load_kept_vectors(vectors_path, framework, settings)
    if vectors is not None:
        vocab = vocab_of(vectors.tokens)
        settings |= vectors.settings
        if vectors.embed_u is None:
            raise ValueError(f"{vectors_path} holds one table only: name a file that step 5 wrote")
    query_token = choose_query(query_token, k, vocab, settings["corpus"])
    if vectors is None:
        model = importlib.import_module(f"helpers.model_{framework}")
        net = model.new_model(len(vocab), embed_size, seed)
        history = model.train(net, data_iter, lr, num_epochs, keep=(0, 1, 3, num_epochs))
        vectors = Vectors(*model.to_arrays(net), vocab.idx_to_token, settings, history.tables)
    frames = vectors.frames or {settings["num_epochs"]: vectors.embed_v}
    return vectors._replace(settings=settings, frames=frames), query_token


TABLES = {
    "center": lambda vectors: vectors.embed_v,
    "context": lambda vectors: vectors.embed_u,
    "mean": lambda vectors: (vectors.embed_v + vectors.embed_u) / 2,
}


def table_of(vectors, name):
    """Return one table of Vectors: "center", "context" or their "mean", whose cosines are those of their sum.

    Raises ValueError where a file holds one table only and another is asked for.
    """
    if name != "center" and vectors.embed_u is None:
        raise ValueError(f"the file holds one table only, so there is no {name} table")
    return TABLES[name](vectors)


def with_unknown(vectors):
    """Return Vectors whose row 0 is `<unk>`, as in this series: put there if it stands elsewhere, or made of zeros."""
    embed_v, embed_u, tokens, settings, _ = vectors
    if "<unk>" not in tokens:
        tokens = ["<unk>", *tokens]
        embed_v, embed_u = (None if table is None else np.pad(table, ((1, 0), (0, 0))) for table in (embed_v, embed_u))
    order = sorted(range(len(tokens)), key=lambda row: tokens[row] != "<unk>")
    embed_v, embed_u = (None if table is None else table[order] for table in (embed_v, embed_u))
    return Vectors(embed_v, embed_u, [tokens[row] for row in order], settings)


class Told(click.Group):
    """Commands whose errors a user can mend: told in a line, with exit code 1."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except (ValueError, LookupError, OSError) as error:
            raise click.ClickException(error.args[0] if isinstance(error, LookupError) else str(error)) from error


source = click.argument("source", metavar="FILE", type=click.Path())
which_table = click.option(
    "--table", type=click.Choice(list(TABLES)), default="center", show_default=True, help="Of a file with two tables."
)
how_many = click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="How many words.")


def ask(source, table, words=()):
    """Load a table of a file as KeyedVectors, with `<unk>` left out; LookupError if a word has no vector."""
    vectors = load_vectors(source)
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
@click.argument("destination", type=click.Path(path_type=Path))
@which_table
def convert(source, destination, table):
    """Write FILE as DESTINATION, another kind of file.

    A .safetensors file keeps all that FILE holds, the others one table without `<unk>`.
    """
    if destination.suffix == ".safetensors":
        save_vectors(destination, *with_unknown(load_vectors(source)))
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
