"""What ships with the package: the bundled network's weights, labels and card."""

from pathlib import Path

BUNDLED = "pane"
FOLDER = Path(__file__).parent
