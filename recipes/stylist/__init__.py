"""The stylist that comes with pellucid: its styles, drawn by code, and its training."""
