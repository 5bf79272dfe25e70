"""The runner before a kernel runs and where none does: what it refuses, and that two runs never share a folder."""

import json
import multiprocessing.context
import threading
from pathlib import Path

import click
import numpy as np
import papermill
import pytest
from click.testing import CliRunner

import helpers.tools.course as course
from helpers.beyond.checkpoints import previous_path, save_checkpoint
from helpers.tools.parameters import read_parameter_file, require_places
from helpers.vectors import save_vectors


def run(*arguments):
    return CliRunner().invoke(course.main, ["--framework", "pytorch", *map(str, arguments)])


@pytest.mark.parametrize("given, told", [
    (["-p", "lr=0.01", "--out", "X"], "it takes a name and a value, such as -p lr 0.01, not 'lr=0.01'"),
    (["-p", "lr", "--out", "X"], "it takes a name and a value, such as -p lr 0.01, not 'lr' and '--out'"),
    (["-p", "k", "2", "-p", "lr", "0.1", "-p", "k", "3"], "gives k twice"),
    (["-p", "lr", "[" * 3000], "lr has a value of 3,000 characters, and at most 100 can serve"),
    (["-p", "lr", "[" * 90], "lr must be a number above 0"),
    (["-p", "query_token", "[" * 50_000], "query_token has a value of 50,000 characters"),
    (["-p", "corpus", "~nosuchuser/a.txt"], "corpus '~nosuchuser/a.txt' can't be used"),
    (["-p", "corpus", "caf\udce9.txt"], "is not UTF-8: rename it"),
    (["-p", "vectors_path", "~nosuchuser/a.safetensors"], "vectors_path '~nosuchuser/a.safetensors' can't be used"),
    (["-p", "vectors_path", "v" * 250 + ".safetensors"], "can't be written: File name too long"),
    (["-p", "checkpoint_path", "c" * 240 + ".safetensors"], "can't be written: File name too long"),
    (["--out", "~nosuchuser/runs"], "'~nosuchuser/runs' can't be used"),
])  # fmt: skip
def test_what_cannot_serve_is_told_in_a_line_before_anything_is_made(given, told, tmp_path, monkeypatch, small_text):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path / "cache"))
    usual = ["--out", tmp_path / "out", "-p", "corpus", small_text]
    done = run(*(usual[:2] if "--out" not in given else []), *(usual[2:] if "corpus" not in given else []), *given)
    error = done.stderr.splitlines()[-1]
    assert done.exit_code == 2 and told in error and len(error) < 1000 and list(tmp_path.iterdir()) == []


def test_a_query_word_or_a_k_that_the_text_cannot_answer_is_told_before_anything_runs(small_text, tmp_path, monkeypatch):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    word = small_text.read_text().split()[0]
    (tmp_path / "few.txt").write_text("one small boat\n")
    for given, told in (
        (["query_token", word[:-1]], "the vocabulary of 401 words has no"), (["query_token", word.upper()], f"try '{word}'"),
        (["query_token", "<unk>"], "has no '<unk>'"), (["k", 400], "k must be at most 399"),
        (["min_freq", 10**6], "no word that occurs min_freq times"),
        (["other_corpus", tmp_path / "few.txt"], "corpus few.txt has no word that"),
    ):  # fmt: skip
        done = run("-p", "corpus", small_text, "-p", *given)
        assert done.exit_code == 2 and told in done.stderr.splitlines()[-1], done.output
        assert list((tmp_path / "runs").iterdir()) == []


def test_without_a_corpus_of_ones_own_a_strict_run_that_has_no_ptb_makes_nothing(no_ptb, tmp_path, monkeypatch):
    monkeypatch.setenv("WORD2VEC_STRICT", "1")
    done = run("--strict", "--out", tmp_path / "out")
    assert done.exit_code == 2 and "no download from" in done.stderr and not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["lr: 0.1\nk: 2\nlr: 0.2\n", '{"lr": 1, "k": 2, lr: 3}', "lr: 0.1\nk: 2\n? lr\n: 0.2\n"])
def test_a_name_that_a_file_gives_twice_is_refused(text, tmp_path):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ValueError, match="p.yaml gives lr twice: leave one of them"):
        read_parameter_file(tmp_path / "p.yaml")


NO_YAML = {
    "nested": "lr: " + "[" * 3000 + "]" * 3000, "no date": "lr: 2024-13-45", "cut": "lr: [", "long number": "lr: " + "9" * 5000,
    "a list": "- lr\n- k\n",
}  # fmt: skip


@pytest.mark.parametrize("text", NO_YAML.values(), ids=NO_YAML)
def test_a_file_that_holds_no_parameters_is_told_in_a_line(text, tmp_path):
    (tmp_path / "p.yaml").write_text(text)
    told = "must map names to values" if text.startswith("-") else "is not YAML"
    with pytest.raises(ValueError, match=f"p.yaml {told}") as refused:
        read_parameter_file(tmp_path / "p.yaml")
    assert len(str(refused.value).splitlines()) == 1


