"""Exercises that check themselves: `check("01.1", answer)` says what is wrong with an answer, `hint("01.1")` helps.

Every answer is a function. It is called with new cases each time and must return what the step's own
function does, so that no lucky number passes. A module per step, `step_01` and so on, holds the exercises.
"""

import copy
import importlib
import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

LONGEST_EXAMPLE = 300  # characters: a longer one is no help


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
        return importlib.import_module(f"helpers.exercises.step_{step}").EXERCISES[name]
    except (ModuleNotFoundError, KeyError):
        raise LookupError(f"there is no exercise {name!r}; names are such as '01.2'") from None


def same(found, wanted):
    """Say whether two results have the same shape and, but for rounding, the same numbers."""
    if isinstance(wanted, tuple) and not (isinstance(found, tuple) and len(found) == len(wanted)):
        return False
    if isinstance(wanted, tuple):
        return all(map(same, found, wanted))
    shape = shape_of(found)
    if shape is None:  # such as rows of different lengths
        return shape_of(wanted) is None and written(found) == written(wanted)
    return shape == np.shape(wanted) and np.allclose(np.asarray(found, dtype=float), wanted, 1e-4, 1e-6, equal_nan=True)


def shape_of(value):
    """Return the shape that a result has as an array of numbers, None if it can't be one."""
    try:
        return np.asarray(value, dtype=float).shape
    except (TypeError, ValueError):
        return None


def name_of(value):
    """Name a result by its shape."""
    shape = shape_of(value)
    if shape is None:
        return f"no array of numbers, but a {type(value).__name__}"
    return f"an array of shape {shape}" if shape else "a number"


def shape_fault(found, wanted):
    """Return what is wrong with the shape of a result as a sentence, "" if nothing is."""
    if isinstance(wanted, tuple):
        right = isinstance(found, tuple) and len(found) == len(wanted)
        return "" if right else f"it must return {len(wanted)} values, as in `return one, other`"
    found, wanted = name_of(found), name_of(wanted)
    return "" if found == wanted else f"it returns {found}; {wanted} is wanted"


def written(value):
    """Write a value of a case in a line, numbers with four digits."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(written, value))}]" if isinstance(value, list) else f"({', '.join(map(written, value))})"
    if isinstance(value, np.ndarray) and value.ndim:
        return written(value.tolist())
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    return getattr(value, "__name__", None) or str(value)


class Raised(NamedTuple):
    """What a function raised in the place of a result; two are equal if they say the same."""

    type: str
    text: str


def results_of(function, cases):
    """Return a function's result for each case, up to the first that makes it fail: that one's is what it Raised."""
    results = []
    for case in cases:
        try:
            results.append(function(*copy.deepcopy(case)))  # which may change what it is given
        except Exception as error:  # of the learner's code: told as its fault
            return [*results, Raised(type(error).__name__, str(error))]
    return results


def alike(results, others):
    """Say whether two functions gave the same results, or failed alike at the same case."""
    failed = [isinstance(some[-1], Raised) for some in (results, others)]
    if failed[0] != failed[1] or len(results) != len(others):
        return False
    last = len(results) - failed[0]
    return results[last:] == others[last:] and all(map(same, results[:last], others[:last]))


def fault_of(exercise, answer, rng):
    """Return what is wrong with an answer as a sentence, "" if nothing is, None if there is no answer yet."""
    if answer is ...:
        return None
    if not callable(answer):
        return f"the answer must be a function, not {type(answer).__name__}"
    cases = exercise.cases(rng)
    results = results_of(answer, cases)
    if any(result is ... for result in results):
        return None
    failed = results[-1] if isinstance(results[-1], Raised) else None
    wanted = [exercise.reference(*case) for case in cases]
    wrong = [number for number in range(len(results)) if failed or not same(results[number], wanted[number])]
    if not wrong:
        return ""
    with np.errstate(all="ignore"):  # a fault may divide by zero
        for message, fault in exercise.faults.items():
            if alike(results, results_of(fault, cases)):
                return message
    if failed:
        return f"your function fails with {failed.type}: {failed.text}"
    if all(result is None for result in results):
        return "your function returns nothing; does it end with return?"
    shapes = shape_fault(results[wrong[0]], wanted[wrong[0]])
    if shapes:
        return shapes
    example = min(wrong, key=lambda number: len(f"{cases[number]}"))
    told = f"for {written(tuple(cases[example]))} it should give {written(wanted[example])}, yours gives {written(results[example])}"
    return f"wrong in {len(wrong)} of {len(cases)} cases" + (f": {told}" if len(told) <= LONGEST_EXAMPLE else "")


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
