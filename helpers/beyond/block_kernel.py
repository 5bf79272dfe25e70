"""The step of a block as one program on a GPU. Triton; read line by line in `15_gpu`.

A program holds the vectors of its block on chip from the first product to the last, so that memory sees each of them twice.
"""

import triton
import triton.language as tl

from helpers.beyond.blocks import BLOCK_SIZE, NOISE_PER_BLOCK


@triton.jit
def step_of_a_block(
    embed_v, embed_u, bound_v, bound_u, centers, lefts, rights, words, rate, noise_weight, embed_size, num_words,
    BLOCK: tl.constexpr, WINDOW: tl.constexpr, COLUMNS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    # which block this program has, and the places in it
    block = tl.program_id(0)
    place = tl.arange(0, BLOCK)  # of a center in its block
    column = tl.arange(0, COLUMNS)  # of a word beside it
    number = tl.arange(0, WIDTH)  # of a vector
    # the vectors of its words, fetched once
    center = tl.load(centers + block * BLOCK + place)
    word = tl.load(words + block * num_words + column, mask=column < num_words, other=0)
    here_v = embed_v + center.to(tl.int64)[:, None] * embed_size + number[None, :]
    here_u = embed_u + word.to(tl.int64)[:, None] * embed_size + number[None, :]
    is_v = (number < embed_size)[None, :]
    is_u = is_v & (column < num_words)[:, None]
    v = tl.load(here_v, mask=is_v, other=0.0)  # (BLOCK, WIDTH)
    u = tl.load(here_u, mask=is_u, other=0.0)  # (COLUMNS, WIDTH)
    # all scores, and what each of them weighs
    scores = tl.dot(v, tl.trans(u), input_precision="ieee")  # (BLOCK, COLUMNS)
    left = tl.load(lefts + block * BLOCK + place)[:, None]
    right = tl.load(rights + block * BLOCK + place)[:, None]
    distance = column[None, :] - WINDOW - place[:, None]
    in_window = (distance >= -left) & (distance <= right) & (distance != 0)
    is_context = (column < BLOCK + 2 * WINDOW)[None, :]
    is_noise = (column < num_words)[None, :] & (is_context == 0)
    noise = tl.where(is_noise, (left + right) * noise_weight, 0.0)
    weight = tl.where(is_context, in_window.to(tl.float32), noise)
    # the derivative of each score, and the steps that follow from it
    probability = 1 / (1 + tl.exp(-scores))
    derivative = (probability - is_context.to(tl.float32)) * weight
    step_v = tl.dot(derivative, u, input_precision="ieee")  # (BLOCK, WIDTH)
    step_u = tl.dot(tl.trans(derivative), v, input_precision="ieee")  # (COLUMNS, WIDTH)
    # each step, no faster than the bound of its word, is added to its row
    rate_v = tl.minimum(tl.load(bound_v + center), rate)[:, None]
    rate_u = tl.minimum(tl.load(bound_u + word), rate)[:, None]
    tl.atomic_add(here_v, -rate_v * step_v, mask=is_v, sem="relaxed")
    tl.atomic_add(here_u, -rate_u * step_u, mask=is_u, sem="relaxed")


def train_wave_in_a_kernel(tables, bounds, wave, max_window_size, num_noise_words, lr):
    """Take a step of gradient descent on each block of a wave, a program for each; arguments as those of `train_wave`.

    Programs that run at the same time read what others are writing: two runs do not give the same bits.
    """
    num_blocks, num_words = wave.words.shape
    embed_size = tables[0].shape[1]
    step_of_a_block[(num_blocks,)](
        *tables, *bounds, *wave, lr, num_noise_words / NOISE_PER_BLOCK, embed_size, num_words,
        BLOCK=BLOCK_SIZE, WINDOW=max_window_size, COLUMNS=triton.next_power_of_2(num_words),
        WIDTH=max(16, triton.next_power_of_2(embed_size)), num_warps=8,  # with 4, compiled, a thread spills kilobytes of its registers
    )  # fmt: skip
