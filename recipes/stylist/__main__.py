"""The stylist's recipe: `train` draws the styles and learns them, `export` fills the assets."""

import argparse
import time
from pathlib import Path

import torch

import pellucid as pl
from pellucid.assets import FOLDER, STYLIST
from pellucid.make.painting.losses import Terms
from pellucid.make.painting.trained import load
from pellucid.pictures import png_bytes
from recipes.stylist.styles import STYLES, drawn

STEPS = 3000


def main() -> None:
    """Reads the command."""
    parser = argparse.ArgumentParser(prog="python -m recipes.stylist", description=__doc__)
    parser.add_argument("what", choices=("train", "export"))
    parser.add_argument("--data", type=Path, default=Path("caltech101"), help="folder of photos")
    parser.add_argument("--out", type=Path, default=Path("runs/stylist"), help="folder for all")
    words = parser.parse_args()
    words.out.mkdir(parents=True, exist_ok=True)
    if words.what == "train":
        train(words.data, words.out)
    else:
        export(words.out)


def train(data: Path, out: Path) -> None:
    """Goes on where it was interrupted; a line and a preview every hundred steps."""
    torch.set_num_threads(1)
    styles = {name: drawn(name) for name in STYLES}
    for name, picture in styles.items():
        (out / f"{name}.png").write_bytes(png_bytes(picture))
    began = time.monotonic()
    work = pl.train_stylist(pl.load(device="cpu"), styles, data, _file(out), steps=STEPS)
    for step in work:
        if step.picture is not None:
            seconds = time.monotonic() - began
            print(f"{step.done}/{step.total}  {seconds:.0f} s  {step.text}", flush=True)
            (out / "preview.png").write_bytes(png_bytes(step.picture))


def export(out: Path) -> None:
    """Puts the weights into the package, and prints the table of the card."""
    trained = load(_file(out))
    (FOLDER / f"{STYLIST}.safetensors").write_bytes(_file(out).read_bytes())
    print(f"{sum(one.numel() for one in trained.painter.parameters()):,} parameters")
    print(f"| style | {' | '.join(Terms._fields)} |")
    print("|---" * (1 + len(Terms._fields)) + "|")
    for name in trained.names:
        terms = trained.card["losses"][name]
        print(f"| {name} | {' | '.join(f'{terms[term]:.3f}' for term in Terms._fields)} |")


def _file(out: Path) -> Path:
    return out / f"{STYLIST}.safetensors"


main()
