"""One driver a sweep: an advisory lock on a file in its folder, gone with the process that held it."""

import fcntl
import json
import os
import socket
from pathlib import Path

from sweep.store.errors import SweepInUseError
from sweep.store.layout import PARTS


class DriverLock:
    """Held from construction until `release()` or the end of the process."""

    def __init__(self, sweep_dir: Path) -> None:
        """Raises SweepInUseError naming the holder's pid and host."""
        path = sweep_dir / PARTS / "driver.lock"
        self._file = path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise SweepInUseError(
                f"{sweep_dir}: another driver is running this sweep ({holder}); wait for it or stop it first"
            ) from None
        self._file.truncate(0)
        self._file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        self._file.flush()

    def release(self) -> None:
        """Let another driver take the sweep."""
        self._file.close()
