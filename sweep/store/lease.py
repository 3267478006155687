"""One driver a sweep: its signs of life in a file, on a disk or in an object store.

The lease keeps people from starting a second driver by mistake. What keeps two drivers from harming each other's rows
is `generations`.
"""

import json
import os
import socket
import time
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
        self._mine = json.dumps({**_this_process(), "token": token_hex(4)}).encode()
        if not take_over:
            refuse_if_held(sweep)
        self._renewed = 0.0
        self.renew()

    def renew_if_due(self) -> None:
        """Show a sign of life when the last one is some seconds old."""
        if time.monotonic() - self._renewed >= RENEW_EVERY_S:
            self.renew()

    def renew(self) -> None:
        """Show a sign of life. Raises OSError."""
        self._log.write(LEASE, self._mine)
        self._renewed = time.monotonic()

    def release(self) -> None:
        """Let another driver take the sweep at once. A lease that another has taken stays its own."""
        try:
            if self._log.read(LEASE) == self._mine:
                self._log.remove(LEASE)
        except OSError:
            pass  # It runs out by itself; what the caller was about to tell matters more.


def refuse_if_held(sweep: Folder) -> None:
    """Raises SweepInUseError naming the driver that runs this sweep, if one does."""
    log = sweep / LOG
    try:
        holder = json.loads(log.read(LEASE))
        silent_s = log.age_s(LEASE)
    except FileNotFoundError:
        return
    except ValueError:
        holder, silent_s = {}, log.age_s(LEASE)
    if silent_s >= SILENT_AFTER_S or _is_gone(holder):
        return
    raise SweepInUseError(
        f"{sweep}: another driver (pid {holder.get('pid', 'unknown')} on host {holder.get('host', 'unknown')}, "
        f"last sign of life {silent_s:.0f} s ago) is running this sweep; stop it, or wait until it has been silent "
        f"for {SILENT_AFTER_S:.0f} s, or pass --take-over if you know that it is dead or paused"
    )


def _this_process() -> dict[str, Any]:
    pid = os.getpid()
    return {"pid": pid, "host": socket.gethostname(), "pids": _pid_namespace(), "started": _started(pid)}


def _is_gone(holder: dict[str, Any]) -> bool:
    """Whether the holder ran among the processes that we can see, and is none of them any more."""
    if holder.get("host") != socket.gethostname() or holder.get("pids") != _pid_namespace() or not _pid_namespace():
        return False
    return _started(int(holder["pid"])) != holder["started"]


def _pid_namespace() -> str | None:
    """Which process ids mean the same: two containers may share a host's name, but not this."""
    try:
        return f"{os.readlink('/proc/self/ns/pid')} {Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    except OSError:
        return None


def _started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None if there is none, or only its remains."""
    try:
        # The name, in parentheses, may hold spaces; the fields after it are counted from the state, field 3.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])
