"""What ships with the package: the bundled network's and the stylist's weights, and their cards."""

from pathlib import Path

BUNDLED = "pane"
STYLIST = "stylist"
WEIGHTS_HASH = "a2e7f16d60c190cd"  # of the bundled network: `Network.weights_hash`
FOLDER = Path(__file__).parent
