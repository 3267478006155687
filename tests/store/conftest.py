"""What the tests of the store share."""

from pathlib import Path

import pytest

from sweep.store.folder import LocalFolder
from sweep.store.manifest import write_manifest


@pytest.fixture
def sweep(tmp_path: Path) -> LocalFolder:
    """A sweep that has just begun."""
    folder = LocalFolder(tmp_path / "sweep")
    write_manifest(folder, {"sweep_id": "s"})
    return folder
