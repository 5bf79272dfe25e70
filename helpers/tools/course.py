"""Run the series with papermill: every notebook of a framework in order, with a summary of what came out."""

import ast
import contextlib
import datetime
import hashlib
import importlib
import io
import itertools
import json
import multiprocessing.connection
import os
import platform
import signal
import time
from pathlib import Path

import click
import psutil

from helpers.arguments import path_from_outside, require_words, whole_file
from helpers.beyond.notebooks import (
    FRAMEWORKS,
    NOTEBOOKS,
    ROOT,
    known_parameters,
    lessons,
    read_notebook,
    run_notebook,
    stray_lessons,
    tags,
    told_left_out,
)
from helpers.beyond.parents import end_with_parent
from helpers.beyond.prepared import is_prepared
from helpers.beyond.texts import read_encoded
from helpers.beyond.words import SPLITS
from helpers.corpus import NAMES, cache_folder
from helpers.tools.environment import compare_all, mxnet_left_out
from helpers.tools.parameters import LONGEST_VALUES, read_parameter_file, require_named_once, require_places, require_values
from helpers.tools.paths import OutsidePath
from helpers.tools.run_pages import phrases, told_phrases, write_run
from helpers.tools.streams import set_up_streams
from helpers.vectors import choose_query

WRITTEN = "vectors_path", "checkpoint_path", "sweep_folder"
READ = "corpus", "other_corpus"
TEXTS = *READ, *WRITTEN, "query_token"
VECTORS = "vectors.safetensors"


def defaults(notebook):
    """Return the parameters of a notebook with their values, {name: value}."""
    (cell,) = [cell for cell in notebook["cells"] if "parameters" in tags(cell)]
    nodes = [node for node in ast.parse(cell["text"]).body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in nodes}


def read_value(name, text):
    """Read a parameter's value from text: a Python literal where it is one, else the text; names and paths stay text."""
    if not isinstance(text, str) or (name in TEXTS and text != "None"):
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):  # such as thousands of brackets
        return text


def named_values(context, parameter, pairs):
    """Check what -p was given, before click complains of what follows; returns it."""
    for name, value in pairs:
        if not name.isidentifier() or value.startswith("--"):
            raise click.BadParameter(f"it takes a name and a value, such as -p lr 0.01, not {name[:80]!r} and {value[:80]!r}")
    with told_as_usage():
        require_named_once([name for name, _ in pairs], "the command")
    return pairs


@contextlib.contextmanager
def told_as_usage():
    """Tell an error that the user can mend as click does, with exit code 2."""
    try:
        yield
    except (ValueError, LookupError, OSError, RuntimeError) as error:  # RuntimeError: no PTB with --strict; links that lead to each other
        raise click.UsageError(error.args[0] if isinstance(error, LookupError) else str(error)) from error


def collect_parameters(pairs, file, notebooks):
    """Join the parameters of the file and the command line (which wins) and check that some notebook knows each.

    Relative paths become absolute, since notebooks run in their own folders. Raises click.UsageError.
    """
    with told_as_usage():
        given = {} if file is None else read_parameter_file(file)
        given |= dict(pairs)
        known = sorted({name for notebook in notebooks for name in known_parameters(notebook)})
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"no notebook has a parameter {name!r}; there are: {', '.join(known)}")
            if isinstance(value, str) and len(value) > (most := LONGEST_VALUES[name in TEXTS]):
                raise ValueError(f"{name} has a value of {len(value):,} characters, and at most {most:,} can serve")
            given[name] = read_value(name, value)
        for name in READ if given.get("grid") else (*READ, "sweep_folder"):
            if isinstance(given.get(name), str) and given[name] not in ("", *NAMES):
                given[name] = str(path_from_outside(given[name], name))
        require_values(given)
    return given


