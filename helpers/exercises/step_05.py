"""The exercises of step 5, training."""

import numpy as np

from helpers.exercises import Exercise
from helpers.figures import BLACK, BLUE, PURPLE, RED, label, new_figure


def probability(score):
    """Return the predicted probability of a context word."""
    return 1 / (1 + np.exp(-score))


def moved(v, u, label, lr):
    return v - lr * (probability(u @ v) - label) * u


def draw_pairs(rng):
    return [(rng.normal(0, 1, 4), rng.normal(0, 1, 4), label, float(rng.uniform(0.05, 0.5))) for label in (0, 1, 0, 1)]


def losses_and_gradients(tables, batch):
    """Return the loss of each row (B,) and the gradients of the two tables, of the sum of these losses."""
    center, words, mask, label = batch
    v, u = tables[0][center[:, 0]], tables[1][words]  # (B, d), (B, L, d)
    predicted = probability(np.einsum("bd,bld->bl", v, u))
    weight = mask / mask.sum(axis=1, keepdims=True)
    losses = -np.log(np.where(label == 1, predicted, 1 - predicted))
    derivative = (predicted - label) * weight  # (B, L)
    gradients = [np.zeros_like(table) for table in tables]
    np.add.at(gradients[0], center[:, 0], np.einsum("bl,bld->bd", derivative, u))
    np.add.at(gradients[1], words, derivative[:, :, None] * v[:, None])
    return (losses * weight).sum(axis=1), gradients


def trained(embed_v, embed_u, batch, lr, num_steps, scale=1.0, remembered=0.0, after=False, told=np.asarray):
    """Take steps of gradient descent; returns the losses (num_steps, B) of each, as before it, and both tables at the end.

    The faults: `scale` multiplies the step, `remembered` the gradients of earlier steps that are added to it, `after`
    takes the losses after the step, `told` makes of a step's losses what is returned.
    """
    tables, sums, found = [np.array(table, float) for table in (embed_v, embed_u)], (0, 0), []
    for _ in range(num_steps):
        losses, gradients = losses_and_gradients(tables, batch)
        sums = [remembered * total + gradient for total, gradient in zip(sums, gradients)]
        tables = [table - lr * scale * total for table, total in zip(tables, sums)]
        found.append(told(losses_and_gradients(tables, batch)[0] if after else losses))
    return np.array(found), *tables


def of_the_mean(embed_v, embed_u, batch, lr, num_steps, **faults):
    return trained(embed_v, embed_u, batch, lr, num_steps, scale=1 / len(batch[0]), **faults)


def draw_trainings(rng):
    """Two tables, a minibatch with padding and a center that stands in it twice, a learning rate, a number of steps."""
    cases = []
    for B, L, V, d, num_steps in ((2, 2, 5, 2, 3), (3, 4, 6, 3, 2), (4, 6, 8, 4, 4)):
        lengths = 2 * rng.integers(1, L // 2 + 1, B)
        lengths[0] = L
        mask = np.arange(L) < lengths[:, None]
        label = np.arange(L) < lengths[:, None] // 2
        center = rng.permutation(V)[:B]
        center[-1] = center[0]
        words = rng.integers(0, V, (B, L)) * mask
        batch = center[:, None], words, mask.astype(np.float32), label.astype(np.float32)
        tables = [rng.normal(0, 1, (V, d)).astype(np.float32) for _ in range(2)]
        cases.append((*tables, batch, float(rng.uniform(0.1, 0.4)), num_steps))
    return cases


MASK_FORGOTTEN, LABELS_SWAPPED, LR_TOO_HIGH, LR_TOO_LOW = 1, 2, 3, 4


def bug_of(training, held_out):
    """Name the bug that two lists of losses from the first epoch show, by its number."""
    if held_out[-1] < 0.6:
        return MASK_FORGOTTEN
    if held_out[-1] < 0.75:
        return LR_TOO_LOW
    return LABELS_SWAPPED if training[-1] < 0.6 else LR_TOO_HIGH


def of_a_vector(*case):
    """What PyTorch says to losses.backward()."""
    raise RuntimeError("grad can be implicitly created only for scalar outputs")


def renamed(**names):
    """Make a wrong answer that takes some bugs for others: {"bug_1": 2} takes bug 1 for bug 2."""

    def wrong(training, held_out):
        bug = bug_of(training, held_out)
        return names.get(f"bug_{bug}", bug)

    return wrong


def draw_bugs(rng):
    """The two losses at eight points of the first epoch, each bug twice, in any order; see BUGS for measured ones."""

    def toward(end):
        return 0.693 + (end - 0.693) * (1 - np.exp(-np.arange(8) / rng.uniform(0.8, 1.5))) + rng.normal(0, 0.002, 8)

    ends = {
        MASK_FORGOTTEN: lambda: (toward(rng.uniform(0.17, 0.24)), toward(rng.uniform(0.44, 0.47))),
        LABELS_SWAPPED: lambda: (toward(rng.uniform(0.43, 0.46)), toward(rng.uniform(1.3, 2.0))),
        LR_TOO_HIGH: lambda: (toward(rng.uniform(1.3, 2.2)), toward(rng.uniform(1.3, 2.2))),
        LR_TOO_LOW: lambda: (toward(rng.uniform(0.685, 0.692)), toward(rng.uniform(0.685, 0.692))),
    }
    return [tuple(curve.tolist() for curve in ends[bug]()) for bug in rng.permutation([1, 2, 3, 4, 1, 2, 3, 4])]


EXERCISES = {
    "05.1": Exercise(
        reference=moved,
        cases=draw_pairs,
        faults={
            "that increases the loss: the step goes against the gradient": lambda v, u, label, lr: v + lr * (probability(u @ v) - label) * u,
            "the gradient of v's row points along u, not along v": lambda v, u, label, lr: v - lr * (probability(u @ v) - label) * v,
            "the learning rate is missing": lambda v, u, label, lr: v - (probability(u @ v) - label) * u,
            "there is one position here, so its loss is the whole loss: nothing is divided by 2": lambda v, u, label, lr: v - lr * (probability(u @ v) - label) * u / 2,
            "that is the row of the word; the row of the center is wanted": lambda v, u, label, lr: u - lr * (probability(u @ v) - label) * v,
            "the label makes no difference in yours: predicted probability minus label": lambda v, u, label, lr: v - lr * probability(u @ v) * u,
            "predicted probability minus label, not score minus label: sigmoid first": lambda v, u, label, lr: v - lr * (u @ v - label) * u,
            "that is the change alone; return v after the step": lambda v, u, label, lr: -lr * (probability(u @ v) - label) * u,
        },
        hints=(
            "The derivative of the loss with respect to the score is predicted probability minus label. How does the score change with v?",
            "v - lr * (sigmoid(u @ v) - label) * u, where sigmoid(s) is 1 / (1 + np.exp(-s)).",
        ),
    ),
    "05.2": Exercise(
        reference=trained,
        cases=draw_trainings,
        faults={
            "the tables never move: first zero_grad (if there is one), then the gradient, then the optimizer's step": lambda *case: trained(*case, scale=0.0),
            "backward wants one number: sum the losses first": of_a_vector,
            "the gradients of earlier steps are still there and add up: set them to zero first": lambda *case: trained(*case, remembered=1.0),
            "the step is smaller by the number of rows: take the gradient of the sum of the losses, not of their mean": of_the_mean,
            "the step is that of the mean, and the mean is returned: take the sum, and return the loss of each row": lambda *case: of_the_mean(*case, told=np.mean),
            "the loss grows: the optimizer already steps against the gradient, so give it the gradient of the loss itself": lambda *case: trained(*case, scale=-1.0),
            "the losses are those after the step: compute them once, before it, and return those": lambda *case: trained(*case, after=True),
            "return the loss of each row, not their sum": lambda *case: trained(*case, told=np.sum),
            "return the loss of each row, not their mean": lambda *case: trained(*case, told=np.mean),
            "each call goes twice as far as one step: is a step taken twice?": lambda *case: trained(*case, scale=2.0),
        },
        hints=(
            "First the losses, then their gradient, then the step. What does the framework call each of them? The cell after the exercise has the answer.",
            "Call batch_loss(net, batch, device) once, ask for the gradient of the sum, call the optimizer's step, return the losses.",
        ),
    ),
    "05.3": Exercise(
        reference=bug_of,
        cases=draw_bugs,
        faults={
            "bugs 1 and 2 are the wrong way round: with swapped labels the held-out loss must rise": renamed(bug_1=2, bug_2=1),
            "bugs 3 and 4 are the wrong way round: a learning rate that is too low leaves the loss near ln 2": renamed(bug_3=4, bug_4=3),
            "bugs 2 and 3 are the wrong way round: with swapped labels the training loss falls, as smoothly as ever": renamed(bug_2=3, bug_3=2),
            "a training loss of 0.45 looks healthy, but not beside a held-out loss above ln 2: look at both lists": renamed(bug_2=1),
            "in both bugs 2 and 3 the held-out loss rises; what does the training loss do?": renamed(bug_2=3),
            "in both bugs 2 and 3 the held-out loss rises; in one of them the training loss does, too": renamed(bug_3=2),
            "a loss that stays at ln 2 is not a learning rate that is too high: nothing moves": renamed(bug_4=3),
            "yours answers 1 whatever the curves show: compare the last numbers of both lists": lambda training, held_out: 1,
            "bugs are counted from 1": lambda training, held_out: bug_of(training, held_out) - 1,
        },
        hints=(
            "Compare the last number of each list with the yardsticks: ln 2 = 0.693, and the blind model's 0.451.",
            "held_out[-1] < 0.6 is bug 1; else held_out[-1] < 0.75 is bug 4; of the rest, training[-1] < 0.6 tells bug 2 from bug 3.",
        ),
    ),
}  # fmt: skip


# Two losses at minibatches 10, 84, 168 and so on of the first epoch on PTB, PyTorch, seed 0: in training, as code with a
# bug computes it, since the point before; and held out, of a quarter of the minibatches, as correct code computes it
BUGS = {
    "A": ([0.693, 0.663, 0.504, 0.458, 0.448, 0.444, 0.442, 0.440], [0.693, 0.887, 1.444, 1.523, 1.552, 1.571, 1.584, 1.591]),
    "B": ([0.693] * 8, [0.693] * 8),
    "C": ([0.692, 0.559, 0.287, 0.225, 0.207, 0.202, 0.199, 0.198], [0.693, 0.530, 0.467, 0.454, 0.450, 0.447, 0.447, 0.446]),
    "D": ([0.666, 0.851, 1.263, 1.582, 1.791, 1.911, 2.000, 2.042], [0.623, 1.052, 1.435, 1.665, 1.834, 1.904, 1.974, 1.987]),
}  # fmt: skip


def bugs_figure():
    """Draw BUGS: what four bugs do to the training loss and to the held-out loss, with the line of a blind model."""
    fig, _ = new_figure(0, (8.5, 5))
    panels = fig.subplots(2, 2, sharex=True, sharey=True)
    xs = [number / 669 for number in (10, *range(84, 589, 84))]
    for axes, (name, (training, held_out)) in zip(panels.flat, BUGS.items()):
        axes.axhline(np.log(2), color=BLACK, linestyle=":", linewidth=1, label="ln 2, knows nothing: 0.693")
        axes.axhline(0.4506, color=PURPLE, linestyle="-.", linewidth=1, label="blind to the words: 0.451")
        axes.plot(xs, held_out, "s--", color=RED, markersize=6, markerfacecolor="white", label="held out, correct code")
        axes.plot(xs, training, "o-", color=BLUE, markersize=4, label="training, code with the bug")
        axes.set(xlim=(0, 1), ylim=(0, 2.2))
        label(axes, name, "epoch" if axes in panels[1] else "", "loss" if axes in panels[:, 0] else "")
    fig.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    fig.suptitle("Four bugs, and what the first epoch shows of them")
    return fig
