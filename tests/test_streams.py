"""What a command prints, where a console, a pipe or a disk does not take it."""

import importlib
import io
import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from helpers.tools import course
from helpers.tools.streams import Stream, require_told, set_up_streams, shown

TITLE = "\x1b]0;mine\x07"


@pytest.fixture
def console(monkeypatch):
    """Return a function that makes stdout and stderr those of a console with such an encoding; it returns what reached stdout."""

    def make(encoding):
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding))
        set_up_streams()
        return written

    return make


@pytest.mark.parametrize("say", [print, click.echo])
@pytest.mark.parametrize("encoding, there", [
    ("utf-8", "é א\\ud800"), ("latin-1", "é \\u05d0\\ud800"), ("cp1252", "é \\u05d0\\ud800"), ("ascii", "\\xe9 \\u05d0\\ud800"),
])  # fmt: skip
def test_what_a_console_has_no_character_for_is_an_escape(console, encoding, there, say):
    written = console(encoding)
    say("é א\ud800", flush=True) if say is print else say("é א\ud800")
    assert written.getvalue().decode(encoding) == f"{there}\n"


@pytest.mark.parametrize("steering", [TITLE, "\x1b[2J", "\x9b31m", "\x00", "\x08", "\x7f", "\u202e", "\u2066", "\u2028"])
def test_what_steers_a_terminal_is_shown_and_not_sent(console, steering):
    written = console("utf-8")
    print(f"a\tb{steering}c\rd", flush=True)
    assert written.getvalue().decode() == f"a\tb{shown(steering)}c\rd\n"
    assert shown(steering).isprintable() and shown(steering).startswith("\\")


def test_a_word_stays_in_its_line_and_letters_stay_as_they_are():
    assert shown("a\nb\rc\td") == "a\\x0ab\\x0dc\\x09d"
    persian, family = "می\u200cخواهم", "👩\u200d👧"
    assert shown(persian + family + "no\u00a0break") == persian + family + "no\u00a0break"


class Full(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


class Unread(io.StringIO):
    def flush(self):
        raise BrokenPipeError(32, "Broken pipe")


def test_a_disk_that_is_full_ends_nothing_and_can_be_told_in_the_end(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Stream(Full()))
    print("once")
    print("twice", flush=True)
    with pytest.raises(OSError, match="No space left"):
        require_told()


def test_that_nobody_reads_any_more_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Stream(Unread()))
    print("a line", flush=True)
    require_told()


def test_streams_are_set_up_once_and_given_back_to_a_caller_as_they_were():
    @click.command()
    def main():
        set_up_streams()
        set_up_streams()
        assert not isinstance(sys.stdout.stream, Stream)
        print(TITLE)

    before = sys.stdout
    assert CliRunner().invoke(main).output == f"{shown(TITLE)}\n"
    assert sys.stdout is before


PROGRAM = """
import sys
from helpers.tools import course
from helpers.tools.streams import set_up_streams
set_up_streams()
for number in range(20000):
    print(number)
print("went on", file=sys.stderr)
"""


@pytest.mark.parametrize("end, told", [("| head -1", "0\n"), (">/dev/full", ""), (">&-", ""), ("2>&- >/dev/null", "")])
def test_a_process_goes_on_to_its_end_without_a_reader(end, told):
    line = f"set -o pipefail; {sys.executable} -c '{PROGRAM}' {end}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    assert (done.returncode, done.stdout) == (0, told)
    assert done.stderr == ("" if "2>&-" in end else "went on\n")


@pytest.mark.parametrize("charset, bank", [("utf-8", "בנק"), ("latin-1", "\\u05d1\\u05e0\\u05e7")])
def test_a_run_tells_hostile_and_foreign_words_without_harm(tmp_path, monkeypatch, charset, bank):
    row = {"framework": "pytorch", "notebook": "06_similarity", "seconds": 1, "query_token": "a", "similar": [[TITLE, 0.5], ["בנק", 0.4]]}
    monkeypatch.setattr(course, "run_halves", lambda *_: ([row, {**row, "error": f"{TITLE} is wrong"}], False))
    monkeypatch.setattr(course, "write_run", lambda *_: None)
    done = CliRunner(charset=charset).invoke(course.main, ["--framework", "pytorch", "--out", str(tmp_path / "out")])
    told = done.stdout_bytes.decode(charset)
    assert isinstance(done.exception, SystemExit) and f"{shown(TITLE)} is wrong\n" in told
    assert f"to a: {shown(TITLE)} 0.50, {bank} 0.40" in told and "\x1b" not in told


@pytest.mark.parametrize("name", ["course", "prepare", "sweep", "train", "vectors"])
def test_a_command_sets_its_streams_up_first(monkeypatch, name):
    command = importlib.import_module(f"helpers.tools.{name}")

    def stop():
        raise RuntimeError("set up")

    monkeypatch.setattr(command, "set_up_streams", stop)
    arguments = {"course": [], "vectors": ["similar", "v.txt", "word"], "sweep": []}.get(name, ["none.txt", "--out", "none.bin"])
    assert str(CliRunner().invoke(command.main, arguments).exception) == "set up"
