"""What step 15 counts, reads and draws: calls of a framework, the kernel's lines, blocks at once, throughputs. PyTorch."""

import json
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean, median

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from helpers.beyond.blocks import BLOCK_SIZE, NOISE_PER_BLOCK
from helpers.beyond.blocks_device import MOST_WEIGHT, Wave, train_wave
from helpers.figures import BLACK, BLUE, ORANGE, RED, label, new_figure

FOLDER = Path(__file__).resolve().parent
MEASURED = FOLDER.parent.parent / "benchmarks"
CALL_SIZES = [10**power for power in range(7)]


class Calls(TorchDispatchMode):
    """Counts, in a `with` block, the operations of PyTorch that compute; those that only look at memory in another shape don't."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.count += operation.namespace == "aten" and not operation.is_view
        return operation(*args, **(kwargs or {}))


def count_calls(action):
    """Return how many operations of PyTorch `action()` takes, the second time: the first may make what later ones use."""
    action()
    with Calls() as calls:
        action()
    return calls.count


def time_additions(device, repeats=100):
    """Return CALL_SIZES and the seconds of one addition of two arrays of so many float32, the least of five means over `repeats` calls."""
    seconds = []
    for size in CALL_SIZES:
        one, other = torch.ones(2, size, device=device)  # (size,) each
        means = []
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(repeats):
                one.add_(other)
            if one.is_cuda:
                torch.cuda.synchronize()
            means.append((time.perf_counter() - start) / repeats)
        seconds.append(min(means))
    return CALL_SIZES, seconds


def calls_figure(sizes, seconds, title):
    """Draw the time of a call against how many numbers it adds, beside what the largest call pays for each of its numbers."""
    fig, axes = new_figure(size=(7.5, 4))
    microseconds = [1e6 * value for value in seconds]
    axes.loglog(sizes, microseconds, "o-", color=BLUE, label="a call")
    axes.loglog(sizes, [microseconds[-1] * size / sizes[-1] for size in sizes], "--", color=BLACK, label="its numbers alone")
    axes.set_ylim(min(microseconds) / 5, max(microseconds) * 2)
    label(axes, title, "numbers added by a call (logarithmic)", "microseconds (logarithmic)")
    axes.legend(frameon=False)
    return fig


def kernel_parts():
    """Return the five parts of `step_of_a_block`, each a text of lines that begins with a comment."""
    source = (FOLDER / "block_kernel.py").read_text(encoding="utf-8")
    lines = source[source.index("def step_of_a_block") : source.index("def train_wave_in_a_kernel")].rstrip()
    return [f"# {part}".replace("\n    ", "\n") for part in lines.split("\n    # ")[1:]]


def steps_on_waves():
    """Return the functions that take a step on a wave, by name: the plain form and the kernel; a line says so where Triton is missing."""
    steps = {"the plain form": train_wave}
    if find_spec("triton"):
        from helpers.beyond.block_kernel import train_wave_in_a_kernel

        steps["the kernel in Triton"] = train_wave_in_a_kernel
    else:
        print("Triton is not installed here: the plain form stands alone")
    return steps


def small_wave(centers, stretch, noise_word, device):
    """Return a Wave of one block, with windows of 1, that is filled up with words 0 whose windows reach nothing.

    Each of the centers sees a word to each side. `stretch` holds the context words, and all noise words are `noise_word`.
    """
    filled, reach = np.zeros((2, 1, BLOCK_SIZE), np.int32)
    filled[0, : len(centers)], reach[0, : len(centers)] = centers, 1
    words = np.full((1, BLOCK_SIZE + 2 + NOISE_PER_BLOCK), noise_word, np.int32)
    words[0, : BLOCK_SIZE + 2] = np.pad(stretch, (0, BLOCK_SIZE + 2 - len(stretch)))
    return Wave(*(torch.from_numpy(array).to(device) for array in (filled, reach, reach, words)))


def scores_by_blocks(text, test, lr):
    """Return the numbers of blocks at once of benchmarks/staleness.json, and a dict of curves over them: mean scores on a test.

    A score is None where a training diverged, and nan where there was none.
    """
    runs = json.loads((MEASURED / "staleness.json").read_text(encoding="utf-8"))["runs"][text]
    runs = [run for run in runs if run["lr"] == lr]
    numbers = sorted({run["blocks at once"] for run in runs})

    def score(number, **settings):
        chosen = [run for run in runs if run["blocks at once"] == number and settings.items() <= run.items()]
        if any(run["diverged"] for run in chosen):
            return None
        return fmean(run[test] for run in chosen) if chosen else float("nan")

    ways = {"bound, 16 epochs": (16, MOST_WEIGHT), "no bound, 16 epochs": (16, None), "bound, 5 epochs": (5, MOST_WEIGHT)}
    settings = {name: {"epochs": num_epochs, "most weight": most} for name, (num_epochs, most) in ways.items()}
    return numbers, {name: [score(number, **given) for number in numbers] for name, given in settings.items()}


def staleness_figure(numbers, curves, title):
    """Draw scores against the blocks at once, {name: scores}; None, a training that diverged, is a cross at the bottom."""
    fig, axes = new_figure(size=(8, 4.2))
    axes.set_xscale("log", base=2)
    for (name, scores), color, style in zip(curves.items(), (BLUE, RED, ORANGE), ("o-", "s--", "^:")):
        there = [(number, score) for number, score in zip(numbers, scores) if score is not None and score == score]
        axes.plot(*zip(*there), style, color=color, label=name)
        gone = [number for number, score in zip(numbers, scores) if score is None]
        if gone:
            axes.plot(gone, [0] * len(gone), "x", color=color, markersize=9, markeredgewidth=2, label=f"{name}: diverged", clip_on=False)
    axes.set_xticks(numbers, [f"{number:,}" for number in numbers])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    label(axes, title, "blocks at once (logarithmic)", "WordSim-353")
    fig.legend(loc="outside lower center", ncols=2, frameon=False)
    return fig


def measured_throughput():
    """Return the words of the text per second of step 8's trainer on PTB with one thread, the median in benchmarks/results.json."""
    results = json.loads((MEASURED / "results.json").read_text(encoding="utf-8"))
    return median(run["tokens per second"] for run in results["scale"]["runs"]["1 rank"])


