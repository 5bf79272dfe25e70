"""The command `python -m helpers.tools.train`, as a user types it, without ranks; those have tests/slow/test_scale.py."""

import gzip
import io
import re
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from helpers.beyond import text_training
from helpers.beyond.checkpoints import checkpoint_beside, previous_path
from helpers.beyond.text_training import TextHistory
from helpers.beyond.vector_files import read_vectors
from helpers.tools.train import main
from tests.ranks import prepared

QUICK = "--embed-size", "8", "--epochs", "3"


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in (*arguments, *QUICK)])


def trained(*arguments):
    """Train to a file that is named last, and read it."""
    done = run(*arguments[:-1], "--out", arguments[-1])
    assert done.exit_code == 0, done.output
    return read_vectors(arguments[-1])


def same(vectors, other):
    return vectors.tokens == other.tokens and vectors.embed_v.tobytes() == other.embed_v.tobytes()


def refused(*arguments):
    """Run what must be refused before anything is read; returns the line."""
    done = run(*arguments)
    assert done.exit_code == 1 and done.output.count("\n") == 1 and done.output.startswith("Error: "), done.output
    return done.output


@pytest.fixture
def nothing_read(monkeypatch):
    """Let reading a text be an error that no command tells in a line."""

    def read(*_):
        raise AssertionError("a text was read")

    monkeypatch.setattr(text_training, "load_blocks", read)


@pytest.fixture(scope="module")
def whole(small_text, tmp_path_factory):
    """What the command makes of the small text: the path."""
    out = tmp_path_factory.mktemp("whole") / "vectors.safetensors"
    trained(small_text, out)
    return out


@pytest.mark.parametrize("suffix", [".txt", ".bin", ".tsv"])
def test_each_suffix_reads_back_as_the_table_of_centers(suffix, whole, small_text, tmp_path):
    both, found = read_vectors(whole), trained(small_text, tmp_path / f"vectors{suffix}")
    assert found.tokens == both.tokens[1:] and found.embed_u is None
    np.testing.assert_array_equal(found.embed_v, both.embed_v[1:])
    assert {path.name for path in tmp_path.iterdir()} <= {f"vectors{suffix}", "vectors.metadata.tsv"}


def test_both_tables_and_the_settings_are_kept_and_words_per_second_and_yardsticks_told(small_text, tmp_path):
    options = "--window", 3, "--noise-words", 4, "--seed", 7, "--lr", 0.03, "--min-freq", 2
    done = run(small_text, "--out", tmp_path / "v.safetensors", *options)
    assert done.exit_code == 0, done.output
    vectors = read_vectors(tmp_path / "v.safetensors")
    wanted = {"max_window_size": 3, "num_noise_words": 4, "seed": 7, "lr": 0.03, "min_freq": 2, "embed_size": 8, "num_epochs": 3}
    assert vectors.embed_v.shape == vectors.embed_u.shape == (401, 8) and wanted.items() <= vectors.settings.items()
    epochs = vectors.settings["epochs"]
    assert len(epochs) == 3 and f"loss {epochs[-1]['loss']:.4f}, held-out {epochs[-1]['held_out']:.4f} (ln 2" in done.output
    (told,) = re.findall(r"3 epochs of 57,000 words in ([\d.]+) s: ([\d,]+) words of the text per second", done.output)
    seconds = sum(epoch["seconds"] for epoch in epochs)
    assert int(told[1].replace(",", "")) == pytest.approx(3 * 57_000 / seconds, rel=0.01)


def test_several_files_plain_or_packed_are_one_text(whole, small_text, tmp_path):
    lines = small_text.read_text().splitlines(keepends=True)
    (tmp_path / "1.txt").write_text("".join(lines[:300]))
    (tmp_path / "2.gz").write_bytes(gzip.compress("".join(lines[300:700]).encode()))
    (tmp_path / "3.txt").write_text("".join(lines[700:]))
    one = read_vectors(whole)
    assert same(trained(*(tmp_path / name for name in ("1.txt", "2.gz", "3.txt")), tmp_path / "named.safetensors"), one)
    assert same(trained(tmp_path / "[123].*", tmp_path / "pattern.safetensors"), one)


