"""A reading of one program between two of another: what holds still or only grows must lie between
them. What goes up and down meanwhile may not, so of that a difference counts when every one of many
rounds has it: a value that is wrong is wrong in all of them."""


def is_between(low, value, high, tolerance=0):
    """Also when the bounds have changed places, and but for the rounding of another computation."""
    tolerance += 1e-9 * max(abs(low), abs(high))
    return min(low, high) - tolerance <= value <= max(low, high) + tolerance


def differing_samples(before, ours, after):
    """Where `ours` is not between `before` and `after`, all Series -> value: series -> why."""
    found = {}
    for series in before.keys() | ours.keys() | after.keys():
        values = [samples.get(series) for samples in (before, ours, after)]
        if None in values or not is_between(*values):
            found[series] = f"{series} is not {values[::2]} but {values[1]}"
    return found


def lasting(find_differences, rounds=100):
    """What find_differences(), which gives key -> text, finds each time: its last texts."""
    keys, found = None, {}
    for _ in range(rounds):
        found = find_differences()
        keys = found.keys() if keys is None else keys & found.keys()
        if not keys:
            return ""
    return "\n".join(sorted(found[key] for key in keys))
