"""A training that can be stopped and resumed to the same bits. PyTorch; taught in `13_checkpoints`."""

from functools import partial

import numpy as np
import torch

from helpers.arguments import require_positive, require_whole_numbers
from helpers.beyond.checkpoints import TABLES, Checkpoint, ResumableHistory
from helpers.model_pytorch import get_device, held_out_loss, to_arrays, train_batch


def get_state(net, optimizer):
    """Return copies of all that a training's next steps depend on, {name: array}: the tables, Adam's two means and its count.

    Before the first step the means and the count are 0.
    """
    state = dict(zip(TABLES, to_arrays(net)))
    for name, layer in zip(TABLES, net):
        zeros = torch.zeros_like(layer.weight)
        adam = optimizer.state[layer.weight] or {"exp_avg": zeros, "exp_avg_sq": zeros}
        state[f"{name}.mean"] = adam["exp_avg"].detach().cpu().numpy().copy()
        state[f"{name}.mean_square"] = adam["exp_avg_sq"].detach().cpu().numpy().copy()
        state[f"{name}.steps"] = np.array(int(adam.get("step", 0)))
    return state


def set_state(net, optimizer, state):
    """Put back what `get_state` returned, into the model and its optimizer."""
    for name, layer in zip(TABLES, net):
        layer.weight.data.copy_(torch.from_numpy(state[name]))
        adam = optimizer.state[layer.weight]
        device = layer.weight.device
        adam["exp_avg"] = torch.tensor(state[f"{name}.mean"], device=device)
        adam["exp_avg_sq"] = torch.tensor(state[f"{name}.mean_square"], device=device)
        adam["step"] = torch.tensor(float(state[f"{name}.steps"]))


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
    optimizer = torch.optim.Adam(net.to(device).parameters(), lr=lr)
    state = partial(get_state, net, optimizer), partial(set_state, net, optimizer)
    method = f"Adam, {step.__name__}, torch {torch.__version__}"
    checkpoint = Checkpoint(checkpoint_path, *state, method=method, lr=lr)
    history = ResumableHistory(data_iter, num_epochs, device, checkpoint)
    with history.recording():
        for _ in range(len(history), num_epochs):
            for batch in history.batches():
                losses = step(net, batch, optimizer, device)
                history.add(losses, batch[2].to(device))
            history.end_epoch(held_out_loss(net, data_iter.held_out, device))
    return history
