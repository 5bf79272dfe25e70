"""From text to vectors in one line: `python -m helpers.tools.train --help`. What it needs is loaded when it begins."""

import contextlib
import datetime
import multiprocessing.connection
import os
import signal
import socket
import time

import click

from helpers.beyond.words import SPLITS
from helpers.tools.paths import OutsidePath
from helpers.tools.streams import set_up_streams, shown


@click.command(context_settings={"max_content_width": 100})
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option("--out", required=True, type=OutsidePath(), metavar="FILE", help="The vectors, in a new file.")
@click.option("--embed-size", default=100, show_default=True, type=click.IntRange(1), help="Numbers in a vector.")
@click.option("--window", default=5, show_default=True, type=click.IntRange(1), help="Most words to each side that are context.")
@click.option(
    "--noise-words", default=5, show_default=True, type=click.IntRange(1), help="Noise words (negative samples) per context word."
)
@click.option("--epochs", default=16, show_default=True, type=click.IntRange(1), help="Passes through the text; a large one needs fewer.")
@click.option("--min-freq", type=click.IntRange(0), help="Rarer words count as unknown.  [default: 10, or as prepared]")
@click.option("--split", type=click.Choice(SPLITS), default="letters", show_default=True, help="Words of letters, or tokens as they stand.")
@click.option("--lr", type=float, help="The learning rate, which falls in a line to 0.  [default: 0.04; with ranks 0.025]")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1), help="Of all random numbers.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes on one model; no two runs are equal.")
@click.option("--ranks", type=click.IntRange(1), help="Processes with a model each, on a prepared TEXT; they listen nowhere.")
@click.option("--resume", is_flag=True, help="Keep a checkpoint beside FILE, and go on from it. Ranks always do.")
@click.option(
    "--exchange-pieces", default=16, show_default=True, type=click.IntRange(1), help="Ranks: pieces of 32,768 words between two exchanges."
)
@click.option("--timeout", default=120, show_default=True, type=click.IntRange(1), help="Ranks: seconds to wait for a silent one.")
def main(texts, out, lr, min_freq, split, seed, workers, ranks, resume, exchange_pieces, timeout, **sizes):
    """Train word vectors on text of your own: skip-gram with negative sampling, on the CPU.

    A TEXT is a file, plain or .gz, UTF-8, a sentence or paragraph per line; or a pattern such as 'news/*.gz'. Several are
    read one after the other. It may also be the folder of a prepared text (helpers.tools.prepare), or the name of a text
    of the series: ptb, wikipedia. FILE's suffix says its format: .txt and .bin are word2vec's, .tsv is for TensorBoard's
    Projector, .safetensors keeps both tables and the settings.

    \b
      python -m helpers.tools.train my.txt --out vectors.txt
      python -m helpers.tools.train 'news/*.gz' more.txt --out vectors.bin --epochs 5 --resume

    Text is kept in memory if the files, .gz counted five times, are at most a tenth of the free memory (and 2 GB); else
    it is prepared first, in a folder beside FILE. Ctrl-C breaks nothing, and a line says how to go on.

    On several machines torchrun starts the ranks, without --ranks; see docs/scale.md. With --max-restarts 3, and
    TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 in front, it starts them again when one dies, and they go on from the checkpoint.
    torchrun and its ranks trust everybody who can reach them.
    """
    set_up_streams()
    settings = {
        "out": out, "embed_size": sizes["embed_size"], "num_epochs": sizes["epochs"], "max_window_size": sizes["window"],
        "num_noise_words": sizes["noise_words"], "min_freq": min_freq, "seed": seed,
    }  # fmt: skip
    in_ranks = ranks is not None or "RANK" in os.environ
    lr = lr if lr is not None else 0.025 if in_ranks else 0.04
    with told_in_a_line(lambda: "stopped before the training; the same command begins again"):
        from helpers.arguments import require_positive

        require_positive(lr=lr)
        if in_ranks and workers > 1:
            raise ValueError("ranks have no --workers: give more --ranks")
        if in_ranks and split != "letters":
            raise ValueError(f"ranks train on a prepared folder, which has its own split: prepare it with --split {split}")
        if resume and workers > 1:
            raise ValueError("no two runs with several --workers are equal, so --resume is for one")
        if in_ranks:
            require_torchrun_that_restarts(ranks)
        else:
            train_alone(texts, workers, resume, {**settings, "lr": lr, "split": split})
            return
        from helpers.beyond.text_training import require_checkpoint_beside, require_one_prepared

        if ranks or len(texts) > 1:  # those of torchrun look together at all that may differ between machines
            require_one_prepared(texts)
        if ranks:
            require_checkpoint_beside(out, resume=True)
        settings |= {"corpus": texts[0], "lr": lr, "exchange_pieces": exchange_pieces}
    if ranks:
        raise SystemExit(start_ranks(ranks, timeout, settings))
    raise SystemExit(run_rank(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), None, timeout, settings))


