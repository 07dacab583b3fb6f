"""docs/api.md names every door of the schema."""

import re
from pathlib import Path

import yaml

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_door_is_documented_and_no_other() -> None:
    schema = yaml.safe_load((DOCS / "openapi.yaml").read_text(encoding="utf-8"))
    doors = {
        re.sub(r"\{\w*uid\}", "<uid>", path.removeprefix("/api/v1/")).replace("{dataset_id}", "<id>")
        for path in schema["paths"]
    }
    table = (DOCS / "api.md").read_text(encoding="utf-8").split("## Errors")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == doors
