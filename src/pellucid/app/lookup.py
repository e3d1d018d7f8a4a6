"""Commands that look things up: networks, layers, photos, and how a picture was made."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.app import flags, names
from pellucid.app.output import Output
from pellucid.app.terminal import Progress, exits, fitting, harmless, say, say_json, show, table
from pellucid.assets import BUNDLED
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from pellucid.layers import Layer
    from pellucid.network import Network

COLUMNS = ("layer", "kind", "output", "parameters", "sees", "stride", "centre", "status")
SPARE = ("centre", "stride", "parameters", "kind", "status")  # what a narrow screen can do without


class Source(StrEnum):
    """Where networks come from."""

    bundled = "bundled"
    torchvision = "torchvision"
    segmentation = "segmentation"
    timm = "timm"


def networks(
    source: Annotated[Source | None, typer.Option(help="only these; timm has over 1,000")] = None,
    json: flags.AsJson = False,
) -> None:
    """The networks that --network knows by name."""
    with exits():
        found = {
            "bundled": names.networks()[:1],
            "torchvision": names.networks()[1:],
            "segmentation": names.segmenters(),
        }
        if source is Source.timm:
            found = {"timm": _timm()}
        elif source is not None:
            found = {source.value: found[source.value]}
        if json:
            say_json(found)
            return
        made = table("from", "name")
        for origin, known in found.items():
            for name in known:
                made.add_row(origin, name)
        show(made)
        if source is None:
            say("And timm:NAME (`pellucid networks --source timm` lists them), hf:NAME of what")
            say("classifies or segments on Hugging Face, FILE.py:FACTORY of your own.")


def layers(
    network: flags.NetworkName = BUNDLED,
    weights: flags.Weights = None,
    labels: flags.Labels = None,
    classes: flags.Classes = None,
    device: flags.Device = "auto",
    every: Annotated[bool, typer.Option("--all", help="also the blocks that hold layers")] = False,
    json: flags.AsJson = False,
) -> None:
    """The layers of a network: names, shapes, and how much of the photo a unit sees.

    Sizes are in pixels of the network's input: "exact" is what a unit can see, "at most" is an
    upper bound, "whole" is all of the photo. The centre is that of the first unit.
    """
    with exits():
        with Progress() as progress:
            progress.say(f"loading {network}")
            net = flags.open_network(network, weights, labels, classes, device)
            progress.say("following a photo through its layers")
            found = [layer for layer in net.layers.values() if layer.leaf or every]
        if json:
            say_json({"network": net.name, "layers": [_layer_data(layer) for layer in found]})
        else:
            _show_layers(net, found)


def photos(json: flags.AsJson = False) -> None:
    """The photos that came with Python packages: photo:NAME in place of a path."""
    with exits():
        from pellucid import stock
        from pellucid.images import open_image

        made = table("photo", "width", "height", "from", right=("width", "height"))
        data = []
        for name in stock.photos():
            height, width = open_image(name).size
            package = stock.INSTALLED[name.removeprefix("photo:")][0].partition(".")[0]
            package = package.replace("sk", "scikit-")
            data.append({"name": name, "width": width, "height": height, "package": package})
            made.add_row(name, str(width), str(height), package)
        if json:
            say_json(data)
        else:
            show(made)


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a PNG, npz or safetensors file")],
    photo: Annotated[
        str | None,
        typer.Option(
            metavar="PHOTO",
            help="in place of the recipe's",
            autocompletion=names.complete_photo,
        ),
    ] = None,
    atlas: Annotated[
        str | None, typer.Option(metavar="ATLAS", help="in place of the recipe's")
    ] = None,
    network: flags.OtherNetwork = None,
    weights: flags.Weights = None,
    labels: flags.Labels = None,
    classes: flags.Classes = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="in place of the recipe's", rich_help_panel="Which network"
        ),
    ] = None,
    out: flags.Out = None,
    force: flags.Force = False,
    json: flags.AsJson = False,
) -> None:
    """Make a picture again from the recipe inside it, and say whether it is the same.

    Exit code 0: the same, bit for bit. Exit code 1: it differs, and in what.
    """
    with exits():
        output = Output(Path(out).expanduser() if out is not None else None, None, force)
        from pellucid.film import asked
        from pellucid.replay import read
        from pellucid.replay import replay as make_again

        output.check(asked(read(file).settings))
        with Progress() as progress:
            progress.say(f"making {file.name} again")

            given = {
                "name": network,
                "weights": weights,
                "labels": labels,
                "classes": classes,
                "device": device,
            }
            again = make_again(file, network=_replaced(file, given), photo=photo, atlas=atlas)
            saved = output.save(again.result)
        if json:
            verdict = {"same": again.same, "differences": list(again.differences)}
            say_json(again.result.data() | verdict | {"saved": [str(path) for path in saved]})
        else:
            say("the same, bit for bit" if again.same else "not the same")
            for difference in again.differences:
                say(f"  {difference}")
            for path in saved:
                say(f"saved {path}")
        if not again.same:
            raise typer.Exit(1)


def _replaced(file: Path, given: dict[str, Any]) -> Network | None:
    """The recipe's network with what the flags change; None where they change nothing."""
    from pellucid.replay import read
    from pellucid.zoo import load

    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return None
    network = read(file).network
    spec = network.get("spec") or {}
    name = given.pop("name", None)
    if name is None:
        name = spec.get("name")
        if not isinstance(name, str) or ".py:" in name:
            # A picture may come from anybody: the code that it names is run only when asked for.
            raise PellucidError(f"{file} was made with a network of one's own: give --network too")
    # Another network comes with its own weights and labels.
    kinds = {"weights": str, "labels": str, "classes": int} if spec.get("name") == name else {}
    kept = {key: spec[key] for key, kind in kinds.items() if isinstance(spec.get(key), kind)}
    device = "cpu" if network.get("device") == "cpu" else None
    return load(name, **{"device": device, **kept, **given})


