"""What a storage may be called."""

from pathlib import Path

import pytest

from sweep.store.errors import StoreError
from sweep.store.folder import open_folder
from sweep.store.object_folder import ObjectFolder


def test_a_file_uri_is_a_path(tmp_path: Path) -> None:
    folder = open_folder(f"file://{tmp_path}/with%20space")
    assert folder.path == tmp_path / "with space"
    (folder / "deeper").write("a", b"1")
    assert (tmp_path / "with space" / "deeper" / "a").read_bytes() == b"1"


@pytest.mark.parametrize("uri", ["file://results", "file://./results", "file:///results?a=b"])
def test_a_file_uri_that_means_something_else_is_refused(uri: str) -> None:
    with pytest.raises(StoreError, match="allowed: file:///ABSOLUTE/PATH"):
        open_folder(uri)


def test_the_container_of_an_azure_address_is_no_user() -> None:
    folder = open_folder("abfs://results@account.dfs.core.windows.net/sweeps")
    assert isinstance(folder, ObjectFolder)
    assert folder.name == "sweeps"


@pytest.mark.parametrize(
    "uri", ["s3://key:secret@bucket/results", "abfs://results:key@account.dfs.core.windows.net/x", "s3://key@bucket/x"]
)
def test_credentials_in_an_address_are_refused(uri: str) -> None:
    with pytest.raises(StoreError, match="holds credentials"):
        open_folder(uri)
