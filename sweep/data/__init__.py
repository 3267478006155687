"""Datasets, splits and augmentation. Names load when they are used, so that importing this costs nothing."""

from importlib import import_module

_HOME = {
    "Augmentation": "augmentation",
    "DataError": "errors",
    "ImageDataset": "dataset",
    "Split": "split",
    "absolute_name": "source",
    "augment": "augmentation",
    "check_dataset": "source",
    "load_dataset": "dataset",
    "split_indices": "split",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