def place_written(given, out, framework):
    """Return the parameters with the paths of what a run writes made absolute, and a place for a sweep.

    Vectors go to the run's folder; what a later run goes on with goes to the cache folder. Raises ValueError for a path that
    leads out of both, and for what `require_places` refuses: so parameters from elsewhere can't overwrite a file.
    """
    folders, given = {"vectors_path": out, "checkpoint_path": cache_folder()}, dict(given)
    if given.get("grid"):
        folders["sweep_folder"] = cache_folder()
        given["sweep_folder"] = given.get("sweep_folder") or f"sweep-{framework}"
    for name, folder in folders.items():
        if given.get(name):
            named = given[name] if given[name].startswith("~") else folder / given[name]
            path = path_from_outside(named, name).resolve()
            if not any(path.is_relative_to(place.resolve()) for place in folders.values()):
                raise ValueError(f"{name} must lie in {out} or {cache_folder()}, not be {path}")
            given[name] = str(path)
    require_places({name: Path(given[name]) for name in folders if given.get(name)}, (out / framework / VECTORS).resolve())
    return given


def require_query_of_text(parameters, notebooks, split="letters"):
    """Read the texts, and refuse a query word or a `k` that step 6 could not answer, rather than after the training.

    Raises LookupError, with near matches, or ValueError; of a text that can't be read the errors of `read_corpus`.
    """
    usual = [own for own in map(defaults, notebooks) if "query_token" in own]  # step 17 asks its own text for a word of its own
    used = {name: max(own[name] for own in usual if name in own) for name in ("k", "min_freq", "corpus")} | parameters
    text, vocab, *_ = read_encoded(used["corpus"], used["min_freq"], split)
    require_words(text, vocab)
    choose_query(used.get("query_token"), used["k"], vocab, text.name)
    if used.get("other_corpus") is not None:
        require_words(*read_encoded(used["other_corpus"], used["min_freq"], split)[:2])


def own_texts(given):
    """Return which parameters name a file of text, {name: path}."""
    return {name: Path(given[name]) for name in READ if given.get(name) not in (None, "", *NAMES) and not is_prepared(given[name])}


def prepare_own(given, out, split):
    """Prepare each file of text in `out`, so that notebooks need not know its split; returns the parameters that name them, anew."""
    from helpers.beyond.scale.prepare import prepare

    folders = {name: out / name / path.name for name, path in own_texts(given).items()}
    for name, folder in folders.items():
        prepare([given[name]], folder, 0, split=split)
    return {name: str(folder) for name, folder in folders.items()}


def new_folder():
    """Make a folder in runs/ that no other run has, named after the time."""
    for number in itertools.count(1):
        name = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S") + (f"-{number}" if number > 1 else "")
        try:
            (ROOT / "runs" / name).mkdir(parents=True)
            return ROOT / "runs" / name
        except FileExistsError:
            continue


def train_on_blocks(framework, parameters, path):
    """Train with step 8's `train_blocks` and write the vectors to `path`; returns values, error and seconds as `run_notebook` does."""
    from helpers.beyond.blocks import load_blocks, word2vec_tables
    from helpers.vectors import save_vectors

    start, used = time.perf_counter(), defaults(read_notebook(NOTEBOOKS / framework / "08_blocks.ipynb"))
    used |= {name: value for name, value in parameters.items() if name in used}
    names = "corpus", "max_window_size", "num_noise_words", "seed", "min_freq"
    try:
        model = importlib.import_module(f"helpers.model_{framework}")
        trainer = importlib.import_module(f"helpers.beyond.blocks_{framework}")
        with contextlib.redirect_stdout(io.StringIO()):
            blocks, vocab = load_blocks(**{name: used[name] for name in names})
            net = model.model_from_tables(*word2vec_tables(len(vocab), used["embed_size"], used["seed"]))
            history = trainer.train_blocks(net, blocks, used["block_lr"], used["block_epochs"])
        epochs = [epoch._asdict() for epoch in history]
        settings = {**used, "corpus": blocks.corpus, "trainer": "blocks", "epochs": epochs}
        save_vectors(path, *model.to_arrays(net), vocab.idx_to_token, settings)
    except (ValueError, OSError, RuntimeError, FloatingPointError, KeyboardInterrupt) as error:
        return {}, error, time.perf_counter() - start
    return {"corpus": blocks.corpus, "trainer": "blocks", "epochs": epochs}, None, time.perf_counter() - start


