"""What the notebooks' parameters may be: the runner checks them before it starts a kernel. Not taught."""

import os
from functools import partial

from helpers.arguments import ParameterError, require_positive, require_whole_numbers
from helpers.beyond.checkpoints import require_checkpoint_path
from helpers.beyond.texts import require_corpus
from helpers.vectors import require_vectors_path


def _require_one_of(choices, **values):
    """Raise a ValueError that names the first value which is none of the choices, nor of their type."""
    for name, value in values.items():
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise ValueError(f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}")


def _require_text(kinds=str, **values):
    for name, value in values.items():
        if value is not None and (not isinstance(value, kinds) or not str(value)):
            raise ValueError(f"{name} must be a text or None, not {value!r}")


def _require_seed(seed):
    require_whole_numbers(0, seed=seed)
    if seed >= 2**32:
        raise ValueError(f"seed must be below {2**32:,}, as scikit-learn wants it, not {seed}")


COUNTS = "batch_size", "max_window_size", "num_noise_words", "embed_size", "num_epochs", "block_epochs", "k", "num_tokens"
RULES = {
    "corpus": require_corpus,
    **dict.fromkeys(COUNTS, partial(require_whole_numbers, 1)),
    "min_freq": partial(require_whole_numbers, 0),
    "seed": _require_seed,
    **dict.fromkeys(("lr", "block_lr"), require_positive),
    "framework": partial(_require_one_of, ("pytorch", "mxnet")),
    "grid": partial(_require_one_of, (None, "fast", "full")),
    "query_token": _require_text,
    **dict.fromkeys(("sweep_folder", "other_corpus", "vectors_path", "checkpoint_path"), partial(_require_text, (str, os.PathLike))),
}
SIZES = {"batch_size": 512, "max_window_size": 5, "num_noise_words": 5, "embed_size": 100}
TOKENS = 1_000_000


def require_values(values):
    """Raise a ParameterError if a parameter in a dict is of the wrong type, out of range, or names no text; skip other names."""
    try:
        for name in RULES.keys() & values.keys():
            RULES[name](**{name: values[name]})
        if values.get("other_corpus") is not None:
            require_corpus(values["other_corpus"], "other_corpus")
        require_vectors_path(values.get("vectors_path"))
        require_checkpoint_path(values.get("checkpoint_path"), values.get("vectors_path"))
        _require_memory(**{name: values.get(name, usual) for name, usual in SIZES.items()})
    except (ValueError, OSError) as error:
        raise ParameterError(str(error)) from error


def _require_memory(batch_size, max_window_size, num_noise_words, embed_size):
    """Refuse what would not fit: the vectors of a minibatch with their gradients, or the examples of a text of TOKENS words."""
    import psutil

    places = 2 * max_window_size * (1 + num_noise_words)
    needed, free = places * max(12 * batch_size * embed_size, TOKENS), psutil.virtual_memory().available
    if needed > free:
        told = f"batch_size {batch_size}, max_window_size {max_window_size}, num_noise_words {num_noise_words} and embed_size {embed_size}"
        raise ValueError(f"{told} may take {needed / 1e9:,.0f} GB of memory, and {free / 1e9:,.0f} GB are free: choose smaller ones")
