"""The configuration of Prometheus and of its Alertmanager, and rules, in fast motion: every duration
in them becomes some times shorter. With an exporter that samples as many times as often, "more than
600 samples in 20 minutes" keeps its meaning and takes seconds to come true.
"""

import re
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from promql import seconds, tokens  # pylint: disable=wrong-import-position

# All ranges of the rules, and a second, stay whole milliseconds. A sample every 21 ms still spans
# two of the kernel's 10 ms units of CPU time.
FACTOR = 50

_DURATION = re.compile(r"(?<![\w:.])(?:\d+(?:ms|[smhdwy]))+(?!\w)")
_QUOTED = re.compile(r'"[^"]*"')
_DURATION_KEYS = ("interval", "for", "keep_firing_for", "query_offset", "scrape_interval")
_DURATION_KEYS += ("scrape_timeout", "evaluation_interval")
_DURATION_KEYS += ("group_wait", "group_interval", "repeat_interval", "resolve_timeout")
_NAMES_AND_PROSE = ("alert", "annotations", "labels", "name", "record")


def shortened(duration, factor=FACTOR):
    """5m as 6000ms. Raises ValueError where that is no whole number of milliseconds."""
    milliseconds = round(seconds(duration) * 1000)
    if milliseconds % factor:
        raise ValueError(f"{duration} cannot be made {factor} times shorter")
    return f"{milliseconds // factor}ms"


def shortened_seconds(duration, factor=FACTOR):
    return round(seconds(shortened(duration, factor)), 3)


def shortened_expression(text, factor=FACTOR):
    """An expression of PromQL, with its durations shortened."""
    return " ".join(
        shortened(text, factor) if kind == "duration" else text for kind, text in tokens(text)
    )


def in_fast_motion(node, factor=FACTOR):
    """A copy of what a YAML file of Prometheus or its Alertmanager holds. Raises ValueError at a
    duration in a place where none is known to be."""
    if isinstance(node, list):
        return [in_fast_motion(item, factor) for item in node]
    if isinstance(node, dict):
        return {key: _value(key, value, factor) for key, value in node.items()}
    if isinstance(node, str) and _DURATION.search(node):
        raise ValueError(f"a duration that nobody scales: {node}")
    return node


def file_in_fast_motion(path, factor=FACTOR):
    """What a YAML file holds, in fast motion."""
    return in_fast_motion(yaml.safe_load(path.read_text()), factor)


def write_rules(source, directory, factor=FACTOR):
    """Writes the rules of the directory `source` into another, in fast motion."""
    for path in source.glob("*.yml"):
        (directory / path.name).write_text(yaml.safe_dump(file_in_fast_motion(path, factor)))


def exporter_flags(factor=FACTOR):
    """With them the exporter keeps step with Prometheus, and not with the kernel's tick of 1 to
    10 ms. By that /proc/stat counts CPU time: a sampler that always runs when the tick comes reads
    as a busy host, and as time that is in no process."""
    interval_ms = round(1000 * shortened_seconds("1s", factor))
    if factor > 1:
        interval_ms |= 1
    return [f"--window={shortened('5m', factor)}", f"--sample-interval={interval_ms}ms"]


def prometheus_flags(factor=FACTOR):
    """Its defaults, in fast motion. A longer lookback would hide what a failed scrape tears."""
    return [
        f"--query.lookback-delta={shortened('5m', factor)}",
        f"--rules.alert.resend-delay={shortened('1m', factor)}",
    ]


def durations_in(expression):
    """The durations in it, in seconds and in order: found in the text, without a parser. A label's
    value is none."""
    return sorted(round(seconds(found), 3) for found in _DURATION.findall(
        _QUOTED.sub('""', expression)))


def _value(key, value, factor):
    if key in _NAMES_AND_PROSE:
        return value
    if key == "expr":
        return shortened_expression(value, factor)
    if key in _DURATION_KEYS:
        return shortened(value, factor)
    return in_fast_motion(value, factor)
