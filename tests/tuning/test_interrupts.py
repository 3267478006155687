"""Signals in this process, as a driver takes them."""

import signal
from types import FrameType

import pytest

from sweep.tuning.interrupts import Interrupts


def test_the_handler_that_an_earlier_run_of_tune_has_left_is_not_taken_for_a_running_one() -> None:
    heard: list[int] = []

    def left_over(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    before = signal.signal(signal.SIGUSR1, left_over)
    said: list[str] = []
    try:
        with pytest.raises(KeyboardInterrupt), Interrupts(said.append) as interrupts:
            signal.raise_signal(signal.SIGINT)
        assert interrupts.received == signal.SIGINT
        assert signal.getsignal(signal.SIGUSR1) is left_over
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (heard, len(said)) == ([], 1)


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts(pytest.fail) as interrupts:
            signal.raise_signal(signal.SIGHUP)
        assert interrupts.received is None
    finally:
        signal.signal(signal.SIGHUP, before)
