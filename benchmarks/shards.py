"""How many drivers many GPUs need, in simulation: trials that wait for their driver leave a GPU idle.

A trial trains an epoch, tells its driver, and goes on once the driver has taken the result; a driver takes one at a
time. That is a closed queue: trials with epochs of log-normal length, one server with a fixed time a result, and a
longer one where a trial ends and the next one starts. All drivers are alike, so one is simulated.

    python -m benchmarks.shards --gpus 10000 --epoch-s 5
"""

import argparse
import heapq
import math
import random
from dataclasses import dataclass

# What a driver takes for a result, and more where a trial ends and the next begins, in seconds: docs/scale.md.
RESULT_S = 0.0021
TRIAL_S = 0.025
EPOCHS = 20  # of a trial, until the next one takes its place
SPREAD = 0.3  # standard deviation of the logarithm of an epoch's length


@dataclass(frozen=True)
class Outcome:
    """busy: share of the trials' time spent training. delay_s: of a result, median and 99 %."""

    busy: float
    results_per_s: float
    driver_busy: float
    delay_s: tuple[float, float]


def simulate(trials: int, epoch_s: float, *, result_s: float = RESULT_S, trial_s: float = TRIAL_S) -> Outcome:
    """One driver of that many trials at once, on a virtual clock; the first third is left out, as the queue fills."""
    for_s = max(300.0, 30 * epoch_s)
    draw = random.Random(0)
    mean_log = math.log(epoch_s) - SPREAD**2 / 2
    # All start at once, which is the worst that the start of a sweep can do.
    told_at = [(draw.lognormvariate(mean_log, SPREAD), number) for number in range(trials)]
    heapq.heapify(told_at)
    epochs = [draw.randrange(EPOCHS) for _ in range(trials)]
    free_at = taken = waited = spent = 0.0
    delays = []
    while told_at[0][0] < for_s:
        now, number = heapq.heappop(told_at)
        epochs[number] += 1
        takes = result_s + (trial_s if epochs[number] % EPOCHS == 0 else 0.0)
        free_at = max(free_at, now) + takes
        if now > for_s / 3:
            taken += 1
            spent += takes
            waited += free_at - now
            delays.append(free_at - now)
        heapq.heappush(told_at, (free_at + draw.lognormvariate(mean_log, SPREAD), number))
    measured_s = for_s * 2 / 3
    delays.sort()
    trained_s = taken * epoch_s
    return Outcome(
        busy=trained_s / (trained_s + waited),
        results_per_s=taken / measured_s,
        driver_busy=min(1.0, spent / measured_s),
        delay_s=(delays[len(delays) // 2], delays[int(len(delays) * 0.99)]),
    )


def main() -> None:
    """A line for each number of drivers, until one more changes nothing."""
    parser = argparse.ArgumentParser(description="How many drivers many GPUs need, in simulation.")
    parser.add_argument("--gpus", type=int, default=10_000)
    parser.add_argument("--trials-per-gpu", type=int, default=1)
    parser.add_argument("--epoch-s", type=float, default=5.0, help="mean seconds of an epoch")
    parser.add_argument("--result-ms", type=float, default=1000 * RESULT_S)
    parser.add_argument("--trial-ms", type=float, default=1000 * TRIAL_S)
    given = parser.parse_args()
    print(f"{given.gpus} GPUs, {given.trials_per_gpu} trials each, epochs of {given.epoch_s:g} s")
    print("drivers   GPUs busy   results/s in all   a driver busy   a result waits (median, 99 %)")
    drivers, busy = 1, 0.0
    while busy < 0.995:
        trials = max(1, given.gpus * given.trials_per_gpu // drivers)
        outcome = simulate(trials, given.epoch_s, result_s=given.result_ms / 1000, trial_s=given.trial_ms / 1000)
        busy = outcome.busy
        print(
            f"{drivers:>7}   {busy:>8.1%}   {outcome.results_per_s * drivers:>16,.0f}   {outcome.driver_busy:>13.0%}   "
            f"{outcome.delay_s[0]:.3f} s, {outcome.delay_s[1]:.3f} s"
        )
        drivers *= 2


if __name__ == "__main__":
    main()
