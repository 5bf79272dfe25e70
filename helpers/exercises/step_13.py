"""The exercises of step 13, checkpoints."""

from helpers.exercises import Exercise

SAVED = "tables", "mean", "mean of squares", "count of steps", "epochs done", "minibatches done in this epoch"
NOT_SAVED = "gradients", "order of this epoch's minibatches", "learning rate"


def must_be_saved(what):
    return what in SAVED


def with_too(*more):
    """An answer that saves more than it must."""
    return lambda what: what in (*SAVED, *more)


def without(*less):
    """An answer that forgets something."""
    return lambda what: what in SAVED and what not in less


def correction(factor, steps):
    """The share of a constant that a running mean has after so many steps."""
    return 1 - factor**steps


def times_too_large(steps):
    mean, mean_square = (correction(factor, steps + 1) / correction(factor, 1) for factor in (0.9, 0.999))
    return mean / mean_square**0.5


def only_the_mean(steps):
    return correction(0.9, steps + 1) / correction(0.9, 1)


def only_the_square(steps):
    return (correction(0.999, steps + 1) / correction(0.999, 1)) ** -0.5


def without_the_next(steps):
    return only_the_mean(steps - 1) * only_the_square(steps - 1)


def without_a_root(steps):
    return only_the_mean(steps) * only_the_square(steps) ** 2


def without_correction(steps):
    return correction(0.9, steps + 1) / correction(0.999, steps + 1) ** 0.5


def position(steps, num_examples, batch_size):
    return divmod(steps, -(-num_examples // batch_size))


def from_one(steps, num_examples, batch_size):
    epochs, minibatches = position(steps, num_examples, batch_size)
    return epochs + 1, minibatches + 1


def draw_all(rng):
    return [(str(what),) for what in rng.permutation([*SAVED, *NOT_SAVED])]


def draw_steps(rng):
    """Few steps, some, and many: the factor rises to 2 and falls below 1."""
    return [(int(rng.integers(2, 6)),), (int(rng.integers(8, 30)),), (int(rng.integers(900, 2000)),)]


def draw_positions(rng):
    """In the middle of an epoch, at the end of one, before the first step, and without a short minibatch."""
    cases = []
    for whole, rest in ((0, 0), (2, 0), (3, 1), (5, 2)):
        batch_size = int(rng.integers(10, 20))
        minibatches = int(rng.integers(4, 9))
        num_examples = batch_size * minibatches - (0 if rest == 1 else int(rng.integers(2, 9)))
        cases.append((whole * minibatches + rest, num_examples, batch_size))
    return cases


EXERCISES = {
    "13.1": Exercise(
        reference=must_be_saved,
        cases=draw_all,
        faults={
            "that saves the model alone; what does Adam remember, and which minibatch comes next?": lambda what: what == "tables",
            "Adam's count is missing: it corrects the means, which began at 0": without("count of steps"),
            "Adam remembers two means, of the gradient and of its square": without("mean of squares"),
            "Adam's memory is missing: its next step depends on more than the next gradient": without("mean", "mean of squares", "count of steps"),
            "the position is missing: which minibatch comes next?": without("epochs done", "minibatches done in this epoch"),
            "how far the training is in this epoch is missing: it would see the first minibatches twice": without("minibatches done in this epoch"),
            "the gradients are computed again from the next minibatch": with_too("gradients"),
            "the order follows from the seed and the number of the epoch": with_too("order of this epoch's minibatches"),
            "the learning rate comes with the call": with_too("learning rate"),
            "more is saved than must be: what can be computed again, or comes with the call?": lambda what: True,
        },
        hints=(
            "Ask of each: does the next step depend on it, and can it be had without the file?",
            "Six of the nine: one thing is the model's, three are Adam's, two say where in the data the training stands.",
        ),
    ),
    "13.2": Exercise(
        reference=times_too_large,
        cases=draw_steps,
        faults={
            "that corrects only the mean; the mean of squares is too large as well": only_the_mean,
            "that corrects only the mean of squares; the mean is too large as well": only_the_square,
            "the next step is number steps + 1: it changes both means before they are used": without_the_next,
            "Adam divides by the root of the mean of squares": without_a_root,
            "that is the right step divided by the wrong one; the other way round": lambda steps: 1 / times_too_large(steps),
            "that step has no correction at all; here the count starts at 0 again, so the correction is that of a first step": without_correction,
        },
        hints=(
            "With one gradient g, the running mean after n steps is (1 - 0.9**n) * g. What do the right and the lost count divide it by?",
            "Each mean comes out (1 - factor**(steps + 1)) / (1 - factor) times too large. The step has the mean above, the root of the other below.",
        ),
    ),
    "13.3": Exercise(
        reference=position,
        cases=draw_positions,
        faults={
            "the short minibatch at the end of an epoch is a step, too: round up": lambda steps, num, size: divmod(steps, num // size),
            "yours rounds up even where the last minibatch is full": lambda steps, num, size: divmod(steps, num // size + 1),
            "a step is a minibatch, not an example": lambda steps, num, size: divmod(steps, num),
            "first the epochs, then the minibatches": lambda steps, num, size: position(steps, num, size)[::-1],
            "count what is done, from 0, not what comes next": from_one,
            "the second number begins at 0 again in each epoch": lambda steps, num, size: (position(steps, num, size)[0], steps),
            "that is what is left of the epoch; how many are done?": lambda steps, num, size: (
                position(steps, num, size)[0], -(-num // size) - position(steps, num, size)[1],
            ),
        },
        hints=("How many minibatches has an epoch? Adam takes a step for each.", "minibatches = -(-num_examples // batch_size); then // and %."),
    ),
}  # fmt: skip
