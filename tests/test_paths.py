"""Paths that somebody names: `~`, relative ones, names that can't serve, pipes; one meaning in every command and variable."""

import importlib
import os
import socket
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from helpers.beyond.notebooks import NOTEBOOKS, run_notebook
from helpers.beyond.scale.prepare import find_files
from helpers.beyond.texts import read_text
from helpers.corpus import cache_folder, read_corpus
from helpers.tools.prepare import main as prepare
from tests.conftest import ROOT

NO_PATHS = {
    "~nosuchuser/a.txt": "home", "a\0b.txt": "null byte", "caf\udce9.txt": "UTF-8: rename it", "/dev/null": "a pipe or a device",
    "fifo": "pipe", "socket": "pipe", "link": "pipe",
}  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to stand in, with a pipe, a socket and a link to the pipe, which nobody reads or writes; and a home with a text."""
    (tmp_path / "here").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "a.txt").write_text("one small boat\n" * 30)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    os.mkfifo("fifo")
    Path("link").symlink_to("fifo")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("socket")
        yield tmp_path / "here"


def test_a_path_is_made_absolute_and_begins_at_home_or_where_one_stands(here):
    from helpers.arguments import path_from_outside

    home = here.parent / "home"
    for path, found in {"~/a.txt": home / "a.txt", "~": home, "new/b.txt": here / "new" / "b.txt", here: here, "a~": here / "a~"}.items():
        assert path_from_outside(path) == found
    assert path_from_outside("x" * 300) == here / ("x" * 300)  # whoever opens it is told


@pytest.mark.parametrize("path", NO_PATHS)
def test_what_cannot_serve_is_told_in_a_line_wherever_it_is_named_and_nobody_waits_for_a_pipe(path, here, monkeypatch):
    monkeypatch.setattr(os, "environ", {**os.environ, "WORD2VEC_CACHE": path})
    for take in (read_corpus, read_text, lambda path: find_files([path]), lambda _: cache_folder()):
        with pytest.raises(ValueError, match=NO_PATHS[path]) as refused:
            take(path)
        assert len(str(refused.value).splitlines()) == 1
    if "\0" not in path:
        done = CliRunner().invoke(prepare, [path, "--out", "out"])
        assert done.exit_code == 1 and NO_PATHS[path] in done.output and not Path("out").exists()


def test_every_path_that_a_command_takes_is_one_from_outside():
    from helpers.tools.paths import OutsidePath

    checked = 0
    for module in sorted((ROOT / "helpers" / "tools").glob("*.py")):
        main = getattr(importlib.import_module(f"helpers.tools.{module.stem}"), "main", None)
        if module.stem == "twins" or not isinstance(main, click.Command):  # twins serves the series itself
            continue
        for command in [main, *getattr(main, "commands", {}).values()]:
            for parameter in command.params:
                assert not isinstance(parameter.type, click.Path) or isinstance(parameter.type, OutsidePath), (module.stem, parameter.name)
                checked += isinstance(parameter.type, OutsidePath)
    assert checked >= 6


def test_a_home_is_known_in_names_and_patterns(here):
    home = here.parent / "home"
    assert find_files(["~/*.txt"]) == find_files(["~/a.txt"]) == [home / "a.txt"]
    assert len(read_corpus("~/a.txt").sentences) == 29


@pytest.mark.parametrize("cache, found", [("mine", "here/mine"), ("~/mine", "home/mine"), ("../mine", "here/../mine")])
def test_notebooks_find_the_cache_where_their_command_does_though_they_run_in_another_folder(cache, found, here, monkeypatch):
    import papermill

    told = []
    monkeypatch.setattr(papermill, "execute_notebook", lambda *_, **__: told.append(os.environ["WORD2VEC_CACHE"]))
    monkeypatch.setenv("WORD2VEC_CACHE", cache)
    run_notebook(NOTEBOOKS / "pytorch" / "01_data.ipynb", here / "out.ipynb", {})
    assert told == [str(here.parent / found)] and str(cache_folder()) == told[0]


def test_a_pattern_finds_neither_a_folder_nor_what_its_command_writes_itself(here):
    for path in ("fifo", "link", "socket"):
        Path(path).unlink()
    Path("more/prepared").mkdir(parents=True)
    for path in ("a", "more/prepared/vocabulary.txt"):
        Path(path).write_text("one small boat")
    for own in (here / "more" / "prepared", here / "more" / ".." / "more" / "prepared"):
        assert find_files(["*"], [own]) == find_files(["**/*"], [own]) == [here / "a"]
    assert find_files(["**/*"]) == [here / "a", here / "more/prepared/vocabulary.txt"]
    assert find_files(["a", "more/prepared"], [here / "more/prepared"]) == [here / "a"]  # as a shell puts it for *
    with pytest.raises(ValueError, match="is no file: name text files"):
        find_files(["more/prepared"], [here / "more/prepared"])


def test_a_file_and_a_link_to_it_are_one_file(here):
    Path("a.txt").write_text("one small boat\n")
    Path("b.txt").symlink_to("a.txt")
    os.link("a.txt", "c.txt")
    for other in "b.txt", "c.txt":
        with pytest.raises(ValueError, match=f"{other} is named twice, also as .*a.txt"):
            find_files(["a.txt", other])
    with pytest.raises(ValueError, match="a.txt is named twice$"):
        find_files(["a.txt", "./a.txt"])


def test_a_text_of_a_training_is_nothing_that_it_writes_itself(here):
    from helpers.beyond.text_training import find_texts

    Path("v.tsv.prepared").mkdir()
    names = "v.tsv", "v.metadata.tsv", "v.tsv.checkpoint.safetensors", "v.tsv.checkpoint.previous.safetensors"
    for name in ("a.txt", *names, "v.tsv.prepared/manifest.json"):
        Path(name).write_text("{}")
    for texts in (["[av]*"], ["a.txt", *names, "v.tsv.prepared"]):
        assert find_texts(texts, here / "v.tsv") == [here / "a.txt"]


def test_a_checkpoint_may_lie_at_home_and_two_names_of_one_file_are_one(here):
    from helpers.beyond.checkpoints import Checkpoint, require_checkpoint_path

    home = here.parent / "home"
    assert Checkpoint("~/c.safetensors", None, None).path == home / "c.safetensors"
    Path("there").symlink_to(home)
    with pytest.raises(ValueError, match="name two files"):
        require_checkpoint_path("~/c.safetensors", "there/c.safetensors")
