"""Every kind of work on a GPU: seconds, and ratios against the bare passes or a peer's, in one run.

    python benchmarks/gpu.py                  # all that there is, on the first GPU
    python benchmarks/gpu.py maps occlusion   # some of it
    python benchmarks/gpu.py survey FOLDER    # of photos; without it those of survey.py

maps       single maps and many copies, over the bare forward and backward pass; beside Captum's
occlusion  784 masks of 32 px every 8 px: the bare network in the plain batches that suit it best,
           and Captum's Occlusion, over ours
steps      a step of a drawing over the plain pass of the network cut off at the layer
grid       128 channels of resnet18 layer2 beside Lucent, in float32 and in bfloat16
compiled   what torch.compile gives the plain pass, which is the most that it could give us
pictures   style transfer, a texture, an inversion, DeepDream and the trained stylist's pass
survey     photos a second through a survey, and through the plain loop, with the network there

The weights are random but for the bundled network's: they do not matter to the time. Times are the
clock's, the GPU's work awaited, the median of several after one to warm up. Peers that are not
installed are left out.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median

import feature
import occlusion
import style
import survey
import torch
from overhead import passes

import pellucid as pl
from pellucid.make.draw import Drawing
from pellucid.make.manner import manner
from pellucid.make.stylist import laid, opened, paint
from pellucid.surroundings import plain as modes

GPU = torch.device("cuda")
ROUNDS = 7
NETWORKS = ("pane", "resnet18", "vgg16")
MASKED = (*NETWORKS, "squeezenet1_1", "resnet50", "mobilenet_v2", "densenet121", "vit_b_16")
MANY, BATCH = 16, 8
PLAIN_BATCHES = (16, 49, 128, 392)
Work = Callable[[], object]


def taken(work: Work, rounds: int = ROUNDS) -> float:
    """Seconds."""
    times = []
    for number in range(rounds + 1):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        if number:
            times.append(time.perf_counter() - start)
    return median(times)


def network(name: str) -> pl.Network:
    """On the GPU."""
    return pl.load(name, weights=None if name == "pane" else "random", device="cuda")


def row(what: str, seconds: float, *others: tuple[str, float]) -> None:
    """One line: milliseconds, and the others' over ours."""
    told = "".join(f"   {name} {other / seconds:.2f}x" for name, other in others)
    print(f"  {what:34}{seconds * 1e3:10.2f} ms{told}", flush=True)


def maps() -> None:
    """Gradients."""
    print(f"maps: the bare pass and Captum's over ours ({BATCH} copies in a bare batch)")
    for name in NETWORKS:
        _maps(name)


def _maps(name: str) -> None:
    net, photo = network(name), pl.open_image("photo:cat")
    module = net.module.eval().requires_grad_(False)
    inputs, _ = net.prepare(photo)

    def bare(count: int) -> None:
        passes(module, inputs, count, BATCH)

    theirs = {}
    with modes(GPU):
        one, many = taken(lambda: bare(1)), taken(lambda: bare(MANY))
        with suppress(ImportError):
            from captum.attr import IntegratedGradients, Saliency

            steps = {"n_steps": MANY, "internal_batch_size": BATCH}
            theirs = {
                "saliency": taken(
                    lambda: Saliency(module).attribute(inputs.clone().requires_grad_(), target=0)
                ),
                "integrated": taken(
                    lambda: IntegratedGradients(module).attribute(inputs, target=0, **steps)
                ),
            }
    rows: list[tuple[str, float, Work]] = [
        ("saliency", one, lambda: pl.saliency(net, photo, target=0)),
        ("guided", one, lambda: pl.guided(net, photo, target=0)),
        ("cam", one, lambda: pl.cam(net, photo, target=0)),
        ("lrp", one, lambda: pl.lrp(net, photo, target=0)),
        ("deeplift", one, lambda: pl.deeplift(net, photo, target=0)),
        ("smooth", many, lambda: pl.saliency(net, photo, target=0, smooth=MANY)),
        ("integrated", many, lambda: pl.integrated(net, photo, target=0, steps=MANY)),
    ]
    for what, needed, work in rows:
        beside = [("captum", theirs[what])] if what in theirs else []
        row(f"{name} {what}", taken(work), ("bare", needed), *beside)


def masks() -> None:
    """Occlusion."""
    print("occlusion: plain batches and Captum's over ours")
    for name in MASKED:
        _masks(name)


