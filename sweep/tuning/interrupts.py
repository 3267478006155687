"""Signals that end a sweep so that it can be resumed."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While entered: the first of SIGINT, SIGTERM and SIGHUP ends the sweep in order, the second ends the process.

    `received`: the number of the first one. Enter it inside the Ray session, as connecting sets a handler of Ray's own.
    Does nothing outside the main thread, where Python gives signals to nobody, and leaves SIGHUP alone where it is
    ignored, as it is under nohup.
    """

    def __init__(self, announce: Callable[[str], None]) -> None:
        self.received: int | None = None
        self._announce = announce
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            # Tune would put a handler for SIGINT in place of ours.
            os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
            under_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            heard = [number for number in SIGNALS if number is not signal.SIGHUP or not under_nohup]
            self._before = {number: signal.signal(number, self._handle) for number in heard}
            # By this handler it is seen whether Tune runs; that of an earlier run of Tune stays for ever.
            self._before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.received is not None:
            try:
                _kill_descendants(os.getpid())
            finally:
                os._exit(128 + number)
        self.received = number
        self._announce(f"{signal.Signals(number).name}: storing what is there; once more to stop at once")
        if signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
            # Tune does not run yet.
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)
        # The one signal on which Tune stops in order whatever is set: it finishes its step and ends the trials.
        signal.raise_signal(signal.SIGUSR1)


def _kill_descendants(pid: int) -> None:
    """kill -9 of all that this process has started, Ray's own processes with their agents and workers included."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # threads and processes that end meanwhile
            for child in map(int, children.read_text().split()):
                _kill_descendants(child)
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
