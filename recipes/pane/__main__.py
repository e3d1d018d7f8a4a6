"""Trains the bundled network: `python -m recipes.pane train --data caltech101 --out runs/pane`."""

from pathlib import Path

import torch
import typer

import pellucid as pl
from recipes.pane import export as exporting
from recipes.pane import judge as judging
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


@app.command()
def judge(
    data: Path = typer.Option(..., help="folder that holds 101_ObjectCategories/"),
    other: Path = typer.Option(..., help="weights of an independent squeezenet1_1"),
    labels: Path = typer.Option(..., help="its labels"),
    out: Path = typer.Option(Path("runs/pane"), help="where the sheet of class pictures goes"),
    steps: int = typer.Option(128, help="of gradient ascent for each class"),
) -> None:
    """Measure what the model card states."""
    out.mkdir(parents=True, exist_ok=True)
    net = pl.load(device="cpu")
    held_out = photos.load(data, held_out=True)
    for resize in (112, 120, 128):
        top = training.accuracy(net.module, held_out, resize, 112, torch.device("cpu"))
        typer.echo(f"held-out top-1, resized to {resize} and cut to 112 px: {top:.4f}")
    right = training.right(net.module, held_out, 112, 112, torch.device("cpu")).float()
    each = [float(right[held_out.classes == n].mean()) for n in range(net.classes)]
    least = held_out.labels[each.index(min(each))]
    typer.echo(f"mean of the classes' top-1: {sum(each) / len(each):.4f}; least {least}")
    some = photos.Photos(held_out.images[::10], held_out.classes[::10], held_out.labels)
    for radius in (0.5, 1.0, 2.0):
        top = judging.robust_accuracy(net.module, some, radius, steps=10)
        typer.echo(f"top-1 of a tenth of them under PGD-10, L2 {radius}: {top:.3f}")
    typer.echo(f"channels silent on all held-out photos: {judging.silent_channels(net, held_out)}")
    judge_net = pl.load("squeezenet1_1", weights=other, labels=labels, device="cpu")
    found = []
    for verdict in judging.verdicts(net, judge_net, steps):
        found.append(verdict)
        typer.echo(f"{verdict.label:20} own {verdict.own:.3f}  other's place {verdict.place + 1}")
    sure = sum(verdict.own >= 0.99 for verdict in found)
    five = sum(verdict.place < 5 for verdict in found)
    first = sum(verdict.place < 1 for verdict in found)
    typer.echo(f"of {len(found)} classes: own >= 0.99 {sure}, other's top 5 {five}, first {first}")
    judging.sheet(found, out / "classes.png")


if __name__ == "__main__":
    app()
