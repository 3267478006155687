import functools
import hashlib
import io
import pickle
import socket
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from torchvision import datasets

from sweep.data import DataError
from sweep.data.cifar import read_cifar


class Unreachable(datasets.CIFAR10):
    url = "http://127.0.0.1:9/cifar-10-python.tar.gz"  # the discard port: nothing listens there


@pytest.fixture
def archive(tmp_path):
    """A small archive in CIFAR-10's format, and the torchvision class that fetches it from a server on this machine."""
    rng = np.random.default_rng(0)
    files = {
        name: pickle.dumps({"data": rng.integers(0, 256, (4, 3072), dtype=np.uint8), "labels": [0, 1, 2, 1]})
        for name in ("data_batch_1", "test_batch")
    }
    files["batches.meta"] = pickle.dumps({"label_names": ["cat", "dog", "frog"]})
    path = tmp_path / "served" / "cifar-10-python.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    handler = functools.partial(SimpleHTTPRequestHandler, directory=path.parent)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever).start()
    checksums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}

    class Small(datasets.CIFAR10):
        url = f"http://127.0.0.1:{server.server_port}/{path.name}"
        tgz_md5 = hashlib.md5(path.read_bytes()).hexdigest()
        train_list = [["data_batch_1", checksums["data_batch_1"]]]  # noqa: RUF012
        test_list = [["test_batch", checksums["test_batch"]]]  # noqa: RUF012
        meta = {"filename": "batches.meta", "key": "label_names", "md5": checksums["batches.meta"]}  # noqa: RUF012

    yield path, Small, {name: pickle.loads(files[name])["data"] for name in ("data_batch_1", "test_batch")}
    server.shutdown()
    server.server_close()


def test_without_a_network_the_error_names_the_alternatives(tmp_path):
    with pytest.raises(DataError) as caught:
        read_cifar("cifar10", tmp_path / "downloads", print, Unreachable)
    message = str(caught.value)
    for alternative in ("digits", "parquet:PATH", "folder:PATH", f"cifar-10-python.tar.gz into {tmp_path}/downloads"):
        assert alternative in message
    assert socket.getdefaulttimeout() is None


def test_the_archive_is_fetched_checked_and_read(tmp_path, archive):
    _, small, pixels = archive
    raw = read_cifar("cifar10", tmp_path / "downloads", print, small)
    images = np.concatenate(list(raw.batches))
    assert raw.class_names == ("cat", "dog", "frog")
    assert raw.labels.tolist() == [0, 1, 2, 1] * 2
    assert raw.is_test.tolist() == [False] * 4 + [True] * 4
    assert np.array_equal(images[:4].reshape(4, -1), pixels["data_batch_1"])
    assert np.array_equal(images[4:].reshape(4, -1), pixels["test_batch"])
    assert raw.normalisation == ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))


def test_an_archive_put_into_the_folder_is_used_without_a_network(tmp_path, archive):
    path, small, _ = archive
    small.url = Unreachable.url
    (tmp_path / "downloads").mkdir()
    path.rename(tmp_path / "downloads" / path.name)
    lines: list[str] = []
    assert len(read_cifar("cifar10", tmp_path / "downloads", lines.append, small).labels) == 8
    assert lines[0].startswith("cifar10: reading ")


def test_an_archive_with_a_wrong_checksum_is_refused(tmp_path, archive):
    path, small, _ = archive
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match=r"cannot get it .*corrupt"):
        read_cifar("cifar10", tmp_path / "downloads", print, small)
