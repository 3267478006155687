"""What the original report claimed of CIFAR-10, each claim held against the recorded studies.

    python -m benchmarks.claims                        # from the recorded studies in docs/results
    python -m benchmarks.claims --studies ./results    # from sweeps of your own

Prints Markdown: the claims with effect, 95 % interval, n and verdict, then what each setting of each study gives. A
claim has a direction: it is confirmed where the interval lies on its side of zero, refuted where it lies on the other.
Sweeps of one model and one study are put together. docs/results.md holds this output, and a test that it still is.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

import analysis
from analysis import gap_levels
from analysis.gap_table import matched_epoch
from analysis.intervals import Interval, t_interval
from analysis.results import TRIAL_KEY, Results

RECORDED = Path(__file__).parents[1] / "docs" / "results"
MODELS = ("mlp", "cnn")

# By model and name.
Studies = dict[tuple[str, str], Results]

UNITS = {"points": (100.0, 2), "nats": (1.0, 3), "epochs": (1.0, 1)}  # factor and decimals
AT_THE_END = ("val_loss", "gap_loss", "regularisation", "roughness")
COLUMNS = ("best val_acc (%)", "val_loss", "gap", "regularisation", "roughness", "overfits since")


@dataclass(frozen=True)
class Claim:
    """says: the report's words, empty for one more measure of the same. sign: the direction that is claimed.
    models: those that it is claimed of.
    """

    says: str
    study: str
    shown: str
    measure: Callable[[Results], Interval]
    sign: int
    unit: str = "nats"
    models: tuple[str, ...] = MODELS

    def rows(self, studies: Studies) -> list[str]:
        """One for each model whose study is there; the words stand in the first."""
        there = [model for model in self.models if (model, self.study) in studies]
        return [
            self._row(model, studies[model, self.study], self.says if i == 0 else "") for i, model in enumerate(there)
        ]

    def _row(self, model: str, results: Results, says: str) -> str:
        found = self.measure(results)
        factor, decimals = UNITS[self.unit]
        mean, low, high = (_signed(factor * x, decimals) for x in (found.mean, found.low, found.high))
        effect = f"{mean} [{low}, {high}]"
        return _line([says, model.upper(), f"{self.shown}, {self.unit}", effect, str(found.n), self._verdict(found)])

    def _verdict(self, found: Interval) -> str:
        if not found.excludes_zero:
            return "undecided"
        return "confirmed" if (found.mean > 0) == (self.sign > 0) else "refuted"


def difference(factor: str, a: str, b: str, value: str, at: str = "matched") -> Callable[[Results], Interval]:
    """Level a minus level b, paired over replicates."""

    def measured(results: Results) -> Interval:
        table = analysis.compare(results, factor, value, at, baseline=b)  # type: ignore[arg-type]
        (row,) = table[table["a"] == a].to_dict("records")
        if row["unit"] != "replicates":
            raise ValueError(f"{factor}: {a} and {b} did not meet the same settings, so there are no pairs")
        return Interval(row["n"], row["difference"], row["low"], row["high"])

    return measured


def where(name: str, level: object, measure: Callable[[Results], Interval]) -> Callable[[Results], Interval]:
    """Of the trials alone whose hyper-parameter `name` is `level`."""

    def measured(results: Results) -> Interval:
        trials = results.trials[results.trials[name] == level]
        epochs = results.epochs[results.epochs["trial_id"].isin(trials["trial_id"])]
        return measure(replace(results, trials=trials, epochs=epochs))

    return measured


def of_order(order: str, value: str) -> Callable[[Results], Interval]:
    """One layer order alone."""

    def measured(results: Results) -> Interval:
        table = analysis.gaps_by(results, "layer_order", value=value)
        (row,) = table[table["level"] == order].to_dict("records")
        return Interval(row["n"], row["mean"], row["low"], row["high"])

    return measured


def test_accuracy(a: str, b: str) -> Callable[[Results], Interval]:
    """The same of two layer orders on the test images, in a final choice."""

    def measured(results: Results) -> Interval:
        by_order = results.trials.pivot_table(index="replicate", columns="layer_order", values="test_acc")
        return t_interval(by_order[a] - by_order[b])

    return measured


def best_epoch_less_20(order: str) -> Callable[[Results], Interval]:
    """How far the epoch of the lowest validation loss lies from 20."""

    def measured(results: Results) -> Interval:
        own = results.trials[results.trials["layer_order"] == order]
        epochs = results.epochs[results.epochs["trial_id"].isin(own["trial_id"])]
        lowest = epochs.loc[epochs.groupby("trial_id")["val_loss"].idxmin(), "epoch"]
        return t_interval(lowest.astype(float) - 20)

    return measured


BEFORE = "dropout before batch norm weakens regularisation"
CLAIMS = (
    Claim("removing batch norm lowers test accuracy slightly", "no-dropout-final", "test accuracy, lrd − lbrd",
          test_accuracy("lrd", "lbrd"), -1, "points"),
    Claim("", "no-dropout", "best validation accuracy, lrd − lbrd",
          difference("layer_order", "lrd", "lbrd", "val_acc", "best"), -1, "points"),
    Claim("", "no-dropout", "best validation accuracy, lr − lbr",
          difference("layer_order", "lr", "lbr", "val_acc", "best"), -1, "points"),
    Claim("", "no-batch-norm", "best validation accuracy, lrd − lbrd at the learning rate 1e-2",
          where("lr", 0.01, difference("layer_order", "lrd", "lbrd", "val_acc", "best")), -1, "points"),
    Claim("batch norm makes validation curves rougher", "no-dropout", "roughness, with − without batch norm",
          difference("has_bn", "yes", "no", "roughness"), +1),
    Claim("", "no-dropout", "roughness, lbrd − lrd", difference("layer_order", "lbrd", "lrd", "roughness"), +1),
    Claim("without dropout a network overfits strongly", "no-dropout", "gap at the end, without − with dropout",
          difference("has_dropout", "no", "yes", "gap_loss"), +1),
    Claim("and the MLP is best before epoch 20", "no-dropout", "epoch of the lowest validation loss, lbr, less 20",
          best_epoch_less_20("lbr"), -1, "epochs", models=("mlp",)),
    Claim(BEFORE, "layer-order", "gap at the end, ldbr − lbdr",
          difference("layer_order", "ldbr", "lbdr", "gap_loss"), +1),
    Claim("", "layer-order", "regularisation (negative), ldbr − lbdr",
          difference("layer_order", "ldbr", "lbdr", "regularisation"), +1),
    Claim("", "layer-order", "gap at the end, lrdb − lbrd",
          difference("layer_order", "lrdb", "lbrd", "gap_loss"), +1),
    Claim("", "layer-order", "regularisation (negative), lrdb − lbrd",
          difference("layer_order", "lrdb", "lbrd", "regularisation"), +1),
    Claim("", "layer-order", "gap at the end, lrdb − lrbd",
          difference("layer_order", "lrdb", "lrbd", "gap_loss"), +1),
    Claim("its variance shift costs validation loss (Li et al. 2018)", "layer-order", "cost of the shift, ldbr",
          of_order("ldbr", "shift_cost"), +1),
    Claim("", "layer-order", "cost of the shift, lrdb", of_order("lrdb", "shift_cost"), +1),
    Claim("", "layer-order", "cost of the shift, dlbr", of_order("dlbr", "shift_cost"), +1),
    Claim("", "layer-order", "cost of the shift, dlrb", of_order("dlrb", "shift_cost"), +1),
    Claim("augmentation narrows the gap", "augmentation", "gap at the end, crop-flip − none",
          difference("augment", "crop-flip", "none", "gap_loss"), -1),
    Claim("", "augmentation", "gap at the end, full − none", difference("augment", "full", "none", "gap_loss"), -1),
)  # fmt: skip
SETTINGS = {
    "no-dropout": ["layer_order"],
    "no-batch-norm": ["layer_order", "lr"],
    "layer-order": ["layer_order"],
    "augmentation": ["augment", "drop_rate"],
}


def claims_table(studies: Studies) -> str:
    head = _head("claim", "model", "measured", "effect [95 % interval]", "n", "verdict")
    return "\n".join([*head, *(row for claim in CLAIMS for row in claim.rows(studies))])


def settings_table(results: Results, names: list[str]) -> str:
    """Each configuration of a study at the matched epoch, lowest loss first: means and half a 95 % interval."""
    trials = results.trials.set_index("trial_id")
    each = {name: gap_levels.measured(results, value=name).set_index("trial_id")[name] for name in AT_THE_END}
    each["best val_acc (%)"] = trials["best_val_acc"] * 100
    each["gap"] = each["gap_loss"]
    each["overfits since"] = analysis.diagnose(results).set_index("trial_id")["since"]
    trials = trials.assign(**each)
    groups = sorted(trials.groupby(names), key=lambda group: group[1]["val_loss"].mean())
    rows = [_line([*map(str, key), *(_cell(own[column], column) for column in COLUMNS)]) for key, own in groups]
    return "\n".join([*_head(*names, *COLUMNS), *rows])


def _cell(values: pd.Series, column: str) -> str:
    if column == "overfits since":
        known = values.dropna()
        return f"{known.median():.0f} in {len(known)} of {len(values)}" if len(known) else "never"
    found, decimals = t_interval(values), {"best val_acc (%)": 2, "roughness": 4}.get(column, 3)
    return f"{found.mean:.{decimals}f} ± {found.high - found.mean:.{decimals}f}".replace("-", "−")


def _signed(x: float, decimals: int) -> str:
    return f"{x:+.{decimals}f}".replace("-", "−")


def _head(*names: str) -> tuple[str, str]:
    return _line(names), _line(["---"] * len(names))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def together(parts: Sequence[Results]) -> Results:
    """As if one sweep had run all trials: their seeds are the same. Of a trial in several, the first counts."""
    trials = pd.concat([part.trials for part in parts])
    kept = trials.drop_duplicates("trial_id")
    epochs = pd.concat([part.epochs for part in parts]).merge(kept[TRIAL_KEY], on=TRIAL_KEY)
    one = parts[0].trials["sweep_id"].iloc[0]
    manifests = tuple(manifest for part in parts for manifest in part.manifests)
    return replace(parts[0], trials=kept.assign(sweep_id=one), epochs=epochs.assign(sweep_id=one), manifests=manifests)


def load_studies(folder: Path) -> Studies:
    """The sweeps in the folder that CLAIMS knows, by model and name."""
    names = {claim.study for claim in CLAIMS}
    found: dict[tuple[str, str], list[Results]] = {}
    for path in sorted(manifest.parent for manifest in folder.glob("*/sweep.json")):
        results = analysis.load(path)
        manifest = results.manifests[0]
        if manifest["name"] in names:
            found.setdefault((manifest["spec"]["model"], manifest["name"]), []).append(results)
    return {key: together(own) for key, own in found.items()}


def parts(studies: Studies) -> list[str]:
    """The claims, and each study's settings under a line that says the epoch."""
    found = [claims_table(studies)]
    for model in MODELS:
        for name, settings in SETTINGS.items():
            if (model, name) in studies:
                results = studies[model, name]
                told = (
                    f"{model.upper()}, `{name}` at epoch {matched_epoch(results)} (means ± half a 95 % interval; nats):"
                )
                found.append(f"{told}\n\n{settings_table(results, settings)}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--studies", type=Path, default=RECORDED)
    print("\n\n".join(parts(load_studies(parser.parse_args().studies))))


if __name__ == "__main__":
    main()
