"""Keys of a spec that are right one by one, and wrong together."""

from typing import TYPE_CHECKING

from search_spaces.domains import Choice, Fixed
from search_spaces.effective import OF_LAYER
from search_spaces.errors import SpecError
from search_spaces.hyperparameters import HYPERPARAMETERS
from search_spaces.listed import resolve_listed
from search_spaces.model_args import check_model_args
from search_spaces.space import SearchSpace
from search_spaces.wording import shown
from sweep.stopping.settings import StopRuleSettings

if TYPE_CHECKING:
    from sweep.spec import SweepSpec

# The algorithms with two objectives; the others have one, the highest val_acc of any epoch.
MULTI_OBJECTIVE = ("multi-objective", "nsga2")

# Of every data set's images: 3 x 32 x 32 pixels.
INPUTS = 3072
# Of a first layer whose products with pixels are made of integers; as sweep.models.linear, which needs torch, has it.
FEWEST_INT16_WEIGHTS = 2**18

# Hyper-parameters that may also stand at the top level, where they read better when they are fixed.
TOP_LEVEL = ("batch_size", "optimizer")


def disagreements(spec: "SweepSpec", *, stored: bool) -> list[str]:
    """A line for each: the key path, what was got and what is allowed. stored: of a sweep that has begun, in which what
    only has no effect stays.
    """
    lines = [
        f"{name}: got {getattr(spec, name)!r}, and space.{name} is given, too ({shown(spec.space[name])}); "
        f"allowed: one of the two; take out one of them (--set {name}=null leaves the one in space)"
        for name in TOP_LEVEL
        if getattr(spec, name) is not None and name in spec.space
    ]
    lines += _without_price(spec, stored) + ([] if stored else _without_effect(spec))
    if spec.resources.gpus_per_trial > 1 and not stored:
        lines.append(
            f"resources.gpus_per_trial: got {spec.resources.gpus_per_trial:g}; allowed: a number from 0 to 1, since a "
            "trial computes on one GPU"
        )
    if spec.precision == "int16" and not has_int16(spec) and not stored:
        narrowest = -(-FEWEST_INT16_WEIGHTS // INPUTS)
        lines.append(
            f"precision: got 'int16' with model {spec.model}, model_args {shown(spec.model_args)}, layer_order "
            f"{', '.join(_layer_orders(spec))} and resources.gpus_per_trial {spec.resources.gpus_per_trial:g}; "
            f"allowed: with mlp, a first width from {narrowest}, layer orders that begin with l, and 0, since it is "
            "how a CPU multiplies pixels in a large first layer; give fp32 or auto"
        )
    if spec.budget.max_trials is not None and spec.budget.max_trials < spec.replicates and not stored:
        lines.append(
            f"budget.max_trials: got {spec.budget.max_trials}, below replicates ({spec.replicates}), so that no "
            f"configuration could be tried; allowed: an integer from {spec.replicates}"
        )
    lines += _study_lines(spec) if spec.mode == "study" else _search_lines(spec)
    if spec.configurations is not None and spec.search.algorithm != "grid":
        lines.append(
            f"search.algorithm: got {spec.search.algorithm!r} beside configurations; allowed: grid, which tries "
            "each of them; leave it out"
        )
    if spec.configurations is not None or spec.search.algorithm == "grid":
        try:
            if spec.configurations is None:
                spec.search_space.require_grid()
            else:
                resolve_listed(spec.configurations, spec.search_space)
        except SpecError as error:
            lines += str(error).splitlines()
    if spec.scheduler.type == "asha" and spec.scheduler.grace_period > spec.epochs:
        lines.append(
            f"scheduler.grace_period: got {spec.scheduler.grace_period}, above epochs ({spec.epochs}), so that "
            f"nothing would ever be cut; allowed: 1 to {spec.epochs}, or scheduler: none"
        )
    return lines


def has_int16(spec: "SweepSpec") -> bool:
    """Whether all configurations of a spec would be computed in int16 if it were asked for."""
    if spec.model != "mlp" or spec.resources.gpus_per_trial > 0:
        return False
    hidden = check_model_args(spec.model, spec.model_args)["hidden"]
    assert isinstance(hidden, list)
    return INPUTS * hidden[0] >= FEWEST_INT16_WEIGHTS and all(order.startswith("l") for order in _layer_orders(spec))


def _layer_orders(spec: "SweepSpec") -> list[str]:
    """All that a configuration may have."""
    orders = _possible(spec.search_space, "layer_order")
    if spec.configurations is None:
        return orders
    listed = [raw for raw in spec.configurations if isinstance(raw, dict)]  # what is no mapping is told elsewhere
    return list(dict.fromkeys(str(raw.get("layer_order", orders[0])) for raw in listed)) or orders


def _without_price(spec: "SweepSpec", stored: bool) -> list[str]:
    """Of a bound that nothing comes nearer to. A sweep that has begun may price what its trials do not take."""
    budget, resources = spec.budget, spec.resources
    cost_per_hour = (
        budget.price_per_cpu_hour * resources.cpus_per_trial + budget.price_per_gpu_hour * resources.gpus_per_trial
    )
    priced = cost_per_hour > 0 or (stored and (budget.price_per_cpu_hour or budget.price_per_gpu_hour))
    if budget.max_cost is not None and not priced:
        return [
            f"budget.max_cost: got {budget.max_cost:g} and no price of what a trial takes "
            f"({resources.cpus_per_trial:g} CPUs, {resources.gpus_per_trial:g} GPUs); allowed: beside "
            "price_per_cpu_hour above 0, or price_per_gpu_hour and resources.gpus_per_trial above 0"
        ]
    return []


def _without_effect(spec: "SweepSpec") -> list[str]:
    """Of what is searched though nothing in the space can feel it: all those trials would be one."""
    if spec.configurations is not None:
        return []
    space = spec.search_space
    orders, optimizers = _possible(space, "layer_order"), _possible(space, "optimizer")
    felt_by = {
        **{
            name: (f"a layer_order with {letter}", f"layer_order {', '.join(orders)}", any(letter in o for o in orders))
            for letter, names in OF_LAYER.items()
            for name in names
        },
        "sgd_momentum": ("optimizer sgd", f"optimizer {', '.join(optimizers)}", "sgd" in optimizers),
    }
    return [
        f"space.{name}: got {shown(spec.space[name])} with {got}, where it has no effect; allowed: beside {needed}; "
        f"leave it out (--set space.{name}=null)"
        for name, (needed, got, is_felt) in felt_by.items()
        if name in space.searched and not is_felt
    ]


def _possible(space: SearchSpace, name: str) -> list[str]:
    """The values of a hyper-parameter of words."""
    domain = space.domains.get(name)
    if isinstance(domain, Fixed | Choice):
        return [str(value) for value in domain.values()]
    return [str(HYPERPARAMETERS[name].default)]


def _study_lines(spec: "SweepSpec") -> list[str]:
    lines = []
    if spec.search.algorithm != "grid":
        lines.append(
            f"search.algorithm: got {spec.search.algorithm!r}; allowed in mode study: grid, the full factorial; "
            "leave it out, or take mode: search"
        )
    if spec.search.trials is not None:
        lines.append(
            f"search.trials: got {spec.search.trials}; allowed in mode study: none, since every configuration is "
            "trained; leave it out, or take mode: search"
        )
    if spec.scheduler.type != "none":
        lines.append(
            f"scheduler.type: got {spec.scheduler.type!r}; allowed in mode study: none, since a cut trial cannot "
            "be compared; write scheduler: none, or take mode: search"
        )
    if spec.stop_rules.rules():
        names = ", ".join(name for name in StopRuleSettings.model_fields if getattr(spec.stop_rules, name))
        lines.append(
            f"stop_rules: got {names}; allowed in mode study: none, since a cut trial cannot be compared; leave it "
            "out, or take mode: search"
        )
    return lines


def _search_lines(spec: "SweepSpec") -> list[str]:
    lines = []
    if spec.search.trials is None and spec.search.algorithm != "grid" and spec.configurations is None:
        lines.append(
            f"search.trials: got null with algorithm {spec.search.algorithm}; allowed: an integer from 1 "
            "(only grid has an end of its own)"
        )
    if spec.search.algorithm in MULTI_OBJECTIVE and spec.scheduler.type == "asha":
        lines.append(
            f"scheduler.type: got 'asha' with algorithm {spec.search.algorithm}; allowed: none, since a trial cut "
            "early has no gap that can be compared; write scheduler: none"
        )
    return lines
