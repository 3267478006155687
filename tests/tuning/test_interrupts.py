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


def test_under_nohup_a_hangup_is_ignored_and_an_interrupt_heard_though_a_shell_may_ignore_it() -> None:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGINT)}
    said: list[str] = []
    try:
        with Interrupts(said.append) as interrupts:
            signal.raise_signal(signal.SIGHUP)
            assert interrupts.received is None
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert interrupts.received == signal.SIGINT
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(said) == 1


def test_a_signal_that_comes_before_tune_does_has_its_own_exit_code() -> None:
    with pytest.raises(SystemExit) as ended, Interrupts(print):
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM
