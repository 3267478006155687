"""Which files of a folder hold training images and which hold test images. Light: neither torch nor numpy."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sweep.data.errors import DataError

# a validation set stands in for a test set that is not there
TEST_NAMES = ("test", "validation", "valid", "val")
IMAGE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
)
# How people name splits, which would otherwise be taken for classes.
_SPLIT = re.compile(r"(^|[^a-z])(train|test|val)(ing|id|idation)?($|[^a-z])", re.IGNORECASE)
MAX_NAMES_IN_ERRORS = 5


@dataclass(frozen=True)
class Shards:
    """Parquet files, sorted by name. test is empty if there are none: the reader then holds images out."""

    train: tuple[Path, ...]
    test: tuple[Path, ...]


@dataclass(frozen=True)
class ClassFolders:
    """Image files and the index of their class in class_names. test is empty if there is no test folder.

    others: files in the classes' folders that are not taken for images.
    """

    class_names: tuple[str, ...]
    train: tuple[tuple[Path, int], ...]
    test: tuple[tuple[Path, int], ...]
    others: tuple[Path, ...]


def parquet_shards(path: Path) -> Shards:
    """The train-*.parquet and test-*.parquet files in a folder and in its subfolders train/ and test/.

    A single file is all training images. Raises DataError if there are no training shards.
    """
    if path.is_file():
        return Shards((path,), ())
    by_split = {
        split: tuple(
            sorted(
                file
                for pattern in ("*.parquet", f"{split}/*.parquet")
                for file in path.glob(pattern)
                if not file.name.startswith((".", "_")) and (file.parent != path or _is_named_after(split, file))
            )
        )
        for split in ("train", *TEST_NAMES)
    }
    if not by_split["train"]:
        raise DataError(
            f"{path}: no training files; it needs train-*.parquet (and test-*.parquet) in it or in train/ (and test/) "
            f"below it, but {_contents(path)}"
        )
    return Shards(by_split["train"], next((by_split[split] for split in TEST_NAMES if by_split[split]), ()))


def class_folders(path: Path) -> ClassFolders:
    """The images of path/train/CLASS and path/test/CLASS, or, without path/train, of path/CLASS.

    Files anywhere below a class's folder count. Raises DataError for fewer than two classes, a class without training
    images, or a test class that is not a training class.
    """
    if not path.is_dir():
        raise DataError(f"{path}: not a folder; folder:PATH wants a folder with one subfolder of images a class")
    train_root = path / "train" if (path / "train").is_dir() else path
    test_root = next((path / name for name in TEST_NAMES if (path / name).is_dir()), None)
    if train_root is path:
        test_root = None  # then `test` is a class like any other
    class_names = _subfolders(train_root)
    splits = [name for name in class_names if _SPLIT.search(name) and _subfolders(train_root / name)]
    if train_root is path and len(splits) > 1:
        raise DataError(
            f"{path}: {' and '.join(splits)} look like splits, not classes, with the folders in them; name the splits "
            f"{path / 'train'} and {path / 'test'}"
        )
    if len(class_names) < 2:
        raise DataError(
            f"{train_root}: {len(class_names)} class folders; at least 2 are needed, each with one class's images, "
            f"but {_contents(train_root)}"
        )
    train, others = _files(train_root, class_names)
    for index in set(range(len(class_names))) - {index for _, index in train}:
        raise DataError(
            f"{train_root / class_names[index]}: no images; fill it or remove it (images end in "
            f"{', '.join(sorted(IMAGE_SUFFIXES))})"
        )
    if test_root is None:
        return ClassFolders(class_names, train, (), others)
    unknown = sorted(set(_subfolders(test_root)) - set(class_names))
    if unknown:
        raise DataError(f"{test_root / unknown[0]}: there is no such class in {train_root}; classes must be the same")
    test, others_of_test = _files(test_root, class_names)
    if not test:
        raise DataError(
            f"{test_root}: no images; fill it, or remove it to have some of {train_root} held out (images end in "
            f"{', '.join(sorted(IMAGE_SUFFIXES))})"
        )
    return ClassFolders(class_names, train, test, others + others_of_test)


def _is_named_after(split: str, file: Path) -> bool:
    return re.match(rf"{split}($|[^a-z])", file.stem) is not None


def _subfolders(root: Path) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in root.iterdir() if entry.is_dir() and entry.name[0] not in "._"))


def _files(root: Path, class_names: tuple[str, ...]) -> tuple[tuple[tuple[Path, int], ...], tuple[Path, ...]]:
    """The images with their classes, and the other files; hidden ones are neither."""
    images: list[tuple[Path, int]] = []
    others: list[Path] = []
    for index, class_name in enumerate(class_names):
        for folder, _, files in sorted(os.walk(root / class_name)):
            if any(part[0] in "._" for part in Path(folder).relative_to(root / class_name).parts):
                continue
            for file in sorted(name for name in files if name[0] not in "._"):
                if os.path.splitext(file)[1].lower() in IMAGE_SUFFIXES:
                    images.append((Path(folder, file), index))
                else:
                    others.append(Path(folder, file))
    return tuple(images), tuple(others)


def _contents(path: Path) -> str:
    names = sorted(os.listdir(path))
    if not names:
        return "it is empty"
    more = f" and {len(names) - MAX_NAMES_IN_ERRORS} more" if len(names) > MAX_NAMES_IN_ERRORS else ""
    return f"it holds {', '.join(names[:MAX_NAMES_IN_ERRORS])}{more}"
