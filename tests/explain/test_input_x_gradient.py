"""Input times gradient where the answer is known."""

import torch
from torch import nn

import pellucid as pl


def test_of_a_linear_score_it_is_weight_times_input(cat: pl.Photo) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 7, 2))
    net = pl.Network(module, size=(6, 7))
    inputs = net.prepare(cat)[0]
    wanted = module[1].weight[1].detach().reshape(3, 6, 7) * inputs[0]
    made = pl.input_x_gradient(net, cat, target="class:1", reduce="colour")
    torch.testing.assert_close(made.values[0], wanted)
    signed = pl.input_x_gradient(net, cat, target="class:1")
    torch.testing.assert_close(signed.values, wanted.sum(0))


def test_of_rectifiers_without_biases_it_adds_up_to_the_score(cat: pl.Photo) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 5, bias=False), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 6, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3, bias=False),
    )  # fmt: skip
    module(torch.zeros(1, 3, 24, 20))
    net = pl.Network(module.double(), size=(24, 20))
    for target in range(3):
        score = float(net.scores(net.prepare(cat)[0]).detach()[0, target])
        made = pl.input_x_gradient(net, cat, target=str(target))
        assert abs(float(made.values.double().sum()) - score) < 1e-5 * abs(score)
