"""The promises that every method keeps, as tests: for pellucid's own and for those of a plug-in.

    import pytest
    from pellucid.testing import Promises

    @pytest.mark.parametrize("method", ["vignette"], indirect=True)
    class TestPromises(Promises):
        pass

Needs pytest, and the plug-in installed.
"""

import pytest

pytest.register_assert_rewrite(
    "pellucid.testing.tidy", "pellucid.testing.repeatable", "pellucid.testing.footprints"
)

from pellucid.testing.repeatable import Repeatable  # noqa: E402
from pellucid.testing.tidy import Tidy  # noqa: E402


class Promises(Tidy, Repeatable):
    """All of them, for methods named by `parametrize("method", …, indirect=True)`."""
