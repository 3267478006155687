"""What `model_args` of a spec may hold, checked without torch, before anything starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from search_spaces.wording import nearest, shown, unknown_key


@dataclass(frozen=True)
class Widths:
    """A list of layer widths; a bare int stands for a list of one."""

    most: int
    highest: int
    default: tuple[int, ...]

    def check(self, key: str, value: object) -> list[int]:
        widths = list(value) if isinstance(value, list | tuple) else [value]
        good = [width for width in widths if _is_int(width) and 1 <= width <= self.highest]
        if len(good) != len(widths) or not 1 <= len(widths) <= self.most:
            raise ValueError(
                f"model_args.{key}: got {shown(value)}; allowed: a list of 1 to {self.most} whole numbers, "
                f"each from 1 to {self.highest}, such as {list(self.default)}"
            )
        return good


@dataclass(frozen=True)
class OddInt:
    """An odd whole number from 1."""

    highest: int
    default: int

    def check(self, key: str, value: object) -> int:
        if not _is_int(value) or not 1 <= value <= self.highest or value % 2 == 0:
            raise ValueError(
                f"model_args.{key}: got {shown(value)}; allowed: an odd whole number from 1 to {self.highest}, "
                f"such as {self.default}"
            )
        return value


MODEL_ARGS: dict[str, dict[str, Widths | OddInt]] = {
    "mlp": {"hidden": Widths(most=8, highest=65536, default=(512,))},
    "cnn": {
        "channels": Widths(most=5, highest=4096, default=(32, 64)),
        "kernel_size": OddInt(highest=11, default=3),
    },
}


def check_model_args(model: str, model_args: Mapping[str, object]) -> dict[str, list[int] | int]:
    """Returns all arguments of the model: those given, checked, and the defaults of the others.

    Raises ValueError, a line a mistake, with the key, the value, what is allowed, and for an unknown key the nearest.
    """
    if model not in MODEL_ARGS:
        like = nearest(model, MODEL_ARGS)
        hint = f"; did you mean {like}?" if like else ";"
        raise ValueError(f"model: got {shown(model)}{hint} allowed: one of {', '.join(MODEL_ARGS)}")
    arguments = MODEL_ARGS[model]
    faults = [
        unknown_key(f"model_args.{key}", value, arguments) for key, value in model_args.items() if key not in arguments
    ]
    checked: dict[str, list[int] | int] = {}
    for key, argument in arguments.items():
        try:
            checked[key] = argument.check(key, model_args.get(key, argument.default))
        except ValueError as error:
            faults.append(str(error))
    if faults:
        raise ValueError("\n".join(faults))
    return checked


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
