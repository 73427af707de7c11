"""What the pictures show a host and a model doing: work that a scrape every 5 minutes alone would
not see. Times are those of the picture; scaled_time.FACTOR of its seconds are one of the clock."""

import contextlib
import http.client
import itertools
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time

from scaled_time import FACTOR
from series import LAGS, counts_of, values_of

MINUTE = 60 / FACTOR
STATIONS = 60
DRIFT = 0.12  # What is added to each input in the last third.
CHUNK = bytes(1 << 20)


def _name(name):
    """Called so from here on, as a program of that name is."""
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write(name)


def bursts(_seconds):
    """Every CPU is full for a while, now and then."""
    _name("report")
    dice = random.Random(1)
    while True:
        time.sleep(dice.uniform(30, 75) * MINUTE)
        end = time.monotonic() + dice.uniform(0.3, 3) * MINUTE
        count = os.cpu_count()
        workers = [multiprocessing.Process(target=_spin, args=(end,)) for _ in range(count)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


def _spin(end):
    while time.monotonic() < end:
        pass


def training(_seconds):
    """Computes in steps, and holds more memory from epoch to epoch."""
    _name("train.py")
    dice = random.Random(2)
    while True:
        time.sleep(90 * MINUTE)
        held = []
        for _ in range(12):
            held.append(bytearray(os.urandom(1 << 16)) * 1024)  # 64 MiB that are there.
            _spin(time.monotonic() + dice.uniform(0.5, 2) * MINUTE)
            time.sleep(4 * MINUTE)


def builds(_seconds):
    """Processes that live for a moment, some of which fail."""
    _name("make")
    for number in itertools.count():
        time.sleep(0.05 if number % 400 < 300 else 10 * MINUTE)
        program = "false" if number % 25 == 0 else "true"
        subprocess.run([f"/bin/{program}"], check=False)


def backup(_seconds):
    """Writes a file, and to disk."""
    _name("backup")
    while True:
        time.sleep(50 * MINUTE)
        with tempfile.TemporaryFile(dir=os.environ.get("TMPDIR", "/var/tmp")) as file:
            for _ in range(150):
                file.write(CHUNK)
                time.sleep(0.02)
            file.flush()
            os.fsync(file.fileno())


def questions(port, seconds):
    """Asks the model on `port` about stations, whose values drift away in the last third."""
    _name("stations")
    series = [values_of(counts_of(seed, 40)) for seed in range(STATIONS)]
    connection = http.client.HTTPConnection("127.0.0.1", port)
    began = time.monotonic()
    for step in itertools.count():
        for station, values in enumerate(series):
            drift = DRIFT if time.monotonic() - began > seconds * 2 / 3 else 0
            window = [float(value) + drift for value in values[step : step + LAGS]]
            tensor = {"name": "input", "shape": [1, LAGS, 1], "datatype": "FP32", "data": window}
            body = {"inputs": [tensor], "parameters": {"series": f"cell {station}"}}
            if (step * STATIONS + station) % 211 == 0:
                tensor["shape"] = [1, LAGS + 1, 1]  # Refused.
            connection.request("POST", "/v2/models/bts/infer", json.dumps(body))
            connection.getresponse().read()
            time.sleep(5 * MINUTE / STATIONS)


@contextlib.contextmanager
def running(model_port, seconds):
    """All of it until the block ends."""
    tasks = [(work, (seconds,)) for work in (bursts, training, builds, backup)]
    tasks.append((questions, (model_port, seconds)))
    processes = [multiprocessing.Process(target=work, args=args) for work, args in tasks]
    try:
        for process in processes:
            process.start()
        yield
        dead = [process.name for process in processes if not process.is_alive()]
        if dead:
            sys.exit(f"some work ended early: {dead}")
    finally:
        for process in processes:
            if process.pid:
                process.terminate()
                process.join()