def run_framework(framework, beyond, parameters, out, blocks=False):
    """Run a framework's notebooks in order, up to one that fails; yields (row, lines) for each that is done.

    A row is a dict, with an "error" if it failed; the lines are what to tell of it, each (text, whether it is an error). With
    `blocks`, `train_on_blocks` makes the vectors in place of step 5.
    """
    vectors_path = parameters.get("vectors_path") or str(out / framework / VECTORS)
    for source in lessons(framework, beyond):
        given = {**parameters, "framework": framework, "vectors_path": vectors_path}
        if blocks and source.stem == "05_training":
            values, error, seconds = train_on_blocks(framework, given, vectors_path)
        else:
            values, error, seconds = run_notebook(source, out / framework / source.name, given)
        row = {"framework": framework, "notebook": source.stem, "seconds": round(seconds, 1), **values}
        if error is None:
            yield row, [(f"{framework}/{source.stem}: {seconds:.1f} s; {told_phrases(phrases(values))}", False)]
            continue
        if isinstance(error, KeyboardInterrupt):
            row["error"] = "stopped; what was made stays"
            yield row, [(f"{framework}/{source.stem}: {row['error']}", False)]
            return
        row["error"] = f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}"
        cell = f", in this cell:\n\n{error.source}\n" if hasattr(error, "source") else ""
        yield row, [(f"{framework}/{source.stem}: failed after {seconds:.1f} s{cell}", False), (row["error"], True)]
        return


def run_half(framework, beyond, parameters, out, blocks, answer):
    """Run a framework's notebooks in this process; sends what `run_framework` yields, and at the end None, or "stopped" by Ctrl-C."""

    def stop(*_):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough: what follows must not be cut short
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    end_with_parent()
    set_up_streams()
    ended = None
    with contextlib.suppress(OSError):  # nobody is there any more to send it to
        try:
            for told in run_framework(framework, beyond, parameters, out, blocks):
                answer.send(told)
        except KeyboardInterrupt:
            ended = "stopped"
        answer.send(ended)


