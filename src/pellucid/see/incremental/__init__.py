"""Occlusion by parts: only the rectangle of each layer that a mask can reach is computed anew."""
