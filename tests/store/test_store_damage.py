"""Damage to any file of a sweep: an error that names the file, or the right rows; never fewer rows in silence."""

import io
import json
import random
import zipfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored_rows import keys, parts, write_epochs
from typer.testing import CliRunner

from sweep.cli.app import app
from sweep.store import DamagedFileError, NotASweepError, StoreError, generations, read_sweep
from sweep.store.folder import Folder, LocalFolder
from sweep.store.generations import generation_files
from sweep.store.manifest import read_manifest, write_manifest
from sweep.store.schema import EPOCHS, SCHEMA_VERSION
from sweep.store.verify import quarantine, verify
from sweep.store.writer import StoreWriter
from sweep.tuning.warm_start import kept


@pytest.fixture
def stored(sweep: LocalFolder) -> LocalFolder:
    """Two drivers' epochs 1 to 5, the second driver's known to the manifest, as it is in a running sweep."""
    write_epochs(sweep, 1, 3)
    write_epochs(sweep, 4, 5)
    content = {"schema_version": SCHEMA_VERSION, "sweep_id": "s", "state": "RUNNING", "generation": 2}
    sweep.write("sweep.json", json.dumps(content).encode())
    return sweep


def log_files(sweep: Folder) -> list[str]:
    """The files of the log that hold rows, or say which ones count."""
    names = [*parts(sweep, "epochs"), *parts(sweep, "trials"), *generation_files(sweep / "log")[-1:]]
    assert len(names) == 11
    return names


def test_a_folder_that_is_no_sweep_is_named(tmp_path: object) -> None:
    with pytest.raises(NotASweepError, match=str(tmp_path)):
        read_sweep(str(tmp_path))


def test_a_manifest_with_another_value_is_damaged(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    write_manifest(folder, {"sweep_id": "s", "spec": {"space": {"lr": {"loguniform": [1e-4, 0.1]}, "name": "größe"}}})
    assert read_manifest(folder)["spec"]["space"]["lr"] == {"loguniform": [1e-4, 0.1]}
    folder.write("sweep.json", folder.read("sweep.json").replace(b"0.1", b"0.3"))
    with pytest.raises(DamagedFileError, match=r"sweep\.json: damaged \(checksum differs"):
        read_manifest(folder)
    by_hand = [line for line in folder.read("sweep.json").splitlines() if b"crc32" not in line]
    folder.write("sweep.json", b"\n".join(by_hand))
    assert read_manifest(folder)["spec"]["space"]["lr"] == {"loguniform": [1e-4, 0.3]}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}'])
def test_a_damaged_manifest_is_named(sweep: LocalFolder, text: str) -> None:
    sweep.write("sweep.json", text.encode())
    for use in (read_sweep, verify, quarantine):
        with pytest.raises(DamagedFileError, match=r"sweep\.json"):
            use(sweep)


def test_a_newer_schema_asks_for_an_upgrade(sweep: LocalFolder) -> None:
    sweep.write("sweep.json", json.dumps({"schema_version": SCHEMA_VERSION + 1}).encode())
    with pytest.raises(StoreError, match="upgrade"):
        read_sweep(sweep)


@pytest.mark.parametrize("place", range(11))
@pytest.mark.parametrize("how", ["cut", "emptied", "deleted"])
def test_a_lost_file_of_the_log_is_named(stored: LocalFolder, place: int, how: str) -> None:
    log, name = stored / "log", log_files(stored)[place]
    if how == "deleted":
        log.remove(name)
    else:
        log.write(name, log.read(name)[:-50] if how == "cut" else b"")
    with pytest.raises(DamagedFileError, match=name if not name.startswith("gen") else "generation-0002"):
        read_sweep(stored)
    assert any("generation-0002" in str(d) or name in str(d) for d in verify(stored))
    with pytest.raises(DamagedFileError):
        StoreWriter(stored)


