"""What was measured: rows of docs/results.json, and docs/results.md made from them. Loads no torch.

A row is experiment, arm, views, population, metric, mean, low, high, n, seeds and the command that gives it
again. What `low` and `high` are, an interval or a range, belongs to the experiment (see `RANGES`).
`statistic` says what `mean` holds where that is no mean; `floor` or `ceiling`, what it is to reach or not to
exceed.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

RESULTS = Path("docs/results.json")
RANGES = (
    "spine",
    "decode-speed",
    "decode-speed-llm",
    "hostile",
    "phantom-speed",
    "paper-scale",
    "two-views",
    "viewer",
    "pages",
)
"""Experiments whose rows are a median with its least and greatest; the others' are 95 % intervals."""


def spread(experiment: str, arm: str, metric: str, values: Sequence[float], **more: object) -> Row:
    """The row of a repeated measurement: in `mean` its median, as `statistic` says, with its range."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return {
        "experiment": experiment,
        "arm": arm,
        "views": "frontal",
        "metric": metric,
        "statistic": "median",
        "mean": round(median, 4),
        "low": round(ordered[0], 4),
        "high": round(ordered[-1], 4),
        "n": len(ordered),
        "seeds": 1,
        **more,
    }


def put(rows: Sequence[Row], path: Path = RESULTS, *, bundle: str = "") -> None:
    """Replace the rows that the same commands gave before; rows of other commands stay.

    bundle: the digest of the bundle they were measured on, where they were.
    """
    document: dict[str, Any] = {"bundle": bundle, "rows": []}
    if path.is_file():
        document = json.loads(path.read_text())
        document["bundle"] = bundle or document["bundle"]
    commands = {row["command"] for row in rows}
    document["rows"] = [old for old in document["rows"] if old["command"] not in commands] + list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
    path.with_suffix(".md").write_text(page(document))


def page(document: dict[str, Any]) -> str:
    """The results as a page of tables, an experiment a table, under the command that makes it again."""
    lines = [
        "# Results",
        "",
        f"Made from `results.json` by the commands under each heading. Bundle `{document['bundle'][:12]}`.",
        "Phantoms are synthetic: these numbers say that the machinery works, not how it does in a clinic.",
        "Ranges are 95 % intervals over studies (bootstrap, and Wilson's where the report counts gates), and",
        "least to greatest where the heading says so. A floor is met or missed by the mean.",
    ]
    for experiment in dict.fromkeys(row["experiment"] for row in document["rows"]):
        rows = [row for row in document["rows"] if row["experiment"] == experiment]
        kind, middle = ("least to greatest", "median") if experiment in RANGES else ("95 %", "mean")
        lines += ["", f"## {experiment.capitalize()}", ""]
        lines += [f"`{command}`" for command in dict.fromkeys(row["command"] for row in rows)]
        judged = any(_goal(row) for row in rows)
        more, rule = (" floor |", "---|") if judged else ("", "")
        lines += ["", f"| arm | population | metric | {middle} | {kind} | n |{more}"]
        lines += ["|---|---|---|---|---|---|" + rule]
        lines += [_line(row, experiment in RANGES) + (f" {_goal(row)} |" if judged else "") for row in rows]
    return "\n".join(lines) + "\n"


def _line(row: Row, is_median: bool) -> str:
    metric = row["metric"] + (f" ({row['statistic']})" if "statistic" in row and not is_median else "")
    values = f"{row['mean']:.3f} | {row['low']:.3f} to {row['high']:.3f} | {row['n']}"
    return f"| {row['arm']} | {row.get('population', '')} | {metric} | {values} |"


def _goal(row: Row) -> str:
    """The floor or ceiling of a row and whether it is met; empty where it has none."""
    if "floor" in row:
        return f"{row['floor']:g}: {'met' if row['mean'] >= row['floor'] else '**missed**'}"
    if "ceiling" in row:
        return f"at most {row['ceiling']:g}: {'met' if row['mean'] <= row['ceiling'] else '**missed**'}"
    return ""
