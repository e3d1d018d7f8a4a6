"""What all gradient methods share: noisy copies, batches, colours, and what they refuse."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
import planted
from lively import lively
from pellucid.explain import gradient
from pellucid.method import Method

METHODS: dict[str, Method[Any]] = {
    "saliency": pl.saliency,
    "input_x_gradient": pl.input_x_gradient,
    "integrated": pl.integrated,
    "guided": pl.guided,
    "deconv": pl.deconv,
}
PHOTOS = ["photo:cat", "photo:horse"]
each = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def settings(method: Method[Any]) -> dict[str, Any]:
    return {"steps": 4} if "steps" in method.options else {}


@each
def test_one_copy_without_noise_is_the_method_itself(method: Method[Any], tiny: pl.Network) -> None:
    plain = method(tiny, "photo:cat", target="bee", **settings(method))
    for noise in (None, 0):
        made = method(tiny, "photo:cat", target="bee", smooth=1, noise=noise, **settings(method))
        assert torch.equal(made.values, plain.values)
    inputs = tiny.prepare(pl.open_image("photo:cat"))[0].requires_grad_()
    with tiny.at_rest():
        (wanted,) = torch.autograd.grad(tiny.scores(inputs)[0, 1], inputs)
    if method is pl.saliency:
        assert torch.equal(plain.values, wanted[0].abs().amax(0))


@each
def test_the_copies_are_the_photo_with_noise_and_their_mean_is_taken(
    method: Method[Any], tiny: pl.Network, cat: pl.Photo
) -> None:
    """SmoothGrad by its formula: signed gradients of copies averaged, whose sizes come later."""
    net = tiny
    inputs = net.prepare(cat)[0]
    deviation = 0.15 * float(inputs.max() - inputs.min())
    torch.manual_seed(5)
    photos = [inputs + deviation * torch.randn(inputs.shape[1:]) for _ in range(3)]
    # Photos whose pixels, once prepared, are these: the network takes them as they are.
    ready = pl.Network(net.module, size=(20, 28), mean=[0.0], std=[1.0], labels=net.labels)
    settled = {**settings(method), "reduce": "signed"}
    if "baseline" in method.options:
        settled["baseline"] = "zero"
    wanted = torch.stack([_of(method, ready, photo, **settled) for photo in photos]).mean(0)
    made = method(net, cat, target="bee", smooth=3, seed=5, **settled)
    torch.testing.assert_close(made.values, wanted, rtol=1e-4, atol=1e-6)
    sizes = method(net, cat, target="bee", smooth=3, seed=5, **{**settled, "reduce": "sum"})
    assert torch.equal(sizes.values, made.values.abs())  # grey: one channel
    assert "on average of 3 noisy copies" in made.caption
    other = method(net, cat, target="bee", smooth=3, **settled)
    assert other.caption != made.caption
    # Without pooling the deconvnet does not look at the photo at all.
    assert torch.equal(other.values, made.values) == (method is pl.deconv)


def _of(method: Method[Any], net: pl.Network, inputs: Tensor, **settled: Any) -> Tensor:
    """A method's map of an input that no photo could be."""
    photo = pl.open_image(torch.zeros(3, 20, 28))
    with pytest.MonkeyPatch.context() as patch:
        frame = net.prepare(photo)[1]
        patch.setattr(net, "prepare", lambda photo: (inputs, frame))
        made: Tensor = method(net, photo, target="bee", **settled).values
    return made


