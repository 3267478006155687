"""The check of model_args that runs before anything starts."""

import subprocess
import sys

import pytest

from search_spaces.model_args import check_model_args


@pytest.mark.parametrize(
    ("model", "given", "wanted"),
    [
        ("mlp", {}, {"hidden": [512]}),
        ("mlp", {"hidden": 64}, {"hidden": [64]}),
        ("mlp", {"hidden": (1, 65536)}, {"hidden": [1, 65536]}),
        ("cnn", {}, {"channels": [32, 64], "kernel_size": 3}),
        (
            "cnn",
            {"kernel_size": 11, "channels": [1, 2, 3, 4, 4096]},
            {"channels": [1, 2, 3, 4, 4096], "kernel_size": 11},
        ),
    ],
)
def test_defaults_are_filled_in(model: str, given: dict[str, object], wanted: dict[str, object]) -> None:
    assert check_model_args(model, given) == wanted


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        (
            "mlp",
            {"hiden": [5]},
            r"model_args\.hiden: unknown key \(got \[5\]\); did you mean model_args.hidden\? allowed",
        ),
        ("mlp", {"channels": [5]}, r"model_args\.channels: unknown key \(got \[5\]\).* allowed: hidden"),
        ("mlp", {"hidden": []}, r"model_args\.hidden: got \[\]; allowed: a list of 1 to 8 whole numbers"),
        ("mlp", {"hidden": [1] * 9}, "1 to 8"),
        ("mlp", {"hidden": [0]}, r"got \[0\].*each from 1 to 65536"),
        ("mlp", {"hidden": [65537]}, "65537"),
        ("mlp", {"hidden": [512.0]}, r"got \[512\.0\]"),
        ("mlp", {"hidden": True}, "got true"),
        ("mlp", {"hidden": "512"}, "got '512'"),
        ("mlp", {"hidden": None}, "got null"),
        ("cnn", {"channels": [1] * 6}, "1 to 5"),
        ("cnn", {"channels": [4097]}, "each from 1 to 4096"),
        ("cnn", {"kernel_size": 4}, r"model_args\.kernel_size: got 4; allowed: an odd whole number from 1 to 11"),
        ("cnn", {"kernel_size": 13}, "got 13"),
        ("cnn", {"kernel_size": [3]}, r"got \[3\]"),
        ("cnn", {"kernelsize": 3}, r"did you mean model_args.kernel_size\?"),
        ("rnn", {}, r"model: got 'rnn'; did you mean cnn\? allowed: one of mlp, cnn"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value_and_what_is_allowed(
    model: str, given: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        check_model_args(model, given)


def test_the_check_needs_no_torch() -> None:
    code = "import sys, search_spaces.model_args; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
