"""The same sweep into an S3-compatible server on this machine, with a kill: the tables are the local ones."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from pyarrow import fs
from real_sweeps import CIRCUMSTANCES, RealSweep, check_exactly_once
from test_killed_driver import ROWS, STUDY

from analysis import load
from sweep.store import NotASweepError, StoreError
from sweep.store.folder import Folder, open_folder

MakeSweep = Callable[..., RealSweep]


@pytest.fixture
def s3_storage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The URI of an empty bucket of a server on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with (tmp_path / "server.txt").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log
        )
    endpoint = f"127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < deadline, "the server does not come up"
            time.sleep(0.1)
    bucket = fs.S3FileSystem(scheme="http", endpoint_override=endpoint, region="us-east-1", allow_bucket_creation=True)
    bucket.create_dir("sweeps")
    yield f"s3://sweeps/results?scheme=http&endpoint_override={endpoint}&region=us-east-1"
    server.terminate()
    server.wait()


def test_a_folder_in_an_object_store(s3_storage: str) -> None:
    storage = open_folder(s3_storage)
    folder = storage / "a" / "b"
    assert folder.files() == []
    folder.write("one", b"1")
    folder.write("one", b"2")
    folder.write("_hidden", b"")
    large = os.urandom(12_000_000)  # above the size of one part of an upload
    folder.write("two", large)
    assert (folder.files(), folder.read("one"), folder.read("two") == large) == (["one", "two"], b"2", True)
    assert (storage.folders(), (storage / "a").folders(), folder.name) == (["a"], ["b"], "b")
    assert 0 <= folder.age_s("one") < 60
    folder.remove("one")
    folder.remove("one")
    assert not folder.exists("one")
    with pytest.raises(FileNotFoundError):
        folder.read("one")
    names = [f"many-{number:02d}" for number in range(40)]
    for name in names:
        folder.write(name, name.encode())
    assert folder.read_each(names) == [name.encode() for name in names]
    with pytest.raises(FileNotFoundError):
        folder.read_each(["two", "one"])
    folder.remove_each([*names, "one"])
    assert folder.files() == ["two"]
    assert folder.file("x") == "s3://sweeps/results/a/b/x"
    with pytest.raises(NotASweepError, match="s3://sweeps/results"):
        load(str(folder))


@pytest.mark.parametrize("uri", ["s3://key:secret@bucket/x", "s3://bucket/x?secret_key=secret", "nothing://bucket/x"])
def test_addresses_that_are_refused(uri: str) -> None:
    with pytest.raises(StoreError) as error:
        open_folder(uri)
    assert "secret@" not in str(error.value)
    assert "=secret" not in str(error.value)


def only_sweep(storage: str) -> Folder | None:
    names = open_folder(storage).folders()
    return open_folder(storage) / names[0] if names else None


@pytest.mark.slow
def test_the_same_sweep_with_a_kill_gives_the_same_tables(make_sweep: MakeSweep, s3_storage: str) -> None:
    whole, remote = make_sweep(STUDY, "whole"), make_sweep(STUDY, "remote")
    whole.run()
    spec = str(remote.storage / "study.yaml")
    process = remote.start("run", spec, "--storage", s3_storage)
    deadline = time.monotonic() + 120
    while True:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        folder = only_sweep(s3_storage)
        if folder is not None and folder.exists("sweep.json") and len(load(str(folder)).epochs) >= 8:
            break
        time.sleep(0.2)
    process.kill()
    process.communicate()
    before = load(str(folder)).epochs
    assert 8 <= len(before) < ROWS
    remote.run("resume", str(folder))
    result = load(str(folder))
    check_exactly_once(result.epochs, result.trials)
    epochs = result.epochs.sort_values(["trial_id", "epoch"], ignore_index=True)
    same, others = (table.drop(columns=CIRCUMSTANCES) for table in (epochs, whole.tables()[0]))
    pd.testing.assert_frame_equal(same, others, check_exact=True)
    kept = epochs.merge(before[["trial_id", "epoch", "timestamp"]], on=["trial_id", "epoch", "timestamp"])
    assert len(kept) == len(before)
    assert "killed-" in remote.run("list", "--storage", s3_storage)
    assert f"sound: {ROWS} epochs of 4 trials" in remote.run("verify", str(folder))
