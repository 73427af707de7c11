"""A rule of lint_dashboards.py: Grafana cuts what is wider than its column."""

LETTER = 8  # Pixels of Grafana's font, at most in the mean.
BESIDE = 24  # The space around a heading, and the sign by which to filter.
# Of values, by unit: "a few seconds ago", "12:34:56", "12.3 MB/s". Others are shorter.
VALUES = {"dateTimeFromNow": 140, "dateTimeAsIsoNoDateIfToday": 80, "Bps": 90}


def settings(table, heading):
    """How the column of that heading looks."""
    defaults = table["fieldConfig"]["defaults"]
    found = {f"custom.{key}": value for key, value in defaults["custom"].items()}
    for override in table["fieldConfig"]["overrides"]:
        if override["matcher"] == {"id": "byName", "options": heading}:
            found |= {setting["id"]: setting["value"] for setting in override["properties"]}
    return found


def table_widths(dashboard):
    for table in dashboard["panels"]:
        for change in table.get("transformations", []) if table["type"] == "table" else []:
            for heading in change["options"].get("renameByName", {}).values():
                look = settings(table, heading)
                least = max(LETTER * len(heading) + BESIDE, VALUES.get(look.get("unit"), 0))
                if look.get("custom.width", look["custom.minWidth"]) < least:
                    yield f"{table['title']}: {heading} needs {least} pixels"