@pytest.fixture
def places(tmp_path):
    """A file of vectors, a checkpoint, one that is damaged, and files of other kinds."""
    table = np.ones((2, 3), np.float32)
    save_vectors(tmp_path / "vectors.safetensors", table, table, ["<unk>", "boat"], {})
    save_checkpoint(tmp_path / "checkpoint.safetensors", {"embed_v": table, "embed_u": table}, {})
    (tmp_path / "damaged.safetensors").write_bytes(b"cut")
    (previous_path(tmp_path / "damaged.safetensors")).touch()
    (tmp_path / "thesis.safetensors").write_bytes(b"mine")
    (tmp_path / "folder.safetensors").mkdir()
    return tmp_path


@pytest.mark.parametrize("name, path, reason", [
    ("vectors_path", "checkpoint", "is a checkpoint, not a file of vectors"), ("vectors_path", "thesis", "is another file"),
    ("vectors_path", "damaged", "is another file"), ("vectors_path", "folder", "is a folder"),
    ("checkpoint_path", "vectors", "is a file of vectors"), ("checkpoint_path", "thesis", "is another file"),
    ("sweep_folder", "vectors", "is a file of vectors"),
    ("vectors_path", "thesis.safetensors/v", "can't be written: Not a directory"),
    ("vectors_path", "vectors", None), ("vectors_path", "new/new", None), ("checkpoint_path", "checkpoint", None),
    ("checkpoint_path", "damaged", None), ("sweep_folder", "folder", None),
])  # fmt: skip
def test_a_run_overwrites_only_what_is_of_the_same_kind(name, path, reason, places):
    before = sorted(places.rglob("*"))
    if reason is None:
        require_places({name: places / f"{path}.safetensors"})
    else:
        with pytest.raises(ValueError, match=f"{name} .*{reason}"):
            require_places({name: places / f"{path}.safetensors"})
    assert sorted(places.rglob("*")) == before


@pytest.mark.parametrize("name", ["vectors", "checkpoint"])
def test_a_run_overwrites_no_file_that_may_only_be_read(name, places):
    (places / f"{name}.safetensors").chmod(0o444)
    with pytest.raises(OSError, match="may only be read"):
        require_places({f"{name}_path": places / f"{name}.safetensors"})


def test_no_two_paths_of_a_run_are_one(tmp_path, monkeypatch):
    monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path / "cache"))
    out, own = tmp_path / "out", "out/pytorch/vectors.safetensors"
    (tmp_path / "link").symlink_to(out)
    for given in (
        {"vectors_path": "a.safetensors", "checkpoint_path": f"{out}/a.safetensors"}, {"checkpoint_path": f"{tmp_path}/{own}"},
        {"checkpoint_path": f"{tmp_path}/link/pytorch/vectors.safetensors"},
        {"vectors_path": f"{tmp_path}/cache/c.previous.safetensors", "checkpoint_path": "c.safetensors"},
        {"grid": "fast", "sweep_folder": "c.safetensors", "checkpoint_path": "c.safetensors"},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="are both"):
            course.place_written(given, out, "pytorch")


def test_of_eight_runs_that_begin_in_one_folder_at_once_one_begins(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "require_query_of_text", lambda *_: None)
    together, ends, iterdir = threading.Barrier(8), [], Path.iterdir

    def all_look_first(folder):
        found = list(iterdir(folder))
        together.wait(30)
        return found

    monkeypatch.setattr(Path, "iterdir", all_look_first)

    def begin():
        try:
            ends.append(course.open_run({}, ["pytorch"], [], tmp_path / "out", False, "letters")[2])
        except click.UsageError as error:
            ends.append(str(error))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends.count(tmp_path / "out") == 1
    assert sum(f"another run has just begun in {tmp_path / 'out'}; name a new folder" == end for end in ends) == 7


def test_a_series_that_cannot_be_written_to_names_the_way_out(tmp_path, monkeypatch):
    (tmp_path / "runs").touch()
    monkeypatch.setattr(course, "ROOT", tmp_path)
    done = run()
    assert done.exit_code == 2 and f"can't write to the folder {tmp_path / 'runs'}" in done.stderr
    assert "name another with --out" in done.stderr


@pytest.mark.parametrize("error", [RuntimeError("Kernel died before replying"), BlockingIOError(11, "no process"), KeyError("kernel")])
def test_a_kernel_that_never_starts_gives_a_row(error, tmp_path, monkeypatch):
    def execute_notebook(*_, **__):
        raise error

    monkeypatch.setattr(papermill, "execute_notebook", execute_notebook)
    ((row, lines),) = course.run_framework("pytorch", False, {}, tmp_path)
    assert row["notebook"] == "01_data" and row["error"] == f"{type(error).__name__}: {error}" and lines[-1] == (row["error"], True)


def test_a_half_whose_process_cannot_start_gives_a_row(tmp_path, monkeypatch, capsys):
    def start(_):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "_Popen", staticmethod(start))
    written = []
    rows, well = course.run_halves(["pytorch"], {"pytorch": {}}, tmp_path, False, lambda rows: written.append(json.dumps(rows)))
    assert not well and rows[0]["error"] == "the process of this half can't start: Resource temporarily unavailable"
    assert written == [json.dumps(rows)] and "pytorch: the process of this half can't start" in capsys.readouterr().err