@contextlib.contextmanager
def told_in_a_line(stopped):
    """End the command with a line for an error that a user can mend, and with the line that `stopped()` returns for Ctrl-C."""
    try:
        yield
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:
        raise click.ClickException(shown(" ".join(str(error).split()))) from error
    except MemoryError as error:
        raise click.ClickException("there is too little memory: take a smaller --embed-size or a higher --min-freq") from error
    except KeyboardInterrupt:
        raise click.ClickException(stopped()) from None


def require_torchrun_that_restarts(ranks):
    """Raise a ValueError for ranks inside of ranks, and for a torchrun that would start ranks again which can't meet."""
    if ranks is not None and "RANK" in os.environ:
        raise ValueError("torchrun says how many ranks there are: leave --ranks out")
    if int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", 0)) and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == str(True):
        raise ValueError(
            "with --max-restarts, set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 for torchrun: else ranks that it starts again find the "
            "addresses of those before, and wait (https://github.com/pytorch/pytorch/issues/135712)"
        )


def train_alone(texts, workers, resume, settings):
    """Train without ranks, on a text in memory or prepared."""
    from helpers.beyond import text_training as training

    out = settings["out"]
    checkpoint_path = training.require_checkpoint_beside(out, resume)
    corpus = training.find_texts(texts, out)
    goes_on = resume and training.prepared_beside(out).exists()  # whatever memory is free by now
    if isinstance(corpus, list) and (goes_on or not training.fit_in_memory(corpus)):
        with told_in_a_line(lambda: "stopped; what is prepared stays, and the same command goes on from there"):
            corpus = training.prepare_beside(corpus, out, settings["min_freq"], settings["split"])

    def stopped():
        if checkpoint_path is None:
            return "stopped; no vectors were written, but with --resume the same command would go on from where it is stopped"
        how = f"goes on from {checkpoint_path.name}" if checkpoint_path.exists() else "begins again"
        return f"stopped; the same command {how}"

    with told_in_a_line(stopped):
        training.train_text(corpus, num_workers=workers, checkpoint_path=checkpoint_path, **settings)


def start_ranks(ranks, timeout, settings):
    """Start so many ranks on this machine, and wait for their end; returns the exit code."""
    from helpers.beyond.scale.ring import socket_pairs

    context, sockets = multiprocessing.get_context("spawn"), socket_pairs(ranks)
    processes = [context.Process(target=start_rank, args=(rank, ranks, sockets[rank], timeout, settings)) for rank in range(ranks)]
    for process, own in zip(processes, sockets):
        process.start()
        for one in own:
            one.close()  # only the rank keeps it: when that ends, its neighbors see it
    try:
        wait_for_ranks(processes, timeout)
    except KeyboardInterrupt:  # the ranks get it too, and say so
        wait_for_ranks(processes, timeout)
    return int(any(process.exitcode for process in processes))


def wait_for_ranks(processes, timeout):
    """Wait for the end of all ranks, and name one that was killed.

    When one has failed, the others notice within `timeout` seconds; one that is still there then is named and ended.
    """
    waiting, last = dict(enumerate(processes)), None
    while waiting:
        ended = multiprocessing.connection.wait(
            [process.sentinel for process in waiting.values()], None if last is None else max(0, last - time.monotonic())
        )
        for rank, process in list(waiting.items()):
            if process.sentinel not in ended and ended:
                continue
            if not ended:
                click.echo(f"Error: rank {rank} does not answer, and was ended", err=True)
                process.kill()
            process.join()
            del waiting[rank]
            if ended and process.exitcode < 0:
                click.echo(f"Error: rank {rank} was ended by {signal.Signals(-process.exitcode).name}", err=True)
            if process.exitcode and last is None:
                last = time.monotonic() + timeout + 5


def start_rank(*arguments):
    """Be a process that is one rank."""
    from helpers.beyond.parents import end_with_parent

    end_with_parent()
    set_up_streams()
    raise SystemExit(run_rank(*arguments))


def run_rank(rank, num_ranks, sockets, timeout, settings):
    """Train as one rank of so many, in a ring of `sockets`, or for None as torchrun says; returns the exit code. An error is one line."""
    import torch.distributed as dist

    from helpers.beyond.scale.ranks import train_ranks
    from helpers.beyond.scale.ring import join_ring

    who, again = f"rank {rank} on {socket.gethostname()}", f"the same command goes on from the last checkpoint beside {settings['out']}"
    try:
        if sockets is None:
            dist.init_process_group("gloo", "env://", datetime.timedelta(seconds=timeout), num_ranks, rank)
        else:
            join_ring(rank, num_ranks, sockets, timeout)
        train_ranks(**settings)
        return 0
    except (ValueError, FloatingPointError, MemoryError) as error:
        reason = str(error)
    except (RuntimeError, OSError) as error:  # from torch.distributed: a rank is gone, a port is taken
        reason = f"{' '.join(str(error).split())[:300]}; {again}"
    except KeyboardInterrupt:
        reason = f"stopped; {again}"
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
    click.echo(f"Error: {who}: {reason}", err=True)
    return 1


if __name__ == "__main__":
    main()
