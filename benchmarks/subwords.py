"""Vectors of words from their n-grams, beside plain ones and gensim's FastText: python -m benchmarks.subwords, or make study.

Three texts, five seeds. Writes subwords.json into this folder: for each text and method the scores on pairs of words, with unknown
words left out and counted; and what the vectors of words are worth that were made unknown on purpose. A run that is done is kept in
runs/subwords, so that a study that was stopped goes on. --time measures the seconds side by side, on a machine that does nothing
else, and adds them to the file. --quick does all of it once and small, and writes nothing. Needs PTB.
"""

import contextlib
import functools
import io
import json
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from benchmarks.evaluation import summary
from benchmarks.runs import EMBED_SIZE, FOLDER, SETTINGS, in_a_process, in_turn, machine, read_results, spread, write_results
from helpers.arguments import whole_file
from helpers.beyond.blocks import Blocks, load_blocks, word2vec_tables
from helpers.beyond.evaluation import ANALOGIES, PAIRS, bootstrap, judged_pairs, keyed_vectors, score_analogies
from helpers.beyond.subwords import MAX_N, MIN_N, NUM_BUCKETS, ngrams, rows_of_words, unseen_vector
from helpers.beyond.subwords_study import subword_table
from helpers.beyond.talmud import write_talmud
from helpers.corpus import read_corpus
from helpers.examples import count_words, encode, generator
from helpers.vectors import unit_rows, vocab_of

TEXTS = "ptb", "wikipedia", "talmud"
MIN_FREQ = 10
PLAIN, OURS, GENSIM = "words alone", "subwords", "gensim FastText"
EPOCHS, LR = {PLAIN: 16, OURS: 16, GENSIM: 12}, {PLAIN: 0.04, OURS: 0.04, GENSIM: 0.05}
INFLECTIONS = "gram3-comparative", "gram4-superlative", "gram5-present-participle", "gram8-plural", "gram9-plural-verbs"
PREFIXES = "והבלמשכ"  # and, the, in, to, from, that, as
MOST_HELD = 300  # words that are made unknown
NEAREST = 10
KEPT = FOLDER.parent / "runs" / "subwords"
ROUNDS = 3


@contextlib.contextmanager
def path_of(text):
    """Give what `read_corpus` takes for one of TEXTS."""
    if text != "talmud":
        yield text
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talmud.txt"
        write_talmud(path)
        yield path


def inflected(words):
    """Return pairs of English words, {form: lemma}, of those that a vocabulary has: from the analogies of Google's set."""
    from gensim.test.utils import datapath

    found, lemma_of, section = {}, {}, ""
    with open(datapath("questions-words.txt"), encoding="utf-8") as file:
        for line in file.read().lower().splitlines():
            if line.startswith(":"):
                section = line[2:]
                continue
            lemma, form = line.split()[:2]
            if section in INFLECTIONS:
                found[form] = lemma
            if section == "gram5-present-participle":
                lemma_of[form] = lemma
            if section == "gram7-past-tense" and lemma in lemma_of:
                found[form] = lemma_of[lemma]
    return {form: lemma for form, lemma in found.items() if {form, lemma} <= words}


def prefixed(words):
    """Return pairs of Hebrew words, {word with a prefix letter: the word without it}, of those that a vocabulary has."""
    return {word: word[1:] for word in sorted(words) if word[0] in PREFIXES and len(word) > 3 and word[1:] in words}


def held_words(text, vocab):
    """Choose the words of a text to be made unknown, {word: its lemma}: at most MOST_HELD, no lemma among them, the same for each seed."""
    words = set(vocab.idx_to_token[1:])
    pairs = prefixed(words) if text == "talmud" else inflected(words)
    pairs = {form: lemma for form, lemma in pairs.items() if form != lemma and lemma not in pairs}
    forms = sorted(pairs)
    rng = generator(0, "random pairs", 5)
    chosen = rng.permutation(len(forms))[:MOST_HELD]
    return {forms[number]: pairs[forms[number]] for number in sorted(chosen)}


def without(sentences, words):
    """Return sentences with some words made unknown."""
    return [[token if token not in words else "<unk>" for token in sentence] for sentence in sentences]


