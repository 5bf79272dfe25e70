"""What step 15 counts and draws: calls that compute, the lines of the kernel, a block filled up, means over seeds."""

import json
import math
import re

import numpy as np
import pytest
import torch

from helpers.beyond import gpu_figures as made
from helpers.beyond.blocks_device import train_wave
from tests.conftest import ROOT


def test_calls_that_compute_are_counted_and_views_are_not():
    one, other = torch.ones(2, 6)
    assert made.count_calls(lambda: one.add_(other).mul_(2)) == 2
    assert made.count_calls(lambda: one.view(2, 3).mT[0]) == 0
    assert made.count_calls(lambda: one.view(2, 3) @ other.view(3, 2)) == 1


def test_an_action_is_counted_when_it_runs_for_the_second_time():
    kept = {}

    def action():
        if not kept:
            kept["made"] = torch.zeros(3) + 1
        kept["made"].mul_(2)

    assert made.count_calls(action) == 1


def test_times_of_calls_are_positive_and_a_million_numbers_take_longer_than_one():
    sizes, seconds = made.time_additions("cpu", repeats=3)
    assert sizes == [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] and 0 < seconds[0] < seconds[-1]


def test_the_parts_of_the_kernel_are_all_of_its_lines():
    parts = made.kernel_parts()
    source = (ROOT / "helpers" / "beyond" / "block_kernel.py").read_text(encoding="utf-8")
    body = re.search(r"\):  # fmt: skip\n(.*?)\n\n\n", source, re.DOTALL)[1]
    assert len(parts) == 5 and "\n".join(parts) == re.sub(r"(?m)^    ", "", body)


def test_a_block_that_is_filled_up_takes_the_step_of_its_own_words_alone():
    rng = np.random.default_rng(0)
    embed_v, embed_u = rng.normal(size=(2, 5, 3)).astype(np.float32)
    tables = [torch.from_numpy(table.copy()) for table in (embed_v, embed_u)]
    train_wave(tables, [torch.ones(5)] * 2, made.small_wave([1, 2], [0, 1, 2, 3], 4, "cpu"), 1, 1, 0.1)
    wanted = embed_v.copy(), embed_u.copy()
    for center, contexts in ((1, (0, 2)), (2, (1, 3))):
        for word, is_context in [(word, 1) for word in contexts] + [(4, 0)] * 2:
            derivative = 1 / (1 + np.exp(-embed_v[center] @ embed_u[word])) - is_context
            wanted[0][center] -= 0.1 * derivative * embed_u[word]
            wanted[1][word] -= 0.1 * derivative * embed_v[center]
    for table, other in zip(tables, wanted):
        np.testing.assert_allclose(table, other, atol=1e-5)


def test_where_triton_is_missing_a_line_says_that_the_plain_form_stands_alone(monkeypatch, capsys):
    monkeypatch.setattr(made, "find_spec", lambda name: None)
    assert made.steps_on_waves() == {"the plain form": train_wave}
    assert capsys.readouterr().out == "Triton is not installed here: the plain form stands alone\n"


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of two numbers of blocks at once, of which the larger diverges with one seed of two."""
    row = {"epochs": 16, "most weight": 5, "lr": 0.04}
    rows = [{**row, "blocks at once": 8, "diverged": False, "WordSim-353": score} for score in (0.4, 0.6)]
    rows += [{**row, "blocks at once": 64, "diverged": False, "WordSim-353": 0.4}, {**row, "blocks at once": 64, "diverged": True}]
    rows += [{**rows[0], "lr": 0.02, "WordSim-353": 0.1}, {**rows[0], "most weight": None, "WordSim-353": 0.3}]
    (tmp_path / "staleness.json").write_text(json.dumps({"runs": {"ptb": rows}}))
    monkeypatch.setattr(made, "MEASURED", tmp_path)


def test_scores_are_means_over_seeds_and_none_where_one_diverged(study):
    numbers, curves = made.scores_by_blocks("ptb", "WordSim-353", 0.04)
    assert numbers == [8, 64] and curves["bound, 16 epochs"] == [pytest.approx(0.5), None]
    assert curves["no bound, 16 epochs"][0] == 0.3 and all(map(math.isnan, curves["bound, 5 epochs"]))


def test_a_training_that_diverged_is_drawn_as_a_cross_at_the_bottom():
    fig = made.staleness_figure([8, 64], {"bound": [0.5, 0.4], "none": [0.5, None]}, "title")
    found = {line.get_label(): line.get_xydata().tolist() for line in fig.axes[0].lines}
    assert found == {"bound": [[8, 0.5], [64, 0.4]], "none": [[8, 0.5]], "none: diverged": [[64, 0]]}


def test_the_figure_of_throughputs_has_ours_from_the_results_and_no_number_for_a_gpu():
    (axes,) = made.throughput_figure("title").axes
    told = {name.get_text(): text.get_text() for name, text in zip(axes.get_yticklabels(), axes.texts)}
    assert told["this step, one GPU"] == "not measured" and told["BlazingText, 8 GPUs"] == "43.0 million"
    assert told["step 8, one thread of a processor"] == f"{made.measured_throughput() / 1e6:.1f} million"
    assert 1e5 < made.measured_throughput() < 1e8
