"""A search space: for each hyper-parameter it names, the domain; the others keep their defaults."""

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from search_spaces.augment_presets import AUGMENT_PRESETS, STRENGTHS
from search_spaces.domains import Domain, LogUniform, Uniform, Value, parse_domain
from search_spaces.errors import SpecError
from search_spaces.hyperparameters import HYPERPARAMETERS
from search_spaces.wording import shown, unknown_key

# A grid is built in memory; more points than this are a slip of the pen, not a plan.
MAX_GRID = 100_000


@dataclass(frozen=True)
class SearchSpace:
    """Domains by hyper-parameter name, kept in the order of HYPERPARAMETERS however they were written.

    So two files that differ only in the order of their keys give the same grid and the same samples.
    """

    domains: dict[str, Domain]

    def __post_init__(self) -> None:
        faults = [
            unknown_key(f"space.{k}", d, HYPERPARAMETERS) for k, d in self.domains.items() if k not in HYPERPARAMETERS
        ]
        if faults:
            raise SpecError("\n".join(faults))
        object.__setattr__(
            self, "domains", {name: self.domains[name] for name in HYPERPARAMETERS if name in self.domains}
        )

    @classmethod
    def parse(cls, raw: object) -> "SearchSpace":
        """The space written as a mapping under `space`. SpecError with a line a mistake."""
        if not isinstance(raw, Mapping):
            raise SpecError(
                f"space: got {shown(raw)}; allowed: a mapping of hyper-parameters ({', '.join(HYPERPARAMETERS)}), "
                "each a value to fix it or a domain such as {uniform: [0, 0.5]}"
            )
        faults: list[str] = []
        domains: dict[str, Domain] = {}
        for name, domain in raw.items():
            try:
                if name not in HYPERPARAMETERS:
                    raise SpecError(unknown_key(f"space.{name}", domain, HYPERPARAMETERS))
                domains[name] = parse_domain(f"space.{name}", domain, HYPERPARAMETERS[name])
            except SpecError as error:
                faults.append(str(error))
        if faults:
            raise SpecError("\n".join(faults))
        return cls(domains)

    @property
    def searched(self) -> dict[str, Domain]:
        """The domains with more than one value."""
        return {name: domain for name, domain in self.domains.items() if domain.size != 1}

    @property
    def cardinality(self) -> int | None:
        """How many configurations there are; None if a domain is continuous."""
        sizes = [domain.size for domain in self.domains.values()]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def require_grid(self) -> None:
        """SpecError, a line a mistake, if a full factorial of this space cannot be listed."""
        endless = [name for name, domain in self.domains.items() if isinstance(domain, Uniform | LogUniform)]
        if endless:
            raise SpecError(
                "\n".join(
                    f"space.{name}: got the continuous range {self.domains[name]}, which has no full factorial; "
                    "allowed: a finite domain; add points, for example {loguniform: [1e-4, 1e-1], points: 4}"
                    for name in endless
                )
            )
        if (self.cardinality or 0) > MAX_GRID:
            raise SpecError(
                f"space: got a grid of {self.cardinality} configurations; allowed: up to {MAX_GRID}; "
                "search fewer values, or take algorithm random or tpe"
            )

    def grid(self) -> list[dict[str, Value]]:
        """Every configuration, resolved: the full factorial, the last hyper-parameter running fastest.

        No two are alike: the values of a domain differ, and resolve() keeps every value that is given.
        SpecError if a domain is continuous or there are more than MAX_GRID.
        """
        self.require_grid()
        return [self.resolve(point) for point in self._points()]

    def _points(self) -> Iterator[dict[str, Value]]:
        finite = [d.values() for d in self.domains.values() if not isinstance(d, Uniform | LogUniform)]
        for values in itertools.product(*finite):
            yield dict(zip(self.domains, values, strict=True))

    def sample(self, rng: random.Random) -> dict[str, Value]:
        """One configuration, resolved, each domain drawn on its own from `rng`."""
        return self.resolve({name: domain.sample(rng) for name, domain in self.domains.items()})

    def resolve(self, values: Mapping[str, object]) -> dict[str, Value]:
        """The canonical configuration: every name of HYPERPARAMETERS, in that order, floats as float, ints as int.

        `values` needs the searched ones; what else is missing (or None) comes from the domains of one value, then from
        the augment preset for the strengths, then from the defaults. resolve(resolve(v)) == resolve(v).
        SpecError for an unknown name, a missing searched one, or a value out of the hyper-parameter's bounds.
        """
        given = {name: domain.at(0) for name, domain in self.domains.items() if domain.size == 1}
        given |= {name: value for name, value in values.items() if value is not None}  # type: ignore[misc]
        faults = [
            unknown_key(name, value, HYPERPARAMETERS) for name, value in given.items() if name not in HYPERPARAMETERS
        ]
        faults += [
            f"{name}: missing in the configuration; allowed: a value, since it is searched"
            for name in self.searched
            if name not in given
        ]
        configuration: dict[str, Value] = {}
        for name, hyperparameter in HYPERPARAMETERS.items():
            default = hyperparameter.default
            if name in STRENGTHS:
                preset = configuration.get("augment")
                default = AUGMENT_PRESETS[preset][name] if isinstance(preset, str) else 0
            try:
                configuration[name] = hyperparameter.check(given.get(name, default))
            except ValueError as error:
                faults.append(f"{name}: {error}")
        if faults:
            raise SpecError("\n".join(faults))
        return configuration
