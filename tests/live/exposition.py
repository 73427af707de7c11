"""The two text formats, read by a parser that refuses what their specifications forbid.

    families = parse(body, TEXT)
    families["node_load1"].type                           "gauge"
    value_of(families, "node_disk_io_now", device="vda")  0.0

Text 0.0.4:  https://prometheus.io/docs/instrumenting/exposition_formats
OpenMetrics: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md

Refused too is what these allow but the page does without: comments, empty lines, superfluous
blanks and commas, families without HELP or TYPE, units, timestamps, exemplars, names with a colon,
labels that begin with an underscore.
"""

import contextlib
import itertools
import math
import re
from decimal import Decimal
from typing import NamedTuple

# Content types, which tell the formats apart.
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Refused(ValueError):
    """The page is not valid; says where and why."""


class Series(NamedTuple):
    name: str
    labels: frozenset  # Of pairs (name, value).

    def __str__(self):
        labels = ",".join(f"{name}={value!r}" for name, value in sorted(self.labels))
        return f"{self.name}{{{labels}}}"


class Family(NamedTuple):
    type: str  # As the page spells it.
    help: str
    samples: dict  # Series -> float, in the order of the page.


class _Format(NamedTuple):
    metadata: tuple  # In the order in which they must come.
    help: re.Pattern
    suffixes: dict  # Of the samples, by type of the family.
    last_line: str
    has_canonical_bounds: bool


_FORMATS = {
    TEXT: _Format(
        metadata=("HELP", "TYPE"),
        help=re.compile(r"(?:[^\\]|\\[\\n])*"),
        suffixes={
            "counter": ("",),
            "gauge": ("",),
            "untyped": ("",),
            "histogram": ("_bucket", "_sum", "_count"),
            "summary": ("", "_sum", "_count"),
        },
        last_line="",
        has_canonical_bounds=False,
    ),
    OPENMETRICS: _Format(
        metadata=("TYPE", "HELP"),
        help=re.compile(r'(?:[^"\\]|\\[\\n"])*'),
        suffixes={
            "counter": ("_total", "_created"),
            "gauge": ("",),
            "unknown": ("",),
            "histogram": ("_bucket", "_sum", "_count", "_created"),
            "summary": ("", "_sum", "_count", "_created"),
        },
        last_line="# EOF\n",
        has_canonical_bounds=True,
    ),
}

_NAME = "[a-zA-Z_][a-zA-Z0-9_]*"
_LABEL = r'([a-zA-Z][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\n"])*)"'
_LABELS = re.compile(f"{_LABEL}(?:,{_LABEL})*")
_METADATA = re.compile(f"# (HELP|TYPE) ({_NAME}) (.*)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|NaN|[+-]Inf")


def parse(body, content_type):
    """The families of a page by name, in its order. Raises Refused."""
    if content_type not in _FORMATS:
        raise Refused(f"no such format: {content_type}")
    return _Parser(_FORMATS[content_type]).parse(body)


def series_of(families):
    """All samples of a page: Series -> float."""
    merged = {}
    for family in families.values():
        merged.update(family.samples)
    return merged


def value_of(families, name, **labels):
    """The value of a series, None when it is not there. A counter's name is that of its sample."""
    return series_of(families).get(Series(name, frozenset(labels.items())))


