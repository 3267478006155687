"""`sweep stop`, given while a driver has just begun."""

import json
import threading
import time
from pathlib import Path

from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.store.folder import LocalFolder
from sweep.store.lease import Lease
from sweep.store.manifest import read_manifest, write_manifest
from sweep.store.stop_request import StopRequests


def test_a_driver_that_takes_its_number_after_its_first_sign_of_life_hears_the_wish(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path / "results" / "some-a1")
    manifest = {"schema_version": 1, "sweep_id": "some-a1", "name": "some", "created": "2026-01-02", "state": "RUNNING"}
    folder.root.mkdir(parents=True)
    write_manifest(folder, {**manifest, "generation": 1})
    lease = Lease(folder)
    heard: list[str | None] = []

    def drive() -> None:
        """Reads what is stored, and takes its number then."""
        time.sleep(1)
        write_manifest(folder, {**read_manifest(folder), "generation": 2})
        give_up = time.monotonic() + 20
        while not heard and time.monotonic() < give_up:
            time.sleep(0.1)
            if (wish := StopRequests(folder, 2).wish()) is not None:
                heard.append(wish)
        write_manifest(folder, {**read_manifest(folder), "state": "INTERRUPTED"})
        lease.release()

    driver = threading.Thread(target=drive, daemon=True)
    driver.start()
    done = CliRunner().invoke(app, ["stop", "some-a1", "--storage", str(tmp_path / "results"), "--json"])
    driver.join(timeout=10)
    assert heard == ["drain"]
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"sweep_id": "some-a1", "state": "INTERRUPTED"}
