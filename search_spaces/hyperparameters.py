"""Every hyper-parameter a sweep can fix or search: its kind, its bounds, its default."""

import math
import sys
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Literal

from search_spaces.augment_presets import AUGMENT_PRESETS
from search_spaces.layer_order import ALLOWED_ORDERS, check_layer_order
from search_spaces.wording import shown


@dataclass(frozen=True)
class Hyperparameter:
    """One hyper-parameter.

    low, high: bounds of a number, part of the interval unless low_open/high_open. strings: the allowed values of a
    "str" ((): a layer order). A default of None means: the value of the chosen augment preset.
    """

    name: str
    kind: Literal["float", "int", "str"]
    default: float | str | None
    doc: str
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    strings: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What may be written, in words: 'a number in (0, 100]', 'one of adam, sgd'."""
        if self.kind == "str":
            return f"one of {', '.join(self.strings)}" if self.strings else ALLOWED_ORDERS
        noun = "an integer" if self.kind == "int" else "a number"
        if math.isinf(self.high):
            return f"{noun} {'>' if self.low_open else '>='} {self.low:g}"
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"{noun} in {left}{self.low:g}, {self.high:g}{right}"

    def check(self, value: object) -> float | int | str:
        """Return `value` as this kind (int 1 becomes 1.0 for a float); ValueError saying what is wrong and allowed.

        Booleans are not numbers, and neither is NaN or an infinity. A whole float is an integer: tables give ints so.
        """
        if self.kind == "str":
            if isinstance(value, str) and not self.strings:
                return check_layer_order(value)
            if not isinstance(value, str) or value not in self.strings:
                raise ValueError(f"got {shown(value)}; allowed: {self.allowed}")
            return value
        # numbers.Real rather than int | float: samplers and tables also hand over numpy's numbers.
        if isinstance(value, bool) or not isinstance(value, Real):
            raise ValueError(f"got {shown(value)}, which is not a number; allowed: {self.allowed}")
        number = int(value) if isinstance(value, Integral) else float(value)
        if not abs(number) <= sys.float_info.max:
            raise ValueError(f"got {shown(value)}, which is not finite; allowed: {self.allowed}")
        too_low = number < self.low or (self.low_open and number == self.low)
        too_high = number > self.high or (self.high_open and number == self.high)
        if too_low or too_high or (self.kind == "int" and number != int(number)):
            raise ValueError(f"got {shown(value)}; allowed: {self.allowed}")
        # Adding 0.0 turns -0.0 into 0.0, which would otherwise be a second identity of the same trial.
        return int(number) if self.kind == "int" else float(number) + 0.0


_ENTRIES = (
    Hyperparameter("lr", "float", 1e-3, "learning rate", low=0, high=100, low_open=True),
    Hyperparameter(
        "drop_rate", "float", 0.25, "probability that dropout zeroes a value", low=0, high=1, high_open=True
    ),
    Hyperparameter(
        "momentum",
        "float",
        0.1,
        "weight of the batch in batch norm's running statistics, as torch defines it (not the optimiser's momentum)",
        low=0,
        high=1,
        low_open=True,
    ),
    Hyperparameter(
        "eps",
        "float",
        1e-5,
        "added to the variance in batch norm",
        low=0,
        high=1,
        low_open=True,
        high_open=True,
    ),
    Hyperparameter("layer_order", "str", "lbrd", "order of the layers in a block"),
    Hyperparameter(
        "augment", "str", "none", "augmentation preset of the training images", strings=tuple(AUGMENT_PRESETS)
    ),
    Hyperparameter("crop_padding", "int", None, "pixels of padding before the random crop", low=0, high=16),
    Hyperparameter("flip_prob", "float", None, "probability of a horizontal flip", low=0, high=1),
    Hyperparameter("brightness", "float", None, "brightness factor is drawn from [1 - b, 1 + b]", low=0, high=1),
    Hyperparameter("contrast", "float", None, "contrast factor is drawn from [1 - c, 1 + c]", low=0, high=1),
    Hyperparameter("saturation", "float", None, "saturation factor is drawn from [1 - s, 1 + s]", low=0, high=1),
    Hyperparameter("hue", "float", None, "hue is turned by [-h, h] of a full circle", low=0, high=0.5),
    Hyperparameter("weight_decay", "float", 0.0, "L2 penalty of the optimiser", low=0),
    Hyperparameter(
        "sgd_momentum", "float", 0.9, "momentum of SGD (no effect with adam)", low=0, high=1, high_open=True
    ),
    Hyperparameter("batch_size", "int", 100, "images a step", low=2, high=65536),
    Hyperparameter("optimizer", "str", "adam", "optimiser", strings=("adam", "sgd")),
)

HYPERPARAMETERS: dict[str, Hyperparameter] = {entry.name: entry for entry in _ENTRIES}
