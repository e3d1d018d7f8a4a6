"""trust(): what is judged, of which target, and all that its result carries."""

import json

import pytest
import torch
from torch import Tensor, nn

import pellucid as pl
from pellucid.explain.explainers import explainer, explainers
from pellucid.judgement import MEASURES


def test_the_target_is_settled_before_the_network_is_destroyed(
    tiny: pl.Network, cat: pl.Photo
) -> None:
    best = pl.predict(tiny, cat).names[0]
    few = {"stages": 2, "samples": 1, "pieces": 4}
    by_itself, named = (pl.trust(tiny, "saliency", cat, target=t, **few) for t in (None, best))
    assert torch.equal(by_itself.values, named.values) and by_itself.target == f"class:{best}"


def test_any_target_of_one_number(tiny: pl.Network, cat: pl.Photo) -> None:
    few = {"stages": 2, "samples": 1, "pieces": 4}
    for target in ("block:3", "stem:2@4,5", lambda seen: seen["stem"][:, 1].mean((1, 2))):
        found = pl.trust(tiny, "saliency", cat, target=target, **few)
        assert bool(found.values.isfinite().all())
        assert "classifier" not in found.judgement.stages and "head" not in found.judgement.stages
    assert "activation" in pl.trust(tiny, pl.saliency, cat, target="block:3", **few).protocol


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("salience", "did you mean 'saliency'"),
        (" nope", "no explanation 'nope'; there is"),
        ("predict", "gives no map of a target"),
        ("trust", "gives no map of a target"),
        ("activations", "gives no map of a target"),
    ],
)
def test_only_explanations_are_judged(tiny: pl.Network, name: str, says: str) -> None:
    for work in (lambda: pl.trust(tiny, name, "photo:cat"),
                 lambda: pl.compare(tiny, "photo:cat", methods=f"saliency; {name}")):  # fmt: skip
        with pytest.raises(pl.Unknown, match=says):
            work()


def test_one_target_at_a_time(tiny: pl.Network) -> None:
    with pytest.raises(pl.PellucidError, match="one target at a time"):
        pl.trust(tiny, "saliency", "photo:cat", target="bee; cat")


def test_a_network_without_weights_is_said() -> None:
    class Bare(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum((2, 3))

    with pytest.raises(pl.PellucidError, match="no weights before class:0 to shuffle"):
        pl.trust(pl.Network(Bare(), size=8), "saliency", "photo:cat", target=0)


def test_explanations_are_found_in_the_register() -> None:
    found = explainers()
    assert {"saliency", "occlusion"} <= found.keys()
    assert not {"trust", "compare", "predict", "activations", "feature"} & found.keys()
    assert explainer("saliency") == found["saliency"]


def test_many_maps_are_drawn_coarsely_and_the_one_is_not(tiny: pl.Network, cat: pl.Photo) -> None:
    found = pl.trust(tiny, "occlusion", cat, stages=2, samples=1, pieces=4).judgement
    fine = pl.occlusion(tiny, cat)
    assert torch.equal(found.heatmap.values, fine.values)
    shapes = {tuple(each.values.shape) for each in (found.reference, *found.maps)}
    assert shapes == {(5, 7)} and fine.values.numel() > 35


def test_a_photo_of_one_colour_gives_occlusion_nothing_to_judge(bundled: pl.Network) -> None:
    few = {"stages": 2, "samples": 1, "pieces": 4}
    grey = torch.full((3, 64, 64), 0.5)
    found = pl.trust(bundled, "occlusion", grey, **few)
    assert found.judgement.empty and found.caption.endswith(": an empty map, nothing to judge")
    assert found.image().shape[0] == 3
    beside = pl.compare(bundled, grey, methods="occlusion; saliency", **few)
    assert beside.values[0].isnan().all() and beside.values[1].isfinite().all()
    assert beside.image().shape[0] == 3


def test_what_is_watched_has_its_name(tiny: pl.Network, cat: pl.Photo) -> None:
    few = {"stages": 1, "samples": 1, "pieces": 2}
    assert pl.trust(tiny, "saliency", cat, target="bee", **few).what == "probability"
    assert pl.compare(tiny, cat, target="block:3", methods="saliency", **few).what == "activation"


def test_the_result_carries_all_that_is_drawn(tiny: pl.Network, cat: pl.Photo) -> None:
    found = pl.trust(tiny, "occlusion", cat, stages=2, samples=1, pieces=4)
    data = json.loads(json.dumps(found.data()))
    assert dict(zip(MEASURES, found.values.tolist(), strict=True)) == pytest.approx(data["numbers"])
    assert len(data["deletion"]["values"]) == 5 and data["insertion"]["shares"][-1] == 1
    assert data["random"]["deletion"]["area"] > 0 and "1/4 of all at a time" in data["protocol"]
    assert len(data["randomisation"]["spearman"]) == 2
    assert found.caption.startswith("occlusion of class:") and "randomised" in found.caption