def run_halves(frameworks, parameters, out, blocks, write):
    """Run each framework's half in a process of its own, the cores shared out; returns all rows and whether all is well.

    Notebooks without variants belong to the first half. One half alone leaves a core idle much of the time, so two at
    once take little longer. `write(rows)` is called with each new row before anything is told of it. A half that was killed
    has a row that says what ended it.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the arrays are small, and the other half needs the other core
    context, halves, rows = multiprocessing.get_context("spawn"), {}, []
    well = True

    def take(row, lines):
        nonlocal well
        rows.append(row)
        rows.sort(key=lambda row: frameworks.index(row["framework"]))
        write(rows)
        for text, is_error in lines:
            click.echo(text, err=is_error)
        well = well and "error" not in row

    for framework in frameworks:
        receiver, sender = context.Pipe(duplex=False)
        call = framework, framework == frameworks[0], parameters[framework], out, blocks, sender
        process = context.Process(target=run_half, args=call)
        try:
            process.start()
            halves[receiver] = framework, process
        except OSError as error:  # too many processes, for one
            take(*unfinished(framework, 0, framework == frameworks[0], f"the process of this half can't start: {error.strerror or error}"))
        sender.close()
    while halves:
        try:
            for receiver in multiprocessing.connection.wait(halves):
                framework, process = halves[receiver]
                try:
                    told = receiver.recv()
                    ended = not isinstance(told, tuple)
                except EOFError:
                    ended = True
                    done = sum(row["framework"] == framework for row in rows)
                    told = unfinished(framework, done, framework == frameworks[0], how_it_ended(process))
                if isinstance(told, tuple):
                    take(*told)
                elif told == "stopped":
                    click.echo(f"{framework}: stopped between two notebooks")
                    well = False
                if ended:
                    halves.pop(receiver)[1].join()
        except KeyboardInterrupt:
            for _, process in halves.values():
                if process.is_alive():
                    os.kill(process.pid, signal.SIGINT)
    return rows, well


def how_it_ended(process):
    """Say what ended the process of a half that ended without a word."""
    process.join()
    code = process.exitcode
    return f"the process of this half was ended {f'by {signal.Signals(-code).name}' if code < 0 else f'with exit code {code}'}"


def unfinished(framework, done, beyond, error):
    """Return the row, and what to tell, of the notebook at which a half ended that had `done` so many."""
    steps = lessons(framework, beyond)
    row = {"framework": framework, "notebook": steps[min(done, len(steps) - 1)].stem, "seconds": 0.0, "error": error}
    return row, [(f"{framework}: {error}", True)]


def summary_table(rows):
    """Lay out the rows as text, a line per notebook."""
    corpora = sorted({row["corpus"] for row in rows if "corpus" in row})
    lines = [f"corpus: {', '.join(corpora) or 'not read'}", f"{'notebook':32} {'seconds':>8}  what came out"]
    for row in rows:
        name = f"{row['framework']}/{row['notebook']}"
        lines.append(f"{name:32} {row['seconds']:8.1f}  {row.get('error') or told_phrases(phrases(row))}")
    return "\n".join(lines)


def changed_settings(parameters, notebooks, blocks, split):
    """Say each setting of a run that is not what the notebooks have."""
    usual = [defaults(notebook) for notebook in notebooks]
    changed = []
    for name, value in parameters.items():
        others = sorted({str(own[name]) for own in usual if name in own}, key=lambda text: (len(text), text))
        if others != [str(value)]:
            changed.append(f"{name} {value} (in the notebooks {' or '.join(others)})")
    return [*changed, *(["vectors by step 8's trainer"] if blocks else []), *([f"words by {split}"] if split != "letters" else [])]


def about_run(began):
    """Return what `write_run` wants to know of a run that began at a time and is over: time, machine, versions."""
    memory = f"{psutil.virtual_memory().total / 2**30:.0f} GB of memory"
    return {
        "began": began.strftime("%Y-%m-%d %H:%M"), "seconds": round((datetime.datetime.now() - began).total_seconds(), 1),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory}",
        "packages": {name: found for name, _, found, _ in compare_all() if found},
    }  # fmt: skip


def frameworks_here(framework):
    """Return the frameworks to run. Of "both", MXNet is left out, with a line, where it can't be had; alone it is an error there."""
    if framework == "pytorch" or not (reason := mxnet_left_out()):
        return list(FRAMEWORKS) if framework == "both" else [framework]
    if framework == "mxnet":
        raise click.ClickException(f"the MXNet half can't run here: {reason}")
    click.echo(f"The MXNet half is left out: {reason}.")
    return ["pytorch"]


def checkpoint_of(framework, parameters):
    """Return the path in the cache folder where `--resume` keeps a framework's training with these parameters."""
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()[:16]
    return str(cache_folder() / "checkpoints" / f"{framework}-{digest}.safetensors")


def open_run(parameters, frameworks, notebooks, out, resume, split):
    """Check what a run reads and where it writes to, and make its folder; returns its parameters, those of each framework, the folder."""
    made = None
    try:
        out = out or (made := new_folder())
        with told_as_usage():
            parameters = place_written(parameters, out, frameworks[0])
            own = {name: parameters for name in frameworks}
            if resume and not parameters.get("checkpoint_path"):
                own = {name: {**parameters, "checkpoint_path": checkpoint_of(name, parameters)} for name in frameworks}
                for given in own.values():
                    require_places({"checkpoint_path": Path(given["checkpoint_path"])})
            require_query_of_text(parameters, notebooks, split)
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise click.UsageError(f"{out} is not empty; name a new folder")
        with open(out / "summary.json", "x") as file:  # of two runs that find the folder empty, one makes it
            file.write("{}")
        return parameters, own, out
    except FileExistsError as error:
        raise click.UsageError(f"another run has just begun in {out}; name a new folder") from error
    except OSError as error:
        raise click.UsageError(f"can't write to the folder {out or ROOT / 'runs'}: {error}; name another with --out") from error
    except (click.UsageError, KeyboardInterrupt):
        if made is not None:
            made.rmdir()
        raise


