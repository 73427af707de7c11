#!/usr/bin/python3
"""Makes ../models/bts: model.onnx, manifest.json, vectors.json and series.csv, the same bytes each
time.

Needs Debian's python3-torch and python3-onnx. Prints what README.md says about the model.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import reference
import torch
from onnx_file import model_bytes
from series import (
    CENTRE,
    DIVISOR,
    HELD_BACK_SEEDS,
    LAGS,
    STEPS_PER_DAY,
    TRAINING_SEEDS,
    example,
    stations_of,
    windows_of,
)

NAME, VERSION = "bts", "1"
LEAST_SKILL = 0.2  # Under this the model is not worth serving.
HIDDEN = 16
EPOCHS = 6
BATCH = 256
VECTORS = 100  # Of each kind.


class Network(torch.nn.Module):
    """Two layers of LSTM and a linear one, which predicts the next value at each step."""

    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(1, HIDDEN, num_layers=2)
        self.head = torch.nn.Linear(HIDDEN, 1)

    def forward(self, steps):
        """From [time, batch, 1] to the same shape."""
        hidden, _ = self.lstm(steps)
        return self.head(hidden)


def to_tensor(rows):
    """Rows of values as [time, batch, 1]."""
    return torch.from_numpy(np.array(rows, dtype=np.float32).T[:, :, np.newaxis].copy())


def train(stations):
    """A network that has seen every window of the stations EPOCHS times."""
    torch.manual_seed(7)
    network = Network()
    rows = np.concatenate([windows_of(values, LAGS + 1) for values in stations])
    steps = to_tensor(rows)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    updates = EPOCHS * (len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    for _ in range(EPOCHS):
        order = torch.randperm(len(rows))
        for begin in range(0, len(rows) - BATCH + 1, BATCH):
            batch = steps[:, order[begin : begin + BATCH]]
            loss = torch.mean((network(batch[:-1]) - batch[1:]) ** 2)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def predict(network, rows):
    """The value after each row."""
    with torch.no_grad():
        return network(to_tensor(rows))[-1, :, 0].numpy()


def errors(network, stations):
    """Mean squared errors: of the model, of persistence, of the mean of the lags."""
    rows = np.concatenate([windows_of(values, LAGS + 1) for values in stations])
    seen, truth = rows[:, :-1], rows[:, -1]
    guesses = (predict(network, seen), seen[:, -1], seen.mean(axis=1))
    return [float(np.mean((guess - truth) ** 2)) for guess in guesses]


def vectors(network, stations):
    """Inputs with what torch says to them: windows of a station, and noise in -1..1."""
    noise = np.random.default_rng(11).uniform(-1, 1, (VECTORS, LAGS))
    rows = np.concatenate([windows_of(stations[0])[:VECTORS], noise]).round(6)
    return [
        {"input": row.tolist(), "output": float(output)}
        for row, output in zip(rows, predict(network, rows))
    ]


def report_drift(manifest, stations):
    """Prints how often the threshold of a day is passed: by healthy days and by drifted ones."""
    threshold = manifest["psi_threshold"]["1d"]
    counts = np.array(manifest["reference"]["counts"])
    random = np.random.default_rng(13)
    kinds = {
        "healthy": stations,
        "3 users more": [values + 3 / DIVISOR for values in stations],
        "6 users more": [values + 6 / DIVISOR for values in stations],
        "twice the load": [2 * values + CENTRE / DIVISOR for values in stations],
        "a sensor that is stuck": [np.full_like(values, values[0]) for values in stations],
        "noise in -1..1": [random.uniform(-1, 1, values.size) for values in stations],
    }
    indices = {kind: reference.daily_psi(drifted, counts) for kind, drifted in kinds.items()}
    indices["healthy, but half a day"] = reference.daily_psi(stations, counts, STEPS_PER_DAY // 2)
    for kind, days in indices.items():
        print(
            f"{kind}: median PSI {np.median(days):.3f}, "
            f"{100 * np.mean(days > threshold):.1f}% of {days.size} days over {threshold}"
        )


def write_json(path, content):
    """Indented, so that a diff can be read."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parent.parent / "models" / NAME
    parser.add_argument("--out", type=Path, default=default, help="folder to write to")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    stations = stations_of(TRAINING_SEEDS)
    held_back = stations_of(HELD_BACK_SEEDS)
    network = train(stations)
    model, persistence, mean = errors(network, held_back)
    skill = 1 - model / persistence
    print(f"mean squared error on {len(held_back)} held-back series:")
    print(f"model {model:.5f}, persistence {persistence:.5f}, mean of {LAGS} {mean:.5f}")
    print(f"skill against persistence {100 * skill:.1f}%")
    if skill < LEAST_SKILL or model > mean:
        raise SystemExit("the model is not worth serving")

    onnx = model_bytes(network.state_dict(), NAME, VERSION, LAGS)
    predictions = predict(network, np.concatenate([windows_of(values) for values in stations]))
    manifest = {
        "name": NAME,
        "version": VERSION,
        "sha256": hashlib.sha256(onnx).hexdigest(),
        "scaling": {"centre": CENTRE, "divisor": DIVISOR},
        "input": {"name": "input", "shape": [1, LAGS, 1]},
        "output": {"name": "output", "shape": [1, LAGS, 1], "index": -1},
        **reference.profile(stations, predictions),
    }
    report_drift(manifest, held_back)
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(onnx)
    write_json(out / "manifest.json", manifest)
    write_json(out / "vectors.json", vectors(network, held_back))
    (out / "series.csv").write_text("".join(f"{value:g}\n" for value in example()), encoding="utf-8")


if __name__ == "__main__":
    main()