class _Parser:
    def __init__(self, text_format):
        self._format = text_format
        self._families = {}
        self._claimed = set()  # Sample names, with all the suffixes that a family may use.
        self._seen = set()  # Series, without labels that are empty: to Prometheus they are absent.
        self._name = None  # Of the family whose lines we are in.
        self._metadata = {}
        self._samples = {}

    def parse(self, body):
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused(str(error)) from None
        if not text.endswith("\n" + self._format.last_line):
            raise Refused(f"the page ends with {text[-20:]!r}")
        # Not splitlines(): it takes U+2028, a carriage return and others for the end of a line.
        lines = text[: len(text) - len(self._format.last_line) - 1].split("\n")
        for number, line in enumerate(lines, 1):
            with _at(f"line {number}, {line!r}"):
                self._read_line(line)
        self._close_family()
        for name, family in self._families.items():
            if family.type == "histogram":
                with _at(name):
                    _check_histograms(family.samples, self._format.has_canonical_bounds)
        return self._families

    def _read_line(self, line):
        if line.startswith("#"):
            self._read_metadata(line)
        else:
            self._read_sample(line)

    def _read_metadata(self, line):
        kind, name, text = _fullmatch(_METADATA, line, "neither HELP nor TYPE")
        if name != self._name:
            self._close_family()
            if name in self._families:
                raise Refused("a family must be in one piece")
            self._name, self._metadata, self._samples = name, {}, {}
        if self._samples:
            raise Refused(f"{kind} after a sample")
        if [*self._metadata, kind] != [*self._format.metadata[: len(self._metadata) + 1]]:
            raise Refused(f"{kind} after {list(self._metadata)}")
        if kind == "HELP":
            _fullmatch(self._format.help, text, "not an escaped text")
            text = _unescape(text)
        elif text not in self._format.suffixes:
            raise Refused("no such type")
        else:
            self._claim_names(self._format.suffixes[text])
        self._metadata[kind] = text

    def _claim_names(self, suffixes):
        names = {self._name, *(self._name + suffix for suffix in suffixes)}
        if clash := names & self._claimed:
            raise Refused(f"names of another family: {sorted(clash)}")
        self._claimed |= names

    def _read_sample(self, line):
        name, labels, value = _fullmatch(_SAMPLE, line, "not a sample")
        if len(self._metadata) != len(self._format.metadata):
            raise Refused("a sample before HELP and TYPE")
        suffix = name[len(self._name) :]
        is_ours = name.startswith(self._name) and suffix in self._suffixes()
        if not is_ours:
            raise Refused(f"not a sample of the {self._metadata['TYPE']} {self._name}")
        _fullmatch(_NUMBER, value, "not a number")
        series = Series(name, _parse_labels(labels))
        if ("le" in dict(series.labels)) != (suffix == "_bucket"):
            raise Refused("le is for buckets, which must have it")
        is_quantile = self._metadata["TYPE"] == "summary" and not suffix
        if ("quantile" in dict(series.labels)) != is_quantile:
            raise Refused("quantile is for summaries, which must have it")
        self._add(series, float(value))

    def _add(self, series, value):
        identity = Series(series.name, frozenset(pair for pair in series.labels if pair[1]))
        if identity in self._seen:
            raise Refused("the same series again")
        # Not <: NaN is not at least 0 either.
        if self._metadata["TYPE"] in ("counter", "histogram") and not value >= 0:
            raise Refused("a counter must be at least 0")
        self._seen.add(identity)
        self._samples[series] = value

    def _suffixes(self):
        return self._format.suffixes[self._metadata["TYPE"]]

    def _close_family(self):
        if self._name is None:
            return
        if len(self._metadata) != len(self._format.metadata):
            raise Refused(f"{self._name} has only {list(self._metadata)}")
        self._families[self._name] = Family(
            self._metadata["TYPE"], self._metadata["HELP"], self._samples
        )


def _check_histograms(samples, has_canonical_bounds):
    closed = set()
    for labels, group in itertools.groupby(samples.items(), _labels_without_bound):
        if labels in closed:
            raise Refused("samples of two histograms are mixed")
        closed.add(labels)
        _check_histogram(dict(group), has_canonical_bounds)


def _check_histogram(samples, has_canonical_bounds):
    buckets = {}  # The text of the bound -> count.
    others = {}  # Suffix -> value.
    for series, value in samples.items():
        bound = dict(series.labels).get("le")
        if bound is None:
            others[series.name.rpartition("_")[2]] = value
        else:
            buckets[bound] = value
    for text in buckets:
        _fullmatch(_NUMBER, text, "a bound that is not a number")
    bounds, counts = [float(text) for text in buckets], list(buckets.values())
    if not all(low < high for low, high in itertools.pairwise(bounds)):
        raise Refused(f"the bounds do not ascend: {bounds}")
    if not bounds or bounds[-1] != math.inf:
        raise Refused("the last bucket is not +Inf")
    if has_canonical_bounds and list(buckets) != [canonical(bound) for bound in bounds]:
        raise Refused(f"the bounds are to be written {[canonical(bound) for bound in bounds]}")
    if counts != sorted(counts) or not all(count.is_integer() for count in counts):
        raise Refused(f"the buckets are not cumulative: {counts}")
    if "sum" not in others or others.get("count") != counts[-1]:
        raise Refused("no sum, or a count that is not that of +Inf")


def canonical(bound):
    """A float as OpenMetrics wants bounds spelled, which is Go's shortest %g with a point."""
    if math.isinf(bound):
        return "+Inf" if bound > 0 else "-Inf"
    digits = Decimal(repr(bound)).normalize()
    if bound == 0 or -4 <= digits.adjusted() < 6:
        text = f"{digits:f}"
        return text if "." in text else text + ".0"
    mantissa, exponent = f"{digits:e}".split("e")
    return f"{mantissa}e{int(exponent):+03d}"


@contextlib.contextmanager
def _at(place):
    """Says in what is refused where it is."""
    try:
        yield
    except Refused as problem:
        raise Refused(f"{place}: {problem}") from None


def _fullmatch(pattern, text, problem):
    match = pattern.fullmatch(text)
    if not match:
        raise Refused(problem)
    return match.groups()


def _parse_labels(text):
    """Of what stands between the braces; None without them."""
    if text is None:
        return frozenset()
    _fullmatch(_LABELS, text, "not labels")
    pairs = [(name, _unescape(value)) for name, value in re.findall(_LABEL, text)]
    if len(dict(pairs)) != len(pairs):
        raise Refused("a label twice")
    return frozenset(pairs)


def _labels_without_bound(item):
    series, _ = item
    return frozenset(pair for pair in series.labels if pair[0] != "le")


def _unescape(text):
    return re.sub(r"\\(.)", lambda escaped: "\n" if escaped[1] == "n" else escaped[1], text)
