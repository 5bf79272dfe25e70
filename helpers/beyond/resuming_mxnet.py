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
    (adam,) = optimizer._updaters  # one for each device
    state = dict(zip(TABLES, to_arrays(net)))
    for number, (name, layer) in enumerate(zip(TABLES, net)):
        zeros = mx.nd.zeros(layer.weight.shape)
        mean, mean_square = adam.states.get(number, (zeros, zeros))
        state[f"{name}.mean"] = mean.asnumpy()
        state[f"{name}.mean_square"] = mean_square.asnumpy()
        steps = adam.optimizer._index_update_count.get(number, 0)
        state[f"{name}.steps"] = np.array(steps)
    return state


def set_state(net, optimizer, state):
    """Put back what `get_state` returned, into the model and its optimizer."""
    (adam,) = optimizer._updaters
    for number, (name, layer) in enumerate(zip(TABLES, net)):
        layer.weight.set_data(mx.np.array(state[name]))
        device = layer.weight.data().ctx
        mean = mx.nd.array(state[f"{name}.mean"], device)
        mean_square = mx.nd.array(state[f"{name}.mean_square"], device)
        adam.states[number] = mean, mean_square
        adam.states_synced[number] = True
        steps = int(state[f"{name}.steps"])
        adam.optimizer._index_update_count[number] = steps


def resumable_train(net, data_iter, lr, num_epochs, device=None, step=train_batch, checkpoint_path=None):
    """Train as `train` does, to the same bits, and keep the training's state in a file, from which the same call resumes.

    With a `checkpoint_path` the state is written to that .safetensors file at the start, at the end of each epoch, and every
    half minute; where the file is there already, the training resumes from it, to the same bits on the same machine's CPU.
    `step` must be a function with a name, which the file holds.
    Raises ValueError for a checkpoint of another training or a damaged one, OSError for one that can't be written, and
    FloatingPointError if the training diverges: the model then has the tables that were kept last. Returns the History.
    """
    require_positive(lr=lr)
    require_whole_numbers(num_epochs=num_epochs)
    device = get_device(device)
    net.collect_params().reset_ctx(device)
    optimizer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": lr})
    state = partial(get_state, net, optimizer), partial(set_state, net, optimizer)
    method = f"Adam, {step.__name__}, mxnet {mx.__version__}"
    checkpoint = Checkpoint(checkpoint_path, *state, method=method, lr=lr)
    history = ResumableHistory(data_iter, num_epochs, device, checkpoint)
    with history.recording():
        for _ in range(len(history), num_epochs):
            for batch in history.batches():
                losses = step(net, batch, optimizer, device)
                history.add(losses, batch[2].as_in_ctx(device))
            history.end_epoch(held_out_loss(net, data_iter.held_out, device))
    return history
