"""Plot: the points of a map for a page, drawn by Bokeh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor

from pellucid.chart import Colour
from pellucid.scatter import NONE, Groups, placed, roomy

if TYPE_CHECKING:
    from pellucid.atlas.map import New

MOST_MOVED = 20_000  # points that are all drawn while the map is moved


def plot(points: Float[Tensor, "points 2"], groups: dict[str, Groups], new: Sequence[New]) -> Any:
    """A map's points, the names of its groups and what was placed on it, as Bokeh's JSON."""
    from bokeh.embed import json_item
    from bokeh.models import BoxSelectTool, CustomJS, HoverTool, LassoSelectTool, Range1d
    from bokeh.plotting import ColumnDataSource, figure

    low, high = points.amin(0), points.amax(0)
    reach = (float((high - low).max()) or 1.0) * 0.53
    x, y = ((low + high) / 2).tolist()
    drawn = figure(
        name="map",
        x_range=Range1d(x - reach, x + reach),
        y_range=Range1d(y - reach, y + reach),
        tools="pan,wheel_zoom,reset,tap",
        active_scroll="wheel_zoom",
        toolbar_location="above",
        # Without WebGL, at which a browser is five times as slow where there is no GPU; of more
        # points only a part is drawn on the way.
        lod_threshold=MOST_MOVED,
        match_aspect=True,
        sizing_mode="stretch_both",
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color=None,
        min_border=0,
    )
    drawn.toolbar.logo = None
    drawn.axis.visible = False
    drawn.grid.visible = False
    colours = next(iter(groups.values())).of_points() if groups else None
    shown = [hexadecimal(NONE)] * len(points) if colours is None else [
        hexadecimal(tuple(colour)) for colour in colours.tolist()
    ]  # fmt: skip
    columns = {"x": points[:, 0].numpy(), "y": points[:, 1].numpy(), "colour": shown}
    source = ColumnDataSource(columns, name="points")
    size = max(3.0, min(11.0, 500 / len(points) ** 0.5))
    dots = drawn.scatter(
        "x", "y", source=source, size=size, color="colour", line_color=None, fill_alpha=0.85,
        nonselection_fill_alpha=0.07, selection_fill_alpha=1.0,
    )  # fmt: skip
    if "label" in groups or "predicted" in groups:
        first = next(iter(groups.values()))
        standing = [group for group, *_ in roomy(placed(points, first.centres), first.names)]
        where = first.centres[standing]
        drawn.text(
            x=where[:, 0].numpy(), y=where[:, 1].numpy(),
            text=[first.names[group] for group in standing], name="names",
            text_align="center", text_baseline="middle", text_font_size="12px",
            background_fill_color="#ffffff", background_fill_alpha=0.72, border_radius=4, padding=2,
            level="overlay",
        )  # fmt: skip
    if new:
        x, y = zip(*(one.place for one in new), strict=True)
        rings = ColumnDataSource({"x": x, "y": y, "name": [Path(one.name).name for one in new]})
        for colour, wide in (("#ffffff", 7), ("#000000", 3)):
            drawn.scatter(
                "x", "y", source=rings, size=17, fill_color=None, line_color=colour,
                line_width=wide, level="overlay",
            )  # fmt: skip
        drawn.text(
            "x", "y", "name", source=rings, y_offset=14, text_align="center", text_baseline="top",
            text_font_size="13px", text_font_style="bold", text_color="#000000",
            background_fill_color="#ffffff", background_fill_alpha=0.85, border_radius=4, padding=3,
            level="overlay",
        )  # fmt: skip
    hover = CustomJS(code="window.pellucidMap.hover(cb_data.index.indices)")
    drawn.add_tools(
        BoxSelectTool(),
        LassoSelectTool(continuous=False),
        HoverTool(renderers=[dots], tooltips=None, callback=hover),
    )
    chosen = CustomJS(code="window.pellucidMap.chosen(cb_obj.indices)")
    source.selected.js_on_change("indices", chosen)
    return json_item(drawn)


def hexadecimal(colour: Colour) -> str:
    """A colour as #rrggbb."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)