@click.command(context_settings={"max_content_width": 100})
@click.option("--framework", type=click.Choice([*FRAMEWORKS, "both"]), default="both", show_default=True, help="Which half to run.")
@click.option(
    "-p", "pairs", nargs=2, multiple=True, metavar="NAME VALUE", callback=named_values,
    help="A parameter of the notebooks, such as -p num_epochs 2.",
)  # fmt: skip
@click.option("-f", "file", type=OutsidePath(exists=True, dir_okay=False), help="A YAML file of parameters.")
@click.option("--out", type=OutsidePath(file_okay=False), help="Folder for what is made.  [default: runs/DATE-TIME]")
@click.option("--split", type=click.Choice(SPLITS), default="letters", show_default=True, help="Words of letters, or tokens as they stand.")
@click.option("--blocks", is_flag=True, help="Make the vectors with step 8's faster trainer, in place of step 5's.")
@click.option("--resume", is_flag=True, help="Keep step 13's training in the cache folder, and resume it if it was stopped.")
@click.option("--strict", is_flag=True, help="Fail where PTB can't be had, instead of taking the Wikipedia excerpt.")
def main(framework, pairs, file, split, out, blocks, resume, strict):
    """Run the series with papermill, on PTB or the text that -p corpus names.

    Writes the executed notebooks, the vectors of step 5 (which step 6 reads), summary.json and index.html.
    """
    set_up_streams()
    began = datetime.datetime.now()
    if strict:
        os.environ["WORD2VEC_STRICT"] = "1"  # the notebooks' kernels inherit it
    frameworks = frameworks_here(framework)
    if stray_lessons(frameworks):
        click.echo(told_left_out(stray_lessons(frameworks)))
    try:
        notebooks = [read_notebook(path) for name in frameworks for path in lessons(name)]
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    parameters = collect_parameters(pairs, file, notebooks)
    for name in ("vectors_path", "checkpoint_path"):
        if parameters.get(name) and len(frameworks) > 1:
            raise click.UsageError(f"both halves would write to {name}: choose one with --framework")
    if split != "letters" and not own_texts(parameters):
        raise click.UsageError(f"--split {split} is for a text of your own: name it with -p corpus")
    parameters, own, out = open_run(parameters, frameworks, notebooks, out, resume, split)
    click.echo(f"Writing to {out}")
    if split != "letters":
        with told_as_usage():
            prepared = prepare_own(parameters, out, split)
        own = {name: {**given, **prepared} for name, given in own.items()}

    def write(rows, **about):
        with whole_file(out / "summary.json") as temporary:
            temporary.write_text(json.dumps({"parameters": parameters, "notebooks": rows, **about}, indent=1), encoding="utf-8")

    def write_if_possible(rows):
        with contextlib.suppress(OSError):  # a full disk is told at the end
            write(rows)

    rows, well = run_halves(frameworks, own, out, blocks, write_if_possible)
    try:
        run = about_run(began)
        write(rows, run=run)
        write_run(out, rows, run, changed_settings(parameters, notebooks, blocks, split))
    except OSError as error:
        click.echo(f"\n{summary_table(rows)}\n")
        raise click.ClickException(f"can't write all of {out}: {error}; what was made before stays") from error
    click.echo(f"\n{summary_table(rows)}\n")
    click.echo(f"To look at: {out / 'index.html'}")
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
