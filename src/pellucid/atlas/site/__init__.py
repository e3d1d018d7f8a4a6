"""Site: a page for every unit of a network, as files that open without a server."""

from pellucid.atlas.site.build import Site, site

__all__ = ["Site", "site"]