def load(path, seed, held=()):
    """Read a text as blocks, with the words `held` unknown; returns `(blocks, tokens)`."""
    with contextlib.redirect_stdout(io.StringIO()):
        blocks, vocab = load_blocks(path, **SETTINGS, seed=seed, min_freq=MIN_FREQ)
    if not held:
        return blocks, vocab.idx_to_token
    counts = dict(zip(vocab.idx_to_token, count_words(vocab)))
    tokens = [token for token in vocab.idx_to_token if token not in held]
    known = vocab_of(tokens)
    settings, text = (np.array([counts[token] for token in tokens]), *SETTINGS.values(), seed), read_corpus(path)
    kept_apart = Blocks(*encode(text.held_out, known), *settings, purpose="held-out blocks")
    return Blocks(*encode(text.sentences, known), *settings, kept_apart), tokens


def plain_vectors(path, seed, held, num_epochs):
    """Train `train_blocks`; returns the tokens, their table, and a function that makes the vector of any other word, or None."""
    from helpers.beyond.blocks_pytorch import train_blocks
    from helpers.model_pytorch import model_from_tables, to_arrays

    blocks, tokens = load(path, seed, held)
    net = model_from_tables(*word2vec_tables(len(tokens), EMBED_SIZE, seed))
    train_blocks(net, blocks, LR[PLAIN], num_epochs)
    return tokens, to_arrays(net)[0], lambda word: None


def subword_vectors(path, seed, held, num_epochs):
    """Train `train_subword_blocks`; returns the same."""
    from helpers.beyond.subwords_pytorch import subword_tables, train_subword_blocks

    blocks, tokens = load(path, seed, held)
    subwords = rows_of_words(tokens)
    rows, tables = subword_tables(subwords.members, EMBED_SIZE, seed)
    train_subword_blocks(rows, subwords.members, tables, blocks, LR[OURS], num_epochs)
    table, ngram_rows = tables.numpy()[: len(tokens)], rows.numpy()[len(tokens) :]

    def vector_of(word):
        try:
            return unseen_vector(word, subwords.buckets, ngram_rows)[0]
        except LookupError:
            return None

    return tokens, table, vector_of


def fasttext_vectors(path, seed, held, num_epochs):
    """Train gensim's FastText with one thread; returns the same."""
    from gensim.models import FastText

    with contextlib.redirect_stdout(io.StringIO()):
        sentences = without(read_corpus(path).sentences, held)
    sentences = [[token for token in sentence if token != "<unk>"] for sentence in sentences]
    model = FastText(
        sentences, sg=1, negative=SETTINGS["num_noise_words"], window=SETTINGS["max_window_size"], vector_size=EMBED_SIZE,
        min_count=MIN_FREQ, sample=1e-4, workers=1, epochs=num_epochs, alpha=LR[GENSIM], seed=seed + 1,
        min_n=MIN_N, max_n=MAX_N, bucket=NUM_BUCKETS,
    )  # fmt: skip
    return model.wv.index_to_key, model.wv.vectors, lambda word: model.wv[word]


MAKERS = {PLAIN: plain_vectors, OURS: subword_vectors, GENSIM: fasttext_vectors}


def cosines_with(vectors, table):
    """Return the cosines (n, V) of vectors (n, d) with the rows of a table."""
    return unit_rows(np.asarray(vectors)) @ unit_rows(table).T


def ranks_and_neighbors(cosines, tokens, lemmas):
    """Return for each line of cosines (n, V) the rank of its lemma, 1 for the nearest and halves for ties, and the NEAREST tokens."""
    columns = {token: column for column, token in enumerate(tokens)}
    own = np.array([cosines[line, columns[lemma]] for line, lemma in enumerate(lemmas)])[:, None]  # (n, 1)
    ranks = (cosines > own).sum(axis=1) + ((cosines == own).sum(axis=1) + 1) / 2
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :NEAREST]
    return ranks.tolist(), [[tokens[column] for column in line] for line in order]


def pair_cosines(tokens, table, vector_of):
    """Return for each set of PAIRS the cosines of all its pairs, 0 where a word has no vector, and which of them the vocabulary knows."""
    vectors = {token: table[row] for row, token in enumerate(tokens) if token != "<unk>"}
    found = {}
    for name in PAIRS:
        words = [[word.lower() for word in pair[:2]] for pair in judged_pairs(name)]
        sides = [[vectors.get(word, vector_of(word)) for word in pair] for pair in words]
        cosines = [0.0 if any(side is None for side in pair) else float(np.prod(unit_rows(np.array(pair)), axis=0).sum()) for pair in sides]
        known = [all(word in vectors for word in pair) for pair in words]
        found[name] = {"cosines": np.round(cosines, 5).tolist(), "known": known}
    return found


