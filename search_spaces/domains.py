"""Domains: the values one hyper-parameter may take in a sweep.

`0.01` is Fixed; `{uniform: [0, 0.5]}`, `{loguniform: [1e-4, 1e-1]}`, `{int: [1, 8]}` (both ends included) and
`{choice: [a, b]}` say what they are; `{permutations: lbrd}` is a Choice of the 24 orders. A range with `points: n` is
the Choice of n evenly spaced values (evenly in the logarithm for loguniform), both ends included. `at(part)`, with
0 <= part < 1, is the value so far along the domain: evenly spread parts give evenly spread values.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from search_spaces.errors import SpecError
from search_spaces.hyperparameters import Hyperparameter
from search_spaces.layer_order import orders_of
from search_spaces.wording import shown, unknown_key

Value = float | int | str


@dataclass(frozen=True)
class Fixed:
    """One value, not searched."""

    value: Value
    size = 1

    def values(self) -> tuple[Value, ...]:
        return (self.value,)

    def at(self, part: float) -> Value:
        return self.value

    def sample(self, rng: random.Random) -> Value:
        return self.value


@dataclass(frozen=True)
class Uniform:
    """Every number in [low, high] alike."""

    low: float
    high: float
    size = None

    def __str__(self) -> str:
        return f"{{uniform: [{self.low!r}, {self.high!r}]}}"

    def at(self, part: float) -> float:
        return self.low + (self.high - self.low) * part

    def sample(self, rng: random.Random) -> float:
        return self.at(rng.random())

    def spaced(self, points: int) -> "Choice":
        """The Choice of `points` evenly spaced values, both ends included."""
        return _spaced(self.low, self.high, points, self.at)


@dataclass(frozen=True)
class LogUniform:
    """Numbers in [low, high], low > 0, whose logarithm is uniform."""

    low: float
    high: float
    size = None

    def __str__(self) -> str:
        return f"{{loguniform: [{self.low!r}, {self.high!r}]}}"

    def at(self, part: float) -> float:
        log_low, log_high = math.log(self.low), math.log(self.high)
        value = math.exp(log_low + (log_high - log_low) * part)
        return min(max(value, self.low), self.high)  # exp(log(x)) may leave the range by one rounding

    def sample(self, rng: random.Random) -> float:
        return self.at(rng.random())

    def spaced(self, points: int) -> "Choice":
        """The Choice of `points` values evenly spaced in the logarithm, both ends included."""
        return _spaced(self.low, self.high, points, self.at)


@dataclass(frozen=True)
class IntRange:
    """Every integer from low to high, both included."""

    low: int
    high: int

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def values(self) -> tuple[int, ...]:
        return tuple(range(self.low, self.high + 1))

    def at(self, part: float) -> int:
        return self.low + int(self.size * part)

    def sample(self, rng: random.Random) -> int:
        return rng.randint(self.low, self.high)

    def spaced(self, points: int) -> "Choice":
        """The Choice of `points` evenly spaced integers, rounded, both ends included."""
        return _spaced(self.low, self.high, points, lambda part: round(self.low + (self.high - self.low) * part))


@dataclass(frozen=True)
class Choice:
    """One of several different values, each as likely."""

    options: tuple[Value, ...]

    @property
    def size(self) -> int:
        return len(self.options)

    def values(self) -> tuple[Value, ...]:
        return self.options

    def at(self, part: float) -> Value:
        return self.options[int(self.size * part)]

    def sample(self, rng: random.Random) -> Value:
        return rng.choice(self.options)


Domain = Fixed | Uniform | LogUniform | IntRange | Choice


def _spaced(low: float, high: float, points: int, at: Callable[[float], float]) -> Choice:
    # 12 digits drop the rounding noise of the values between: 0.001, not 0.0009999999999999998.
    between = (at(i / (points - 1)) for i in range(1, points - 1))
    return Choice((low, *(v if isinstance(v, int) else float(f"{v:.12g}") for v in between), high))


RANGES: dict[str, type[Uniform | LogUniform | IntRange]] = {
    "uniform": Uniform,
    "loguniform": LogUniform,
    "int": IntRange,
}

MAX_POINTS = 1000


def domain_kinds(hyperparameter: Hyperparameter) -> dict[str, str]:
    """The kinds of domain a hyper-parameter can have, each with an example of how it is written."""
    if hyperparameter.kind == "float":
        return {"uniform": "{uniform: [low, high]}", "loguniform": "{loguniform: [low, high]}", **_CHOICE}
    if hyperparameter.kind == "int":
        return {"int": "{int: [low, high]}", **_CHOICE}
    return _CHOICE if hyperparameter.strings else {"permutations": "{permutations: lbrd}", **_CHOICE}


_CHOICE = {"choice": "{choice: [a, b]}"}


def parse_domain(key: str, raw: object, hyperparameter: Hyperparameter) -> Domain:
    """The domain written at key path `key` (such as space.lr). SpecError, a line a mistake, for what cannot be used."""
    if not isinstance(raw, dict):
        try:
            return Fixed(hyperparameter.check(raw))
        except ValueError as error:
            ways = " or ".join(domain_kinds(hyperparameter).values())
            raise SpecError(f"{key}: {error}; or search it with {ways}") from None
    kinds = domain_kinds(hyperparameter)
    written = [kind for kind in raw if kind in kinds]
    keys = [*kinds, "points"] if any(kind in RANGES for kind in kinds) else [*kinds]
    faults = [unknown_key(f"{key}.{name}", raw[name], keys) for name in raw if name not in keys]
    if len(written) != 1 and not faults:
        faults = [f"{key}: got {shown(raw)}; allowed: exactly one of {', '.join(kinds.values())}"]
    if faults:
        raise SpecError("\n".join(faults))
    kind = written[0]
    if kind == "choice":
        if "points" in raw:
            raise SpecError(
                f"{key}.points: got {shown(raw['points'])}; allowed: only beside a range, not beside choice"
            )
        return _parse_choice(f"{key}.choice", raw["choice"], hyperparameter)
    if kind == "permutations":
        try:
            return Choice(orders_of(raw[kind]))
        except ValueError as error:
            raise SpecError(f"{key}.permutations: {error}") from None
    domain = _parse_range(f"{key}.{kind}", raw[kind], RANGES[kind], hyperparameter)
    return _parse_points(f"{key}.points", raw["points"], domain) if "points" in raw else domain


def _parse_choice(key: str, raw: object, hyperparameter: Hyperparameter) -> Choice:
    if not isinstance(raw, list | tuple) or not raw:
        raise SpecError(
            f"{key}: got {shown(raw)}; allowed: a list of at least one value, each {hyperparameter.allowed}"
        )
    faults: list[str] = []
    options: list[Value] = []
    for index, item in enumerate(raw):
        try:
            value = hyperparameter.check(item)
        except ValueError as error:
            faults.append(f"{key}[{index}]: {error}")
            continue
        if value in options:
            faults.append(f"{key}[{index}]: got {shown(item)} again; allowed: each value once")
        options.append(value)
    if faults:
        raise SpecError("\n".join(faults))
    return Choice(tuple(options))


def _parse_range(
    key: str, raw: object, kind: type[Uniform | LogUniform | IntRange], hyperparameter: Hyperparameter
) -> Uniform | LogUniform | IntRange:
    allowed = f"allowed: [low, high] with low < high, each {hyperparameter.allowed}"
    if not isinstance(raw, list | tuple) or len(raw) != 2:
        raise SpecError(f"{key}: got {shown(raw)}; {allowed}")
    faults: list[str] = []
    ends: list[float] = []
    for name, item in zip(("low", "high"), raw, strict=True):
        try:
            ends.append(float(hyperparameter.check(item)))
        except ValueError as error:
            faults.append(f"{key}: {name} {error}")
    if faults:
        raise SpecError("\n".join(faults))
    low, high = ends
    if low > high:
        raise SpecError(f"{key}: low {raw[0]!r} is above high {raw[1]!r}; swap them or widen the range; {allowed}")
    if low == high:
        raise SpecError(f"{key}: low and high are both {raw[0]!r}; write the plain value to fix it; {allowed}")
    if kind is LogUniform and low <= 0:
        raise SpecError(f"{key}: low is {raw[0]!r}, which has no logarithm; allowed: low > 0 (or use uniform)")
    return IntRange(int(low), int(high)) if kind is IntRange else kind(low, high)  # type: ignore[arg-type]


def _parse_points(key: str, raw: object, domain: Uniform | LogUniform | IntRange) -> Choice:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 2 <= raw <= MAX_POINTS:
        raise SpecError(f"{key}: got {shown(raw)}; allowed: an integer from 2 to {MAX_POINTS}")
    choice = domain.spaced(raw)
    if len(set(choice.options)) < raw:
        raise SpecError(f"{key}: got {raw}, but the range has not so many different values; allowed: fewer points")
    return choice
