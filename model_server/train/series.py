"""Synthetic load of a base station: how many users are attached, every five minutes.

The expected number moves slowly: a daily cycle, a wandering part, now and then a crowd that comes
at once and leaves by and by. What is counted is a Poisson number of that expectation.
"""

import numpy as np

STEPS_PER_DAY = 288
LAGS = 6  # Values that the model is shown.

DAYS = 20  # Of each series.
TRAINING_SEEDS = range(1, 25)
HELD_BACK_SEEDS = range(101, 113)

# A count becomes a value of the model as (count - CENTRE) / DIVISOR.
CENTRE = 13
DIVISOR = 26

_DAILY_SWING = 4.0
_WANDER_MEMORY = 0.97
_WANDER_DEVIATION = 1.5
_CROWD_CHANCE = 1 / 500
_CROWD_SIZE = 8.0
_CROWD_MEMORY = 0.9
_LEAST = 0.5


def counts_of(seed, days):
    """One station's counts over so many days."""
    random = np.random.default_rng(seed)
    steps = np.arange(days * STEPS_PER_DAY)
    shock = _WANDER_DEVIATION * np.sqrt(1 - _WANDER_MEMORY**2)
    shocks = random.normal(0, shock, steps.size)
    crowds = random.random(steps.size) < _CROWD_CHANCE
    wander = random.normal(0, _WANDER_DEVIATION)
    crowd = 0.0
    expected = CENTRE + _DAILY_SWING * np.sin(2 * np.pi * steps / STEPS_PER_DAY)
    for step in steps:
        wander = _WANDER_MEMORY * wander + shocks[step]
        crowd = _CROWD_MEMORY * crowd + _CROWD_SIZE * crowds[step]
        expected[step] += wander + crowd
    return random.poisson(np.maximum(expected, _LEAST))


def values_of(counts):
    """The counts as the model wants them."""
    return (counts - CENTRE) / DIVISOR


def stations_of(seeds):
    """The values of one station for each seed."""
    return [values_of(counts_of(seed, DAYS)) for seed in seeds]


def example():
    """What a client may send all day: a day of each held-back station, to the digits of a file."""
    days = [values_of(counts_of(seed, 1)) for seed in HELD_BACK_SEEDS]
    return np.concatenate(days).round(6)


def windows_of(values, size=LAGS):
    """All runs of `size` neighbours, one a row."""
    return np.lib.stride_tricks.sliding_window_view(values, size)
