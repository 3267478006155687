"""The code that a cluster is sent is the code that is here."""

import subprocess
import sys
from pathlib import Path

from cluster.shipped_code import code_digest, ship_code


def digest_of(folder: Path) -> str:
    script = "from cluster.shipped_code import code_digest; print(code_digest())"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


def test_a_copy_has_the_same_digest_and_a_changed_one_another(tmp_path: Path) -> None:
    ship_code(tmp_path)
    assert digest_of(tmp_path) == code_digest()
    with (tmp_path / "sweep" / "__init__.py").open("a") as file:
        file.write("# changed")
    assert digest_of(tmp_path) != code_digest()
