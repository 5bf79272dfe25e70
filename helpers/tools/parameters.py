"""What the notebooks' parameters may be: the runner checks them before it starts a kernel. Not taught."""

import os
from functools import partial

from safetensors import SafetensorError, safe_open

from helpers.arguments import ParameterError, require_positive, require_whole_numbers
from helpers.beyond.checkpoints import previous_path, require_checkpoint_path
from helpers.beyond.places import require_writable
from helpers.beyond.texts import require_corpus
from helpers.beyond.vector_files import target_of
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
    **dict.fromkeys(("lr", "block_lr", "subword_lr"), require_positive),
    "framework": partial(_require_one_of, ("pytorch", "mxnet")),
    "grid": partial(_require_one_of, (None, "fast", "full")),
    "query_token": _require_text,
    **dict.fromkeys(("sweep_folder", "other_corpus", "vectors_path", "checkpoint_path"), partial(_require_text, (str, os.PathLike))),
}
SIZES = {"batch_size": 512, "max_window_size": 5, "num_noise_words": 5, "embed_size": 100}
TOKENS = 1_000_000
LONGEST_VALUES = 100, 4096  # of a value that is a number or a word of ours, and of a path


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


def read_parameter_file(path):
    """Return the parameters of a YAML file, {name: number, text or None}; ValueError for a file that holds anything else."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        given, node = yaml.safe_load(text) or {}, yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:  # ValueError: a date such as 2024-13-45
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(given, dict):
        raise ValueError(f"{path} must map names to values")
    for name, value in given.items():  # a value is not shown: a few lines of YAML can stand for gigabytes
        if not isinstance(name, str) or not isinstance(value, (str, int, float, type(None))):
            raise ValueError(f"{path}: each name must have one number or text as its value, and {str(name)[:80]!r} has none")
    require_named_once([name.value for name, _ in node.value] if given else (), path)
    return given


def require_named_once(names, place):
    """Raise a ValueError for a name that stands twice in `place`, of which only the last would count."""
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ValueError(f"{place} gives {name} twice: leave one of them")


def require_places(places, usual=None):
    """Raise a ValueError unless a run can write to these absolute paths, {name of the parameter: path}, and each is its own.

    `usual` is where it writes vectors without a `vectors_path`. What is there must be of the same kind: word vectors, a checkpoint
    (be it damaged, with the one before it beside it), a folder.
    """
    names = {} if "vectors_path" in places else {usual: "vectors_path"}
    for name, path in places.items():
        for own in (path, previous_path(path)) if name == "checkpoint_path" else (path,):
            if own in names:
                raise ValueError(f"{name} and {names[own]} are both {str(own)!r}: name two")
            names[own] = name
        if path.is_file():
            target_of(path)  # raises for one that may only be read
        require_writable(path, name, previous_path(path).name if name == "checkpoint_path" else "")
        found = _kind_of(path)
        is_damaged = name == "checkpoint_path" and found == OTHER and previous_path(path).exists()  # which is used in its place
        if found not in (None, WRITTEN_KINDS[name]) and not is_damaged:
            raise ValueError(f"{name} {str(path)!r} is {found}, not {WRITTEN_KINDS[name]}: it is not overwritten, name another")


WRITTEN_KINDS = {"vectors_path": "a file of vectors of this series", "checkpoint_path": "a checkpoint", "sweep_folder": "a folder"}
OTHER = "another file"


def _kind_of(path):
    """Say what is at a path; None where nothing is."""
    if not path.exists():
        return None
    if path.is_dir():
        return WRITTEN_KINDS["sweep_folder"]
    try:
        with safe_open(path, "numpy") as file:
            written = file.metadata() or {}
    except (SafetensorError, OSError):
        written = {}
    found = {"record": "checkpoint_path", "tokens": "vectors_path"}
    return next((WRITTEN_KINDS[found[name]] for name in found if name in written), OTHER)
