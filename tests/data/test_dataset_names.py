import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.data.errors import DataError
from sweep.data.source import Source, absolute_name, check_dataset, parse_dataset


@pytest.mark.parametrize("name", ["digits", "cifar10", "cifar100"])
def test_the_named_datasets_pass_and_are_absolute_already(name):
    check_dataset(name)
    assert parse_dataset(name) == Source(name)
    assert absolute_name(name) == name


def test_a_relative_path_starts_at_the_current_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute_name("parquet:data/x") == f"parquet:{tmp_path}/data/x"
    assert absolute_name("folder:../y") == f"folder:{tmp_path.parent}/y"


def test_a_tilde_is_the_home_directory():
    assert parse_dataset("folder:~/pictures").path == Path.home() / "pictures"


def test_a_path_may_hold_colons_and_spaces(tmp_path):
    assert parse_dataset(f"folder:{tmp_path}/a:b c").path == tmp_path / "a:b c"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cifar-10", ["'cifar-10'", "parquet:PATH", "did you mean cifar10?"]),
        ("CIFAR100", ["did you mean cifar100?"]),
        ("parqet:x", ["did you mean parquet:PATH?"]),
        ("imagenet", ["unknown", "digits, cifar10, cifar100, parquet:PATH or folder:PATH"]),
        ("", ["unknown"]),
        ("parquet", ["write parquet:PATH"]),
        ("folder: ", ["write folder:PATH"]),
        ("digits:/x", ["takes no path"]),
        ("parquet:/no/such/place", ["there is no /no/such/place"]),
        ("folder:\0", ["there is no"]),
        ("folder:" + "x" * 5000, ["there is no"]),
    ],
)
def test_a_wrong_name_is_an_error_that_says_what_to_write(name, words):
    with pytest.raises(DataError) as caught:
        check_dataset(name)
    for word in words:
        assert word in str(caught.value)


def test_a_folder_without_files_is_an_error_that_lists_what_is_there(tmp_path):
    for kind in ("parquet", "folder"):
        with pytest.raises(DataError, match="it is empty"):
            check_dataset(f"{kind}:{tmp_path}")
    for i in range(7):
        (tmp_path / f"table{i}.csv").touch()
    with pytest.raises(DataError, match=r"holds table0.csv, .*table4.csv and 2 more"):
        check_dataset(f"parquet:{tmp_path}")


def test_names_are_checked_without_torch_or_numpy():
    code = "import sys, sweep.data, sweep.data.source; print(sorted({'torch', 'numpy', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ}, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_of_the_package_loads():
    import sweep.data

    for name in sweep.data.__all__:
        assert callable(getattr(sweep.data, name))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = sweep.data.no_such_name
