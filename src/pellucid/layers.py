"""Layer: what is known of one layer, and the inventory of a network's layers."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pellucid.fields import Field, fields
from pellucid.layout import Layout, infer
from pellucid.notebook import by, table
from pellucid.record import watching
from pellucid.returned import first_tensor


@dataclass(frozen=True)
class Layer:
    """One layer of a network, for one image.

    Attributes:
        name: dotted; "" is the whole network; "#2" a second call; "relu()" a function.
        kind: class of the module.
        shape: of the output, without the batch axis.
        parameters: numbers in its weights, those of its parts included.
        layout: which axes are channels and places.
        field: its receptive field; None where it does not depend on the image alone.
        leaf: whether it has no parts.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    layout: Layout
    field: Field | None
    leaf: bool


class Layers(dict[str, Layer]):
    """Layers by name, in the order in which they finish; in a notebook a table."""

    def __repr__(self) -> str:
        return f"<{len(self)} layers: {', '.join(filter(None, self))}>"

    def _repr_html_(self) -> str:
        columns = ("layer", "kind", "shape", "parameters", "sees, px", "every, px", "field")
        rows = (
            (
                layer.name or "(the network)",
                layer.kind,
                by(layer.shape),
                f"{layer.parameters:,}" if layer.parameters else "",
                *(layer.field.told() if layer.field else ("", "", "")),
            )
            for layer in self.values()
        )
        return table(f"{len(self)} layers", columns, rows, right=columns[2:6])


def inventory(module: nn.Module, example: Tensor) -> Layers:
    """Every layer by name, in the order in which they finish, from one pass over an example.

    Args:
        module: the network.
        example: one input (1, channels, height, width); its values do not matter.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, output: Any, _inputs: Any, _in_place: bool) -> Any:
        tensor = first_tensor(output)
        if tensor is not None:
            shapes[name] = tuple(tensor.shape)
        return output

    with torch.no_grad(), watching(module, note):
        output = module(example)
    if "" not in shapes:  # TorchScript takes no hooks: of it only the output is seen
        note("", output, (), False)
    reach = fields(module, example)
    image = (example.shape[2], example.shape[3])
    grids: list[tuple[int, int]] = []
    layers = Layers()
    for name, shape in shapes.items():
        layout = infer(shape, image, grids)
        if layout.form == "map":
            grids.append(layout.grid)
        layers[name] = _layer(module, name, shape, layout, reach.get(name))
    return layers


def _layer(
    module: nn.Module, name: str, shape: tuple[int, ...], layout: Layout, field: Field | None
) -> Layer:
    base = name.split("#")[0]
    if base.endswith("()"):
        kind, parameters, leaf = base.rpartition(".")[2], 0, True
    else:
        part = module.get_submodule(base) if base else module
        kind = type(part).__name__
        parameters = sum(weight.numel() for weight in part.parameters())
        leaf = not any(True for _ in part.children())
    return Layer(name, kind, shape[1:], parameters, layout, field, leaf)
