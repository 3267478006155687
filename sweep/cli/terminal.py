"""Where the command line writes: results to stdout, everything else to stderr."""

import json
import math
import os
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


class _Stderr(Console):
    """Falls silent where nobody reads any more: `sweep run 2>&1 | tee log` goes on, or stops in order, without tee."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        # Else Python would complain at its end, with an exit code of its own; in `2>&1` of stdout, too.
        broken = os.fstat(sys.stderr.fileno())
        ends = [stream.fileno() for stream in (sys.stderr, sys.stdout)]
        for end in [end for end in ends if os.path.samestat(os.fstat(end), broken)]:
            os.dup2(os.open(os.devnull, os.O_WRONLY), end)


# Results may be piped, so that progress, warnings and errors never mix with them.
STDERR = _Stderr(stderr=True, highlight=False)


def shown(path: Path | str) -> str:
    """Relative where that is shorter, and quoted where that is needed, so that the printed commands can be typed."""
    if isinstance(path, Path) and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return shlex.quote(str(path))


def say(line: str) -> None:
    """A line for the person at the terminal, unwrapped where there is none."""
    with suppress(OSError):  # a full disk under the log is no reason to end a sweep
        STDERR.print(line, markup=False, soft_wrap=True)


def pass_on(piece: str) -> None:
    """What somebody else has printed, as it comes."""
    sys.stdout.write(piece)
    sys.stdout.flush()


def print_table(table: Table) -> None:
    """A table on stdout, as wide as it is: what a narrow terminal breaks can be read, what it cuts off cannot."""
    console = Console(highlight=False, markup=False)
    console.width = max(console.width, console.measure(table, options=console.options.update(max_width=10_000)).maximum)
    console.print(table, soft_wrap=True)


def print_json(value: dict[str, Any] | list[Any], *, indent: int | None = None) -> None:
    """One JSON value on stdout, by itself; JSON has no word for a number that is not finite but null."""
    json.dump(_finite(value), sys.stdout, default=str, allow_nan=False, indent=indent)
    sys.stdout.write("\n")


def _finite(value: Any) -> Any:
    match value:
        case dict():
            return {key: _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
        case float() if not math.isfinite(value):
            return None
    return value
