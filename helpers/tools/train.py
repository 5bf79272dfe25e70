"""Train on prepared text in several processes, on one machine or many: `python -m helpers.tools.train --help`."""

import datetime
import os
import socket
import sys
import tempfile

import click
import torch.distributed as dist
import torch.multiprocessing

from helpers.arguments import require_positive
from helpers.beyond.scale.ranks import METHODS, train_ranks


@click.command(context_settings={"max_content_width": 100})
@click.option("--corpus", required=True, type=click.Path(), help="Folder that helpers.tools.prepare made.")
@click.option("--out", required=True, type=click.Path(file_okay=False), help="Folder for checkpoint, vectors and summary.")
@click.option("--embed-size", default=100, show_default=True, type=click.IntRange(1))
@click.option("--lr", default=0.025, show_default=True, type=float, help="The rate that falls in a line to 0.")
@click.option("--num-epochs", default=12, show_default=True, type=click.IntRange(1))
@click.option("--max-window-size", default=5, show_default=True, type=click.IntRange(1))
@click.option("--num-noise-words", default=5, show_default=True, type=click.IntRange(1))
@click.option("--min-freq", type=click.IntRange(0), help="Rarer words count as unknown.  [default: as prepared]")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1))
@click.option("--method", default="average", show_default=True, type=click.Choice(list(METHODS)), help="How the ranks come together.")
@click.option(
    "--exchange-pieces", default=16, show_default=True, type=click.IntRange(1), help="Pieces of 32,768 tokens between two exchanges."
)
@click.option("--timeout", default=120, show_default=True, type=click.IntRange(1), help="Seconds to wait for a rank that does not answer.")
@click.option("--ranks", type=click.IntRange(1), help="Without torchrun: start so many ranks here, which listen on loopback alone.")
def main(timeout, ranks, **settings):
    """Train word vectors on prepared text, in several ranks, each on its own shards.

    On one machine: python -m helpers.tools.train --ranks 2 --corpus DIR --out DIR. On several torchrun starts the ranks, without
    --ranks. The same command goes on from the last checkpoint; with TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 in front and
    --max-restarts 3 torchrun does so itself when a rank dies. torchrun and its ranks trust everybody who can reach them.
    """
    if ("RANK" in os.environ) == (ranks is not None):
        raise click.UsageError("say how many ranks to start, with --ranks, or let torchrun start this, without it")
    if int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", 0)) and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == str(True):
        raise click.UsageError(
            "with --max-restarts, set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 for torchrun: else ranks that it starts again find the "
            "addresses of those before, and wait (https://github.com/pytorch/pytorch/issues/135712)"
        )
    if ranks is None:
        raise SystemExit(run_rank(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), "env://", timeout, settings))
    os.environ["GLOO_SOCKET_IFNAME"] = "lo0" if sys.platform == "darwin" else "lo"
    with tempfile.TemporaryDirectory() as folder:
        context, meeting = torch.multiprocessing.get_context("spawn"), f"file://{folder}/meeting"
        processes = [context.Process(target=start_rank, args=(rank, ranks, meeting, timeout, settings)) for rank in range(ranks)]
        for process in processes:
            process.start()
        try:
            for process in processes:
                process.join()
        except KeyboardInterrupt:  # the ranks get it too, and say so
            for process in processes:
                process.join()
    raise SystemExit(int(any(process.exitcode for process in processes)))


def start_rank(*arguments):
    """Be a process that is one rank."""
    raise SystemExit(run_rank(*arguments))


def run_rank(rank, num_ranks, meeting, timeout, settings):
    """Train as one rank of so many, which find each other at `meeting`; returns the exit code. An error is one line."""
    who, again = f"rank {rank} on {socket.gethostname()}", f"the same command goes on from the last checkpoint in {settings['out']}"
    try:
        require_positive(lr=settings["lr"])
        dist.init_process_group("gloo", meeting, datetime.timedelta(seconds=timeout), num_ranks, rank)
        train_ranks(**settings)
        dist.barrier()
        return 0
    except (ValueError, FloatingPointError) as error:
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