def scored(text, method, seed, num_epochs):
    """Train on a whole text; returns the scores, the seconds of processor time, and for words alone the neighbors of the held words."""
    with path_of(text) as path:
        start = time.process_time()
        tokens, table, vector_of = MAKERS[method](path, seed, (), num_epochs)
        result = {"processor seconds": round(time.process_time() - start, 2)}
    if text != "talmud":
        result |= {"pairs": pair_cosines(tokens, table, vector_of), ANALOGIES: score_analogies(keyed_vectors(tokens, table)).value}
    if method == PLAIN:
        held, rows = held_words(text, vocab_of(tokens)), {token: row for row, token in enumerate(tokens)}
        others = [token for token in tokens[1:] if token not in held]
        cosines = cosines_with(table[[rows[word] for word in held]], table[[rows[token] for token in others]])
        result["neighbors"] = ranks_and_neighbors(cosines, others, held.values())[1]
    return result


def held_out(text, method, seed, num_epochs):
    """Train on a text in which some words were made unknown; returns the ranks of their lemmas, and their neighbors."""
    with path_of(text) as path:
        held = held_words(text, vocab_of(load(path, seed)[1]))
        tokens, table, vector_of = MAKERS[method](path, seed, held, num_epochs)
    tokens, table = zip(*[(token, row) for token, row in zip(tokens, table) if token != "<unk>"])
    cosines = cosines_with([vector_of(word) for word in held], np.array(table))
    ranks, neighbors = ranks_and_neighbors(cosines, tokens, held.values())
    return {"ranks": ranks, "neighbors": neighbors}


def by_form(text):
    """Rank by form alone: the share of n-grams that two words have in common, of all that they have (Jaccard). No training."""
    with path_of(text) as path:
        tokens = load(path, 0)[1]
    held = held_words(text, vocab_of(tokens))
    tokens = [token for token in tokens[1:] if token not in held]
    sets = {word: frozenset(ngrams(word)) for word in (*tokens, *held)}
    alike = [[len(sets[word] & sets[token]) / len(sets[word] | sets[token]) for token in tokens] for word in held]
    ranks, neighbors = ranks_and_neighbors(np.array(alike), tokens, held.values())
    return {"ranks": ranks, "neighbors": neighbors, "held": held, "vocabulary": len(tokens)}


def kept(folder, work, *arguments):
    """Run `work(*arguments)` in a process of its own, or read from the folder what it came to before."""
    path = folder / f"{work.__name__} {' '.join(map(str, arguments))}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        found = in_a_process(work, *arguments)
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(found), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def shares(ranks, neighbors, wanted):
    """Return for each held word whether its lemma is among the NEAREST, and the share of its neighbors that are among those wanted."""
    common = [len(set(found) & set(other)) / NEAREST for found, other in zip(neighbors, wanted)]
    return np.array([rank <= NEAREST for rank in ranks], float), np.array(common)


def with_interval(values, seed=0):
    """Return the mean of values (seeds, n) with its 95 % interval over the n words."""
    each = np.mean(values, axis=0)
    return {"mean": round(float(each.mean()), 4), "interval": np.round(bootstrap(np.mean, (each,), seed), 3).tolist()}


def held_out_summary(form, whole, runs):
    """Sum up what the vectors of held words are worth, {method: {measure: mean and interval}}, form alone beside them."""
    wanted = [result["neighbors"] for result in whole]
    rows = {"form alone": [shares(form["ranks"], form["neighbors"], other) for other in wanted]}
    rows |= {name: [shares(run["ranks"], run["neighbors"], other) for run, other in zip(found, wanted)] for name, found in runs.items()}
    ranks = {"form alone": [form["ranks"]], **{name: [run["ranks"] for run in found] for name, found in runs.items()}}
    table = {
        name: {
            "median rank": float(np.median(ranks[name])),
            "lemma among 10": with_interval([lemma for lemma, _ in found]),
            "neighbors of the known word": with_interval([common for _, common in found]),
        }
        for name, found in rows.items()
    }
    first, words = NEAREST / form["vocabulary"], list(form["held"].items())
    return {"words": len(words), "vocabulary": form["vocabulary"], "by chance": round(first, 5), "such as": words[:5], "methods": table}