def test_every_flipped_byte_is_noticed(stored: LocalFolder) -> None:
    log = stored / "log"
    rng = random.Random(0)
    for name in log_files(stored):
        whole = log.read(name)
        for _ in range(50):
            place = rng.randrange(len(whole))
            log.write(name, whole[:place] + bytes([whole[place] ^ (1 << rng.randrange(8))]) + whole[place + 1 :])
            with pytest.raises(DamagedFileError, match=name):
                read_sweep(stored)
        log.write(name, whole)
    assert len(keys(stored)) == 5


@pytest.mark.parametrize("place", range(11))
def test_quarantine_keeps_what_is_sound(stored: LocalFolder, place: int) -> None:
    assert verify(stored) == []
    assert quarantine(stored) == []
    log, name = stored / "log", log_files(stored)[place]
    log.write(name, b"damaged")
    (damage,) = quarantine(stored)
    assert name in str(damage)
    assert (stored / "quarantine").read(name) == b"damaged"
    lost = name.startswith("epochs")
    assert len(keys(stored)) == (4 if lost else 5)
    if lost:
        assert "1 rows of epochs" in str(damage)
    write_epochs(stored, 1, 5)  # as a resume does that trains the lost epoch again
    assert len(keys(stored)) == 5
    assert verify(stored) == []


def test_a_deleted_list_is_rebuilt_from_the_parts(stored: LocalFolder) -> None:
    (stored / "log").remove(generation_files(stored / "log")[-1])
    (damage,) = quarantine(stored)
    assert "generation-0002" in str(damage)
    assert len(keys(stored)) == 5


def test_damage_to_a_published_copy_is_found_and_the_rows_come_from_the_log(stored: LocalFolder) -> None:
    writer = StoreWriter(stored)
    writer.compact()
    writer.close()
    stored.write("epochs.parquet", stored.read("epochs.parquet")[:-100])
    assert len(keys(stored)) == 5
    (damage,) = verify(stored)
    assert "epochs.parquet" in str(damage)


def ended(sweep: LocalFolder) -> LocalFolder:
    """The sweep as a driver leaves it that has trained everything."""
    with closing(StoreWriter(sweep)) as writer:
        writer.compact()
        state = {"state": "COMPLETED", "generation": writer.generation}
    write_manifest(sweep, {**read_manifest(sweep), **state})
    return sweep


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_a_part_of_an_ended_sweep_is_put_back_from_its_published_copy(stored: LocalFolder, how: str) -> None:
    log = ended(stored) / "log"
    (name,) = parts(stored, "epochs")
    log.write(name, b"damaged") if how == "damaged" else log.remove(name)
    (damage,) = quarantine(stored)
    assert "puts it back from epochs.parquet" in str(damage)
    assert len(keys(stored)) == 5
    assert verify(stored) == []
    assert json.loads(stored.read("sweep.json"))["state"] == "COMPLETED", "there is nothing to train again"


def test_an_ended_sweep_of_which_the_published_files_alone_were_copied_is_sound(stored: LocalFolder) -> None:
    (ended(stored) / "log").clear()
    assert verify(stored) == []
    assert quarantine(stored) == []
    generations.claim(stored / "log", above=9)  # as a driver does that is killed before it commits
    (stored / "checkpoints").write("a.pt", b"damaged")
    assert [damage.name for damage in quarantine(stored)] == ["a.pt"]
    assert len(keys(stored)) == 5
    stored.write("trials.parquet", b"damaged")
    with pytest.raises(DamagedFileError, match=r"trials\.parquet.*the log that held the same rows is gone"):
        quarantine(stored)
    assert stored.read("trials.parquet") == b"damaged"


