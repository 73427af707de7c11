#!/usr/bin/python3
"""The model server that tutorials show: Flask's own server with a thread for each connection, a ring of
the 50 latest inputs, its variance on /metrics. The network is computed by numpy from the weights of
the file that model_server serves, so both do the same arithmetic.

usage: flask_model.py PORT FOLDER

It is better than the tutorials': the network is loaded once and not for each request, no covariance is
computed that nobody reads, a lock keeps the ring whole, and nothing is printed. So it is compared at
its best.
"""
import json
import logging
import sys
import threading
from pathlib import Path

import numpy as np
from flask import Flask, Response, request
from onnx_weights import weights

RING = 50


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Layer:
    """One LSTM; blocks of gates are in ONNX's order: input, output, forget, cell."""

    def __init__(self, found, number):
        self.input_weights = found[f"input_weights_{number}"][0].T.copy()
        self.hidden_weights = found[f"hidden_weights_{number}"][0].T.copy()
        self.size = len(self.hidden_weights)
        biases = found[f"biases_{number}"][0]
        self.bias = biases[:4 * self.size] + biases[4 * self.size:]

    def __call__(self, steps):
        """All hidden states, of an array of steps."""
        hidden = cell = np.zeros(self.size, np.float32)
        from_input = steps @ self.input_weights + self.bias
        states = np.empty((len(steps), self.size), np.float32)
        for number, gates in enumerate(from_input):
            gates = gates + hidden @ self.hidden_weights
            i, o, f = np.split(sigmoid(gates[:3 * self.size]), 3)
            cell = f * cell + i * np.tanh(gates[3 * self.size:])
            hidden = o * np.tanh(cell)
            states[number] = hidden
        return states


class Model:
    def __init__(self, folder):
        manifest = json.loads((folder / "manifest.json").read_text())
        self.size = int(np.prod(manifest["input"]["shape"]))
        self.index = manifest["output"]["index"]
        found = weights(folder / "model.onnx")
        self.layers = [Layer(found, number) for number in range(2)]
        self.head_weights, self.head_bias = found["head_weights"], found["head_bias"]

    def predict(self, values):
        states = values.reshape(self.size, 1)
        for layer in self.layers:
            states = layer(states)
        return (states @ self.head_weights + self.head_bias).reshape(-1)[self.index]


def application(model):
    app = Flask(__name__)
    ring = np.zeros((RING, model.size))
    lock = threading.Lock()
    count = 0

    @app.post("/prediction")
    def prediction():
        nonlocal count
        inputs = np.array(json.loads(request.form["inputs"]), np.float32)
        result = model.predict(inputs)
        with lock:
            ring[count % RING] = inputs.reshape(-1)
            count += 1
        return {"prediction_result": str(result)}

    @app.get("/health")
    def health():
        return "live"

    @app.get("/metrics")
    def metrics():
        with lock:
            variance = np.var(ring)
        return Response(f"input_variance {variance}\n", mimetype="text/plain")

    return app


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application(Model(Path(sys.argv[2]))).run("127.0.0.1", int(sys.argv[1]), threaded=True)