def pair_summaries(runs):
    """Sum up the scores on pairs, {method: {set: summary}}, with unknown words left out and counted; differences are from words alone."""
    rows = {method: {} for method in runs}
    for name in PAIRS:
        judged = np.array([judgment for *_, judgment in judged_pairs(name)])
        known = np.array(runs[PLAIN][0]["pairs"][name]["known"])
        for told, chosen in ((name, known), (f"{name}, all", np.ones_like(known))):
            cosines = {method: np.array([run["pairs"][name]["cosines"] for run in found])[:, chosen] for method, found in runs.items()}
            for method in runs:
                rows[method][told] = summary(judged[chosen], cosines[method], cosines[GENSIM if method == OURS else PLAIN])
    for method, found in runs.items():
        rows[method][ANALOGIES] = {"each": [round(run[ANALOGIES], 4) for run in found]}
    return rows


def measure_quality(seeds, epochs=EPOCHS, texts=TEXTS, folder=KEPT):
    """Do what the folder does not hold yet of the study, a seed at a time; returns {text: summaries}."""
    whole, held = ({text: {method: [] for method in MAKERS} for text in texts} for _ in range(2))
    for seed in range(seeds):
        for text in texts:
            for method in MAKERS:
                print(f"  seed {seed}, {text}, {method}", flush=True)
                whole[text][method].append(kept(folder, scored, text, method, seed, epochs[method]))
                if method != PLAIN:
                    held[text][method].append(kept(folder, held_out, text, method, seed, epochs[method]))
    found = {}
    for text in texts:
        seconds = {method: [run["processor seconds"] for run in runs] for method, runs in whole[text].items()}
        runs = {method: runs for method, runs in held[text].items() if runs}
        found[text] = {"processor seconds": seconds, "held out": held_out_summary(kept(folder, by_form, text), whole[text][PLAIN], runs)}
        if text != "talmud":
            found[text]["pairs"] = pair_summaries(whole[text])
    return found


def timed(text, method, num_epochs):
    """Return the wall-clock seconds from a text to its vectors, with one thread."""
    from gensim.models import FastText  # noqa: F401  so that no import counts

    from helpers.beyond import subwords_pytorch  # noqa: F401

    with path_of(text) as path:
        start = time.perf_counter()
        MAKERS[method](path, 0, (), num_epochs)
        return round(time.perf_counter() - start, 2)


def measure_time(rounds=ROUNDS, epochs=EPOCHS, texts=TEXTS[:2]):
    """Time the methods in turn; returns {text: {method: median and spread of the seconds}, with ours as a share of gensim's}."""
    found = {}
    for text in texts:
        runs = {method: functools.partial(lambda method, _: in_a_process(timed, text, method, epochs[method]), method) for method in MAKERS}
        seconds = in_turn(runs, rounds)
        ratios = [ours / other for ours, other in zip(seconds[OURS], seconds[GENSIM])]
        found[text] = {**{method: spread(values) for method, values in seconds.items()}, "ratio": spread(ratios)}
        click.echo(f"{text}: subwords take {found[text]['ratio']['median']:.2f} of gensim FastText's time (target: at most 0.5)")
    return found


@click.command(help=__doc__)
@click.option("--seeds", default=5, show_default=True, help="Seeds for each method.")
@click.option("--time", "times", is_flag=True, help="Measure the seconds alone.")
@click.option("--quick", is_flag=True, help="All of it once and small; writes nothing.")
def main(seeds, times, quick):
    path = FOLDER / "subwords.json"
    if quick:
        epochs = dict.fromkeys(MAKERS, 1)
        with tempfile.TemporaryDirectory() as folder:
            found = measure_quality(1, epochs, TEXTS[1:2], Path(folder))
        measure_time(1, epochs, TEXTS[1:2])
        click.echo("\n".join(subword_table(found["wikipedia"])))
        return
    results = read_results(path)
    if times:
        results["seconds"] = {"machine": machine(), "threads": 1, "epochs": EPOCHS, "texts": measure_time()}
    else:
        texts = measure_quality(seeds)
        results |= {"machine": machine(), "seeds": list(range(seeds)), "epochs": EPOCHS, "lr": LR, "texts": texts}
        for text in TEXTS:
            click.echo(f"\n{text}\n" + "\n".join(subword_table(texts[text])))
    write_results(path, results)


if __name__ == "__main__":
    from benchmarks import subwords  # by its name, under which other processes find the functions

    subwords.main()
