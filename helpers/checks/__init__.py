"""Exercises that check themselves: `check("01.1", answer)` says what is wrong with an answer, `hint("01.1")` helps.

Every answer is a function. It is called with cases that are drawn anew each time and must return what the step's own
function does, so that no lucky number passes. A module per step, `step_01` and so on, holds the exercises.
"""

import importlib
import os
from typing import Callable, NamedTuple

import numpy as np


class Exercise(NamedTuple):
    """What a function must do, `reference`; how to draw its cases; the usual faults, {message: function}; two hints."""

    reference: Callable
    cases: Callable
    faults: dict
    hints: tuple


def find(name):
    """Return the Exercise of a name such as "01.2"; LookupError if there is none."""
    step = str(name).split(".")[0]
    try:
        return importlib.import_module(f"helpers.checks.step_{step}").EXERCISES[name]
    except (ModuleNotFoundError, KeyError):
        raise LookupError(f"there is no exercise {name!r}; names are such as '01.2'") from None


def same(found, wanted):
    """Say whether two results have the same shape and, but for rounding, the same numbers."""
    if isinstance(wanted, tuple) and not (isinstance(found, tuple) and len(found) == len(wanted)):
        return False
    if isinstance(wanted, tuple):
        return all(map(same, found, wanted))
    try:
        found = np.asarray(found, dtype=float)
    except (TypeError, ValueError):
        return False
    return found.shape == np.shape(wanted) and np.allclose(found, wanted, rtol=1e-4, atol=1e-6)


def told(value):
    """Name a result by its shape, or by itself if it is a single number."""
    if isinstance(value, tuple):
        return "(" + ", ".join(map(told, value)) + ")"
    return str(value) if np.ndim(value) == 0 else f"an array of shape {np.shape(value)}"


def fault_of(exercise, answer, rng):
    """Return what is wrong with an answer as a sentence, "" if nothing is, None if there is no answer yet."""
    if answer is ...:
        return None
    if not callable(answer):
        return f"the answer must be a function, not {type(answer).__name__}"
    cases, results = exercise.cases(rng), []
    for case in cases:
        try:
            results.append(answer(*case))
        except Exception as error:  # of the learner's code: told as its fault
            return f"your function fails with {type(error).__name__}: {error}"
        if results[-1] is ...:
            return None
    wanted = [exercise.reference(*case) for case in cases]
    wrong = [number for number in range(len(cases)) if not same(results[number], wanted[number])]
    if not wrong:
        return ""
    for message, fault in exercise.faults.items():
        if all(same(result, fault(*case)) for result, case in zip(results, cases)):
            return message
    if all(result is None for result in results):
        return "your function returns nothing; does it end with return?"
    found, right = results[wrong[0]], wanted[wrong[0]]
    if not isinstance(right, tuple) and np.ndim(right) and np.shape(found) != np.shape(right):
        return f"it returns {told(found)}, but {told(right)} is wanted"
    return f"wrong in {len(wrong)} of {len(cases)} cases"


def check(name, answer):
    """Print whether an answer is right, or else what is wrong with it; under nbgrader, raise AssertionError if it isn't."""
    fault = fault_of(find(name), answer, np.random.default_rng())
    verdict = "not answered yet" if fault is None else fault or "right"
    print(f"{name}: {verdict}")
    if fault != "" and "NBGRADER_EXECUTION" in os.environ:
        raise AssertionError(f"{name}: {verdict}")


def hint(name, grade=1):
    """Print a hint; grade 2 says more than grade 1."""
    hints = find(name).hints
    if grade not in (1, 2):
        raise ValueError(f"there are hints of grade 1 and 2, not {grade!r}")
    print(f"{name}: {hints[grade - 1]}" + (f" (hint({name!r}, 2) says more.)" if grade == 1 else ""))
