"""Receptive and projective fields: unit <-> box in the image, with an honest status."""

from pellucid.fields.axis import Axis, Status
from pellucid.fields.field import Field, fields

__all__ = ["Axis", "Field", "Status", "fields"]