def _masks(name: str) -> None:
    net, strips = network(name), 8
    window, stride = occlusion.sizes(net)
    side = net.preprocess.size[0]
    across = -(-(side - window) // stride) + 1
    count = (side // stride) ** 2
    seconds = taken(lambda: occlusion.ours(net), 3)
    plain, peers = [], []
    with modes(GPU):
        for batch in PLAIN_BATCHES:
            plain.append(taken(partial(occlusion.plain, net, batch, count), 2))
            with suppress(ImportError):
                part = taken(partial(occlusion.captum, net, batch, strips), 2)
                peers.append(part * count / (strips * across))
    best = [("plain", min(plain)), *([("captum", min(peers))] if peers else [])]
    row(name, seconds, *best)
    print(f"    {occlusion.ours(net)}")


def steps() -> None:
    """A step of a drawing."""
    print("steps: the plain pass over ours, one picture and 32 at once")
    how = manner("lucid").but(steps=10**6)
    for name, layer in feature.NETWORKS:
        net = network(name)
        with modes(GPU), net.at_rest():
            for count in (1, 32):
                living = _living(net, layer, count)
                want = feature._channels(layer, living)
                drawing = Drawing(net, want.bind(net), how, count=count)
                work: Iterator[object] = drawing.run(want)
                for _ in range(feature.WARM + 40):
                    next(work)
                bare = feature.plain(net, layer, living)
                seconds = taken(lambda work=work: next(work), 21)
                row(f"{name} {layer}, {count}", seconds, ("plain", taken(bare, 21)))


def _living(net: pl.Network, layer: str, count: int) -> list[int]:
    """Channels that are not dead with these weights: to wake one is not what is measured here."""
    among = range(min(2 * count + 4, net.layers[layer].layout.channels))
    trial = Drawing(
        net, feature._channels(layer, among).bind(net), manner("lucid"), count=len(among)
    )
    next(trial.run(""))
    return [number for number in among if bool(trial.alive[number])][:count]


def grid() -> None:
    """A layer's channels."""
    count, size, made = 128, feature.SIZE, 64
    shown = size + 2 * int(0.09375 * size)
    print(f"grid: {count} channels of resnet18 layer2, {size} px, {made} steps, for each channel")
    seconds = {}
    for kind in (torch.float32, torch.bfloat16):
        net = network("resnet18")
        net = pl.Network(net.module.to(kind), name="resnet18")
        seconds[kind] = taken(
            lambda net=net: pl.features(
                net, "layer2", channels=range(count), recipe="lucid", steps=made, size=size,
                transforms=feature.VIEWS,
            ), 3,
        ) / count  # fmt: skip
    beside = [("float32", seconds[torch.float32])]
    try:
        import lucent.optvis  # noqa: F401

        warnings.filterwarnings("ignore")
        module = network("resnet18").module.eval()
        feature.STEPS = made
        for what, seen in (("Lucent", None), (f"Lucent at {shown} px", shown)):
            beside.append((what, taken(lambda s=seen: feature.lucent(module, 0, s), 2)))
    except ImportError as missing:
        print(f"  Lucent is not measured: {missing}")
    row("float32", seconds[torch.float32], *beside[1:])
    row("bfloat16", seconds[torch.bfloat16], *beside)


def compiled() -> None:
    """What torch.compile gives the plain pass of the same layer; it takes minutes."""
    count, shown = 128, 152
    print(f"compiled: the plain pass of resnet18 cut at layer2, {count} pictures of {shown} px")
    for kind, tf32 in ((torch.float32, False), (torch.float32, True), (torch.bfloat16, False)):
        module = network("resnet18").module.eval().requires_grad_(False).to(kind)
        cut = torch.nn.Sequential(*list(module.children())[:6])
        cut.to(memory_format=torch.channels_last)
        images = torch.randn(count, 3, shown, shown, device=GPU, dtype=kind)
        images = images.contiguous(memory_format=torch.channels_last)

        def both(work: Callable[..., torch.Tensor], images: torch.Tensor = images) -> None:
            pixels = images.clone().requires_grad_()
            torch.autograd.grad(work(pixels)[:, 0].float().mean((1, 2)).sum(), pixels)

        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=tf32):
            eager = taken(lambda cut=cut: both(cut))
            quick = torch.compile(cut)
            quicker = taken(lambda quick=quick: both(quick))
        told = f"plain pass, {str(kind).removeprefix('torch.')}{', TF32' if tf32 else ''}"
        print(f"  {told:34}{eager * 1e3:10.2f} ms   compiled {eager / quicker:.2f} times as fast")


def pictures() -> None:
    """Whole pictures."""
    print("pictures")
    net = network("pane")
    blend = style.asked(net, "cat", "coffee")
    with modes(GPU), net.at_rest():
        bare = taken(style.plain(net, blend.content, list(style.strata(net, style.LAYERS))), 21)
    for size in (256, 512):
        work = lambda s=size: pl.style_transfer(net, "photo:cat", ["photo:coffee"], size=s)  # noqa: E731
        row(f"style_transfer, {size} px", taken(work, 1), ("a bare step at 256 px", bare))
    row("texture, 256 px", taken(lambda: pl.texture(net, "photo:brick", size="256x256"), 1))
    row("invert", taken(lambda: pl.invert(net, "photo:cat"), 1))
    row("dream, 512 px", taken(lambda: pl.dream(net, "photo:cat"), 1))
    row("attack", taken(lambda: pl.attack(net, "photo:cat"), 1))
    trained = opened(None)
    mix = torch.eye(len(trained.names))[:1]
    photo = laid(pl.open_image("photo:cat"), None)
    painter = trained.painter.to(GPU)
    row("stylist, a pass", taken(lambda: paint(painter, photo, mix)))


def surveys() -> None:
    """A survey."""
    folder = next((Path(word) for word in sys.argv[1:] if Path(word).is_dir()), survey.CALTECH)
    if not folder.is_dir():
        print("survey: left out, for its photos are not there")
        return
    every = [item.uri for item in pl.stream(folder)][:1024]
    print("survey: all convolutions, and the plain loop for the last features, for each photo")
    for name in ("pane", "resnet18"):
        net = network(name)
        convs = [layer for layer, known in net.layers.items() if known.kind == "Conv2d"]
        last = [survey.penultimate(net)]
        seconds = taken(partial(survey.surveyed, net, every, [*convs, *last]), 1)
        plain = taken(partial(survey.plain, net, every, last), 1)
        row(name, seconds / len(every), ("plain loop", plain / len(every)))


SECTIONS = {
    "maps": maps,
    "occlusion": masks,
    "steps": steps,
    "grid": grid,
    "compiled": compiled,
    "pictures": pictures,
    "survey": surveys,
}


def main() -> None:
    """Prints all, or what was asked for."""
    warnings.simplefilter("ignore")
    if not torch.cuda.is_available():
        print("there is no GPU here")
        return
    print(f"{torch.cuda.get_device_name(0)}, torch {torch.__version__.partition('+')[0]}")
    for name in [word for word in sys.argv[1:] if word in SECTIONS] or SECTIONS:
        try:
            SECTIONS[name]()
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
