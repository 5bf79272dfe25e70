"""Prepared texts: the same words as `read_corpus` finds, read slice by slice; and what stops, resumes or is damaged."""

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from distributed import LocalCluster
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.beyond import prepared, texts
from helpers.beyond.blocks import Blocks, load_blocks, word2vec_tables
from helpers.beyond.checkpoints import settings_of
from helpers.beyond.prepared import MANIFEST, VOCABULARY, PreparedText, is_prepared, seal_of
from helpers.beyond.scale import prepare as command
from helpers.beyond.scale import shards, tokens
from helpers.beyond.scale.prepare import Counts, find_files, open_folder, prepare
from helpers.beyond.scale.shards import source_of
from helpers.beyond.texts import require_corpus
from helpers.corpus import read_corpus
from helpers.examples import Vocab, count_words, encode
from helpers.tools.prepare import main
from tests.any_text import TEXTS
from tests.conftest import ROOT
from tests.damage import read_damaged
from tests.training import beyond
from tests.words import words_by_hand, words_by_parts

SMALL_PARTS = """from helpers.beyond.scale import shards
from helpers.tools import prepare
shards.PART_BYTES = 20_000, 20_000
prepare.main()"""
STOPS_BETWEEN = f"""import time
from helpers.beyond.scale import prepare as made
made.write_vocabulary = lambda *_: time.sleep(600)  # so that who stops it is never too late
{SMALL_PARTS}"""


@pytest.fixture(scope="module")
def scheduler():
    """The address of a Dask cluster in this process."""
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="localhost:0") as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def mixed_text(tmp_path_factory):
    """A file of lines of any length, in several scripts, with words of any frequency."""
    rng, path = np.random.default_rng(0), tmp_path_factory.mktemp("mixed") / "mixed.txt"
    strange = "Été", "cafe\u0301", "שָׁלוֹם", "don't", "—", "1984", "internationalisation", "x" * 30
    words = np.array([*"abcdefgh", *strange, *(f"w{c}" for c in "klmnopqrst")])
    lines = [" ".join(words[np.minimum(rng.geometric(0.15, rng.integers(0, 40)) - 1, len(words) - 1)]) for _ in range(2000)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(mixed_text, tmp_path_factory, scheduler):
    """That text, prepared from several parts."""
    path = tmp_path_factory.mktemp("prepared") / "text"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shards, "PART_BYTES", (10_000, 10_000))
        prepare([mixed_text], path, 3, scheduler)
    return path


