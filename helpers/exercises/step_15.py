"""The exercises of step 15, on a GPU."""

import numpy as np

from helpers.exercises import Exercise


def per_byte(num_centers, num_words, embed_size):
    return operations(num_centers, num_words, embed_size) / (4 * embed_size * (num_centers + num_words))


def operations(num_centers, num_words, embed_size):
    return 2 * num_centers * num_words * embed_size


def draw_blocks(rng):
    return [(int(size), int(size + rng.integers(3, 40)), int(rng.integers(20, 300))) for size in rng.integers(4, 90, 4)]


def hashed(key, place, first=1, keep_sum=True, keep_product=True, mix=lambda z, shift: z ^ (z >> shift), last=3):
    z = key + 109 * (place + first)
    z = mix(z % 256 if keep_sum else z, 4)
    z = z * 45 % 256 if keep_product else z * 45
    return (mix(z, last) if last else z) / 256


def draw_places(rng):
    return [(int(rng.integers(1, 256)), int(rng.integers(3, 30))) for _ in range(8)]


def moved(x, target, lr, at_once, most_weight, steps=None, choose=min, shared=True):
    """Move x by `steps` steps, by default all of a wave, of which each sees x as it was."""
    rate = choose(lr, most_weight / at_once if shared else most_weight)
    return x + (at_once if steps is None else steps) * rate * (target - x)


def in_turn(x, target, lr, at_once, most_weight):
    return target - (target - x) * (1 - min(lr, most_weight / at_once)) ** at_once


def draw_waves(rng):
    """Waves below the bound and above it, and a learning rate that is larger than the most weight."""
    small = [(float(rng.uniform(0.01, 0.03)), int(rng.integers(2, 10)), float(rng.uniform(0.5, 0.9))) for _ in range(2)]
    large = [(float(rng.uniform(0.02, 0.08)), int(rng.integers(60, 300)), float(rng.uniform(0.5, 0.9))) for _ in range(2)]
    steep = [(float(rng.uniform(0.6, 0.9)), int(rng.integers(3, 9)), float(rng.uniform(0.2, 0.5)))]
    return [(float(rng.uniform(-1, 0)), float(rng.uniform(0.5, 2)), *wave) for wave in (*small, *large, *steep)]


EXERCISES = {
    "15.1": Exercise(
        reference=per_byte,
        cases=draw_blocks,
        faults={
            "a product and its addition are two operations": lambda *case: per_byte(*case) / 2,
            "that is for each number; a float32 has 4 bytes": lambda *case: 4 * per_byte(*case),
            "the vectors of the centers are fetched, too": lambda centers, words, size: operations(centers, words, size) / (4 * size * words),
            "the vectors of the words are fetched, too": lambda centers, words, size: operations(centers, words, size) / (4 * size * centers),
            "those are the operations; divide them by the bytes": operations,
            "that fetches two vectors for each score; in a block each vector is fetched once": lambda *case: 0.25,
            "that is bytes for each operation": lambda *case: 1 / per_byte(*case),
            "a vector has embed_size numbers": lambda centers, words, size: operations(centers, words, size) / (4 * (centers + words)),
        },
        hints=(
            "Each of the scores is a dot product of embed_size products and as many additions. How many vectors are fetched for all of them?",
            "2 * num_centers * num_words * embed_size operations; 4 * embed_size bytes for each of the num_centers + num_words vectors.",
        ),
    ),
    "15.2": Exercise(
        reference=hashed,
        cases=draw_places,
        faults={
            "the product can have more than 8 bits: take the remainder": lambda *case: hashed(*case, keep_product=False),
            "the sum can have more than 8 bits: take the remainder before you shift": lambda *case: hashed(*case, keep_sum=False),
            "places count from 0, and the first takes one step of 109": lambda *case: hashed(*case, first=0),
            "it is the exclusive or, `^`, not the sum": lambda *case: hashed(*case, mix=lambda z, shift: z + (z >> shift)),
            "it is the exclusive or, `^`, not `|`": lambda *case: hashed(*case, mix=lambda z, shift: z | (z >> shift)),
            "shift to the right, `>>`": lambda *case: hashed(*case, mix=lambda z, shift: (z ^ (z << shift)) % 256),
            "the last shift is by 3": lambda *case: hashed(*case, last=4),
            "after the product comes another shift, by 3": lambda *case: hashed(*case, last=0),
            "divide by 256, for a number below 1": lambda *case: 256 * hashed(*case),
        },
        hints=(
            "A line for each of the four steps. `z % 256` keeps the lowest 8 bits, `z ^ (z >> 4)` mixes the upper ones into the lower.",
            "z = (key + 109 * (place + 1)) % 256, then z ^= z >> 4, then z = z * 45 % 256, then z ^= z >> 3; return z / 256.",
        ),
    ),
    "15.3": Exercise(
        reference=moved,
        cases=draw_waves,
        faults={
            "nothing bounds the learning rate": lambda x, target, lr, at_once, most: moved(x, target, lr, at_once, np.inf),
            "those are steps one after the other; in a wave each sees x as it was": in_turn,
            "the most weight is for the whole wave: divide it by the number of steps": lambda *case: moved(*case, shared=False),
            "the bound is the most that the learning rate may be, not the least": lambda *case: moved(*case, choose=max),
            "a wave below the bound keeps the learning rate": lambda x, target, lr, at_once, most: moved(x, target, most, at_once, most),
            "that is a single step; a wave adds all of them": lambda *case: moved(*case, steps=1),
            "that is the change; add it to x": lambda x, *case: moved(x, *case) - x,
            "the sign is wrong: x moves towards the target": lambda x, *case: 2 * x - moved(x, *case),
        },
        hints=(
            "All steps of a wave are equal, since all see the same x. How long is one, and which learning rate does it take?",
            "rate = min(lr, most_weight / at_once); return x + at_once * rate * (target - x).",
        ),
    ),
}  # fmt: skip
