"""A training that can be stopped and resumed to the same bits. MXNet; taught in `13_checkpoints`."""

from functools import partial

import mxnet as mx
import numpy as np
from mxnet import gluon

from helpers.arguments import require_positive, require_whole_numbers
from helpers.beyond.checkpoints import TABLES, Checkpoint, ResumableHistory
from helpers.model_mxnet import get_device, held_out_loss, to_arrays, train_batch


def get_state(net, optimizer):
    """Return copies of all that a training's next steps depend on, {name: array}: the tables, Adam's two means and its count.

    MXNet has no public way to the count, and its own files of states can run code when they are read.
    """
    state = dict(zip(TABLES, to_arrays(net)))
    for number, (name, layer) in enumerate(zip(TABLES, net)):
        zeros = [mx.nd.zeros(layer.weight.shape)] * 2  # before the first step
        mean, mean_square = optimizer._updaters[0].states.get(number, zeros)
        state |= {f"{name}.mean": mean.asnumpy(), f"{name}.mean_square": mean_square.asnumpy()}
        state[f"{name}.steps"] = np.array(optimizer._optimizer._index_update_count.get(number, 0))
    return state


def set_state(net, optimizer, state):
    """Put back what `get_state` returned, into the model and its optimizer."""
    for number, (name, layer) in enumerate(zip(TABLES, net)):
        layer.weight.set_data(mx.np.array(state[name]))
        means = (mx.nd.array(state[f"{name}.{part}"], layer.weight.data().ctx) for part in ("mean", "mean_square"))
        updater = optimizer._updaters[0]
        updater.states[number], updater.states_synced[number] = tuple(means), True
        optimizer._optimizer._index_update_count[number] = int(state[f"{name}.steps"])


def resumable_train(net, data_iter, lr, num_epochs, device=None, step=train_batch, checkpoint_path=None):
    """Train as `train` does, to the same bits, and keep the training's state in a file, from which the same call resumes.

    With a `checkpoint_path` the state is written to that .safetensors file at the start, at the end of each epoch, and every
    half minute; where the file is there already, the training resumes from it, to the same bits on the same machine.
    Raises ValueError for a checkpoint of another training or a damaged one, OSError for one that can't be written, and
    FloatingPointError if the training diverges: the model then has the tables that were kept last. Returns the History.
    """
    require_positive(lr=lr)
    require_whole_numbers(num_epochs=num_epochs)
    device = get_device(device)
    net.collect_params().reset_ctx(device)
    optimizer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": lr})
    state = partial(get_state, net, optimizer), partial(set_state, net, optimizer)
    checkpoint = Checkpoint(checkpoint_path, *state, method=f"Adam, {step.__name__}, mxnet {mx.__version__}", lr=lr)
    history = ResumableHistory(data_iter, num_epochs, device, checkpoint)
    with history.recording():
        for _ in range(len(history), num_epochs):
            for batch in history.batches():
                losses = step(net, batch, optimizer, device)
                history.add(losses, batch[2].as_in_ctx(device))
            history.end_epoch(held_out_loss(net, data_iter.held_out, device))
    return history
