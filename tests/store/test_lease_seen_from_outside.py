"""What others see of the driver that runs a sweep, and how they wait for one that may be dead."""

import json
import os
import time
from pathlib import Path

import pytest

from sweep.store import lease
from sweep.store.errors import NotASweepError, SweepInUseError
from sweep.store.find import find_sweep
from sweep.store.folder import LocalFolder
from sweep.store.lease import LEASE, holder, wait_out_if_silent
from sweep.store.stop_request import StopRequests, request_stop
from sweep.store.writer import StoreWriter


def driver_elsewhere(sweep: LocalFolder, *, silent_s: float) -> Path:
    """The last sign of life of a driver on a machine that this one cannot look into."""
    path = sweep.root / "log" / LEASE
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"pid": 7, "host": "elsewhere", "pids": "another", "started": 1, "token": "t"}))
    os.utime(path, (time.time() - silent_s,) * 2)
    return path


def test_the_holder_is_seen_with_its_progress_until_it_lets_go(sweep: LocalFolder) -> None:
    assert holder(sweep) is None
    writer = StoreWriter(sweep)
    writer.tell_progress(lambda: {"seconds_left": 40.0})
    seen = holder(sweep)
    assert seen is not None
    assert (seen.pid, seen.progress) == (os.getpid(), {"seconds_left": 40.0})
    writer.close()
    assert holder(sweep) is None


def test_a_driver_that_stays_silent_is_waited_out(sweep: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "SILENT_AFTER_S", 3.0)
    driver_elsewhere(sweep, silent_s=1)
    said: list[str] = []
    assert holder(sweep) is not None
    wait_out_if_silent(sweep, said.append)
    assert "pid 7 on host elsewhere" in said[0]
    assert holder(sweep) is None


def test_a_driver_that_shows_a_sign_of_life_is_not(sweep: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = driver_elsewhere(sweep, silent_s=20)
    monkeypatch.setattr(lease.time, "sleep", lambda _: os.utime(path))
    with pytest.raises(SweepInUseError, match="on host elsewhere"):
        wait_out_if_silent(sweep, lambda _: None)


def test_a_wish_to_stop_reaches_the_generation_it_is_meant_for(sweep: LocalFolder) -> None:
    request_stop(sweep, 2, now=False)
    assert StopRequests(sweep, 3).wish() is None
    meant = StopRequests(sweep, 2)
    assert meant.wish() == "drain"
    request_stop(sweep, 2, now=True)
    assert StopRequests(sweep, 2).wish() == "now"
    meant.clear()
    assert StopRequests(sweep, 2).wish() is None


def test_a_sweep_is_found_by_its_folder_its_name_and_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, name, created in (
        ("a-1", "a", "2026-01-02"),
        ("a-2", "a", "2026-01-03"),
        ("a-b-1", "a-b", "2026-01-04"),
    ):
        manifest = {"schema_version": 1, "sweep_id": folder, "name": name, "created": created}
        LocalFolder(tmp_path / folder).write("sweep.json", json.dumps(manifest).encode())
    storage = LocalFolder(tmp_path)
    assert find_sweep(storage, "a-1").name == "a-1"
    assert find_sweep(storage, "a").name == "a-2", "the newest, and not that of another spec"
    assert find_sweep(storage, str(tmp_path / "a-1")).name == "a-1"
    monkeypatch.chdir(tmp_path)
    elsewhere = LocalFolder(tmp_path / "results")
    assert find_sweep(elsewhere, "a-1").path == tmp_path / "a-1"
    monkeypatch.chdir(tmp_path / "a-2")
    assert find_sweep(elsewhere, ".").path == tmp_path / "a-2"
    with pytest.raises(NotASweepError, match="no sweep 'b' here"):
        find_sweep(storage, "b")


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become somebody else")
def test_another_users_driver_lives_though_the_machine_hides_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_started", lambda pid: None)  # as /proc with `hidepid` answers
    mine = {**lease._this_process(), "started": 5}
    os.setresuid(65534, 65534, 0)
    try:
        assert not lease._is_gone({**mine, "pid": 1})
        assert lease._is_gone({**mine, "pid": 2**22}), "there is no such process"
    finally:
        os.seteuid(0)
        os.setresuid(0, 0, 0)
    assert lease._is_gone({**mine, "pid": 1}), "nothing is hidden from root"
