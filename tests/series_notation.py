"""promtool's short form of series in unit tests: `1+2x3` is 1 3 5 7, `_x2` two scrapes without a
sample, `stale` what a failed scrape writes."""

import re

_ITEM = re.compile(r"(?:(_)|(stale)|([-+.\deE]*?[\d.])([-+][.\d]+(?:e[-+]?\d+)?)?)(?:x(\d+))?")
MISSING, STALE = "_", "stale"


def expand(text):
    """The values, MISSING and STALE among them. Raises ValueError at what is none of these."""
    values = []
    for item in text.split():
        match = _ITEM.fullmatch(item)
        if not match:
            raise ValueError(f"no value of a series: {item}")
        blank, stale, first, step, times = match.groups()
        if blank or stale:
            values += [MISSING if blank else STALE] * int(times or 1)
        else:
            count = int(times) + 1 if times else 1
            values += [float(first) + i * float(step or 0) for i in range(count)]
    return values


def numbers(values):
    return [value for value in values if value not in (MISSING, STALE)]


def changes(values):
    return len(set(numbers(values))) > 1


def goes_back(values):
    """Whether a number is below the one before, as a counter's is after a restart."""
    found = numbers(values)
    return any(after < before for before, after in zip(found, found[1:]))
