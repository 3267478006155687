"""Who may write a sweep, and which parts hold its rows: one small file of the log for each driver.

A driver claims the next generation by writing `generation-NNNN-TOKEN.json`, then commits to it the list of parts that
count. The highest generation with a committed list is what readers believe. Rows are stored once a list that names
their part is durable *and* no later generation has been claimed after that; so a driver that was paused, superseded
and woken again can neither lose nor add a row.
"""

import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from secrets import token_hex
from typing import Any

from sweep.store.errors import damaged
from sweep.store.folder import Folder
from sweep.store.layout import PUBLISHED

_PREFIX = "generation-"
_FILE_NAME = re.compile(r"generation-\d+-[0-9a-f]+\.json")


@dataclass(frozen=True)
class Part:
    """A Parquet file of the log. level: 0 for one flush, n + 1 for a merger of parts of level n."""

    name: str
    rows: int
    crc32: int
    level: int = 0


@dataclass(frozen=True)
class Generation:
    """One driver's claim. parts: by table, in the order of writing; None until the driver commits."""

    number: int
    token: str = field(default_factory=lambda: token_hex(4))
    parts: dict[str, tuple[Part, ...]] | None = None

    @property
    def file_name(self) -> str:
        """The generation's file in the log."""
        return f"{_PREFIX}{self.number:04d}-{self.token}.json"

    def of(self, table: str) -> tuple[Part, ...]:
        """One table's parts, in the order of writing."""
        return (self.parts or {}).get(table, ())

    def part_names(self) -> set[str]:
        """The names of all parts of all tables."""
        return {part.name for parts in (self.parts or {}).values() for part in parts}


def claim(log: Folder, *, above: int = 0) -> Generation:
    """Claim the next generation, at least `above` + 1; earlier drivers are superseded from here on. Raises OSError."""
    number = max([above, *_numbers(log)])
    while True:
        number += 1
        claimed = Generation(number)
        commit(log, claimed)
        # Of two that claimed one number at once, whoever wrote last sees both, and goes on to the next.
        if sum(other == number for other in _numbers(log)) == 1:
            return claimed


def commit(log: Folder, generation: Generation) -> None:
    """Make a driver's list of parts the one that it stands for. Raises OSError; then the earlier list stands."""
    content = json.dumps({"generation": generation.number, "parts": _as_lists(generation.parts)}, indent=1)
    log.write(generation.file_name, f"{content}\n{zlib.crc32(content.encode()):08x}\n".encode())


def committed(log: Folder) -> Generation | None:
    """The highest generation with a committed list; None if there is none.

    Raises DamagedFileError naming a generation's file that is not as it was written.
    """
    for name in sorted(generation_files(log), reverse=True):
        try:
            found = read_generation(log, name)
        except FileNotFoundError:
            continue
        if found.parts is not None:
            return found
    return None


def superseded(log: Folder, mine: Generation) -> int | None:
    """The number of a later generation than `mine`, None if there is none."""
    latest = max(_numbers(log), default=0)
    return latest if latest > mine.number else None


def with_parts(generation: Generation, table: str, parts: Iterable[Part]) -> Generation:
    """The same generation with another list for one table; commit() makes it count."""
    return replace(generation, parts={**(generation.parts or {}), table: tuple(parts)})


def generation_files(log: Folder) -> list[str]:
    """The names of all generations' files, ascending."""
    return [name for name in log.files() if _FILE_NAME.fullmatch(name)]


def any_file_of(number: int) -> str:
    """How messages name the file of a generation whose token is not known."""
    return f"{_PREFIX}{number:04d}-*.json"


def read_generation(log: Folder, name: str) -> Generation:
    """One generation from its file. Raises FileNotFoundError, DamagedFileError."""
    try:
        parsed = log.parsed(name, _checked)
    except ValueError as error:
        raise damaged(log.file(name), error) from None
    token = name.removesuffix(".json").rpartition("-")[2]
    return Generation(parsed["generation"], token, _from_lists(parsed["parts"]))


def _checked(data: bytes) -> Any:
    content, checksum = data.decode().rstrip("\n").rsplit("\n", 1)
    if int(checksum, 16) != zlib.crc32(content.encode()):
        raise ValueError("checksum differs")
    return json.loads(content)


def _as_lists(parts: dict[str, tuple[Part, ...]] | None) -> Any:
    return parts and {table: [asdict(part) for part in of_table] for table, of_table in parts.items()}


def _from_lists(parts: Any) -> dict[str, tuple[Part, ...]] | None:
    return parts and {table: tuple(Part(**part) for part in parts[table]) for table in PUBLISHED}


def _numbers(log: Folder) -> list[int]:
    return [int(name.split("-")[1]) for name in generation_files(log)]
