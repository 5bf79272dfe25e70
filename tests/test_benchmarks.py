"""The benchmarks: that they run, and that what they make of figures is right. No test asserts a time."""

import io
import json
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from benchmarks import evaluation
from benchmarks.__main__ import lines
from benchmarks.baselines import counted_vectors
from benchmarks.quality import TESTS, compare, mean
from benchmarks.resampling import WAYS, table, train
from benchmarks.runs import in_a_process, in_turn, spread
from helpers.corpus import read_corpus
from helpers.figures import png
from tests.conftest import ROOT, own_topic_share


def run(seconds, *correlations):
    return {"seconds": seconds, **dict(zip(TESTS, correlations))}


def test_our_fastest_setting_that_is_as_good_stands_against_gensims_fastest_that_is():
    runs = {
        "blocks, a": [run(3, 0.392, 0.192)], "blocks, b": [run(2, 0.42, 0.15)], "blocks with 2 workers, a": [run(1, 0.38, 0.2)],
        "gensim, best": [run(9, 0.40, 0.20)], "gensim, equal": [run(5, 0.391, 0.191)], "gensim, worse": [run(2, 0.45, 0.12)],
    }  # fmt: skip
    assert compare(runs, "blocks, ") == {"ours": "blocks, a", "gensim's": "gensim, equal", "as good": True}
    worse = compare(runs, "blocks with 2 workers, ")
    assert worse == {"ours": "blocks with 2 workers, a", "gensim's": "gensim, equal", "as good": False}


def test_a_mean_with_a_run_that_diverged_is_none():
    assert mean([run(1, 0.2, 0.1), run(None, None, None)], TESTS[0]) is None
    assert mean([run(1, 0.2, 0.1), run(1, 0.4, 0.1)], TESTS[0]) == pytest.approx(0.3)


def test_runs_are_taken_in_turn():
    seen = []
    found = in_turn({name: lambda number, name=name: seen.append((number, name)) or number for name in "ab"}, 2)
    assert seen == [(0, "a"), (0, "b"), (1, "a"), (1, "b")] and found == {"a": [0, 1], "b": [0, 1]}
    assert spread([3, 1, 2]) == {"median": 2, "least": 1, "most": 3}


def test_a_run_has_a_process_of_its_own_and_its_error_ends_the_benchmark():
    assert in_a_process(spread, [1, 2, 3]) == spread([1, 2, 3])
    with pytest.raises(RuntimeError, match="spread"):
        in_a_process(spread, [])


def test_a_target_that_is_missed_is_told_as_missed():
    times = {"median": 4.0, "least": 3.0, "most": 6.0}
    ways = {"prepare": [{"megabytes": 100}]}
    told, _ = lines({"training": {}, "prepare": {"times as fast": {**times, "median": 3.9}, "runs": ways}})
    assert told[3] is False and "median 3.9" in told[1]
    told, _ = lines({"prepare": {"times as fast": times, "runs": ways}})
    assert told[3] is True


@pytest.mark.slow
def test_the_study_of_resampling_tells_each_measure_of_every_epoch_and_both_ways_begin_alike(small_text):
    runs = {way: [in_a_process(train, 0, 2, resample, str(small_text))] for way, resample in WAYS.items()}
    once, redrawn = (found[0] for found in runs.values())
    assert all(len(values) == 2 for run in (once, redrawn) for values in run.values())
    assert once["held_out"][0] == redrawn["held_out"][0] and once["held_out"][1] != redrawn["held_out"][1]
    del once[TESTS[0]], once[TESTS[1]], redrawn[TESTS[0]], redrawn[TESTS[1]]  # the text has none of their words
    lines = list(table(runs, [1, 2]))
    assert len(lines) == 4 and lines[3].startswith("resampled, epoch 2: loss ")


