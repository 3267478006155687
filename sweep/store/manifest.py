"""sweep.json: the spec as run, versions, hardware, data fingerprint, state; for a person and a program."""

import json
import zlib
from typing import Any

from sweep.store.errors import DamagedFileError, NotASweepError, StoreError
from sweep.store.folder import Folder
from sweep.store.layout import MANIFEST
from sweep.store.schema import SCHEMA_VERSION


def write_manifest(sweep: Folder, manifest: dict) -> None:
    """Replace sweep.json. Raises OSError if the folder cannot be written."""
    content = {**manifest, "schema_version": SCHEMA_VERSION}
    text = json.dumps({"crc32": _checksum(content), **content}, indent=2, ensure_ascii=False) + "\n"
    sweep.write(MANIFEST, text.encode())


def read_manifest(sweep: Folder) -> dict:
    """The content of sweep.json.

    Raises NotASweepError if there is none, DamagedFileError if it is not as it was written, StoreError if a newer
    gapsweep wrote it.
    """
    path = sweep.file(MANIFEST)
    try:
        manifest = sweep.parsed(MANIFEST, _checked)
    except (FileNotFoundError, NotADirectoryError):
        raise NotASweepError(f"{sweep}: no {MANIFEST} here; give the folder that `sweep run` printed") from None
    except ValueError as error:
        raise DamagedFileError(f"{path}: damaged ({error}); restore it from a copy") from None
    if manifest["schema_version"] > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: schema version {manifest['schema_version']}, this gapsweep reads up to {SCHEMA_VERSION}; upgrade"
        )
    return manifest


def _checked(data: bytes) -> dict:
    """Raises ValueError."""
    manifest = json.loads(data)
    if not isinstance(manifest, dict) or "schema_version" not in manifest:
        raise ValueError("not a sweep's manifest")
    if manifest.pop("crc32", None) not in (None, _checksum(manifest)):  # none: from an older gapsweep
        raise ValueError('checksum differs; whoever has changed it by hand removes its line "crc32"')
    return manifest


def _checksum(content: dict[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(content, sort_keys=True).encode()):08x}"
