"""The promises that every method keeps, for the one of this package."""

import pytest

from pellucid.testing import Promises


@pytest.mark.parametrize("method", ["doubt"], indirect=True)
class TestPromises(Promises):
    pass
