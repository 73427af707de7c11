#!/usr/bin/python3
"""What the model's manifest and README say of it, computed anew without what trained it."""

import json
import os
import re
import sys
import unittest

import numpy as np
from model_server_process import MODELS, ModelServerProcess

TRAIN = os.path.join(os.environ["SOURCE_DIR"], "model_server", "train")
sys.path.insert(0, TRAIN)

# pylint: disable=wrong-import-position
import reference  # noqa: E402
from series import (  # noqa: E402
    HELD_BACK_SEEDS,
    LAGS,
    STEPS_PER_DAY,
    TRAINING_SEEDS,
    example,
    stations_of,
    windows_of,
)

MOST_ROWS = 1024


def manifest():
    """As it is shipped."""
    with open(f"{MODELS}/bts/manifest.json", encoding="utf-8") as file:
        return json.load(file)


def numbers_of_readme(line):
    """The numbers behind the first cell of the row in train/README.md that begins so."""
    with open(f"{TRAIN}/README.md", encoding="utf-8") as file:
        [row] = [row for row in file if row.startswith(f"| {line}")]
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", row.split("|", 2)[2])]


class TrainingTest(unittest.TestCase):
    def test_the_reference_is_that_of_the_training_series(self):
        shipped = manifest()
        # The predictions are the network's business: its edges are checked below.
        made = reference.profile(stations_of(TRAINING_SEEDS), np.zeros(1))
        for name, value in made["reference"].items():
            if name != "output_edges":
                np.testing.assert_allclose(shipped["reference"][name], value, err_msg=name)
        self.assertEqual(shipped["psi_threshold"], made["psi_threshold"])

    def test_few_healthy_days_are_over_the_threshold_and_drifted_ones_are(self):
        shipped = manifest()
        counts, threshold = np.array(shipped["reference"]["counts"]), shipped["psi_threshold"]["1d"]
        held_back = stations_of(HELD_BACK_SEEDS)
        divisor = shipped["scaling"]["divisor"]
        stuck = [np.full_like(values, values[0]) for values in held_back]
        for line, stations, steps in (
            ("healthy |", held_back, STEPS_PER_DAY),
            ("healthy, but half a day", held_back, STEPS_PER_DAY // 2),
            ("3 users more", [values + 3 / divisor for values in held_back], STEPS_PER_DAY),
            ("a sensor that is stuck", stuck, STEPS_PER_DAY),
        ):
            days = reference.daily_psi(stations, counts, steps)
            median, share, *_ = numbers_of_readme(line)
            self.assertAlmostEqual(np.median(days), median, delta=0.0006, msg=line)
            self.assertAlmostEqual(100 * np.mean(days > threshold), share, delta=0.06, msg=line)

    def test_the_series_to_replay_is_of_held_back_stations_and_no_drift(self):
        shipped = manifest()
        values = np.loadtxt(f"{MODELS}/bts/series.csv")
        np.testing.assert_array_equal(values, example())
        counts = reference.bin_counts(windows_of(values))
        index = reference.psi(counts, np.array(shipped["reference"]["counts"]))
        self.assertLess(index, shipped["psi_threshold"]["1d"] / 2)

    def test_the_served_model_is_as_good_as_its_readme_says(self):
        rows = np.concatenate([windows_of(v, LAGS + 1) for v in stations_of(HELD_BACK_SEEDS)])
        seen, truth = rows[:, :-1], rows[:, -1]
        predictions = []
        with ModelServerProcess(["--deadline=30s"]) as server:
            for begin in range(0, len(seen), MOST_ROWS):
                predictions += server.infer(seen[begin : begin + MOST_ROWS].tolist())
        errors = [
            np.mean((guess - truth) ** 2)
            for guess in (np.array(predictions), seen[:, -1], seen.mean(axis=1))
        ]
        [told] = numbers_of_readme("the model |")
        self.assertAlmostEqual(errors[0], told, delta=6e-6)
        told, less = numbers_of_readme("persistence")
        self.assertAlmostEqual(errors[1], told, delta=6e-6)
        self.assertAlmostEqual(100 * (1 - errors[0] / errors[1]), less, delta=0.06)
        self.assertAlmostEqual(errors[2], numbers_of_readme("mean of the six")[0], delta=6e-6)
        # Of other series than those of the manifest, so not to the digit.
        low, *_, high = manifest()["reference"]["output_edges"]
        np.testing.assert_allclose(np.quantile(predictions, [0.01, 0.99]), [low, high], atol=0.02)


if __name__ == "__main__":
    unittest.main()
