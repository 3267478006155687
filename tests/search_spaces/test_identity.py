import json
import os
import subprocess
import sys

from search_spaces.identity import configuration_id, trial_id
from search_spaces.space import SearchSpace

CONFIGURATION = SearchSpace({}).resolve({"lr": 0.1 + 0.2, "augment": "full"})


def test_ids_are_twelve_hex_digits_and_differ_with_everything_that_is_trained() -> None:
    other = CONFIGURATION | {"lr": 0.3}
    ids = [
        trial_id("mlp", {"hidden": [512]}, CONFIGURATION, 0),
        trial_id("mlp", {"hidden": [512]}, CONFIGURATION, 1),
        trial_id("mlp", {"hidden": [256]}, CONFIGURATION, 0),
        trial_id("cnn", {"hidden": [512]}, CONFIGURATION, 0),
        trial_id("mlp", {"hidden": [512]}, other, 0),
        configuration_id("mlp", {"hidden": [512]}, CONFIGURATION),
    ]
    assert len(set(ids)) == len(ids)
    assert all(len(one) == 12 and set(one) <= set("0123456789abcdef") for one in ids)


def test_ids_do_not_depend_on_key_order_or_on_a_way_through_json() -> None:
    args = {"channels": [32, 64], "kernel_size": 3}
    expected = trial_id("cnn", args, CONFIGURATION, 2)
    assert trial_id("cnn", dict(reversed(args.items())), dict(reversed(CONFIGURATION.items())), 2) == expected
    assert trial_id("cnn", args, json.loads(json.dumps(CONFIGURATION)), 2) == expected


def test_ids_are_the_same_in_every_process() -> None:
    code = (
        "import sys, json; from search_spaces.identity import trial_id; "
        "print(trial_id('mlp', {'hidden': [512]}, json.loads(sys.argv[1]), 0))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code, json.dumps(CONFIGURATION)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "4242")
    }
    assert seen == {trial_id("mlp", {"hidden": [512]}, CONFIGURATION, 0)}


def test_the_id_of_a_known_trial_never_changes() -> None:
    # Results on disk carry these ids: whoever changes the hash orphans them.
    configuration = {"drop_rate": 0.25, "layer_order": "lbrd", "lr": 0.1 + 0.2, "crop_padding": 4}
    assert trial_id("mlp", {"hidden": [512]}, configuration, 0) == "5a697961f3d1"
