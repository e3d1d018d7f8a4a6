"""Sensitivity against Captum, and where the answer is known."""

import pytest
import torch
from torch import nn

import pellucid as pl
from pellucid.explain.sensitivity import Shaken, changes


def linear() -> pl.Network:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 5 * 6, 2))
    return pl.Network(module, size=(5, 6), mean=[0.4, 0.5, 0.6], std=[0.2, 0.25, 0.5])


def test_the_noise_is_as_large_as_said_and_the_same_each_time(cat: pl.Photo) -> None:
    net = linear()
    shaken = Shaken.of(net, 0.1)
    clean, frame = net.prepare(cat)
    noisy, other = shaken.prepare(cat)
    assert other == frame and torch.equal(noisy, shaken.prepare(cat)[0])
    pixels = net.preprocess.denormalise(noisy) - net.preprocess.denormalise(clean)
    assert 0.08 < float(pixels.abs().max()) <= 0.1 + 1e-6
    assert pixels.std() == pytest.approx(0.1 / 3**0.5, rel=0.2)
    assert torch.equal(net.prepare(cat)[0], clean)


def test_the_gradient_of_a_linear_network_does_not_change(cat: pl.Photo) -> None:
    net = linear()

    def explain(network: pl.Network) -> torch.Tensor:
        return pl.saliency(network, cat, target="class:1").values

    assert list(changes(net, explain, explain(net), 0.3, 3)) == [0, 0, 0]


@pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require:UserWarning")
def test_is_the_max_sensitivity_of_captum(cat: pl.Photo) -> None:
    """The same noises, handed to both."""
    from captum.attr import Saliency
    from captum.metrics import sensitivity_max

    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 3 * 4, 2)
    ).eval()
    net = pl.Network(module, size=(5, 6))
    inputs, _ = net.prepare(cat)
    noises: list[torch.Tensor] = []

    def explain(network: pl.Network) -> torch.Tensor:
        if isinstance(network, Shaken):
            noises.append(network.noise)
        # As Captum has it: all colours, not the greatest of them.
        given = network.prepare(cat)[0].requires_grad_()
        (gradient,) = torch.autograd.grad(network.scores(given)[0, 1], given)
        return gradient[0].abs().flatten(1)

    ours = max(changes(net, explain, explain(net), 0.05, 4))
    waiting = iter(noises)
    theirs = sensitivity_max(
        Saliency(module).attribute,
        inputs,
        perturb_func=lambda given: given + next(waiting).to(given),
        n_perturb_samples=4,
        max_examples_per_batch=1,
        target=1,
    )
    assert ours > 0.01
    assert ours == pytest.approx(float(theirs[0]), rel=1e-4)


def test_of_a_map_of_zeros_the_change_itself(cat: pl.Photo) -> None:
    net = linear()
    found = changes(net, lambda _: torch.full((2, 2), 0.5), torch.zeros(2, 2), 0.1, 1)
    assert list(found) == [1.0]
