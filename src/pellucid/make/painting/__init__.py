"""The feed-forward way of style: one pass of a network that was trained on the styles before."""