PUBLISHED = {  # words of the text per second
    "word2vec_cbow, K40": 1.5e6,  # "15xx K", https://github.com/phunterlau/word2vec_cbow
    "Bae and Yi, two K20": 1.7e6,  # https://doi.org/10.1007/978-3-319-46672-9_31
    "Word2Vec-PyCUDA, T4": 1.6e6,  # 10 epochs of 16.6 million in 103.5 s, size 100, https://github.com/tanh1c/Word2Vec-PyCUDA
    "BlazingText, 8 GPUs": 43e6,  # https://doi.org/10.1145/3146347.3146354
}


def throughput_figure(title):
    """Draw the words of the text per second that others published for GPUs, beside ours, on a logarithmic axis."""
    own = {"step 8, one thread of a processor": measured_throughput(), "this step, one GPU": None}
    every = {**PUBLISHED, **own}
    names = list(every)
    known = [number for number in every.values() if number]
    fig, axes = new_figure(size=(8.5, 0.9 + 0.42 * len(names)))
    for numbers, color, marker, told in ((PUBLISHED, BLUE, "o", "published, on GPUs"), (own, RED, "s", "ours")):
        places = [names.index(name) for name, number in numbers.items() if number]
        axes.plot([every[names[place]] for place in places], places, marker, color=color, markersize=9, label=told)
    for place, number in enumerate(every.values()):
        told = f"{number / 1e6:.1f} million" if number else "not measured"
        axes.text((number or min(known)) * 1.15, place, told, va="center", fontsize=9)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_xlim(min(known) / 1.5, max(known) * 4)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    label(axes, title, "words of the text per second (logarithmic)", "")
    axes.legend(frameon=False, loc="upper right", fontsize=9)
    return fig
