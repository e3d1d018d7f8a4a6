"""Trains the bundled network: `python -m recipes.pane train --data caltech101 --out runs/pane`."""

from pathlib import Path

import torch
import typer

from recipes.pane import export as exporting
from recipes.pane import photos, training

app = typer.Typer(add_completion=False, help=__doc__)


@app.callback()
def _commands() -> None:
    pass


@app.command()
def train(
    data: Path = typer.Option(..., help="folder that holds 101_ObjectCategories/"),
    out: Path = typer.Option(Path("runs/pane"), help="checkpoints; an interrupted run goes on"),
    device: str = typer.Option("cuda" if torch.cuda.is_available() else "cpu"),
    seed: int = 0,
) -> None:
    """Train from nothing, or go on where `--out` stands."""
    for line in training.train(data, out, torch.device(device), seed):
        typer.echo(line)


@app.command()
def export(
    data: Path = typer.Option(..., help="folder that holds 101_ObjectCategories/"),
    out: Path = typer.Option(Path("runs/pane"), help="where the training ran"),
    assets: Path = typer.Option(Path("src/pellucid/assets"), help="where the package keeps it"),
) -> None:
    """Write the package's weights and labels from the last checkpoint, and measure them."""
    held_out = photos.load(data, held_out=True)
    network = exporting.export(out / "last.pt", held_out.labels, assets)
    for resize in (112, 120, 128):
        top = training.accuracy(network, held_out, resize, 112, torch.device("cpu"))
        typer.echo(f"held-out top-1, resized to {resize} and cut to 112 px: {top:.4f}")


if __name__ == "__main__":
    app()
