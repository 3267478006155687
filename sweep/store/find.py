"""A sweep by what a person calls it."""

import shlex

from sweep.store.errors import NotASweepError, StoreError
from sweep.store.folder import Folder, open_folder
from sweep.store.layout import MANIFEST
from sweep.store.lease import holder
from sweep.store.manifest import read_manifest


def find_sweep(storage: Folder, name: str, *, running: bool = False) -> Folder:
    """The sweep whose folder has that name, else the newest one of a spec of that name, else the one at that path.

    running: rather the newest that a driver runs. Raises NotASweepError if there is none.
    """
    if "/" in name or name in (".", ".."):
        read_manifest(open_folder(name))
        return open_folder(name)
    if (storage / name).exists(MANIFEST):
        return storage / name
    created = {}
    for folder in storage.folders():
        if folder.startswith(f"{name}-"):
            try:
                manifest = read_manifest(storage / folder)
            except StoreError:
                continue  # no sweep, or a damaged one, which its whole name finds
            if manifest["name"] == name:
                created[folder] = manifest["created"]
    if not created and open_folder(name).exists(MANIFEST):
        return open_folder(name)
    if not created:
        raise NotASweepError(
            f"{storage}: no sweep {name!r} here; `sweep list --storage {shlex.quote(str(storage))}` shows which there "
            "are"
        )
    newest_first = sorted(created, key=lambda folder: created[folder], reverse=True)
    if running:
        newest_first.sort(key=lambda folder: holder(storage / folder) is None)
    return storage / newest_first[0]
