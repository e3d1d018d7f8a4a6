"""What ships with the package: the bundled network's and the stylist's weights, and their cards."""

from pathlib import Path

BUNDLED = "pane"
STYLIST = "stylist"
FOLDER = Path(__file__).parent
