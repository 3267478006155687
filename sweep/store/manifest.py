"""sweep.json: the spec as run, versions, hardware, data fingerprint, state; for a person and a program."""

import json

from sweep.store.errors import DamagedFileError, NotASweepError, StoreError
from sweep.store.folder import Folder
from sweep.store.layout import MANIFEST
from sweep.store.schema import SCHEMA_VERSION


def write_manifest(sweep: Folder, manifest: dict) -> None:
    """Replace sweep.json. Raises OSError if the folder cannot be written."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, **manifest}, indent=2, ensure_ascii=False) + "\n"
    sweep.write(MANIFEST, text.encode())


def read_manifest(sweep: Folder) -> dict:
    """The content of sweep.json.

    Raises NotASweepError if there is none, DamagedFileError if it is not valid JSON, StoreError if a newer gapsweep
    wrote it.
    """
    path = sweep.file(MANIFEST)
    try:
        manifest = sweep.parsed(MANIFEST, json.loads)
    except (FileNotFoundError, NotADirectoryError):
        raise NotASweepError(f"{sweep}: no {MANIFEST} here; give the folder that `sweep run` printed") from None
    except ValueError as error:
        raise DamagedFileError(f"{path}: not valid JSON ({error}); restore it from a copy") from None
    if not isinstance(manifest, dict) or "schema_version" not in manifest:
        raise DamagedFileError(f"{path}: not a sweep's manifest; restore it from a copy")
    if manifest["schema_version"] > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: schema version {manifest['schema_version']}, this gapsweep reads up to {SCHEMA_VERSION}; upgrade"
        )
    return manifest
