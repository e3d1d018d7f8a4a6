"""The plug-in's folder, and another Python that can have it on its path."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "tests" / "plugin"
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]


def python(*words: str, path: list[Path], folder: Path) -> str:
    """What another Python says that has these folders on its path."""
    home = os.pathsep.join(map(str, [*path, ROOT / "src"]))
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": home, "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
