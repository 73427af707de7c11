"""What inputs looked like when the model was made, and how far a healthy day may be from that."""

import numpy as np

from series import CENTRE, DIVISOR, STEPS_PER_DAY, windows_of

QUANTILE = 0.99  # Of the reference's own days: so many stay under the threshold.
_BIN_COUNTS = 2  # Users per bin.
_FIRST_EDGE = 4.5  # Half a user: no value is ever on an edge.
_EDGES = 9
_STEP_EDGES = (-10.5, -6.5, -3.5, -1.5, -0.5, 0.5, 1.5, 3.5, 6.5, 10.5)


def edges():
    """Between the bins of input values, all of one width."""
    return [(_FIRST_EDGE + _BIN_COUNTS * i - CENTRE) / DIVISOR for i in range(_EDGES)]


def bin_counts(values):
    """How many values are in each bin; one on an edge belongs to the bin below, as in `le`."""
    bins = np.searchsorted(edges(), np.ravel(values), side="left")
    return np.bincount(bins, minlength=_EDGES + 1)


def ratios(counts):
    """Shares of the bins, with half a count added to each so that none is 0."""
    return (counts + 0.5) / np.sum(counts + 0.5)


def psi(counts, reference_counts):
    """Population stability index of one histogram against another."""
    actual, expected = ratios(counts), ratios(reference_counts)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def daily_psi(stations, reference_counts, steps=STEPS_PER_DAY):
    """The index of every day of these series, or of so many steps, with each value counted as often
    as it is sent."""
    days = []
    for values in stations:
        for begin in range(0, values.size - steps + 1, steps):
            sent = windows_of(values[begin : begin + steps])
            days.append(psi(bin_counts(sent), reference_counts))
    return np.array(days)


def profile(stations, predictions):
    """The manifest's `reference` and `psi_threshold`."""
    values = np.concatenate(stations)
    counts = bin_counts(values)
    low, high = np.quantile(predictions, [0.01, 0.99])
    return {
        "reference": {
            "count": int(values.size),
            "min": float(values.min()),
            "max": float(values.max()),
            "mean_magnitude": float(np.abs(values).mean()),
            "edges": edges(),
            "counts": counts.tolist(),
            "step_edges": [edge / DIVISOR for edge in _STEP_EDGES],
            "output_edges": [round(float(edge), 4) for edge in np.linspace(low, high, _EDGES)],
        },
        "psi_threshold": {
            "1d": round(float(np.quantile(daily_psi(stations, counts), QUANTILE)), 4)
        },
    }
