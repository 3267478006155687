"""Specs that must be refused, each with what its message must say. Used by test_spec.py and the command line's tests.

A case's `content` is the text or bytes of a study file, or a Path, which is given to `load` or the command as it is.
"""

from pathlib import Path
from typing import NamedTuple

from malformed_spaces import MALFORMED_SPACES


class MalformedSpec(NamedTuple):
    id: str
    content: str | bytes | Path
    overrides: tuple[str, ...]
    fragments: tuple[str, ...]

    def source(self, folder: Path) -> str:
        """Write the content to a file in `folder` if it is content; what to give to `load` or the command."""
        if isinstance(self.content, Path):
            return str(self.content)
        path = folder / "study.yaml"
        path.write_bytes(self.content if isinstance(self.content, bytes) else self.content.encode())
        return str(path)


GOOD = """\
name: test
model: mlp
dataset: digits
epochs: 5
space:
  lr: 0.01
"""


def _without(line: str) -> str:
    assert line in GOOD
    return GOOD.replace(line, "")


def _with(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def _space(entry: str) -> str:
    return _with("lr: 0.01", entry)


# id, content, fragments: the key path, the value got and what is allowed.
_CONTENTS: list[tuple[str, str | bytes | Path, tuple[str, ...]]] = [
    # the file
    ("missing file", Path("nowhere/missing.yaml"), ("nowhere/missing.yaml", "no such file", "allowed: a YAML file")),
    ("unknown study", Path("cnn-basline"), ("cnn-basline", "did you mean cnn-baseline?", "allowed:", "mlp-baseline")),
    ("folder", Path("/"), ("/", "got a folder", "allowed: a YAML file")),
    ("name too long for a path", Path("x" * 5000), ("no such file or study", "5000 long", "allowed:")),
    ("empty file", "", ("study.yaml", "got an empty file", "allowed: a mapping")),
    ("only comments", "# nothing here\n", ("got an empty file", "allowed: a mapping")),
    ("a list", "- name: test\n- model: mlp\n", ("got [{'name': 'test'}", "not a mapping", "allowed: a mapping")),
    ("a word", "quickstart\n", ("got 'quickstart'", "not a mapping", "allowed: a mapping")),
    ("not UTF-8", b"name: \xff\xfe\x00test\n", ("study.yaml", "not readable as YAML text in UTF-8")),
    ("over a megabyte", GOOD + "# " + "x" * 1_000_000, ("study.yaml", "more than 1000000 bytes", "allowed:")),
    ("syntax error", GOOD + "search: {seed: 1\n", ("study.yaml", "line 8, column 1", "not valid YAML")),
    ("two documents", GOOD + "---\n" + GOOD, ("line 7, column 1", "not valid YAML", "another document")),
    (
        "python object",
        GOOD + "search: !!python/object:os.system {}\n",
        ("search", "line 7", "!!python/object", "allowed"),
    ),
    ("python tag in a list", GOOD + "model_args: {hidden: [!!python/name:os.system '']}\n", ("model_args.hidden[0]",)),
    ("binary tag", _with("digits", "!!binary aGVsbG8="), ("dataset", "!!binary", "allowed: plain text")),
    ("alias", _with("lr: 0.01", "lr: &a 0.01\n  drop_rate: *a"), ("line 7", "alias *a", "write the value out")),
    ("alias bomb", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", ("line 2", "alias *a", "allowed")),
    ("deep nesting", "name: " + "[" * 5000 + "]" * 5000, ("more than 20 levels", "allowed: up to 20")),
    ("duplicate key", GOOD + "epochs: 7\n", ("epochs", "duplicate key", "line 4", "line 7", "allowed: each key once")),
    ("duplicate nested key", _space("lr: 0.01\n  lr: 0.02"), ("space.lr", "duplicate key", "allowed: each key once")),
    ("number as a key", GOOD + "3: x\n", ("line 7", "got the key '3'", "allowed: keys that are names")),
    # unknown keys, at each level
    ("unknown key", GOOD + "epohcs: 3\n", ("epohcs: unknown key", "got 3", "did you mean epochs?", "allowed: name")),
    ("key at the wrong level", GOOD + "drop_rate: 0.3\n", ("drop_rate: unknown key", "did you mean space.drop_rate?")),
    (
        "setting at the wrong level",
        GOOD + "trials: 8\n",
        ("trials: unknown key", "got 8", "did you mean search.trials?"),
    ),
    ("unknown search key", GOOD + "search: {trails: 8}\n", ("search.trails", "got 8", "did you mean search.trials?")),
    ("unknown scheduler key", GOOD + "scheduler: {grace: 2}\n", ("scheduler.grace", "got 2", "allowed: type")),
    ("unknown resource", GOOD + "resources: {cpu: 2}\n", ("resources.cpu", "got 2", "allowed: cpus_per_trial")),
    ("unknown model argument", GOOD + "model_args: {hiden: [8]}\n", ("model_args.hiden", "[8]", "allowed", "hidden")),
    (
        "unknown hyper-parameter",
        _space("droprate: 0.1"),
        ("space.droprate", "got 0.1", "did you mean space.drop_rate?"),
    ),
    (
        "unknown domain",
        _space("lr: {unifrom: [0.1, 0.2]}"),
        ("space.lr.unifrom", "did you mean space.lr.uniform?", "allowed:"),
    ),
    # top-level values
    ("no name", _without("name: test\n"), ("name: missing", "allowed: 1 to 60")),
    ("no model", _without("model: mlp\n"), ("model: missing", "allowed: one of mlp, cnn")),
    ("no dataset", _without("dataset: digits\n"), ("dataset: missing", "allowed: one of digits")),
    ("no epochs", _without("epochs: 5\n"), ("epochs: missing", "allowed: an integer from 1 to 100000")),
    ("name leaves the folder", _with("test", "../x"), ("name: got '../x'", "allowed: 1 to 60")),
    ("name of 300 characters", _with("test", "a" * 300), ("name: got 'aaa", "300 long", "allowed: 1 to 60")),
    ("name opens with a dash", _with("test", "-rf"), ("name: got '-rf'", "allowed: 1 to 60", "not starting with -")),
    ("name is a number", _with("test", "2024"), ("name: got 2024", "allowed: 1 to 60")),
    ("name in capitals", _with("test", "Test"), ("name: got 'Test'", "allowed: 1 to 60")),
    ("unknown model", _with("mlp", "resnet"), ("model: got 'resnet'", "allowed: one of mlp, cnn")),
    ("unknown dataset", _with("digits", "cifra10"), ("dataset: got 'cifra10'", "allowed", "did you mean cifar10?")),
    ("missing data path", _with("digits", "parquet:./no/such"), ("dataset: got 'parquet:./no/such'", "allowed")),
    ("missing image folder", _with("digits", "folder:./no/such"), ("dataset: got 'folder:./no/such'", "allowed")),
    ("data path left out", _with("digits", '"parquet:"'), ("dataset: got 'parquet:'", "allowed: digits")),
    ("dataset is a list", _with("digits", "[digits]"), ("dataset: got ['digits']", "allowed: one of digits")),
    ("zero epochs", _with("5", "0"), ("epochs: got 0", "allowed: an integer from 1 to 100000")),
    ("epochs in words", _with("5", "five"), ("epochs: got 'five'", "allowed: an integer from 1")),
    ("epochs in quotes", _with("5", '"5"'), ("epochs: got '5'", "allowed: an integer from 1")),
    ("half an epoch", _with("5", "0.5"), ("epochs: got 0.5", "allowed: an integer from 1")),
    ("epochs true", _with("5", "true"), ("epochs: got true", "allowed: an integer from 1")),
    ("epochs left empty", _with("epochs: 5", "epochs:"), ("epochs: got null", "allowed: an integer from 1")),
    ("too many epochs", _with("5", "100001"), ("epochs: got 100001", "allowed: an integer from 1 to 100000")),
    ("no replicates", GOOD + "replicates: 0\n", ("replicates: got 0", "allowed: an integer from 1 to 1000")),
    ("train_size too small", GOOD + "train_size: 9\n", ("train_size: got 9", "allowed: an integer from 10")),
    ("batch of one", GOOD + "batch_size: 1\n", ("batch_size: got 1", "allowed: an integer from 2 to 65536")),
    (
        "int16 of a CNN",
        GOOD.replace("mlp", "cnn") + "precision: int16\n",
        ("precision: got 'int16' with model cnn", "allowed: with mlp"),
    ),
    (
        "int16 on a GPU",
        GOOD + "precision: int16\nresources: {gpus_per_trial: 1}\n",
        ("precision: got 'int16' with model mlp", "and resources.gpus_per_trial 1", "give fp32 or auto"),
    ),
    (
        "int16 of a small layer",
        GOOD + "precision: int16\nmodel_args: {hidden: [64]}\n",
        ("precision: got 'int16'", "hidden", "a first width from 86"),
    ),
    (
        "int16 where batch norm comes first",
        GOOD.replace("space:\n", "space:\n  layer_order: {choice: [lbrd, blrd]}\n") + "precision: int16\n",
        ("precision: got 'int16'", "layer_order lbrd, blrd", "layer orders that begin with l"),
    ),
    ("unknown precision", GOOD + "precision: fp16\n", ("precision: got 'fp16'", "allowed: one of auto")),
    ("unknown optimizer", GOOD + "optimizer: adamw\n", ("optimizer: got 'adamw'", "allowed: one of adam")),
    ("unknown mode", GOOD + "mode: studie\n", ("mode: got 'studie'", "allowed: one of search")),
    ("negative retries", GOOD + "max_retries: -1\n", ("max_retries: got -1", "allowed: an integer from 0")),
    ("model_args is a list", GOOD + "model_args: [8]\n", ("model_args: got [8]", "allowed: a mapping")),
    ("even kernel", _with("mlp", "cnn\nmodel_args: {kernel_size: 4}"), ("model_args.kernel_size", "4", "allowed")),
    # the space
    ("space is a list", _with("space:\n  lr: 0.01", "space: [lr]"), ("space: got ['lr']", "allowed: a mapping")),
    *((name, _space(entry), parts) for name, entry, parts in MALFORMED_SPACES),
    # search, scheduler, resources, and how they fit together
    (
        "unknown algorithm",
        GOOD + "search: {algorithm: bohb}\n",
        ("search.algorithm: got 'bohb'", "allowed: one of grid"),
    ),
    ("zero trials", GOOD + "search: {trials: 0}\n", ("search.trials: got 0", "allowed: an integer from 1")),
    ("no trials", GOOD + "search: {trials: null}\n", ("search.trials: got null", "allowed: an integer from 1")),
    ("negative seed", GOOD + "search: {seed: -1}\n", ("search.seed: got -1", "allowed: an integer from 0")),
    ("search is a word", GOOD + "search: tpe\n", ("search: got 'tpe'", "allowed: a mapping of algorithm")),
    ("unknown scheduler", GOOD + "scheduler: hyperband\n", ("scheduler: got 'hyperband'", "allowed: none, asha")),
    ("scheduler null", GOOD + "scheduler: null\n", ("scheduler: got null", "allowed: none, asha")),
    ("unknown type", GOOD + "scheduler: {type: pbt}\n", ("scheduler.type: got 'pbt'", "allowed: one of asha")),
    (
        "no grace",
        GOOD + "scheduler: {grace_period: 0}\n",
        ("scheduler.grace_period: got 0", "allowed: an integer from 1"),
    ),
    (
        "grace above epochs",
        GOOD + "scheduler: {grace_period: 6}\n",
        ("scheduler.grace_period: got 6", "allowed: 1 to 5"),
    ),
    ("no reduction", GOOD + "scheduler: {reduction_factor: 1}\n", ("scheduler.reduction_factor: got 1", "allowed:")),
    (
        "no CPU",
        GOOD + "resources: {cpus_per_trial: 0}\n",
        ("resources.cpus_per_trial: got 0", "allowed: a number from"),
    ),
    (
        "a part of a GPU below Ray's smallest",
        GOOD + "resources: {gpus_per_trial: 0.00005}\n",
        ("resources.gpus_per_trial: got 5e-05", "allowed: 0, or from 0.0001"),
    ),
    ("negative GPUs", GOOD + "resources: {gpus_per_trial: -1}\n", ("resources.gpus_per_trial: got -1", "allowed:")),
    (
        "more than one GPU",
        GOOD + "resources: {gpus_per_trial: 2}\n",
        ("resources.gpus_per_trial: got 2", "allowed: a number from 0 to 1"),
    ),
    (
        "fewer trials than seeds",
        GOOD + "replicates: 3\nbudget: {max_trials: 2}\n",
        ("budget.max_trials: got 2, below replicates (3)", "allowed: an integer from 3"),
    ),
    ("zero at once", GOOD + "resources: {max_concurrent: 0}\n", ("resources.max_concurrent: got 0", "allowed:")),
    ("study with tpe", GOOD + "mode: study\nsearch: {algorithm: tpe}\n", ("search.algorithm: got 'tpe'", "allowed")),
    (
        "study with trials",
        GOOD + "mode: study\nsearch: {trials: 4}\n",
        ("search.trials: got 4", "allowed in mode study"),
    ),
    (
        "study with asha",
        GOOD + "mode: study\nscheduler: asha\n",
        ("scheduler.type: got 'asha'", "allowed in mode study: none"),
    ),
    (
        "study of a continuous range",
        _space("lr: {uniform: [0.1, 1]}\nmode: study"),
        ("space.lr: got the continuous range {uniform: [0.1, 1.0]}", "allowed: a finite domain", "points"),
    ),
    (
        "grid of a continuous range",
        _space("lr: {loguniform: [0.1, 1]}\nsearch: {algorithm: grid}"),
        ("space.lr: got the continuous range {loguniform: [0.1, 1.0]}", "allowed: a finite domain", "points"),
    ),
    (
        "grid without end",
        _space("lr: {uniform: [0.1, 1], points: 999}\n  eps: {uniform: [0.1, 0.9], points: 999}\nmode: study"),
        ("space: got a grid of 998001 configurations", "allowed: up to 100000"),
    ),
    (
        "multi-objective with asha",
        GOOD + "search: {algorithm: multi-objective}\nscheduler: asha\n",
        ("scheduler.type: got 'asha'", "no gap that can be compared", "write scheduler: none"),
    ),
    (
        "settings of asha with multi-objective",
        GOOD + "search: {algorithm: multi-objective}\nscheduler: {grace_period: 2}\n",
        ("scheduler.type: got 'asha'", "no gap that can be compared", "write scheduler: none"),
    ),
    (
        "settings of asha in a study",
        GOOD + "mode: study\nscheduler: {grace_period: 2}\n",
        ("scheduler.type: got 'asha'", "a cut trial cannot be compared", "write scheduler: none"),
    ),
    (
        "a rate of no layer",
        _space("layer_order: lbr\n  drop_rate: {uniform: [0, 0.5]}"),
        ("space.drop_rate: got {'uniform': [0, 0.5]} with layer_order lbr", "allowed: beside a layer_order with d"),
    ),
    (
        "a setting of batch norm without it",
        _space("layer_order: {choice: [lr, lrd]}\n  momentum: {uniform: [0.1, 0.5]}"),
        ("space.momentum: got", "with layer_order lr, lrd", "allowed: beside a layer_order with b"),
    ),
    (
        "another optimiser's momentum",
        _space("sgd_momentum: {choice: [0.5, 0.9]}"),
        ("space.sgd_momentum: got", "with optimizer adam", "allowed: beside optimizer sgd"),
    ),
    (
        "a cost of nothing",
        GOOD + "budget: {max_cost: 10, price_per_gpu_hour: 2.5}\n",
        ("budget.max_cost: got 10", "no price of what a trial takes (1 CPUs, 0 GPUs)", "allowed:"),
    ),
    ("a rule without a word", GOOD + "stop_rules:\n  gap:\n", ("stop_rules.gap: got null", "allowed: {}")),
    ("a dotted key", GOOD + "search.trials: 4\n", ("search.trials: unknown key", "allowed: search: {trials: ...}")),
    (
        "a key of several places",
        GOOD + "stop_rules: {plateau: {grace_period: 3}}\n",
        ("stop_rules.plateau.grace_period: unknown key (got 3); allowed: patience, min_delta",),
    ),
    (
        "several mistakes at once",
        _with("epochs: 5", "epochs: -2\nmodell: cnn"),
        ("epochs: got -2", "modell: unknown key", "did you mean model?"),
    ),
]

# id, override, fragments
_OVERRIDES: list[tuple[str, str, tuple[str, ...]]] = [
    ("without =", "epochs", ("--set 'epochs'", "no '='", "allowed: KEY=VALUE")),
    ("without a key", "=3", ("--set '=3'", "empty key", "allowed: KEY=VALUE")),
    ("empty part", "space..lr=3", ("--set 'space..lr=3'", "empty key", "allowed: KEY=VALUE")),
    ("unknown key", "epoch=3", ("--set epoch: unknown key", "got 3", "did you mean epochs?", "allowed: name")),
    (
        "unknown nested key",
        "search.trail=3",
        ("--set search.trail", "did you mean search.trials?", "allowed: algorithm"),
    ),
    ("unknown in space", "space.lrr=0.1", ("--set space.lrr", "got 0.1", "did you mean space.lr?", "allowed: lr")),
    (
        "through a value",
        "epochs.max=3",
        ("--set epochs.max", "epochs is 5, not a mapping", "allowed: --set epochs=VALUE"),
    ),
    ("no YAML", "space.lr={uniform: [1", ("--set space.lr", "not valid YAML", "got '{uniform: [1'")),
    ("tag", "name=!!python/object:os.system x", ("--set name", "!!python/object", "allowed: plain text")),
    ("bad value", "space.drop_rate=1.5", ("--set space.drop_rate: got 1.5", "allowed: a number in [0, 1)")),
    ("bad dataset", "dataset=parquet:../no/such", ("--set dataset: got 'parquet:../no/such'", "allowed")),
    ("value left out", "epochs=", ("--set epochs: got null", "allowed: an integer from 1")),
]

MALFORMED_SPECS: list[MalformedSpec] = [MalformedSpec(name, text, (), parts) for name, text, parts in _CONTENTS] + [
    MalformedSpec(f"override {name}", GOOD, (override,), parts) for name, override, parts in _OVERRIDES
]
