import os
import subprocess
import sys
from pathlib import Path

from cluster.scratch_folder import scratch_folder

HOLD = """
import sys
from cluster.scratch_folder import scratch_folder
with scratch_folder() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def start_holding() -> tuple["subprocess.Popen[str]", Path]:
    """A process with a scratch folder that looks ten minutes old."""
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    folder = Path(process.stdout.readline().strip())
    (lock,) = folder.iterdir()
    old = lock.stat().st_mtime - 600
    os.utime(lock, (old, old))
    return process, folder


def test_it_is_removed_at_the_end() -> None:
    with scratch_folder() as folder:
        (folder / "sockets").mkdir()
        assert len(str(folder)) < 30
    assert not folder.exists()


def test_those_of_killed_processes_go_and_those_of_living_ones_stay() -> None:
    living, held = start_holding()
    killed, left = start_holding()
    killed.kill()
    killed.wait()
    assert left.exists()
    with scratch_folder():
        assert not left.exists()
        assert held.exists()
    living.communicate()
    assert not held.exists()
