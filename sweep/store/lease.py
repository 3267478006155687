"""One driver a sweep: its signs of life in a file, on a disk or in an object store.

The lease keeps people from starting a second driver by mistake. What keeps two drivers from harming each other's rows
is `generations`.
"""

import json
import os
import shlex
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from sweep.store.errors import SweepInUseError
from sweep.store.folder import Folder
from sweep.store.layout import LOG

LEASE = "driver.json"
RENEW_EVERY_S = 10.0
SILENT_AFTER_S = 60.0


class Lease:
    """Held from construction until `release()`; lost by silence for SILENT_AFTER_S, or by the end of the process."""

    def __init__(self, sweep: Folder, *, take_over: bool = False) -> None:
        """take_over: take the sweep even from a driver that seems to live.

        Raises SweepInUseError naming the holder's pid and host, OSError if the folder cannot be written.
        """
        self._log = sweep / LOG
        self._mine = {**_this_process(), "token": token_hex(4)}
        self.progress: Callable[[], dict[str, Any]] = dict  # what a sign of life says of how far this driver is
        if not take_over:
            refuse_if_held(sweep)
        self._renewed = 0.0
        self.renew()

    @property
    def is_due(self) -> bool:
        """Whether the last sign of life is some seconds old."""
        return time.monotonic() - self._renewed >= RENEW_EVERY_S

    def renew(self) -> None:
        """Show a sign of life. Raises OSError."""
        self._log.write(LEASE, json.dumps({**self._mine, "progress": self.progress()}).encode())
        self._renewed = time.monotonic()

    def release(self) -> None:
        """Let another driver take the sweep at once. A lease that another has taken stays its own."""
        try:
            if json.loads(self._log.read(LEASE)).get("token") == self._mine["token"]:
                self._log.remove(LEASE)
        except (OSError, ValueError):
            pass  # It runs out by itself; what the caller was about to tell matters more.


@dataclass(frozen=True)
class Holder:
    """The driver that runs a sweep. token: no other has it; silent_s: since its last sign of life; progress: what it
    said then.
    """

    pid: int | str
    host: str
    token: str
    silent_s: float
    progress: dict[str, Any]


def holder(sweep: Folder) -> Holder | None:
    """The driver that runs this sweep; None if there is none, or it has died or fallen silent. Raises OSError."""
    log = sweep / LOG
    try:
        silent_s = _silent_s(log)
        held = log.parsed(LEASE, json.loads)
    except FileNotFoundError:
        return None
    except ValueError:
        held = {}
    if abs(silent_s) >= SILENT_AFTER_S or _is_gone(held):
        return None
    return Holder(
        held.get("pid", "unknown"),
        held.get("host", "unknown"),
        held.get("token", ""),
        silent_s,
        held.get("progress", {}),
    )


def _silent_s(log: Folder) -> float:
    try:
        return log.age_s(LEASE)
    except FileNotFoundError:
        raise
    except OSError:  # somebody who may only read: by this machine's clock, then
        return time.time() - log.modified(LEASE)


def refuse_if_held(sweep: Folder) -> None:
    """Raises SweepInUseError naming the driver that runs this sweep, if one does."""
    driver = holder(sweep)
    if driver is None:
        return
    raise SweepInUseError(
        f"{sweep}: another driver (pid {driver.pid} on host {driver.host}, last sign of life {driver.silent_s:.0f} s "
        f"ago) is running this sweep; end it with `sweep stop {shlex.quote(str(sweep))}`, or wait until it has been "
        f"silent for {SILENT_AFTER_S:.0f} s, or, if you know that it is dead or paused, take it over with "
        f"`sweep resume {shlex.quote(str(sweep))} --take-over`"
    )


def wait_out_if_silent(sweep: Folder, announce: Callable[[str], None]) -> None:
    """Come back once no driver runs this sweep: one that died elsewhere holds it until it has been silent long enough.

    Raises SweepInUseError at the first sign of life.
    """
    before = holder(sweep)
    if before is not None:
        announce(f"the last driver (pid {before.pid} on host {before.host}) may be dead; waiting until that is sure")
    while before is not None:
        time.sleep(1)
        now = holder(sweep)
        if now is not None and now.silent_s < before.silent_s:
            refuse_if_held(sweep)
        before = now


def _this_process() -> dict[str, Any]:
    pid = os.getpid()
    return {"pid": pid, "host": socket.gethostname(), "pids": _pid_namespace(), "started": _started(pid)}


def _is_gone(holder: dict[str, Any]) -> bool:
    """Whether the holder ran among the processes that we can see, and is none of them any more."""
    if holder.get("host") != socket.gethostname() or holder.get("pids") != _pid_namespace() or not _pid_namespace():
        return False
    started = _started(int(holder["pid"]))
    return started != holder["started"] and not (started is None and _is_hidden(int(holder["pid"])))


def _is_hidden(pid: int) -> bool:
    """Whether a process is there, another user's, of whom a machine with `hidepid` shows nothing."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return False


def _pid_namespace() -> str | None:
    """Which process ids mean the same: two containers may share a host's name, but not this."""
    try:
        return f"{os.readlink('/proc/self/ns/pid')} {Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    except OSError:
        return None


def _started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None if there is none, only its remains, or it is hidden."""
    try:
        # The name, in parentheses, may hold spaces; the fields after it are counted from the state, field 3.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return None if fields[0] == "Z" else int(fields[19])
