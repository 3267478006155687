import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sweep.data import DataError, load_dataset

LOAD = """
import json, sys
from sweep.data import load_dataset
data = load_dataset(sys.argv[1], cache_dir=sys.argv[2], progress=lambda line: print(line, flush=True))
print(json.dumps([data.fingerprint, len(data.train_labels), int(data.train_images[::100].sum())]), flush=True)
"""


def start_load(name: str, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", LOAD, name, str(cache)], stdout=subprocess.PIPE, text=True)


def only_folder(cache: Path) -> Path:
    (folder,) = (entry for entry in cache.iterdir() if entry.is_dir())
    return folder


def test_processes_that_load_at_once_decode_once_and_agree(large_parquet, tmp_path):
    processes = [start_load(f"parquet:{large_parquet}", tmp_path) for _ in range(4)]
    outputs = [process.communicate(timeout=120)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert len({lines[-1] for lines in outputs}) == 1
    decoders = [lines for lines in outputs if any(line.startswith("decoding images") for line in lines)]
    assert len(decoders) == 1
    assert only_folder(tmp_path).joinpath("meta.json").exists()


def test_a_decode_killed_midway_leaves_nothing_that_counts_and_the_next_load_works(large_parquet, tmp_path):
    process = start_load(f"parquet:{large_parquet}", tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("decoding images: 10,")
    process.kill()
    process.wait()
    assert only_folder(tmp_path).name.endswith(".partial")
    data = load_dataset(f"parquet:{large_parquet}", cache_dir=tmp_path)
    assert np.bincount(data.train_labels).tolist() == [2500] * 10
    assert all((data.train_images[label, 0] == 20 * label).all() for label in range(10))
    assert only_folder(tmp_path) == data.folder, "the killed process's leftovers are gone"


def test_a_waiting_process_says_so(small_parquet, tmp_path):
    from sweep.data.cache import only_writer

    first = load_dataset(f"parquet:{small_parquet}", cache_dir=tmp_path)
    (first.folder / "meta.json").unlink()
    with only_writer(first.folder, print):
        process = start_load(f"parquet:{small_parquet}", tmp_path)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("waiting for another process to decode parquet-")
        time.sleep(0.2)
        assert process.poll() is None
        assert not (first.folder / "meta.json").exists()
    assert json.loads(process.communicate(timeout=60)[0].splitlines()[-1])[0] == first.fingerprint


def rewrite_meta(folder: Path, **changes: object) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | changes))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: os.truncate(folder / "train_images.npy", 5000),
        lambda folder: os.truncate(folder / "train_images.npy", 0),
        lambda folder: os.truncate(folder / "test_images.npy", 5000),
        lambda folder: (folder / "train_labels.npy").unlink(),
        lambda folder: (folder / "meta.json").write_text('{"format": 1, "finger'),
        lambda folder: (folder / "meta.json").write_text("[]"),
        lambda folder: (folder / "meta.json").write_bytes(b"\xff\xfe\x00"),
        lambda folder: (folder / "meta.json").unlink(),
        lambda folder: rewrite_meta(folder, format=0),
        lambda folder: rewrite_meta(folder, n_train=7),
        lambda folder: rewrite_meta(folder, file_bytes=None),
        lambda folder: rewrite_meta(folder, surprise=1),
    ],
)
def test_a_damaged_cache_is_decoded_again(small_parquet, tmp_path, damage):
    cache = tmp_path / "cache"
    good = load_dataset(f"parquet:{small_parquet}", cache_dir=cache)
    expected = np.array(good.train_images)
    damage(good.folder)
    again = load_dataset(f"parquet:{small_parquet}", cache_dir=cache)
    assert again.fingerprint == good.fingerprint
    assert np.array_equal(again.train_images, expected)
    assert len(again.test()[1]) == 10
    assert only_folder(cache) == good.folder


def test_the_second_load_reads_the_cache_and_not_the_images(small_parquet, tmp_path):
    first = load_dataset(f"parquet:{small_parquet}", cache_dir=tmp_path / "cache")
    inode = (first.folder / "train_images.npy").stat().st_ino
    second = load_dataset(f"parquet:{small_parquet}", cache_dir=tmp_path / "cache")
    assert (second.folder / "train_images.npy").stat().st_ino == inode
    assert (second.mean, second.std, second.class_names) == (first.mean, first.std, first.class_names)


