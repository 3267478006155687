import numpy as np
import pytest
from PIL import Image

from sweep.data import DataError, check_dataset, load_dataset


def paint(root, class_name, images, suffix=".png"):
    (root / class_name).mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(root / class_name / f"{i:03}{suffix}")


def load(root, tmp_path, lines=None):
    progress = None if lines is None else lines.append
    return load_dataset(f"folder:{root}", cache_dir=tmp_path / "cache", progress=progress)


def test_train_and_test_folders_are_read_class_by_class(tmp_path, noise):
    images, root = noise(9), tmp_path / "d"
    paint(root / "train", "zebra", images[:3])
    paint(root / "train", "ape", images[3:6])
    paint(root / "test", "zebra", images[6:7])
    paint(root / "test", "ape", images[7:], suffix=".BMP")
    data = load(root, tmp_path)
    assert data.class_names == ("ape", "zebra")
    assert data.num_classes == 2
    assert np.array_equal(data.train_images, images[[3, 4, 5, 0, 1, 2]].transpose(0, 3, 1, 2))
    assert data.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    test_images, test_labels = data.test()
    assert np.array_equal(test_images, images[[7, 8, 6]].transpose(0, 3, 1, 2))
    assert test_labels.tolist() == [0, 0, 1]


def test_class_folders_alone_have_a_stratified_fifth_held_out(tmp_path, noise):
    images, root = noise(30), tmp_path / "d"
    paint(root, "a", images[:20])
    paint(root, "b", images[20:])
    lines: list[str] = []
    data = load(root, tmp_path, lines)
    assert np.bincount(data.test()[1]).tolist() == [4, 2]
    assert np.bincount(data.train_labels).tolist() == [16, 8]
    assert any("6 of 30 images are held out" in line for line in lines)


def test_deeper_folders_count_and_hidden_and_other_files_do_not(tmp_path, noise):
    images, root = noise(30), tmp_path / "d"
    paint(root, "a/images", images[:10])
    paint(root, "b", images[10:20])
    paint(root, ".thumbnails", images[20:])
    paint(root, "a/.cache/small", images[20:])
    (root / "a" / "notes.txt").write_text("boxes")
    (root / "readme.md").write_text("pictures")
    lines: list[str] = []
    data = load(root, tmp_path, lines)
    assert data.class_names == ("a", "b")
    assert any(line.endswith("d: files that are not read as images: 1, of suffix .txt") for line in lines)
    assert len(data.train_labels) + len(data.test()[1]) == 20


def test_what_looks_like_splits_is_not_taken_for_classes(tmp_path, noise):
    for split in ("Training", "seg_test"):
        for name in ("cat", "dog"):
            paint(tmp_path / "d" / split, name, noise(3))
    with pytest.raises(DataError, match=r"d: Training and seg_test look like splits, .* name the splits .*/train"):
        check_dataset(f"folder:{tmp_path / 'd'}")
    paint(tmp_path / "e", "test", noise(10))  # without folders of its own
    paint(tmp_path / "e", "trainer", noise(10))
    check_dataset(f"folder:{tmp_path / 'e'}")


def test_an_unreadable_image_is_an_error_that_names_it(tmp_path, noise):
    paint(tmp_path / "d", "a", noise(5))
    paint(tmp_path / "d", "b", noise(5))
    damaged = tmp_path / "d" / "b" / "002.png"
    whole = damaged.read_bytes()
    middle = len(whole) // 2  # of the compressed pixels
    for data in (b"not a picture", whole[:middle], whole[:middle] + bytes(64) + whole[middle + 64 :]):
        damaged.write_bytes(data)
        with pytest.raises(DataError, match=r"b/002\.png: not a readable image"):
            load(tmp_path / "d", tmp_path)


def test_an_image_of_floats_is_refused_for_nothing_tells_their_range(tmp_path, noise):
    paint(tmp_path / "d", "a", noise(5))
    paint(tmp_path / "d", "b", noise(5))
    Image.fromarray(np.random.default_rng(0).random((32, 32), np.float32)).save(tmp_path / "d" / "b" / "005.tiff")
    with pytest.raises(DataError, match=r"b/005\.tiff: not a readable image \(its pixels are floats"):
        load(tmp_path / "d", tmp_path)


def test_a_wrong_layout_is_an_error_that_names_the_folder(tmp_path, noise):
    root = tmp_path / "d"
    paint(root / "train", "a", noise(3))
    with pytest.raises(DataError, match="d/train: 1 class folders; at least 2"):
        check_dataset(f"folder:{root}")
    (root / "train" / "b").mkdir()
    with pytest.raises(DataError, match="d/train/b: no images"):
        check_dataset(f"folder:{root}")
    paint(root / "train", "b", noise(3))
    paint(root / "test", "c", noise(3))
    with pytest.raises(DataError, match="d/test/c: there is no such class"):
        check_dataset(f"folder:{root}")
    (root / "test" / "c").rename(root / "test" / "b")
    (root / "test" / "b" / "000.png").rename(root / "test" / "b" / "000.heic")
    for image in (root / "test" / "b").glob("*.png"):
        image.unlink()
    with pytest.raises(DataError, match="d/test: no images; fill it, or remove it"):
        check_dataset(f"folder:{root}")
    with pytest.raises(DataError, match=r"000\.png: not a folder"):
        check_dataset(f"folder:{root}/train/a/000.png")
