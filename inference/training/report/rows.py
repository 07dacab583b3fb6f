"""Rows of docs/results.json as these commands write them."""

from dataclasses import dataclass

from inference.measures import Interval
from inference.training.results import Row

COMMAND = "python -m inference.training.report"


@dataclass(frozen=True)
class Table:
    """What the rows of one command share. arm: the configuration's name, so `demo` for the shipped bundle.
    views: what was looked at."""

    experiment: str
    arm: str
    command: str
    views: str = "frontal"

    def row(self, population: str, metric: str, value: Interval, **more: object) -> Row:
        """more: `floor` or `ceiling` that the value is to reach, and `statistic` where it is no mean."""
        return {
            "experiment": self.experiment,
            "arm": self.arm,
            "views": self.views,
            "population": population,
            "metric": metric,
            "mean": round(value.mean, 4),
            "low": round(value.low, 4),
            "high": round(value.high, 4),
            "n": value.n,
            "seeds": 1,
            "command": self.command,
            **more,
        }