@pytest.fixture
def copied(folder, tmp_path):
    """A copy of the prepared text, to damage."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


@pytest.mark.parametrize("text", [TEXTS, st.text(st.characters(max_codepoint=127), max_size=300)], ids=["any characters", "ASCII"])
@pytest.mark.parametrize("suffix, split", [(".txt", "letters"), (".gz", "letters"), (".txt", "whitespace")])
def test_any_text_has_the_words_and_sentences_that_read_corpus_finds(text, suffix, split, tmp_path, monkeypatch):
    path = tmp_path / f"text{suffix}"

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(text, *[st.integers(1, 60)] * 3, st.integers(12, 400), st.booleans())
    def property_(text, block_bytes, part_bytes, most_tokens, longest, with_bom):
        for module, name, value in (
            (tokens, "BLOCK_BYTES", block_bytes), (shards, "PART_BYTES", (part_bytes, part_bytes)), (shards, "MOST_TOKENS", most_tokens),
            (tokens, "LONGEST_PART", longest), (texts, "LONGEST_PART", longest), (tokens, "TABLE_BITS", 3), (tokens, "MOST_REMEMBERED", 3),
        ):  # fmt: skip
            monkeypatch.setattr(module, name, value)
        content = ("\ufeff" * with_bom + text).encode("utf-8")
        path.write_bytes(gzip.compress(content) if suffix == ".gz" else content)
        try:
            wanted = words_by_hand(path, split)
        except ValueError as error:
            reason = str(error)
        else:
            assert words_by_parts(path, split) == wanted
            return
        assert re.search("holds a zero byte|a word of more than|is text in UTF-", reason)
        with pytest.raises(ValueError, match="holds a zero byte|a word of more than|is text in UTF-"):
            words_by_parts(path, split)

    property_()


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(st.lists(st.text("abé", min_size=1, max_size=12), max_size=9), max_size=9), st.integers(1, 6))
def test_words_keep_their_numbers_however_few_places_the_table_has(lines, bits):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tokens, "TABLE_BITS", bits)
        numbering = tokens.Numbering()
        for _ in range(2):
            numbers, ends = numbering("".join(" ".join(line) + "\n" for line in lines).encode())
            assert [numbering.words[number - 1].decode() for number in numbers] == [word for line in lines for word in line]
            assert ends.tolist() == np.cumsum([len(line) for line in lines if line]).tolist()


def test_a_prepared_text_is_read_as_its_file_is_with_the_counts_of_all_of_it(folder, mixed_text):
    usual, found = read_corpus(mixed_text), read_corpus(folder)
    everything = words_by_hand(mixed_text)
    vocab, wanted = PreparedText(folder).vocab(), Vocab(everything, 3)
    assert vocab.idx_to_token == wanted.idx_to_token and vocab.token_to_idx == wanted.token_to_idx
    np.testing.assert_array_equal(count_words(vocab), count_words(wanted))
    assert sum(count for _, count in vocab.token_freqs) == sum(map(len, everything))
    for part, usual_part in zip(found[1:], usual[1:]):
        known = [[word if word in wanted.token_to_idx else "<unk>" for word in sentence] for sentence in usual_part]
        assert list(part) == known == [part[place] for place in range(len(part))]
        assert part[-1] == known[-1] and part[3:9] == known[3:9] and len(part) == len(known)


def test_slices_are_those_of_the_encoded_text(folder):
    text, rng = PreparedText(folder), np.random.default_rng(0)
    assert len(text.shards) > 4
    for min_freq in (3, 50):
        vocab = text.vocab(min_freq)
        for (ids, sentence), sentences in zip((text.training(vocab), text.held_out(vocab)), text.sentences()):
            wanted_ids, wanted_sentence = encode(list(sentences), vocab)
            assert len(ids) == len(sentence) == len(wanted_ids) and ids.dtype == np.uint16 == ids[:3].dtype
            for first, last in [(0, len(ids)), (5, 5), (7, 3), (-4, None), *rng.integers(0, len(ids) + 1, (30, 2)).tolist()]:
                np.testing.assert_array_equal(ids[first:last], wanted_ids[first:last])
                numbers = sentence[first:last]
                np.testing.assert_array_equal(np.diff(numbers), np.diff(wanted_sentence[first:last]))
    with pytest.raises(TypeError, match="by slices without a step"):
        ids[3]


def test_a_larger_min_freq_cuts_the_vocabulary_and_a_smaller_one_is_refused(folder, mixed_text):
    text = PreparedText(folder)
    assert text.vocab(50).idx_to_token == Vocab(words_by_hand(mixed_text), 50).idx_to_token
    with pytest.raises(ValueError, match="prepared with min_freq 3, so 2 can't be had.*--min-freq 2"):
        text.vocab(2)
    with pytest.raises(ValueError, match="prepared with min_freq 3"):
        load_blocks(folder, 5, 5, min_freq=1)


def test_blocks_of_a_prepared_text_are_those_of_the_same_ids_in_memory(folder, monkeypatch):
    monkeypatch.setattr("helpers.beyond.blocks.TOKENS_PER_PIECE", 4096)
    blocks, vocab = load_blocks(folder, 4, 5, seed=3, min_freq=3)
    sentences = PreparedText(folder).sentences()[0]
    in_memory = Blocks(*encode(list(sentences), vocab), count_words(vocab), 4, 5, 3)
    assert len(blocks) == len(in_memory) > 4
    for number in range(len(blocks)):
        for found, wanted in zip(blocks.piece(1, number), in_memory.piece(1, number)):
            np.testing.assert_array_equal(found, wanted)


def test_both_frameworks_train_on_a_prepared_text_and_go_on_from_a_checkpoint(model, folder, tmp_path):
    blocks, vocab = load_blocks(folder, 5, 5, min_freq=3)
    histories = []
    for _ in range(2):
        net = model.model_from_tables(*word2vec_tables(len(vocab), 8, seed=1))
        histories.append(beyond(model, "blocks").train_blocks(net, blocks, 0.02, 2, checkpoint_path=tmp_path / "c.safetensors"))
    assert [epoch[:4] for epoch in histories[0]] == [epoch[:4] for epoch in histories[1]] and histories[0][-1].held_out > 0


def test_the_minibatches_of_the_lesson_take_a_prepared_text_too(model, folder):
    data, _ = model.load_data(folder, 64, 2, 2, min_freq=3)
    assert len(next(iter(data))[0]) == 64 and data.corpus == "text"


def test_a_checkpoint_tells_prepared_texts_apart_by_the_hashes_of_their_files(folder, copied, mixed_text, tmp_path, scheduler):
    of = [settings_of(load_blocks(path, 5, 5, min_freq=3)[0]) for path in (folder, copied)]
    assert of[0] == of[1]
    other = tmp_path / "other.txt"
    other.write_text(mixed_text.read_text(encoding="utf-8").replace("b", "c"), encoding="utf-8")
    prepare([other], tmp_path / "text", 3, scheduler)
    assert settings_of(load_blocks(tmp_path / "text", 5, 5, min_freq=3)[0])["examples"] != of[0]["examples"]


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 5])
def test_ranks_share_the_shards_out_evenly_and_need_no_others(folder, num_ranks, tmp_path):
    whole, found = PreparedText(folder), []
    vocab = whole.vocab()
    for rank in range(num_ranks):
        text = PreparedText(folder, rank, num_ranks)
        own = {shard.path.name for shard in text.shards}
        others = [path.name for path in folder.glob("shard*") if path.stem not in own]
        here = tmp_path / f"{rank}"
        shutil.copytree(folder, here, ignore=shutil.ignore_patterns(*others))
        alone = PreparedText(here, rank, num_ranks)
        alone.verify()
        assert alone.training(vocab)[0].sha256 == text.training(vocab)[0].sha256
        found.append((own, *(len(part(vocab)[0]) for part in (alone.training, alone.held_out))))
    assert sorted(name for own, *_ in found for name in own) == [shard.path.name for shard in whole.shards]
    totals = [sum(sizes) for sizes in zip(*(sizes for _, *sizes in found))]
    assert totals == [len(whole.training(vocab)[0]), len(whole.held_out(vocab)[0])]
    loads = [size for _, size, _ in found]
    assert max(loads) - min(loads) <= max(shard.tokens for shard in whole.shards)


def test_more_ranks_than_shards_are_refused(folder):
    with pytest.raises(ValueError, match=r"has \d+ shards to train on, too few for 99 machines: train on at most \d+"):
        PreparedText(folder, 0, 99)
    with pytest.raises(ValueError, match="rank must be less than num_ranks, which is 2, not 2"):
        PreparedText(folder, 2, 2)


def test_at_most_a_million_tokens_are_held_out(folder, monkeypatch):
    monkeypatch.setattr(prepared, "MOST_HELD_OUT", 1000)
    text = PreparedText(folder)
    assert len(text.held_out(text.vocab())[0]) == 1000


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def small_parts(*arguments, program=SMALL_PARTS, **options):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture(scope="module")
def many_parts(mixed_text, tmp_path_factory):
    """Files of some 70 parts, and the folder that they come to in one go."""
    where = tmp_path_factory.mktemp("many")
    for number in range(12):
        shutil.copyfile(mixed_text, where / f"{number:02}.txt")
    with gzip.open(where / "packed.gz", "wb") as file:
        file.write(mixed_text.read_bytes())
    arguments = str(where / "*.txt"), where / "packed.gz", "--min-freq", 3
    process = small_parts(*arguments, "--out", where / "whole" / "text")
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "counting: 100%" in printed and "encoding: 100%" in printed and "tokens in" in printed
    return arguments, where / "whole" / "text"


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_goes_on_and_ends_in_the_same_bytes(many_parts, how, tmp_path):
    arguments, whole = many_parts
    process = small_parts(*arguments, "--out", tmp_path / "text", program=STOPS_BETWEEN, start_new_session=True)
    while process.poll() is None and not list((tmp_path / "text").glob("parts/*.json")):
        time.sleep(0.005)
    os.killpg(process.pid, how) if how == signal.SIGINT else process.kill()  # a terminal's Ctrl-C reaches the workers too
    _, errors = process.communicate()
    if how == signal.SIGINT:
        assert process.returncode == 1 and errors.splitlines()[-1].startswith("Error: stopped; what is done stays"), errors
        assert "Traceback" not in errors
    assert not is_prepared(tmp_path / "text")
    process = small_parts(*arguments, "--out", tmp_path / "text")
    printed, errors = process.communicate()
    assert process.returncode == 0 and "parts are counted already" in printed, errors
    assert contents(tmp_path / "text") == contents(whole)


def test_the_same_command_on_a_whole_folder_checks_its_hashes(copied, mixed_text):
    done = CliRunner().invoke(main, [str(mixed_text), "--out", str(copied), "--min-freq", "3"])
    assert done.exit_code == 0 and "every byte is as it was written" in done.output, done.output
    path = next(copied.glob("*.ends"))
    path.write_bytes(path.read_bytes()[::-1])
    done = CliRunner().invoke(main, [str(mixed_text), "--out", str(copied), "--min-freq", "3"])
    assert done.exit_code == 1 and f"{path} was changed after it was written" in done.output


def test_a_pattern_that_matches_the_folder_itself_goes_on_there_and_a_home_is_known(tmp_path, scheduler, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a").write_text("one small boat\n" * 30)
    for pattern, out in (("*", "prepared"), ("**/*", "~/prepared"), ("~/*", "../" + tmp_path.name + "/prepared")):
        assert prepare([pattern], out, 1, scheduler).num_tokens == 90
    assert capsys.readouterr().out.count("prepared already") == 2
    assert is_prepared("~/prepared") and PreparedText("~/prepared").path == tmp_path / "prepared"
    assert read_corpus("~/prepared").name == "prepared"


def test_files_come_in_the_order_given_and_those_of_a_pattern_by_name(tmp_path):
    for name in ("b.txt", "a.txt", "c.gz", "[x].txt"):
        (tmp_path / name).touch()
    found = [path.name for path in find_files([tmp_path / "c.gz", tmp_path / "?.txt", tmp_path / "[x].txt"])]
    assert found == ["c.gz", "a.txt", "b.txt", "[x].txt"]


def test_rare_words_are_dropped_on_the_way_where_there_are_too_many(monkeypatch, tmp_path, scheduler, capsys):
    monkeypatch.setattr(command, "MOST_WORDS", 3)
    counts = Counts()
    counts.add([b"a", b"b", b"c"], [5, 1, 2])
    assert counts.num_dropped == 0
    counts.add([b"d", b"a"], [4, 1])
    assert counts.counts == {b"a": 6, b"c": 2, b"d": 4} and (counts.num_dropped, counts.up_to) == (1, 1)
    assert counts.vocabulary(3) == [(b"<unk>", 3), (b"a", 6), (b"d", 4)]
    (tmp_path / "text.txt").write_text("a a a b b b c d e\n" * 5)
    text = prepare([tmp_path / "text.txt"], tmp_path / "out", 1, scheduler)
    assert "were dropped so that at most 3 are kept" in capsys.readouterr().out
    assert dict(text.vocab().token_freqs) == {"<unk>": 15, "a": 15, "b": 15}


BAD_TEXTS = {
    "zero.txt": (b"words\nmore\n" * 9 + b"\0\n", "zero.txt is not a text: line 19 holds a zero byte"),
    "empty.txt": (b"", "holds no words"),
    "numbers.txt": (b"1 2 3\n", "numbers.txt holds no words"),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_what_is_no_text_is_refused_with_its_file_and_line(name, tmp_path, scheduler, monkeypatch):
    monkeypatch.setattr(shards, "PART_BYTES", (30, 30))  # so that the line is not in the first part
    content, reason = BAD_TEXTS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        prepare([tmp_path / name], tmp_path / "out", 1, scheduler)
    assert not is_prepared(tmp_path / "out")


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize(
    "name", ["thesis.doc", "parts/thesis.tex", ".2024.notes", ".7.thesis.doc", "shard-7.ids", "link.txt", "parts/sub/a.txt"]
)
def test_a_folder_with_a_file_that_is_not_ours_is_refused_and_nothing_in_it_is_touched(finished, name, copied, mixed_text, tmp_path):
    folder = copied if finished else tmp_path / "mine"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "elsewhere.txt").write_text("work")
    if name == "link.txt":
        (folder / name).symlink_to(tmp_path / "elsewhere.txt")
    else:
        (folder / name).write_text("work")
    before = {path.relative_to(folder): path.is_dir() or path.read_bytes() for path in folder.rglob("*")}
    done = CliRunner().invoke(main, [str(mixed_text), "--out", str(folder), "--min-freq", "3"])
    assert done.exit_code == 1 and re.search(r"holds other things, such as \S+: name a new folder", done.output), done.output
    assert {path.relative_to(folder): path.is_dir() or path.read_bytes() for path in folder.rglob("*")} == before


def test_names_and_folders_that_cannot_serve_are_errors_in_a_line(tmp_path, copied, mixed_text):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").touch()
    for arguments, message in {
        (tmp_path / "nowhere.txt", "--out", tmp_path / "out"): "there is no file",
        (tmp_path / "*.txt", "--out", tmp_path / "out"): "nor does it match one",
        (tmp_path, "--out", tmp_path / "out"): "is no file: name text files, or a pattern",
        (mixed_text, mixed_text, "--out", tmp_path / "out"): "is named twice",
        (mixed_text, "--out", tmp_path / "full"): "holds other things, such as thesis.doc: name a new folder",
        (mixed_text, "--out", copied): "holds another text: its min_freq is 3, not 10",
        (copied / VOCABULARY, "--out", copied, "--min-freq", 3): "mixed.txt in the place of",
        (mixed_text, copied / VOCABULARY, "--out", copied, "--min-freq", 3): "made without",
        (mixed_text, "--out", tmp_path / "out", "--min-freq", -1): "-1 is not in the range",
        (mixed_text, "--out", tmp_path / "out", "--scheduler", "nothing://here"): "no Dask scheduler answers at 'nothing://here'",
    }.items():
        done = CliRunner().invoke(main, [*map(str, arguments)])
        assert done.exit_code and message in done.output and "Traceback" not in done.output, done.output


def test_a_file_that_changed_between_two_runs_is_named(tmp_path, scheduler):
    path = tmp_path / "text.txt"
    path.write_text("some words\n" * 20)
    prepare([path], tmp_path / "out", 1, scheduler)
    path.write_text("other words\n" * 20)
    with pytest.raises(ValueError, match="text.txt was changed since"):
        prepare([path], tmp_path / "out", 1, scheduler)


def test_a_second_run_in_the_same_folder_is_refused_while_the_first_goes_on(tmp_path, mixed_text):
    open_folder(tmp_path / "out", [source_of(mixed_text)], 10)
    with FileLock(tmp_path / "out" / "parts" / ".lock"), pytest.raises(ValueError, match="another run prepares"):
        prepare([mixed_text], tmp_path / "out")


DAMAGE = {
    "missing": (Path.unlink, "is missing"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-1]), "has [0-9,]+ bytes, not"),
    "emptied": (lambda path: path.write_bytes(b""), "has 0 bytes, not"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"\0"), "has [0-9,]+ bytes, not"),
}


@pytest.mark.parametrize("suffix", prepared.SUFFIXES)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_shard_that_is_not_whole_is_named_when_the_folder_is_opened(copied, damage, suffix):
    path, (do, reason) = copied / f"shard-000002{suffix}", DAMAGE[damage]
    do(path)
    for use in (PreparedText, read_corpus, require_corpus, lambda folder: load_blocks(folder, 5, 5, min_freq=3)):
        with pytest.raises(ValueError, match=f"shard-000002{suffix} {reason}"):
            use(copied)


@pytest.mark.parametrize("name", ["shard-000001.ids", "shard-000000.ends", VOCABULARY])
def test_a_byte_that_changed_is_found_by_verify(copied, name):
    PreparedText(copied).verify()
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} was changed after it was written"):
        PreparedText(copied).verify()


def test_a_manifest_that_was_damaged_in_any_way_is_refused(copied):
    whole = vars(PreparedText(copied))

    def the_same(found):  # such as a manifest without its last newline
        assert vars(found) == whole

    refused, _ = read_damaged([copied / MANIFEST], lambda path: PreparedText(path.parent), the_same, seed=0, count=110)
    assert refused > 90


@pytest.mark.parametrize("change, reason", [
    ({"version": 1}, "is of version 1, and this reads version 2: prepare the text again"),
    ({"tokens": 5}, "its shards and its totals differ"), ({"shards": None}, "is not a manifest"),
    ({"shards": [{"name": "../../else", "tokens": 1, "sentences": 1, "sha256": {}}]}, "is no name of a shard"),
])  # fmt: skip
def test_a_manifest_with_other_things_in_it_is_refused(copied, change, reason):
    manifest = {**json.loads((copied / MANIFEST).read_text()), **change}
    (copied / MANIFEST).write_text(json.dumps({**manifest, "sha256": seal_of(manifest)}))
    with pytest.raises(ValueError, match=reason):
        PreparedText(copied)


def test_a_folder_that_is_no_prepared_text_is_told_how_to_make_one(tmp_path):
    told = "is a folder; name one text file, or a prepared text, which is made with python -m helpers.tools.prepare TEXT"
    with pytest.raises(ValueError, match=told):
        read_corpus(tmp_path)
    assert not is_prepared(tmp_path) and not is_prepared(None) and not is_prepared("x" * 5000)


def test_the_split_of_a_prepared_text_is_kept_and_no_other_is_had(tmp_path, scheduler, mixed_text, folder, capsys):
    path, out = tmp_path / "walks.txt", tmp_path / "walks"
    path.write_text("Node_1 17 <unk> sku-5 Node_1\u3000caf\u0301\xa0x\n" * 40)
    text = prepare([path], out, 1, scheduler, "whitespace")
    assert text.split == "whitespace" and "make no words" not in capsys.readouterr().out
    assert read_corpus(out).sentences[0] == ["Node_1", "17", "<unk>", "sku-5", "Node_1", "caf\u0301", "x"]
    assert list(read_corpus(out, split="whitespace").sentences) == list(read_corpus(path, split="whitespace").sentences)
    with pytest.raises(ValueError, match="holds another text: its split is whitespace, not letters"):
        prepare([path], out, 1, scheduler)
    prepare([path], tmp_path / "letters", 1, scheduler)
    assert f"{path}: digits and signs make no words" in capsys.readouterr().out
    for read in (lambda: read_corpus(folder, split="whitespace"), lambda: load_blocks(folder, 5, 5, split="whitespace")):
        with pytest.raises(ValueError, match="was prepared with words of letters: prepare the text again with --split whitespace"):
            read()


def test_a_text_whose_words_are_too_rare_is_told(tmp_path, scheduler):
    (tmp_path / "rare.txt").write_text("one two three\n")
    prepare([tmp_path / "rare.txt"], tmp_path / "out", 5, scheduler)
    with pytest.raises(ValueError, match="has no word that occurs min_freq times"):
        load_blocks(tmp_path / "out", 5, 5)


def test_reading_a_prepared_text_needs_numpy_alone():
    heavy = {"torch", "mxnet", "dask", "distributed", "regex"}
    code = f"import sys; from helpers.beyond.prepared import PreparedText; print(*sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout == "\n"


WALK = """
import sys
import psutil
from helpers.beyond.blocks import load_blocks
blocks, _ = load_blocks(sys.argv[1], 5, 5)
for number in range(20):
    blocks.piece(0, number)