def _timm() -> list[str]:
    from pellucid.zoo import networks as known

    found = known()
    if "timm" not in found:
        raise PellucidError("timm is not installed: pip install 'pellucid[timm]'")
    return found["timm"]


def _layer_data(layer: Layer) -> dict[str, Any]:
    field = layer.field
    return {
        "name": layer.name,
        "kind": layer.kind,
        "shape": layer.shape,
        "parameters": layer.parameters,
        "channels": layer.layout.channels,
        "grid": layer.layout.grid,
        "field": None
        if field is None
        else {
            "status": field.status,
            "size": field.size,
            "stride": field.stride,
            "offset": field.offset,
        },
    }


def _show_layers(net: Network, found: list[Layer]) -> None:
    rows = [_row(layer) for layer in found]
    made, left_out = fitting(COLUMNS, rows, right=COLUMNS[2:7], spare=SPARE)
    show(made)
    height, width = net.preprocess.size
    say(f"{net.name}: input {net.preprocess.channels} x {height} x {width}, {len(found)} rows")
    if left_out:
        say(f"A wider screen, a file or --json also has: {', '.join(left_out)}")


def _row(layer: Layer) -> list[str]:
    shape = " x ".join(map(str, layer.shape)) or "1"
    cells = [shape, f"{layer.parameters:,}" if layer.parameters else "–"]
    if layer.field is None:
        cells += ["–"] * 4
    else:
        parts = (layer.field.size, layer.field.stride, layer.field.offset)
        whole = layer.field.status == "whole"
        cells += ["–" if whole and i else _pair(*part) for i, part in enumerate(parts)]
        cells.append(layer.field.status)
    return [harmless(layer.name) or "(network)", layer.kind, *cells]


def _pair(down: float, across: float) -> str:
    return f"{down:g}" if down == across else f"{down:g} x {across:g}"