def test_a_prepared_folder_and_text_beyond_the_memory_come_to_the_same(small_text, tmp_path, monkeypatch):
    folder = trained(prepared(small_text, tmp_path / "prepared"), tmp_path / "one.txt")
    with monkeypatch.context() as little:
        little.setattr(text_training, "MEMORY_SHARE", 10**9)
        done = run(small_text, "--out", tmp_path / "two.txt")
    assert done.exit_code == 0 and f"prepared in {tmp_path / 'two.txt.prepared'}, which stays there" in done.output, done.output
    assert (tmp_path / "two.txt.prepared" / "manifest.json").exists() and same(read_vectors(tmp_path / "two.txt"), folder)
    (tmp_path / "two.txt").unlink()
    done = run(small_text, "--out", tmp_path / "two.txt", "--resume")  # on the folder that is there, though there is memory again
    assert done.exit_code == 0 and "prepared already" in done.output and same(read_vectors(tmp_path / "two.txt"), folder)


def test_what_can_not_serve_is_refused_before_anything_is_read(small_text, tmp_path, nothing_read):
    (tmp_path / "here.txt").write_text("mine")
    (tmp_path / "other.metadata.tsv").write_text("mine")
    assert "a vectors file ends in .safetensors, .txt, .vec, .bin, .tsv" in refused(small_text, "--out", tmp_path / "v.csv")
    for resume in ([], ["--resume"]):
        assert "is there already: name another --out, or delete it" in refused(small_text, "--out", tmp_path / "here.txt", *resume)
    assert "other.metadata.tsv is there already" in refused(small_text, "--out", tmp_path / "other.tsv")
    assert "leave .gz out" in refused(small_text, "--out", tmp_path / "v.txt.gz")
    assert "can't be written: Not a directory" in refused(small_text, "--out", tmp_path / "here.txt" / "v.txt")
    assert "File name too long" in refused(small_text, "--out", tmp_path / f"{'v' * 252}.txt")
    assert "File name too long" in refused(small_text, "--out", tmp_path / f"{'v' * 222}.txt", "--resume")
    assert "there is no file" in refused(tmp_path / "none.txt", "--out", tmp_path / "v.txt")
    assert "is no file: name text files, or a pattern" in refused(tmp_path, "--out", tmp_path / "v.txt")
    assert "is named twice" in refused(small_text, small_text, "--out", tmp_path / "v.txt")
    assert "'wikipedia' can't be joined with other texts" in refused(small_text, "wikipedia", "--out", tmp_path / "v.txt")
    assert "lr must be a number above 0" in refused(small_text, "--out", tmp_path / "v.txt", "--lr", 0)
    assert "--resume is for one" in refused(small_text, "--out", tmp_path / "v.txt", "--resume", "--workers", 2)
    assert "ranks train on one prepared folder" in refused(small_text, "--out", tmp_path / "v.txt", "--ranks", 2)
    assert "ranks have no --workers" in refused(small_text, "--out", tmp_path / "v.txt", "--ranks", 2, "--workers", 2)
    assert (tmp_path / "here.txt").read_text() == "mine" and len(list(tmp_path.iterdir())) == 2


def test_vectors_go_where_a_symbolic_link_leads(whole, small_text, tmp_path):
    (tmp_path / "v.safetensors").symlink_to("elsewhere.safetensors")
    assert same(trained(small_text, tmp_path / "v.safetensors"), read_vectors(whole))
    assert (tmp_path / "v.safetensors").is_symlink() and (tmp_path / "elsewhere.safetensors").is_file()


def test_a_file_that_may_only_be_read_is_refused_before_a_training_goes_on(small_text, tmp_path, nothing_read):
    out = tmp_path / "v.txt"
    for path in (out, checkpoint_beside(out)):
        path.write_text("mine")
    out.chmod(0o444)
    assert "v.txt may only be read: name another file" in refused(small_text, "--out", out, "--resume")