def test_the_test_files_are_opened_only_by_test(small_parquet, tmp_path):
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("this system does not list a process's mapped files")
    data = load_dataset(f"parquet:{small_parquet}", cache_dir=tmp_path / "cache")
    fresh = load_dataset(f"parquet:{small_parquet}", cache_dir=tmp_path / "cache")
    assert f"{data.folder}/train_images.npy" in maps.read_text()
    assert f"{data.folder}/test_" not in maps.read_text()
    kept = fresh.test()
    assert f"{data.folder}/test_images.npy" in maps.read_text()
    assert kept[0].shape == (10, 3, 32, 32)


def test_the_arrays_are_mapped_read_only(small_parquet, tmp_path):
    data = load_dataset(f"parquet:{small_parquet}", cache_dir=tmp_path / "cache")
    for array in (data.train_images, data.train_labels, *data.test()):
        assert isinstance(array, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_test_works_after_a_change_of_directory(small_parquet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = load_dataset("parquet:small", cache_dir=Path("cache"))
    monkeypatch.chdir("/")
    assert len(data.test()[0]) == 10


def test_mean_and_std_are_the_training_images_in_unit_range(small_parquet, tmp_path):
    data = load_dataset(f"parquet:{small_parquet}", cache_dir=tmp_path / "cache")
    pixels = data.train_images.astype(np.float64) / 255
    assert np.allclose(data.mean, pixels.mean(axis=(0, 2, 3)), atol=1e-12)
    assert np.allclose(data.std, pixels.std(axis=(0, 2, 3)), atol=1e-12)


def test_a_constant_channel_does_not_divide_by_zero(tmp_path, encode, write_shard):
    pngs = [encode(Image.new("RGB", (32, 32), (20 * label, 0, 255))) for label in range(10)]
    write_shard(tmp_path / "d" / "train.parquet", pngs, list(range(10)))
    write_shard(tmp_path / "d" / "test.parquet", pngs, list(range(10)))
    data = load_dataset(f"parquet:{tmp_path}/d", cache_dir=tmp_path / "cache")
    assert data.mean[1:] == (0.0, 1.0)
    assert data.std[1:] == (1.0, 1.0)


def test_digits_are_1797_grey_images_of_ten_balanced_classes(tmp_path):
    data = load_dataset("digits", cache_dir=tmp_path)
    test_images, test_labels = data.test()
    assert data.train_images.shape == (1438, 3, 32, 32)
    assert test_images.shape == (359, 3, 32, 32)
    assert data.class_names == tuple("0123456789")
    assert np.array_equal(data.train_images[:, 0], data.train_images[:, 1])
    assert np.array_equal(data.train_images[:, 0], data.train_images[:, 2])
    assert np.bincount(test_labels, minlength=10).min() >= 35
    assert data.train_images.max() == 255
    assert data.fingerprint == load_dataset("digits", cache_dir=tmp_path / "other").fingerprint


def test_a_cache_that_cannot_be_written_is_an_error_that_says_where(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=rf"'digits'.*{tmp_path}/file/cache writable"):
        load_dataset("digits", cache_dir=tmp_path / "file" / "cache")


def test_a_disk_that_is_full_is_an_error_and_not_the_processes_end(tmp_path, noise, encode, write_shard):
    images = [encode(Image.fromarray(image)) for image in noise(600)]
    write_shard(tmp_path / "data" / "train-0.parquet", images, [number % 2 for number in range(600)])
    cache = tmp_path / "cache"
    cache.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(cache)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a small tmpfs needs more rights than this test has")
    try:
        process = subprocess.run(
            [sys.executable, "-c", LOAD, f"parquet:{tmp_path / 'data'}", str(cache)], capture_output=True, text=True
        )
    finally:
        subprocess.run(["umount", "-l", str(cache)], check=True)
    assert process.returncode == 1
    assert "DataError" in process.stderr
    assert "No space left on device" in process.stderr