@pytest.mark.slow
def test_the_quick_form_runs(ptb):
    done = subprocess.run([sys.executable, "-m", "benchmarks", "--quick"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for part in ("loader: times as fast", "pytorch: times as fast", "as good as gensim", "prepare: times as fast"):
        assert part in done.stdout
    assert "make course" not in done.stdout
    assert "MISSED" not in done.stdout, "its figures mean nothing"


def test_counted_vectors_bring_the_words_of_a_topic_together(small_text):
    text = read_corpus(str(small_text))
    tokens, table = counted_vectors(text, 0)
    np.testing.assert_array_equal(counted_vectors(text, 0)[1], table)
    assert own_topic_share(tokens, table) > 0.95


def test_a_summary_tells_a_mean_within_its_interval_and_no_difference_from_itself():
    rng = np.random.default_rng(0)
    judged = rng.normal(size=300)
    good, bad = (judged + noise * rng.normal(size=(2, 300)) for noise in (0.5, 3))
    itself = evaluation.summary(judged, good, good)
    assert itself["difference"] == [0, 0] and itself["interval"][0] < itself["mean"] < itself["interval"][1]
    assert itself["mean"] == pytest.approx(np.mean(itself["each"]), abs=1e-4)
    worse = evaluation.summary(judged, bad, good)
    assert worse["difference"][1] < 0 and worse["mean"] < itself["mean"]


@pytest.mark.slow
def test_counted_vectors_beat_random_ones_on_ptb(ptb):
    methods = {name: evaluation.METHODS[name] for name in ("counted", "random")}
    results = {name: [work("ptb", seed, *rest) for seed in (0, 1)] for name, (work, *rest) in methods.items()}
    rows = evaluation.summaries(evaluation.judgments("ptb"), {evaluation.OURS: results["counted"], **results})
    assert rows["counted"]["WordSim-353"]["mean"] > 0.3 and rows["random"]["WordSim-353"]["difference"][1] < 0
    lines = list(evaluation.table("ptb", rows))
    assert len(lines) == 2 + len(rows) and len({line.count("|") for line in lines}) == 1


def test_the_page_of_results_has_the_tables_and_the_figures_of_the_study():
    study = json.loads((ROOT / "benchmarks" / "evaluation.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert set(study["texts"]) == set(evaluation.CORPORA)
    for text, rows in study["texts"].items():
        assert "\n".join(evaluation.short_table(text, rows)) in page
        assert f"](../benchmarks/forest_{text}.png)" in page
        drawn = io.BytesIO(png(evaluation.forest_figure(text, rows), "").data)
        images = [np.asarray(PIL.Image.open(file).convert("L"), float) for file in (drawn, ROOT / "benchmarks" / f"forest_{text}.png")]
        assert images[0].shape == images[1].shape and np.abs(images[0] - images[1]).mean() < 1  # fonts differ a little by version


@pytest.mark.slow
def test_the_measurement_of_a_gpu_runs_on_a_processor_and_its_tables_are_scored(tmp_path):
    def call(*arguments):
        done = subprocess.run([sys.executable, "-m", "benchmarks.gpu", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("the bank raised the rate\n" * 200)
    assert "1,900 words, vocabulary 5" in call("prepare", tmp_path / "one.txt", tmp_path / "two.txt", "--out", tmp_path / "files.npz")
    assert "wikipedia: 430,297 words" in call("prepare", "wikipedia", "--out", tmp_path / "wikipedia.npz")
    call("measure", tmp_path / "wikipedia.npz", "--quick", "--device", "cpu", "--out", tmp_path)
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert found["step 5"]["losses apart"] == 0 and found["step 5"]["least cosine of rows"] > 0.999999
    assert found["steps, wikipedia"]["plain PyTorch"] == {"draws are equal": True, "tables apart": 0.0}
    assert all(row["words per second"] > 1000 for row in found["throughput, wikipedia"])
    told = call("score", tmp_path / "wikipedia.npz", tmp_path / "gpu_tables_wikipedia.npz", "--epochs", "1")
    assert "| on the card | 0.0 |" in told and "the card's less the processor's lies between" in told


@pytest.mark.slow
def test_the_study_of_blocks_at_once_runs_and_without_a_bound_many_diverge():
    command = [sys.executable, "-m", "benchmarks.staleness", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "1 epochs, 512 at once, lr 0.04, most weight 5: 0 of 1 diverged, held out 0." in done.stdout
    assert "512 at once, lr 0.04, most weight None: 1 of 1 diverged\n" in done.stdout
    assert "text wikipedia, min_freq 10, vocabulary 5007, lr 0.02, epochs 5, blocks at once 64" in done.stdout
