"""From a text to a file of vectors, with the blocks of step 8; `tools.train` is the command. PyTorch only; not taught."""

import psutil

from helpers.arguments import path_from_outside
from helpers.beyond.blocks import load_blocks, word2vec_tables
from helpers.beyond.blocks_pytorch import train_blocks
from helpers.beyond.checkpoints import ResumableHistory, checkpoint_beside, previous_path, remove_checkpoint
from helpers.beyond.places import require_writable
from helpers.beyond.prepared import MAKE_ONE, PreparedText, is_prepared
from helpers.beyond.scale.prepare import find_files, prepare
from helpers.beyond.texts import MOST_CHARACTERS, is_packed
from helpers.beyond.vector_files import metadata_path, require_fit_words, require_suffix, target_of, write_vectors
from helpers.corpus import NAMES
from helpers.model_pytorch import model_from_tables, to_arrays
from helpers.training import told_held_out, yardsticks

BAR = "{desc}{percentage:3.0f}%|{bar:20}| {elapsed}, {remaining} left{postfix}"
MEMORY_SHARE = 10  # a text is read into memory if it is at most this part of the free memory: it takes 3 to 8 times its size
GZ_FACTOR = 5  # a packed text is taken to be so many times as large as its file
MIN_FREQ = 10


def find_texts(texts, out):
    """Return what TEXTs name: "ptb", "wikipedia", the path of a prepared folder, or a list of the absolute paths of files.

    What a training that writes to `out` writes itself is no text. Reads nothing. Raises FileNotFoundError or ValueError.
    """
    checkpoint = checkpoint_beside(out)
    own = [path.resolve() for path in (out, metadata_path(out), checkpoint, previous_path(checkpoint), prepared_beside(out))]
    alone = [text for text in texts if text in NAMES or is_prepared(text) and path_from_outside(text).resolve() not in own]
    if alone and len(texts) > 1:
        raise ValueError(f"{alone[0]!r} can't be joined with other texts: name it alone, or name files only")
    return alone[0] if alone else find_files(texts, own)


def require_one_prepared(texts):
    """Return the one prepared folder that ranks train on, or raise a ValueError that says how to make one."""
    if len(texts) != 1 or not is_prepared(texts[0]):
        raise ValueError(f"ranks train on one prepared folder, not on {' '.join(texts)}: make it with {MAKE_ONE}, and name that FOLDER")
    return texts[0]


def require_out(out, goes_on=False, with_checkpoint=True):
    """Raise a ValueError unless vectors can be written to a new file `out`; if a training `goes_on`, it may be there already."""
    suffix = require_suffix(out)
    for path in [out, *([metadata_path(out)] if suffix == ".tsv" else [])]:
        if path.exists() and not goes_on:
            raise ValueError(f"{path} is there already: name another --out, or delete it")
        target_of(path)
    beside = previous_path(checkpoint_beside(out)) if with_checkpoint else metadata_path(out) if suffix == ".tsv" else out
    require_writable(target_of(out), "--out", beside.name)


def require_checkpoint_beside(out, resume):
    """Check `out` and a checkpoint beside it; returns the checkpoint's path, None without `resume`. Raises ValueError."""
    path = checkpoint_beside(out)
    if path.exists() and not resume:
        raise ValueError(f"a training of {out.name} was stopped: go on from it with --resume, or delete {path}")
    require_out(out, path.exists(), resume)
    return path if resume else None


def fit_in_memory(paths):
    """Return whether all files together may be read into memory."""
    size = sum(path.stat().st_size * (GZ_FACTOR if is_packed(path) else 1) for path in paths)
    return size <= min(psutil.virtual_memory().available // MEMORY_SHARE, MOST_CHARACTERS)


def prepared_beside(out):
    """Return the path of the folder in which more text than the memory should hold is prepared."""
    return out.with_name(f"{out.name}.prepared")


def prepare_beside(paths, out, min_freq, split):
    """Prepare files in a folder beside `out`, which stays, and return it; a line says so."""
    folder = prepared_beside(out)
    print(f"more text than the memory should hold: it is prepared in {folder}, which stays there")
    prepare(paths, folder, MIN_FREQ if min_freq is None else min_freq, split=split)
    return folder


def loss_line(loss, held_out, blocks):
    """Say the losses of a training beside its yardsticks."""
    beside = "; ".join(f"{name}: {value:.4f}" for name, value in yardsticks(blocks).items())
    return f"loss {loss:.4f}, {told_held_out(held_out)} ({beside})"


def speed_line(num_words, num_epochs, seconds):
    """Say how fast a training was, in words of its text, common and unknown ones too."""
    speed = num_words * num_epochs / seconds
    return f"{num_epochs} epochs of {num_words:,} words in {seconds:.1f} s: {speed:,.0f} words of the text per second"


class TextHistory(ResumableHistory):
    """A ResumableHistory for a terminal: its bar tells words of the text per second and the time that is left."""

    def __init__(self, blocks, *arguments):
        super().__init__(blocks, *arguments)
        self.bar.bar_format = BAR

    def after_step(self):
        speed = self.step / len(self.data_iter) * len(self.data_iter.ids) / self.seconds
        self.bar.set_postfix_str(f"{speed:,.0f} words/s", refresh=False)
        super().after_step()

    def __str__(self):
        speed = speed_line(len(self.data_iter.ids), len(self), sum(epoch.seconds for epoch in self))
        return f"{loss_line(self[-1].loss, self[-1].held_out, self.data_iter)}\n{speed}"


def train_text(
    corpus, out, embed_size, lr, num_epochs, max_window_size, num_noise_words, min_freq, seed, num_workers, checkpoint_path,
    split="letters",
):  # fmt: skip
    """Train on a text in this process, or in `num_workers`, and write the vectors to `out`; returns the History.

    `corpus` is what `find_texts` returns, `min_freq` None takes that of a prepared text, else MIN_FREQ. A checkpoint is
    removed when the vectors are written. Errors are those of `load_blocks`, `train_blocks` and `write_vectors`.
    """
    if min_freq is None:
        min_freq = PreparedText(corpus).min_freq if is_prepared(corpus) else MIN_FREQ
    blocks, vocab = load_blocks(corpus, max_window_size, num_noise_words, seed, min_freq, split)
    require_fit_words(out, vocab.idx_to_token[1:])
    net = model_from_tables(*word2vec_tables(len(vocab), embed_size, seed))
    history = train_blocks(net, blocks, lr, num_epochs, num_workers, checkpoint_path, TextHistory)
    settings = {
        "corpus": blocks.corpus, "max_window_size": max_window_size, "num_noise_words": num_noise_words, "min_freq": min_freq,
        "embed_size": embed_size, "lr": lr, "num_epochs": num_epochs, "seed": seed, "num_workers": num_workers, "trainer": "blocks",
        "epochs": [epoch._asdict() for epoch in history],
    }  # fmt: skip
    write_vectors(out, *to_arrays(net), vocab.idx_to_token, settings)
    if checkpoint_path is not None:
        remove_checkpoint(checkpoint_path)
    print(written_line(out, len(vocab), embed_size))
    return history


def written_line(out, vocab_size, embed_size):
    """Say what a file of vectors holds."""
    has_both = require_suffix(out) == ".safetensors"
    both, size = ("both tables of", vocab_size) if has_both else ("the table of centers,", vocab_size - 1)
    return f"{out}: {both} {size:,} words and {embed_size} numbers each"