@each
def test_batches_of_any_size_make_the_same(
    method: Method[Any], tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"target": "ant; bee; block:2", "smooth": 5, **settings(method)}
    whole = method(tiny, PHOTOS, **asked)
    assert not list(method.steps(tiny, PHOTOS, **asked)) or "steps" in asked
    for count in (1, 3):
        monkeypatch.setattr(gradient, "MOST_NUMBERS", {"cpu": count * 20 * 28})
        made = method(tiny, PHOTOS, **asked)
        torch.testing.assert_close(made.values, whole.values, rtol=1e-4, atol=1e-7)
        steps = list(method.steps(tiny, PHOTOS, **asked))
        # Of an integral the values at both ends are wanted as well, along with its gradients.
        slopes, images = (40, 60) if "steps" in asked else (10, 10)
        assert len(steps) == -(-slopes // count)
        assert steps[-1].done == steps[-1].total == images


@each
def test_less_memory_makes_smaller_batches(method: Method[Any], tiny: pl.Network) -> None:
    asked = {"target": "bee", "smooth": 5, **settings(method)}
    whole = method(tiny, PHOTOS, **asked)

    def full(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if len(inputs[0]) > 2:
            raise torch.OutOfMemoryError("as if")

    tiny.module.stem.register_forward_pre_hook(full)
    made = method(tiny, PHOTOS, **asked)
    torch.testing.assert_close(made.values, whole.values, rtol=1e-4, atol=1e-7)
    tiny.module.stem.register_forward_pre_hook(lambda *_: (_ for _ in ()).throw(_full()))
    with pytest.raises(torch.OutOfMemoryError):
        method(tiny, PHOTOS, **asked)


def _full() -> Exception:
    return torch.OutOfMemoryError("as if there were none at all")


@each
def test_several_photos_and_targets_are_each_as_alone(
    method: Method[Any], tiny: pl.Network
) -> None:
    targets = ["ant", "block:3@2,5", "norm:1"]
    made = method(tiny, PHOTOS, target=targets, **settings(method))
    for row, photo in enumerate(PHOTOS):
        for column, target in enumerate(targets):
            alone = method(tiny, photo, target=target, **settings(method))
            one = made[row, column]
            torch.testing.assert_close(one.values, alone.values, rtol=1e-4, atol=1e-7)
            assert one.facts.keys() == alone.facts.keys()


@each
def test_all_lies_on_the_evidence_of_a_planted_network(method: Method[Any]) -> None:
    net, photo = planted.network(), planted.photo()
    for dot, other in (("left", "right"), ("right", "left")):
        made = method(net, photo, target=dot)
        assert planted.share(made.values, dot) > 0.999
        assert planted.share(made.values, other) < 0.001
        smoothed = method(net, photo, target=dot, smooth=4, noise=0.02)
        assert planted.share(smoothed.values, dot) > 0.999


@each
def test_in_colour_it_is_a_signed_picture(method: Method[Any], bundled: pl.Network) -> None:
    asked = {"target": "0; 1", **settings(method)}
    made = method(bundled, PHOTOS, reduce="colour", **asked)
    assert made.values.shape == (4, 3, 112, 112) and bool((made.values < 0).any())
    assert made.names == ("class:Faces", "class:Faces_easy") * 2
    one = method(bundled, PHOTOS[1], reduce="colour", **{**asked, "target": "0"})
    torch.testing.assert_close(one.values[0], made.values[2], rtol=1e-4, atol=1e-6)
    for reduce, wanted in (
        ("max", one.values.abs().amax(1)),
        ("sum", one.values.abs().sum(1)),
        ("signed", one.values.sum(1)),
    ):
        map_ = method(bundled, PHOTOS[1], reduce=reduce, **{**asked, "target": "0"})
        torch.testing.assert_close(map_.values, wanted[0])
    top, left, bottom, right = one.frames[0].view()
    assert 0.4 < float(one.image()[:, top:bottom, left:right].median()) < 0.6  # where nothing is


@each
@pytest.mark.parametrize("reduce", ["max", "signed", "colour"])
def test_a_gradient_of_zero_is_said_and_no_noise_is_drawn(
    method: Method[Any], reduce: str, tiny: pl.Network
) -> None:
    nn.init.zeros_(tiny.module.head.weight)
    made = method(tiny, "photo:cat", target="bee", reduce=reduce, **settings(method))
    assert made.caption.endswith(": zero everywhere, no pixel changes it")
    assert not made.values.any()
    if reduce != "colour":
        red, green, blue = made.over().image()
        assert torch.equal(red, green) and torch.equal(green, blue)  # the grey photo alone


@each
def test_what_is_not_finite_is_refused(method: Method[Any], tiny: pl.Network) -> None:
    nn.init.constant_(tiny.module.head.bias, torch.inf)
    with pytest.raises(pl.PellucidError, match="is inf: the network's values overflow"):
        method(tiny, "photo:cat", target="bee", **settings(method))


@each
def test_of_neurons_and_tokens_of_a_transformer(method: Method[Any], cat: pl.Photo) -> None:
    net = lively("vit_b_16", 224)
    layer = "encoder.layers.encoder_layer_1"
    asked = {"target": f"{layer}:7@3,10; {layer}:7@token0", **settings(method)}
    made = method(net, cat, **{**asked, **({"steps": 1} if "steps" in asked else {})})
    assert made.values.shape == (1, 2, 224, 224)
    assert bool(made.values.flatten(2).any(2).all())
    assert "2 of 2 rectifiers" in made[0, 0].caption or "hard rectifiers" not in made.facts


def test_wrong_settings_are_refused(tiny: pl.Network, cat: pl.Photo) -> None:
    for wrong in ({"smooth": 0}, {"noise": -0.1}, {"reduce": "colours"}, {"target": "layre"}):
        with pytest.raises(pl.PellucidError):
            pl.guided(tiny, cat, **wrong)
    with pytest.raises(pl.PellucidError, match="did you mean 'black'"):
        pl.integrated(tiny, cat, baseline="blakc")


def test_colour_pictures_lie_on_their_photos_and_stand_beside_them(
    tiny: pl.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = pl.saliency(tiny, PHOTOS[1], target="0", reduce="colour")
    height, width = one.photos[0].size
    assert one.image().shape == (3, height, width)
    lettered: list[str] = []
    monkeypatch.setattr("pellucid.tiles.fitted", lambda text, *size: lettered.append(text) or text)
    beside = [pl.saliency(tiny, PHOTOS, target="0; 1", reduce=how) for how in ("colour", "max")]
    tables = [each.image() for each in beside]
    assert lettered[:6] == lettered[6:] == [
        "cat", *beside[0].names[:2], "horse", *beside[0].names[2:]
    ]  # fmt: skip
    assert tables[0].shape == tables[1].shape
    assert torch.equal(tables[0][:, :, :220], tables[1][:, :, :220])  # the photos


@pytest.mark.parametrize(
    "ask",
    [
        lambda net, photo: pl.saliency(net, photo, target=1, smooth=3, seed=4),
        lambda net, photo: pl.integrated(
            net, photo, target=1, steps=3, baseline="noise", noise=0.1
        ),
    ],
)
def test_a_photo_among_others_has_the_same_noise_as_alone(bundled: pl.Network, ask: Any) -> None:
    photos = ("photo:cat", "photo:rocket")
    together = ask(bundled, photos)
    for row, photo in enumerate(photos):
        alone = ask(bundled, photo).values
        torch.testing.assert_close(
            together[row, 0].values, alone, rtol=1e-3, atol=1e-4 * float(alone.abs().max())
        )
