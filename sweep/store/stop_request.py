"""The wish that a sweep stops, left beside its files: the storage is what everybody who may wish it shares."""

import json
import time
from contextlib import suppress
from typing import Literal

from sweep.store.folder import Folder
from sweep.store.layout import LOG

FILE = "stop.json"
LOOK_EVERY_S = 2.0

Wish = Literal["drain", "now"]


def request_stop(sweep: Folder, generation: int, *, now: bool) -> None:
    """Ask the driver of this generation to stop: after the epochs that run, or at once. Raises OSError."""
    wish: Wish = "now" if now else "drain"
    (sweep / LOG).write(FILE, json.dumps({"generation": generation, "wish": wish}).encode())


class StopRequests:
    """What a driver looks at. A wish meant for an earlier generation does not stop a resumed sweep."""

    def __init__(self, sweep: Folder, generation: int) -> None:
        self._log = sweep / LOG
        self._generation = generation
        self._next_look = 0.0
        self._wish: Wish | None = None

    def wish(self) -> Wish | None:
        """What is wished, seen at most LOOK_EVERY_S late; a storage that cannot be read wishes nothing."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_EVERY_S
            try:
                request = json.loads(self._log.read(FILE))
                if request["generation"] == self._generation:
                    self._wish = request["wish"]
            except (OSError, ValueError, KeyError, TypeError):
                pass  # none, or one that is being written
        return self._wish

    def clear(self) -> None:
        """Remove a wish that has been granted; one that stays is of this generation, which ends."""
        with suppress(OSError):
            self._log.remove(FILE)
