"""Sweep folders with planted curves, written in the store's own format."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from sweep.store.folder import LocalFolder
from sweep.store.layout import PUBLISHED
from sweep.store.manifest import write_manifest
from sweep.store.parquet_file import to_parquet
from sweep.store.schema import SCHEMAS

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
BASE = {
    "lr": 1e-3, "drop_rate": 0.25, "momentum": 0.1, "eps": 1e-5, "layer_order": "lbrd", "augment": "none",
    "crop_padding": 0, "flip_prob": 0.0, "brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0,
    "weight_decay": 0.0, "sgd_momentum": 0.9, "batch_size": 100, "optimizer": "adam",
}  # fmt: skip

Curve = list[dict[str, float]]


def epoch(val_loss: float, train_eval_loss: float, val_acc: float, train_eval_acc: float = 0.9, **more: float) -> dict:
    """One epoch's measurements; the running training loss lies 0.1 above the clean one unless given."""
    return {
        "train_loss": train_eval_loss + 0.1, "train_acc": train_eval_acc - 0.05, "train_eval_loss": train_eval_loss,
        "train_eval_acc": train_eval_acc, "val_loss": val_loss, "val_acc": val_acc,
        "gap_loss": val_loss - train_eval_loss, "gap_acc": train_eval_acc - val_acc, **more,
    }  # fmt: skip


def trial(curve: Curve, *, status: str = "COMPLETED", replicate: int = 0, **more: Any) -> dict:
    """A trial: its epochs, its end, and hyper-parameters or other columns of `trials` that differ from the base."""
    return {"curve": curve, "status": status, "replicate": replicate, **more}


def write_sweep(folder: Path, trials: list[dict], *, space: dict | None = None, **manifest: Any) -> Path:
    """Write a sweep of these trials; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    sweep_id = folder.name
    spec = {"name": "planted", "model": "mlp", "dataset": "digits", "epochs": 30, "space": space or {}}
    told = {
        "sweep_id": sweep_id,
        "state": "completed",
        "spec": spec,
        "hardware": {"cpus": 2},
        "versions": {"torch": "2"},
    }
    write_manifest(LocalFolder(folder), {**told, **manifest})
    rows: dict[str, list[dict]] = {"epochs": [], "trials": []}
    for place, planted in enumerate(trials):
        _add(rows, dict(planted), sweep_id, place)
    for table, schema in SCHEMAS.items():
        (folder / PUBLISHED[table]).write_bytes(to_parquet(pa.Table.from_pylist(rows[table], schema=schema)))
    return folder


def _add(rows: dict[str, list[dict]], planted: dict, sweep_id: str, place: int) -> None:
    curve, replicate = planted.pop("curve"), planted.pop("replicate")
    configuration = {name: planted.pop(name, value) for name, value in BASE.items()}
    text = json.dumps(configuration, sort_keys=True)
    own = {"sweep_id": sweep_id, "trial_id": _digest(text + str(replicate))}
    started = START + timedelta(seconds=20 * (place // 2))
    for number, measured in enumerate(curve, start=1):
        when = started + timedelta(seconds=10 * number)
        rows["epochs"].append(
            {**own, "epoch": number, "step": 32 * number, "lr": configuration["lr"], "epoch_s": 10.0,
             "images_per_s": 4e3, "attempt": 1, "node": "here", "timestamp": when, **measured}
        )  # fmt: skip
    ok = [i for i, e in enumerate(curve) if e["val_acc"] == e["val_acc"]]
    best = max(ok, key=lambda i: (curve[i]["val_acc"], -i)) if ok else None
    at_best = curve[best] if best is not None else {}
    last = curve[-1] if curve else {}
    ended = None if planted["status"] == "RUNNING" else started + timedelta(seconds=10 * len(curve) + 3)
    rows["trials"].append(
        {**own, "replicate": replicate, "model": "mlp", "dataset": "digits", **configuration, "configuration": text,
         "configuration_id": _digest(text), "epochs_run": len(curve), "stop_reason": None,
         "best_epoch": None if best is None else best + 1, "best_val_acc": at_best.get("val_acc"),
         "best_val_loss": at_best.get("val_loss"), "gap_at_best": at_best.get("gap_loss"),
         "gap_at_last": last.get("gap_loss"), "seconds": 10.0 * len(curve), "attempts": 1, "error": None,
         "started": started, "ended": ended,
         **{f"last_{k}": last.get(k) for k in ("train_loss", "train_acc", "train_eval_loss", "train_eval_acc",
                                               "val_loss", "val_acc")}, **planted}
    )  # fmt: skip


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