before = psutil.Process().memory_info().rss
for number in range(len(blocks)):
    blocks.piece(0, number)
print(len(blocks.ids), psutil.Process().memory_info().rss - before)
"""


@pytest.mark.slow
def test_the_pieces_of_a_text_of_any_size_take_the_same_memory(tmp_path):
    rng, records, size = np.random.default_rng(0), [], 2**22
    for number in range(5):
        name = f"shard-{number:06}"
        rng.integers(0, 40_000, size).astype("<u2").tofile(tmp_path / f"{name}.ids")
        np.arange(16, size + 1, 16).astype("<u8").tofile(tmp_path / f"{name}.ends")
        hashes = {suffix: prepared.file_sha256(tmp_path / f"{name}{suffix}") for suffix in prepared.SUFFIXES}
        records.append({"name": name, "tokens": size, "sentences": size // 16, "sha256": hashes})
    (tmp_path / VOCABULARY).write_text("<unk>\t500\n" + "".join(f"word{number}\t500\n" for number in range(39_999)))
    vocabulary = {"file": VOCABULARY, "words": 40_000, "sha256": prepared.file_sha256(tmp_path / VOCABULARY)}
    manifest = {"version": 2, "name": "large", "min_freq": 10, "split": "letters", "tokens": 5 * size, "sentences": 5 * size // 16}
    manifest |= {"vocabulary": vocabulary, "shards": records}
    (tmp_path / MANIFEST).write_text(json.dumps({**manifest, "sha256": seal_of(manifest)}))
    done = subprocess.run([sys.executable, "-c", WALK, str(tmp_path)], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    num_tokens, growth = map(int, done.stdout.split()[-2:])
    assert num_tokens > 19_000_000 and growth < 6_000_000  # bytes; the files have 50 million
