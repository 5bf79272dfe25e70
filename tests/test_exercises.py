"""The exercises' checks: they accept the solution, and tell each usual fault by its own message."""

import importlib
import re

import numpy as np
import pytest

from helpers.exercises import check, fault_of, find, hint
from tests.conftest import ROOT

STEPS = sorted(path.stem.split("_")[1] for path in (ROOT / "helpers" / "exercises").glob("step_*.py"))
EXERCISES = [name for step in STEPS for name in importlib.import_module(f"helpers.exercises.step_{step}").EXERCISES]
FAULTS = [(name, message) for name in EXERCISES for message in find(name).faults]


@pytest.mark.parametrize("name", EXERCISES)
def test_a_solution_is_right_whatever_the_cases_and_each_exercise_knows_five_faults(name):
    exercise = find(name)
    assert len(exercise.faults) >= 5 and len(exercise.hints) == 2
    for seed in range(50):
        assert fault_of(exercise, exercise.reference, np.random.default_rng(seed)) == ""


@pytest.mark.parametrize("name, message", FAULTS)
def test_each_usual_fault_is_told_by_its_own_message_whatever_the_cases(name, message):
    exercise = find(name)
    for seed in range(20):
        assert fault_of(exercise, exercise.faults[message], np.random.default_rng(seed)) == message


@pytest.mark.parametrize("name", EXERCISES)
def test_a_constant_nothing_and_an_error_are_not_right(name):
    exercise, rng = find(name), np.random.default_rng(0)
    lucky = exercise.reference(*exercise.cases(rng)[0])
    assert fault_of(exercise, lambda *_: lucky, rng)
    assert "returns nothing" in fault_of(exercise, lambda *_: None, rng)
    assert "fails with ZeroDivisionError" in fault_of(exercise, lambda *_: 1 / 0, rng)
    assert "fails with TypeError" in fault_of(exercise, lambda: 0, rng)
    assert "must be a function" in fault_of(exercise, 3, rng)


@pytest.mark.parametrize("name", EXERCISES)
def test_no_message_or_first_hint_gives_the_answer_away(name, capsys):
    second = find(name).hints[1]
    assert all(second not in message for message in find(name).faults)
    hint(name)
    assert second not in capsys.readouterr().out
    hint(name, 2)
    assert second in capsys.readouterr().out


def test_an_answer_that_is_not_there_yet_is_told_so_and_only_nbgrader_gets_an_error(capsys, monkeypatch):
    check("01.1", ...)
    check("01.3", lambda rows: ...)
    check("01.2", lambda probability, context_ids: probability)
    check("01.2", find("01.2").reference)
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["01.1: not answered yet", "01.3: not answered yet"]
    assert "chance 0" in told[2] and told[3] == "01.2: right"
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    check("01.2", find("01.2").reference)
    with pytest.raises(AssertionError, match="not answered yet"):
        check("01.1", ...)


@pytest.mark.parametrize(
    "name, answer, message",
    [
        ("01.3", lambda rows: rows, "it must return 2 values, as in `return one, other`"),
        ("02.1", lambda ids, size: (ids, size), "no array of numbers, but a tuple; an array of shape (4, 5) is wanted"),
        ("02.2", lambda words, mask: set(words[mask == 1]), "no array of numbers, but a set; an array of shape"),
        ("04.2", lambda scores, labels, mask: 0, "it returns a number; an array of shape (3,) is wanted"),
        ("04.1", lambda score, label: [score], "it returns an array of shape (1,); a number is wanted"),
        ("03.2", lambda v, u: (v * u).sum(axis=-1)[:, None] + 1, "wrong in 3 of 3 cases"),
    ],
)
def test_another_shape_is_told_and_else_the_number_of_wrong_cases(name, answer, message):
    assert message in fault_of(find(name), answer, np.random.default_rng(0))


def test_an_answer_may_change_what_it_is_given():
    def padded(rows):
        masks = [[1] * len(row) for row in rows]
        for row, mask in zip(rows, masks):
            while len(row) < max(map(len, rows)):
                row.append(0)
                mask.append(0)
        return np.array(rows), np.array(masks)

    assert fault_of(find("01.3"), padded, np.random.default_rng(0)) == ""


@pytest.mark.parametrize("name", ["01.99", "99.1", "sums", 1.1])
def test_an_unknown_name_is_told(name):
    with pytest.raises(LookupError, match="there is no exercise"):
        find(name)


def test_what_no_fault_explains_is_told_by_the_shortest_example(capsys):
    check("04.1", lambda score, label: 3.0)
    told = capsys.readouterr().out
    assert "wrong in 6 of 6 cases: for (" in told and "it should give" in told and told.endswith("yours gives 3\n")
    check("06.2", lambda nearest, random_pairs: 2.5)
    assert len(capsys.readouterr().out) < 400


def test_the_teachers_page_counts_the_exercises_of_each_step():
    text = (ROOT / "notebooks" / "TEACHING.md").read_text(encoding="utf-8")
    total, each = re.search(r"(\d+) checked exercises \((.*?)\)", text, re.DOTALL).groups()
    counts = [sum(name.startswith(f"{step}.") for name in EXERCISES) for step in STEPS]
    assert list(map(int, re.findall(r"\d+", each))) == counts and int(total) == sum(counts)