def test_a_checkpoint_is_damaged_whatever_zipfile_calls_it(sweep: LocalFolder) -> None:
    """Every flipped bit of a small checkpoint: zipfile raises a dozen types of errors."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr("data.pkl", b"weights")
    folder = sweep / "checkpoints"
    found = 0
    for bit in range(8 * len(whole.getvalue())):
        flipped = bytearray(whole.getvalue())
        flipped[bit // 8] ^= 1 << bit % 8
        folder.write("a.pt", bytes(flipped))
        found += len(verify(sweep))
    assert found > 8 * len("weights")


def test_a_damaged_checkpoint_is_found(stored: LocalFolder) -> None:
    import torch

    folder = stored / "checkpoints"
    folder.write("a.pt", b"")
    torch.save({"weights": torch.zeros(1000)}, folder.root / "b.pt")
    whole = folder.read("b.pt")
    assert [damage.name for damage in verify(stored)] == ["a.pt"]
    folder.write("b.pt", whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
    assert [damage.name for damage in verify(stored)] == ["a.pt", "b.pt"]
    quarantine(stored)
    assert folder.files() == []


def test_a_part_without_a_later_column_reads_with_nulls(sweep: LocalFolder) -> None:
    """As a finished sweep of an older version: two published files, no log."""
    write_epochs(sweep, 1, 3)
    table = read_sweep(sweep).epochs
    for name in (sweep / "log").files():
        (sweep / "log").remove(name)
    pq.write_table(table.drop_columns(["images_per_s"]), sweep.root / "epochs.parquet")
    pq.write_table(pa.table({"trial_id": ["a"]}), sweep.root / "trials.parquet")
    epochs = read_sweep(sweep).epochs
    assert epochs.schema == EPOCHS
    assert len(epochs) == 3
    assert epochs["images_per_s"].null_count == 3


def test_files_that_are_no_parts_are_passed_over(stored: LocalFolder) -> None:
    pq.write_table(pa.table({"x": [1]}), stored.root / "log" / "notes.parquet")
    (stored.root / "log" / "_epochs-g0001-00000001.parquet.17").write_bytes(b"half a part")
    (stored / "log").write("epochs-g0002-00000099.parquet", b"a part whose driver died before it counted")
    assert len(keys(stored)) == 5
    assert verify(stored) == []


def test_compacting_a_damaged_sweep_lists_all_damage(stored: LocalFolder) -> None:
    names = parts(stored, "epochs")[:2]
    for name in names:
        (stored.root / "log" / name).write_bytes(b"")
    done = CliRunner().invoke(app, ["verify", str(stored.root), "--compact", "--json"])
    assert done.exit_code == 1
    damages = json.loads(done.stdout)["damages"]
    assert [name for name in names if any(name in damage for damage in damages)] == names


@dataclass(frozen=True)
class MergedMeanwhile(LocalFolder):
    """A running sweep, seen by a reader who has just read the list of parts when the driver compacts."""

    seen: list[str] = field(default_factory=list)

    def __truediv__(self, name: str) -> "MergedMeanwhile":
        return MergedMeanwhile(self.root / name, self.seen)

    def read(self, name: str) -> bytes:
        if name.endswith(".parquet") and not self.seen:
            self.seen.append(name)
            writer = StoreWriter(LocalFolder(self.root.parent))
            writer.compact()
            writer.close()
        return super().read(name)


def test_parts_that_are_merged_while_they_are_verified_are_no_damage(sweep: LocalFolder) -> None:
    write_epochs(sweep, 1, 3)
    running = MergedMeanwhile(sweep.root)
    assert verify(running) == []
    assert running.seen


def test_a_flipped_bit_in_a_published_file_is_found_wherever_it_is(stored: LocalFolder) -> None:
    """Page checksums say nothing of the footer, in which the columns have their names."""
    whole = ended(stored).read("epochs.parquet")
    place = whole.rindex(b"val_loss")
    stored.write("epochs.parquet", whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    (damage,) = verify(stored)
    assert damage.name == "epochs.parquet"
    quarantine(stored)
    assert verify(ended(stored)) == []
    assert len(keys(stored)) == 5


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_what_a_search_began_with_is_missed_and_can_be_done_without(stored: LocalFolder, how: str) -> None:
    write_manifest(stored, {**read_manifest(stored), "warm_start": 3})
    if how == "damaged":
        stored.write("warm-start.json", b'[{"configuration"')
    with pytest.raises(DamagedFileError, match=r"warm-start\.json"):
        kept(stored)
    assert [damage.name for damage in verify(stored)] == ["warm-start.json"]
    quarantine(stored)
    assert (verify(stored), kept(stored)) == ([], [])
