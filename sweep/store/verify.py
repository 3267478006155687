"""All damage in a sweep's folder at once, and a way to go on without what is lost."""

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from sweep.store import generations
from sweep.store.errors import DamagedFileError, StoreError
from sweep.store.folder import Folder, open_folder
from sweep.store.generations import Generation, Part
from sweep.store.layout import CHECKPOINTS, LOG, PUBLISHED, QUARANTINE, is_part
from sweep.store.lease import Lease
from sweep.store.manifest import read_manifest, write_manifest
from sweep.store.parquet_file import from_parquet
from sweep.store.reader import read_part
from sweep.store.schema import SCHEMAS

_MISSING = "missing"


@dataclass(frozen=True)
class Damage:
    """A file that is not as it was written, and what that costs."""

    folder: Folder
    name: str
    why: str
    cost: str

    def __str__(self) -> str:
        return f"{self.folder.file(self.name)}: {self.why}; {self.cost}"


def verify(place: str | Path | Folder) -> list[Damage]:
    """Read every file of a sweep with its checksums; what is damaged, in the order in which it was met.

    Raises NotASweepError, or DamagedFileError for sweep.json, without which nothing else has a meaning.
    """
    sweep = open_folder(place)
    lists, found = _lists(sweep)
    parts = _damaged_parts(sweep / LOG, lists)
    while any(damage.why == _MISSING for damage in parts) and (now := _lists(sweep))[0] != lists:
        # A running sweep's driver has merged them meanwhile, and listed what they became.
        lists, found = now
        parts = _damaged_parts(sweep / LOG, lists)
    return [*found, *parts, *_damaged_copies(sweep), *_damaged_checkpoints(sweep)]


def quarantine(place: str | Path | Folder) -> list[Damage]:
    """Move what is damaged into the folder `quarantine`, so that the rest can be read and the sweep be resumed.

    Resuming trains again what the lost rows held. Returns what was damaged. Raises SweepInUseError and what `verify`
    raises.
    """
    sweep = open_folder(place)
    log = sweep / LOG
    found = verify(sweep)
    if not found:
        return []
    lease = Lease(sweep)
    try:
        known = read_manifest(sweep).get("generation", 0)
        # The log of an older version has no lists: there, the parts that are left count as they are.
        has_lists = known or generations.generation_files(log)
        sound = generations.claim(log, above=known) if has_lists else None
        # Read only now: what an earlier driver commits from here on, it does not count as stored.
        lists, _ = _lists(sweep)
        for damage in found:
            _move(damage.folder, damage.name, sweep / QUARANTINE)
        left = set(log.files())
        if sound is not None:
            for table in SCHEMAS:
                sound = generations.with_parts(sound, table, [p for p in lists.of(table) if p.name in left])
            generations.commit(log, sound)
        if any(is_part(damage.name) for damage in found):
            write_manifest(sweep, {**read_manifest(sweep), "state": "INTERRUPTED"})  # there is work again
    finally:
        lease.release()
    return found


def _lists(sweep: Folder) -> tuple[Generation, list[Damage]]:
    """The parts that should be there: by the latest committed list, or if that is lost, all parts that can be read."""
    log = sweep / LOG
    known = read_manifest(sweep).get("generation", 0)
    found = []
    for name in generations.generation_files(log):
        try:
            generations.read_generation(log, name)
        except DamagedFileError as error:
            found.append(Damage(log, name, _why(error), "if it was the last one, every part found counts instead"))
    try:
        latest = generations.committed(log)
        if latest is not None and latest.number >= known:
            return latest, found
        if known:
            name = generations.any_file_of(known)
            found.append(Damage(log, name, _MISSING, "every part found counts instead"))
    except DamagedFileError:
        pass
    return _all_parts(log), found


def _all_parts(log: Folder) -> Generation:
    lists = Generation(0)
    for table in SCHEMAS:
        parts = []
        for name in log.files():
            if is_part(name) and name.startswith(f"{table}-"):
                data = log.read(name)
                try:
                    rows = len(from_parquet(data, SCHEMAS[table], name=name))
                except DamagedFileError:
                    rows = 0
                parts.append(Part(name, rows, zlib.crc32(data)))
        lists = generations.with_parts(lists, table, parts)
    return lists


def _damaged_parts(log: Folder, lists: Generation) -> list[Damage]:
    found = []
    for table in SCHEMAS:
        for part in lists.of(table):
            try:
                read_part(log, table, part)
            except FileNotFoundError:
                found.append(Damage(log, part.name, _MISSING, f"{part.rows} rows of {table}"))
            except DamagedFileError as error:
                found.append(Damage(log, part.name, _why(error), f"{part.rows or 'unknown'} rows of {table}"))
    return found


def _damaged_copies(sweep: Folder) -> list[Damage]:
    """The published files. With the log there, they are copies, which the next compaction writes anew."""
    found = []
    for table, name in PUBLISHED.items():
        if sweep.exists(name):
            try:
                from_parquet(sweep.read(name), SCHEMAS[table], name=sweep.file(name))
            except DamagedFileError as error:
                found.append(Damage(sweep, name, _why(error), "`sweep verify DIR --compact` writes it anew"))
    return found


def _damaged_checkpoints(sweep: Folder) -> list[Damage]:
    folder = sweep / CHECKPOINTS
    found = []
    for name in folder.files():
        try:
            # The format of torch.save is a zip file; its checksums need no torch.
            bad = zipfile.ZipFile(io.BytesIO(folder.read(name))).testzip()
            why = f"checksum of {bad} differs" if bad else None
        except FileNotFoundError:
            continue  # its trial has just ended
        # The last is zipfile's word for a compression that it does not know: damage, too, in a file of ours.
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
            why = str(error)
        if why:
            found.append(Damage(folder, name, why, "its trial will start from its first epoch"))
    return found


def _move(folder: Folder, name: str, to: Folder) -> None:
    try:
        to.write(name, folder.read(name))
    except FileNotFoundError:
        return  # missing was its damage
    folder.remove(name)


def _why(error: StoreError) -> str:
    return str(error).partition(": ")[2].partition(";")[0]
