"""Integrated gradients where the integral is known, and against a slow sum."""

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.explain.baseline import baseline_of


class Polynomial(nn.Module):
    """Each pixel to a power, times a weight; the integral of which is known."""

    def __init__(self, power: int) -> None:
        super().__init__()
        self.power = power
        torch.manual_seed(0)
        self.weight = nn.Parameter(torch.randn(3, 6, 7, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return (self.weight * x**self.power).sum((1, 2, 3))[:, None]


@pytest.mark.parametrize("baseline", ["black", "white", "mean", "zero", "blur", "noise"])
@pytest.mark.parametrize("power", [1, 2, 5])
def test_of_a_polynomial_it_is_the_difference_of_each_pixel(
    power: int, baseline: str, cat: pl.Photo
) -> None:
    """Half as many steps as the power are exact: Gauss and Legendre's."""
    net = pl.Network(Polynomial(power), size=(6, 7))
    inputs = net.prepare(cat)[0]
    torch.manual_seed(0)  # for the noise, as the method has it
    start = baseline_of(baseline, inputs, net.preprocess)
    wanted = net.module.weight.detach() * (inputs**power - start**power)[0]
    made = pl.integrated(
        net, cat, target="0", baseline=baseline, steps=(power + 1) // 2, reduce="colour"
    )
    torch.testing.assert_close(made.values[0], wanted.float())
    assert abs(made.facts["difference"] - float(wanted.sum())) < 1e-9 * float(wanted.abs().sum())
    assert abs(made.facts["completeness_error"]) < 1e-9 * float(wanted.abs().sum())


def test_the_baselines_are_what_they_are_called(cat: pl.Photo) -> None:
    net = pl.Network(nn.Identity(), size=(64, 48))
    inputs = net.prepare(cat)[0]
    torch.manual_seed(0)
    made = {
        name: net.preprocess.denormalise(baseline_of(name, inputs, net.preprocess))[0]
        for name in ("black", "white", "mean", "zero", "blur", "noise")
    }
    photo = net.preprocess.denormalise(inputs)[0]
    assert float(made["black"].abs().max()) < 1e-6
    assert float((made["white"] - 1).abs().max()) < 1e-6
    torch.testing.assert_close(made["mean"][:, 5, 7], photo.mean((1, 2)))
    torch.testing.assert_close(made["zero"][:, 5, 7], torch.tensor([0.485, 0.456, 0.406]))
    assert 0 <= float(made["noise"].min()) < 0.01 and 0.99 < float(made["noise"].max()) <= 1
    rough, smooth = (image.diff(dim=2).abs().mean() for image in (photo, made["blur"]))
    assert smooth < 0.6 * rough
    torch.testing.assert_close(made["blur"].mean((1, 2)), photo.mean((1, 2)), atol=0.05, rtol=0)


def test_is_the_paper_s_sum_over_many_small_steps(tiny: pl.Network, cat: pl.Photo) -> None:
    """A slow twin: a thousand even steps; and the error in the result is the true one."""
    tiny.module.eval()
    inputs = tiny.prepare(cat)[0]
    start = tiny.preprocess.normalise(torch.zeros_like(inputs))
    total = torch.zeros_like(inputs)
    for place in (torch.arange(1000) + 0.5) / 1000:
        image = (start + place * (inputs - start)).requires_grad_()
        total += torch.autograd.grad(tiny.scores(image)[0, 3], image)[0] / 1000
    wanted = (total * (inputs - start))[0, 0]
    made = pl.integrated(tiny, cat, target="dog", steps=400)
    assert float((made.values - wanted).abs().sum() / wanted.abs().sum()) < 0.01
    with torch.no_grad():
        scores = tiny.scores(torch.cat([inputs, start]))[:, 3]
    assert abs(made.facts["difference"] - float(scores[0] - scores[1])) < 1e-6
    left = float(made.values.sum()) - made.facts["difference"]
    assert abs(made.facts["completeness_error"] - left) < 1e-6


def test_more_steps_leave_a_smaller_error(bundled: pl.Network, cat: pl.Photo) -> None:
    errors = [
        abs(pl.integrated(bundled, cat, target="7", steps=steps).facts["completeness_error"])
        for steps in (2, 30)
    ]
    assert errors[1] < errors[0] / 3


def test_the_error_is_in_caption_and_data(tiny: pl.Network, cat: pl.Photo) -> None:
    made = pl.integrated(tiny, cat, target="bee", steps=2)
    whole = made.facts["difference"]
    more = "less" if whole < 0 else "more"
    assert f"it is {abs(whole):.4g} {more} than on the baseline (black)" in made.caption
    assert f"adds up to {whole + made.facts['completeness_error']:.4g}" in made.caption
    assert made.data()["facts"] == made.facts
    several = pl.integrated(tiny, [cat, "photo:horse"], target="bee; ant", steps=2)
    assert several.facts["difference"][0][0] == pytest.approx(whole, rel=1e-4)
    assert several[1, 1].facts.keys() == made.facts.keys()
