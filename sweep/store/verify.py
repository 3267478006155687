"""All damage in a sweep's folder at once, and a way to go on without what is lost."""

import io
import json
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sweep.store import generations
from sweep.store.errors import DamagedFileError, StoreError, damaged
from sweep.store.folder import Folder, open_folder
from sweep.store.generations import Generation, Part
from sweep.store.layout import CHECKPOINTS, LOG, PUBLISHED, QUARANTINE, WARM_START, is_part
from sweep.store.lease import Lease
from sweep.store.manifest import read_manifest, write_manifest
from sweep.store.parquet_file import from_parquet
from sweep.store.reader import read_parts
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
    parts = _damaged_parts(sweep, lists)
    while any(damage.why == _MISSING for damage in parts) and (now := _lists(sweep))[0] != lists:
        # A running sweep's driver has merged them meanwhile, and listed what they became.
        lists, found = now
        parts = _damaged_parts(sweep, lists)
    copies = _damaged_copies(sweep, lists)
    return [*found, *parts, *copies, *_damaged_checkpoints(sweep), *_damaged_warm_start(sweep)]


def quarantine(place: str | Path | Folder) -> list[Damage]:
    """Move what is damaged into the folder `quarantine`, so that the rest can be read and the sweep be resumed.

    A part whose published copy is whole is put back from it; what other rows are lost, resuming trains again. Returns
    what was damaged. Raises DamagedFileError where a published file is, and nothing else holds its rows;
    SweepInUseError; and what `verify` raises.
    """
    sweep = open_folder(place)
    log = sweep / LOG
    found = verify(sweep)
    if not found:
        return []
    published_only = _published_only(sweep)
    lost = [damage for damage in found if damage.name in PUBLISHED.values()]
    if published_only and lost:
        raise damaged(lost[0].folder.file(lost[0].name), f"{lost[0].why}, and the log that held the same rows is gone")
    lease = Lease(sweep)
    try:
        known = read_manifest(sweep).get("generation", 0)
        # The log of an older version has no lists: there, the parts that are left count as they are.
        has_lists = (known or generations.generation_files(log)) and not published_only
        sound = generations.claim(log, above=known) if has_lists else None
        # Read only now: what an earlier driver commits from here on, it does not count as stored.
        lists, _ = _lists(sweep)
        for damage in found:
            _move(damage.folder, damage.name, sweep / QUARANTINE)
        _put_back(sweep, lists, {damage.name for damage in found})
        left = set(log.files())
        if sound is not None:
            for table in SCHEMAS:
                sound = generations.with_parts(sound, table, [p for p in lists.of(table) if p.name in left])
            generations.commit(log, sound)
        if any(is_part(damage.name) and damage.name not in left for damage in found):
            write_manifest(sweep, {**read_manifest(sweep), "state": "INTERRUPTED"})  # there is work again
        if any(damage.name == WARM_START for damage in found):
            write_manifest(sweep, {**read_manifest(sweep), "warm_start": 0})
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
        if known and not _published_only(sweep):
            name = generations.any_file_of(known)
            found.append(Damage(log, name, _MISSING, "every part found counts instead"))
    except DamagedFileError:
        pass
    return _all_parts(log), found


def _published_only(sweep: Folder) -> bool:
    """Whether a sweep that has ended lost its log, so that its two published files are all that is read."""
    log = sweep / LOG
    try:
        if generations.committed(log) is not None or any(map(is_part, log.files())):
            return False
    except DamagedFileError:
        return False
    ended = read_manifest(sweep).get("state") == "COMPLETED"
    return ended and all(map(sweep.exists, PUBLISHED.values()))


def _put_back(sweep: Folder, lists: Generation, moved: set[str]) -> None:
    """Write those parts anew that were published whole."""
    for table in SCHEMAS:
        for part in lists.of(table):
            data = _copy_of(sweep, table, part) if part.name in moved else None
            if data is not None:
                (sweep / LOG).write(part.name, data)


def _copy_of(sweep: Folder, table: str, part: Part) -> bytes | None:
    """The bytes of a part as they were published with it; None where what is published is something else."""
    try:
        data = sweep.read(PUBLISHED[table])
    except FileNotFoundError:
        return None
    return data if zlib.crc32(data) == part.crc32 else None


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


def _damaged_parts(sweep: Folder, lists: Generation) -> list[Damage]:
    log, found = sweep / LOG, []
    for table in SCHEMAS:
        for part in lists.of(table):
            try:
                read_parts(log, table, [part])
            except (FileNotFoundError, DamagedFileError) as error:
                why = _MISSING if isinstance(error, FileNotFoundError) else _why(error)
                cost = f"{part.rows or 'unknown'} rows of {table}"
                if _copy_of(sweep, table, part) is not None:
                    cost = f"`--quarantine` puts it back from {PUBLISHED[table]}, so that nothing is lost"
                found.append(Damage(log, part.name, why, cost))
    return found


def _damaged_copies(sweep: Folder, lists: Generation) -> list[Damage]:
    """The published files. With the log there, they are copies, which the next compaction writes anew."""
    found = []
    alone = _published_only(sweep)
    ended = read_manifest(sweep).get("state") == "COMPLETED"
    cost = "nothing else holds its rows: restore it from a copy" if alone else "`--compact` writes it anew"
    for table, name in PUBLISHED.items():
        if sweep.exists(name):
            try:
                from_parquet(sweep.read(name), SCHEMAS[table], name=sweep.file(name))
            except DamagedFileError as error:
                found.append(Damage(sweep, name, _why(error), cost))
                continue
            # The checksums of pages say nothing of the columns' names.
            parts = lists.of(table)
            if lists.number and ended and len(parts) == 1 and _copy_of(sweep, table, parts[0]) is None:
                found.append(Damage(sweep, name, "differs from the part that it was published from", cost))
    return found


def _damaged_checkpoints(sweep: Folder) -> list[Damage]:
    folder = sweep / CHECKPOINTS
    found = []
    for name in folder.files():
        with suppress(FileNotFoundError):  # its trial has just ended
            try:
                folder.parsed(name, _test_checkpoint)
            except ValueError as error:
                found.append(Damage(folder, name, str(error), "its trial will start from its first epoch"))
    return found


def _test_checkpoint(data: bytes) -> None:
    """Raise ValueError for damage. The format of torch.save is a zip file; its checksums need no torch."""
    try:
        bad = zipfile.ZipFile(io.BytesIO(data)).testzip()
    except Exception as error:  # of damage zipfile raises a dozen types, from zlib.error to NotImplementedError
        raise ValueError(str(error)) from None
    if bad:
        raise ValueError(f"checksum of {bad} differs")


def _damaged_warm_start(sweep: Folder) -> list[Damage]:
    cost = "the search began with it: restore it from a copy, or `--quarantine` lets it go on without"
    try:
        sweep.parsed(WARM_START, json.loads)
    except FileNotFoundError:
        return [Damage(sweep, WARM_START, _MISSING, cost)] if read_manifest(sweep).get("warm_start") else []
    except ValueError as error:
        return [Damage(sweep, WARM_START, f"damaged ({error})", cost)]
    return []


def _move(folder: Folder, name: str, to: Folder) -> None:
    try:
        to.write(name, folder.read(name))
    except FileNotFoundError:
        return  # missing was its damage
    folder.remove(name)


def _why(error: StoreError) -> str:
    return str(error).partition(": ")[2].partition(";")[0]