def test_a_training_ends_well_where_nobody_reads_what_it_prints(whole, small_text, tmp_path, monkeypatch):
    class Unread(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", Unread())
    with pytest.raises(SystemExit) as end:
        main([str(small_text), "--out", str(tmp_path / "v.safetensors"), *QUICK])
    assert end.value.code == 0 and same(read_vectors(tmp_path / "v.safetensors"), read_vectors(whole))


def test_a_word_that_the_file_can_not_hold_is_told_before_the_training(small_text, tmp_path, monkeypatch):
    def load_blocks(*arguments):
        blocks, vocab = usual(*arguments)
        vocab.idx_to_token[-1] = "two words"
        return blocks, vocab

    usual = text_training.load_blocks
    monkeypatch.setattr(text_training, "load_blocks", load_blocks)
    monkeypatch.setattr(text_training, "train_blocks", lambda *_: pytest.fail("it was trained"))
    done = run(small_text, "--out", tmp_path / "v.txt")
    assert done.exit_code == 1 and "the word 'two words' can't stand in a .txt file" in done.stderr and not list(tmp_path.iterdir())


def stop_in_the_second_epoch(monkeypatch):
    usual = TextHistory.after_step

    def after_step(self):
        if len(self) == 1:
            self.interrupts.append("Ctrl-C")
        usual(self)

    monkeypatch.setattr(TextHistory, "after_step", after_step)


def test_a_training_that_was_stopped_goes_on_to_the_same_bits(whole, small_text, tmp_path, monkeypatch):
    out = tmp_path / "vectors.safetensors"
    checkpoint = checkpoint_beside(out)
    with monkeypatch.context() as stopped:
        stop_in_the_second_epoch(stopped)
        done = run(small_text, "--out", out, "--resume")
    assert done.exit_code == 1 and done.stderr == f"Error: stopped; the same command goes on from {checkpoint.name}\n", done.output
    assert checkpoint.exists() and not out.exists()
    assert "go on from it with --resume, or delete" in refused(small_text, "--out", out)
    other = run(small_text, "--out", out, "--resume", "--seed", 1)
    assert other.exit_code == 1 and "seed is 0 there, not 1" in other.stderr.splitlines()[-1]
    assert same(trained(small_text, "--resume", out), read_vectors(whole))
    assert not checkpoint.exists() and not previous_path(checkpoint).exists()


def test_vectors_that_were_written_before_the_checkpoint_was_removed_are_written_again(whole, small_text, tmp_path, monkeypatch):
    out = tmp_path / "vectors.safetensors"
    with monkeypatch.context() as kept:
        kept.setattr(text_training, "remove_checkpoint", lambda path: None)
        trained(small_text, "--resume", out)
    assert same(trained(small_text, "--resume", out), read_vectors(whole)) and list(tmp_path.iterdir()) == [out]


def test_without_resume_ctrl_c_leaves_nothing_and_says_how_it_would(small_text, tmp_path, monkeypatch):
    stop_in_the_second_epoch(monkeypatch)
    done = run(small_text, "--out", tmp_path / "vectors.txt")
    assert done.exit_code == 1 and re.fullmatch("Error: stopped; .* with --resume .*\n", done.stderr) and list(tmp_path.iterdir()) == []


def test_a_training_that_diverges_and_a_text_without_words_are_told_in_a_line(small_text, tmp_path):
    done = run(small_text, "--out", tmp_path / "v.txt", "--lr", 1000)
    assert done.exit_code == 1 and re.fullmatch("Error: .*choose a smaller lr.*\n", done.stderr)
    for name in ("1.txt", "2.txt"):
        (tmp_path / name).write_text("12 34\n")
    done = run(tmp_path / "1.txt", tmp_path / "2.txt", "--out", tmp_path / "v.txt")
    assert done.exit_code == 1 and re.search("1.txt and 1 more holds no words: digits and signs make no words", done.stderr)
    assert not (tmp_path / "v.txt").exists()


def test_tables_beyond_all_memory_are_told_in_a_line(small_text, tmp_path):
    size = 10**13  # numbers in a vector: more bytes than a processor can address
    done = CliRunner().invoke(main, [str(small_text), "--out", str(tmp_path / "v.txt"), "--embed-size", str(size)])
    assert done.exit_code == 1 and re.fullmatch("Error: .*a smaller --embed-size or a higher --min-freq.*\n", done.stderr)


@pytest.mark.parametrize("share", [1, 10**9])
def test_tokens_as_they_stand_are_trained_on_in_memory_and_prepared(share, tmp_path, monkeypatch):
    monkeypatch.setattr(text_training, "MEMORY_SHARE", share)
    walks = [" ".join(str(number * step % 31) for step in range(1, 40)) for number in range(99)]
    (tmp_path / "walks.txt").write_text("".join(f"{walk} User_1\n" for walk in walks))
    found = trained(tmp_path / "walks.txt", "--split", "whitespace", tmp_path / "v.txt")
    assert {"0", "17", "User_1"} <= set(found.tokens) and len(found.tokens) == 32


def test_two_workers_train_too(small_text, tmp_path):
    assert trained(small_text, "--workers", 2, tmp_path / "v.bin").embed_v.shape == (400, 8)
