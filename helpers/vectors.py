"""Where the embedding layers have become arrays: files of vectors, cosines, neighbors, words on a map. No framework."""

import hashlib
import importlib
import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from helpers.arguments import path_from_outside, require_query, whole_file
from helpers.corpus import cache_folder
from helpers.drawings import frames_figure
from helpers.examples import Vocab

FRAME = "embed_v.epoch_"


class Vectors(NamedTuple):
    """The tables (V, d) float32, the words of their rows, and the settings and results of the run that made them.

    `frames` are tables of centers from earlier in the training, {epoch: (V, d)}. Of files with one table `embed_u` is None and
    `settings` is empty.
    """

    embed_v: np.ndarray
    embed_u: np.ndarray | None
    tokens: list
    settings: dict
    frames: dict = {}


def require_vectors_path(path):
    """Raise a ValueError if `path` is neither None nor the name of a .safetensors file."""
    if path is not None and Path(path).suffix.lower() != ".safetensors":
        raise ValueError(f"vectors_path must end in .safetensors, not {str(path)!r}")


def save_vectors(path, embed_v, embed_u, tokens, settings, frames=()):
    """Write tables, their words and the settings to a .safetensors file, whole or not at all.

    The tables are (V, d) float32, `embed_u` may be None, `frames` may hold {epoch: table}. `tokens` lists V words, `settings`
    is a dict that JSON can hold; both stand as JSON in the file's metadata.
    """
    require_vectors_path(path)
    tables = {"embed_v": embed_v, "embed_u": embed_u}
    tables |= {f"{FRAME}{epoch}": table for epoch, table in dict(frames).items()}
    tables = {name: np.ascontiguousarray(table, np.float32) for name, table in tables.items() if table is not None}
    if {len(table) for table in tables.values()} != {len(tokens)}:
        raise ValueError(f"{len(tokens)} words for tables of {[len(table) for table in tables.values()]} rows")
    metadata = {"tokens": json.dumps(list(tokens)), "settings": json.dumps(settings)}
    with whole_file(path) as temporary:
        temporary.write_bytes(save(tables, metadata))


def load_vectors(path):
    """Read a .safetensors file of vectors; returns Vectors. Raises FileNotFoundError, or ValueError for a file that is not right.

    What is refused: a count that is not that of the rows, a word that stands there twice, numbers that are not finite.
    """
    path = path_from_outside(path)
    require_vectors_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no vectors file {str(path)!r}; 05_training writes one to its vectors_path")
    try:
        return _read_safetensors(path)
    except (SafetensorError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a vectors file of this kind: {error}") from error


def _read_safetensors(path):
    with safe_open(path, "numpy") as file:
        metadata = file.metadata() or {}
        if not {"tokens", "settings"} <= metadata.keys() or "embed_v" not in file.keys():
            raise ValueError("this series did not write it: it has no table embed_v, or no words under 'tokens' in its metadata")
        names = [name for name in file.keys() if name in ("embed_v", "embed_u") or re.fullmatch(rf"{FRAME}\d+", name)]
        tables = {name: file.get_tensor(name) for name in names}
        tokens, settings = (json.loads(metadata[name]) for name in ("tokens", "settings"))
    if not isinstance(settings, dict) or not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise ValueError("its words are no list of texts, or its settings have no names")
    if {(table.ndim, len(table)) for table in tables.values()} != {(2, len(tokens))}:
        raise ValueError(f"{len(tokens)} words for tables of {[table.shape for table in tables.values()]}")
    if {table.dtype for table in tables.values()} != {np.dtype(np.float32)}:
        raise ValueError("its tables are not of float32")
    if len(set(tokens)) < len(tokens):
        raise ValueError("a word stands in it twice")
    for name, table in tables.items():
        if not np.isfinite(table).all():
            raise ValueError(f"row {np.argmin(np.isfinite(table).all(axis=1)) + 1} of {name} has a number that is not finite")
    frames = {int(name.removeprefix(FRAME)): table for name, table in tables.items() if name.startswith(FRAME)}
    return Vectors(tables["embed_v"], tables.get("embed_u"), tokens, settings, dict(sorted(frames.items())))


def vocab_of(tokens):
    """Return the Vocab of a vectors file, whose tokens already stand in the order of their ids."""
    vocab = Vocab(())
    vocab.idx_to_token, vocab.token_to_idx = list(tokens), {token: index for index, token in enumerate(tokens)}
    return vocab


def unit_rows(table):
    """Scale each row of a table (n, d) to length 1; a row of zeros stays."""
    norms = np.linalg.norm(table, axis=1, keepdims=True)
    return table / np.where(norms > 0, norms, 1)


def nearest(words, k, table, vocab):
    """Return, for each word, the `k` words of largest cosine, as `get_similar_tokens` finds them, without printing."""
    rows, neighbors = unit_rows(table), {}
    for word in words:
        require_query(word, k, vocab)
        cosines = rows @ rows[vocab[word]]  # (V,)
        cosines[[vocab.unk, vocab[word]]] = -2
        neighbors[word] = vocab.to_tokens(np.argsort(-cosines, kind="stable")[:k])
    return neighbors


TOPICS = "oil", "court", "germany", "football", "earthquake", "music", "president", "water", "church"


def map_groups(query_token, vocab, table, num_groups=6, group_size=8):
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


def map_in_frames(query_token, vocab, frames, seed):
    """Draw the words of `map_groups` at each epoch of {epoch: table (V, d)}; returns `(figure, groups)`.

    The words are chosen from the last table.
    """
    groups = map_groups(query_token, vocab, frames[max(frames)])
    rows = vocab[[token for words in groups.values() for token in words]]
    return frames_figure(place_frames(frames, rows, seed), groups), groups


def choose_query(query_token, k, vocab, corpus):
    """Return the word to ask about: the one that is named, which must exist, or a word that suits the corpus.

    That is "chip" for PTB, "computer" for Wikipedia. For another text, or where the vocabulary lacks these, it is the commonest
    word of 6 letters or more, else the commonest.
    """
    if query_token is None:
        longer = [token for token in vocab.idx_to_token[1:] if len(token) >= 6]
        usual = [{"ptb": "chip", "wikipedia": "computer"}.get(corpus)]
        query_token = next(word for word in usual + longer + vocab.idx_to_token[1:] if word in vocab.token_to_idx)
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
