"""Stock photos: those that scikit-image and scikit-learn install with themselves."""

from pathlib import Path

from pellucid.errors import PellucidError, Unknown

# Photos that scikit-image and scikit-learn install with themselves: name -> (package, file).
INSTALLED = {
    "astronaut": ("skimage.data", "astronaut.png"),
    "cat": ("skimage.data", "chelsea.png"),
    "coffee": ("skimage.data", "coffee.png"),
    "rocket": ("skimage.data", "rocket.jpg"),
    "motorcycle": ("skimage.data", "motorcycle_left.png"),
    "camera": ("skimage.data", "camera.png"),
    "horse": ("skimage.data", "horse.png"),
    "coins": ("skimage.data", "coins.png"),
    "moon": ("skimage.data", "moon.png"),
    "hubble": ("skimage.data", "hubble_deep_field.jpg"),
    "retina": ("skimage.data", "retina.jpg"),
    "brick": ("skimage.data", "brick.png"),
    "grass": ("skimage.data", "grass.png"),
    "gravel": ("skimage.data", "gravel.png"),
    "china": ("sklearn.datasets.images", "china.jpg"),
    "flower": ("sklearn.datasets.images", "flower.jpg"),
}


def photos() -> list[str]:
    """Names of the photos that are installed here, as `photo:NAME`."""
    return [f"photo:{name}" for name in INSTALLED if _find_installed(name) is not None]


def _find_installed(name: str) -> Path | None:
    from importlib.util import find_spec

    package, file = INSTALLED[name]
    top, _, inner = package.partition(".")
    # Finding the topmost package does not import it, which would take seconds.
    spec = find_spec(top)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, *inner.split("."), file)
        if path.is_file():
            return path
    return None


def path(name: str) -> Path:
    """The file of a photo by its name, without "photo:".

    Raises:
        PellucidError: no such photo, or the package that has it is not installed.
    """
    if name not in INSTALLED:
        raise Unknown("photo", f"photo:{name}", photos(), "(`pellucid photos` lists them)")
    path = _find_installed(name)
    if path is None:
        package = "scikit-learn" if INSTALLED[name][0].startswith("sklearn") else "scikit-image"
        raise PellucidError(f"photo:{name} comes with {package}: pip install {package}")
    return path
