"""The gradients written by hand: against the NumPy reference, autograd, and a training by autograd, in both frameworks."""

import numpy as np
import pytest

from helpers import model_pytorch
from tests.reference import Adam, loss_and_gradients, random_batch
from tests.test_models import VOCAB_SIZE, adam, in_framework, new_tables
from tests.training import beyond


def gradients_of(model, net):
    if model is model_pytorch:
        return [layer.weight.grad.numpy().copy() for layer in net]
    return [layer.weight.grad().asnumpy() for layer in net]


def autograd_of(model, net, batch):
    """Row losses and both gradients as the framework finds them itself."""
    device = model.get_device("cpu")
    if model is model_pytorch:
        net.zero_grad()
        losses = model.batch_loss(net, batch, device)
        losses.sum().backward()
        return losses.detach().numpy(), gradients_of(model, net)
    with model.autograd.record():
        losses = model.batch_loss(net, batch, device)
    losses.backward()
    return losses.asnumpy(), gradients_of(model, net)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("batch_size", [6, 150])  # more than are computed at once
def test_losses_and_both_gradients_are_those_of_the_reference_and_of_autograd(model, seed, batch_size):
    rng = np.random.default_rng(seed)
    tables = new_tables(rng)
    batch = random_batch(rng, VOCAB_SIZE, batch_size)
    losses, *gradients = loss_and_gradients(*(table.astype(np.float64) for table in tables), *batch)
    net = model.model_from_tables(*tables)
    for _ in range(2):  # the second time the gradients of the first must be gone
        found = beyond(model, "gradients").loss_and_gradients(net, in_framework(model, batch), model.get_device("cpu"))
        np.testing.assert_allclose([float(loss) for loss in found], losses, atol=1e-5)
        for gradient, wanted in zip(gradients_of(model, net), gradients):
            np.testing.assert_allclose(gradient, wanted, atol=1e-5)
    by_autograd = autograd_of(model, net, in_framework(model, batch))
    np.testing.assert_allclose([float(loss) for loss in found], by_autograd[0], atol=1e-5)
    for wanted, gradient in zip(by_autograd[1], gradients):
        np.testing.assert_allclose(gradient, wanted, atol=1e-5)
    for table, wanted in zip(model.to_arrays(net), tables):
        np.testing.assert_array_equal(table, wanted)


def test_each_derivative_is_the_predicted_probability_minus_the_label_times_its_weight(model):
    rng = np.random.default_rng(1)
    embed_v, embed_u = new_tables(rng)
    center, words, mask, label = batch = random_batch(rng, VOCAB_SIZE)
    net = model.model_from_tables(embed_v, embed_u)
    _, derivative = beyond(model, "gradients").losses_and_derivatives(net, in_framework(model, batch))
    scores = (embed_v[center] * embed_u[words]).sum(axis=2)
    wanted = (1 / (1 + np.exp(-scores)) - label) * mask / mask.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(derivative.numpy() if model is model_pytorch else derivative.asnumpy(), wanted, atol=1e-6)


def test_twenty_steps_of_adam_are_those_of_train_batch_and_of_the_reference(model):
    rng = np.random.default_rng(7)
    start = new_tables(rng)
    wanted = [table.astype(np.float64) for table in start]
    reference = Adam(wanted, 0.05)
    nets = [model.model_from_tables(*start) for _ in range(2)]
    optimizers = [adam(model, net, 0.05) for net in nets]
    steps = model.train_batch, beyond(model, "gradients").fast_train_batch
    for _ in range(20):
        batch = random_batch(rng, VOCAB_SIZE)
        reference.step(loss_and_gradients(*wanted, *batch)[1:])
        losses = [
            step(net, in_framework(model, batch), optimizer, model.get_device("cpu"))
            for step, net, optimizer in zip(steps, nets, optimizers)
        ]
        np.testing.assert_allclose(*([float(loss) for loss in some] for some in losses), rtol=1e-3, atol=1e-5)
    for table, *found in zip(wanted, *map(model.to_arrays, nets)):
        for one in found:
            np.testing.assert_allclose(one, table, atol=1e-3)
