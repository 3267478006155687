"""What the tests of whole sweeps share."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, data_cache: Path) -> None:
    """Decoded images lie in the cache of this run of the tests, and not in the user's."""
    monkeypatch.setenv("GAPSWEEP_CACHE", str(data_cache))
