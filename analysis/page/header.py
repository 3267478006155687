"""The report's head: which sweep this is, on what, how far, how long."""

from pathlib import Path

import pandas as pd

from analysis.clock import clock_for
from analysis.page.markup import escape
from analysis.results import Results
from analysis.searched import specs

READING = """
<details class="box"><summary>How to read the gap</summary><dl>
<dt>train_loss, the running training loss</dt>
<dd>In training mode (dropout on, batch statistics, augmented images), averaged over the epoch while the weights move.
This is what people usually plot.</dd>
<dt>train_eval_loss</dt>
<dd>In evaluation mode after the epoch, without augmentation, on a fixed part of the training images as large as the
validation set.</dd>
<dt>val_loss</dt>
<dd>In evaluation mode after the epoch, on the validation images, which are never trained on.</dd>
<dt>gap_loss = val_loss − train_eval_loss</dt>
<dd>Overfitting alone, in nats. The usual difference val − train mixes it with two more causes: regularisation makes the
training mode harder, and averaging counts weights that were worse. gap_acc = train_eval_acc − val_acc.</dd>
<dt>Matched epoch</dt>
<dd>A trial that was cut early has a shorter curve, and gaps grow with epochs. So gaps are compared at one epoch that
all trials reached (failed and diverged ones aside), never last against last. Values at a trial's own best epoch are
shown, but not compared.</dd>
<dt>n</dt>
<dd>What an interval stands on: replicates (the same configuration with another seed) or, between settings that were
not tried under equal conditions, configurations; never epochs or images.</dd>
</dl></details>
"""


def title(results: Results) -> str:
    """The sweep's name; several joined."""
    return " + ".join(_name(results, place) for place in range(len(results.paths)))


def header(results: Results) -> str:
    """Title, state, and the facts of the sweep as a list of definitions."""
    states = [str(m["state"]) for m in results.manifests if m.get("state")]
    shown = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts(results).items())
    badge = "".join(f'<span class="state">{escape(state)}</span>' for state in dict.fromkeys(states))
    return f'<header><h1>{escape(title(results))}{badge}</h1><dl class="facts">{shown}</dl></header>'


def facts(results: Results) -> dict[str, str]:
    """What the sweep ran on and how far it came, as far as it is known. Plain text."""
    trials, manifests = results.trials, results.manifests
    known = {
        "dataset": _distinct(trials["dataset"], [spec.get("dataset") for spec in specs(results)]),
        "model": _distinct(trials["model"], [spec.get("model") for spec in specs(results)]),
        "precision": ", ".join(dict.fromkeys(str(m["precision"]) for m in manifests if m.get("precision"))),
        "trials": _by_status(trials),
        "configurations": _configurations(trials),
        "epochs": _epochs(results),
        "time": _time(results),
        "hardware": _hardware(results),
        "versions": "; ".join(_flat(m["versions"]) for m in manifests[:1] if m.get("versions")),
        "folder": "; ".join(str(path) for path in results.paths),
    }
    return {name: value for name, value in known.items() if value}


def _name(results: Results, place: int) -> str:
    return str(results.manifests[place].get("sweep_id") or Path(results.paths[place]).name)


def _distinct(column: pd.Series, otherwise: list[object]) -> str:
    values = column.dropna().unique()
    return ", ".join(map(str, values if len(values) else [v for v in otherwise if v]))


def _by_status(trials: pd.DataFrame) -> str:
    kinds = trials["status"].where(trials["stop_reason"].isna(), trials["status"] + " (" + trials["stop_reason"] + ")")
    counts = ", ".join(f"{n} {kind}" for kind, n in kinds.value_counts().items())
    return f"{len(trials)} ({counts})" if counts else "0"


def _configurations(trials: pd.DataFrame) -> str:
    n = trials["configuration_id"].nunique()
    replicates = trials["replicate"].nunique()
    return f"{n} × {replicates} replicates" if replicates > 1 else str(n)


def _epochs(results: Results) -> str:
    asked = sorted({int(e) for spec in specs(results) if isinstance(e := spec.get("epochs"), int)})
    done = f"{len(results.epochs)} trained in all"
    return f"up to {' or '.join(map(str, asked))} a trial; {done}" if asked else done


def _time(results: Results) -> str:
    trials = results.trials
    first, last = trials["started"].min(), trials["ended"].max()
    if pd.isna(first):
        return ""
    words = f"started {first:%Y-%m-%d %H:%M} UTC"
    if not pd.isna(last):
        words += f", {_duration((last - first).total_seconds())}"
    return words + f"; {_duration(float(results.epochs['epoch_s'].sum()))} of training"


def _duration(seconds: float) -> str:
    clock = clock_for(seconds)
    return f"{seconds / clock.seconds:.{1 if clock.name == 'hours' else 0}f} {clock.short}"


def _hardware(results: Results) -> str:
    told = [_flat(m["hardware"]) for m in results.manifests if m.get("hardware")]
    nodes = results.epochs["node"].nunique()
    return "; ".join([*dict.fromkeys(told), *([f"{nodes} nodes"] if nodes > 1 else [])])


def _flat(value: object) -> str:
    """Nested JSON in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{k} {_flat(v)}" for k, v in value.items() if v not in (None, "", [], {}))
    if isinstance(value, list):
        return ", ".join(map(_flat, value))
    return str(value)
