"""PostgreSQL's plans of the lists given as JSON on standard input: run by `benchmarks.pages`."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import django
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

TABLE = "review_worklistentry"
OWN = "worklist"
"""In the name of each index of the table."""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def explained(statement: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, SUMMARY, FORMAT JSON) {statement}")
        ((answer,),) = cursor.fetchone()
    plan: dict[str, Any] = answer
    return plan


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "maira_web.settings")
    django.setup()
    from review.forms import WorklistForm
    from review.models.people import Capability, User
    from review.selectors import people, worklist
    from review.views.worklist import filters_of

    user = User.objects.get(username="radiologist")
    sites = list(people.sites_with(user, Capability.READ))
    told = []
    for asked in json.load(sys.stdin):
        query = QueryDict(mutable=True)
        query.update(asked)
        filters = filters_of(WorklistForm(query, sites=sites), user, sites)
        with CaptureQueriesContext(connection) as captured:
            worklist.page(user, filters)
        statements = [each["sql"] for each in captured.captured_queries if f'FROM "{TABLE}"' in each["sql"]]
        plans = [explained(statement) for statement in statements]
        read = [node for plan in plans for node in nodes(plan["Plan"])]
        told.append(
            {
                "list": query.urlencode(),
                "indexes": sorted({node["Index Name"] for node in read if OWN in node.get("Index Name", "")}),
                "reads_all": any(
                    node["Node Type"] == "Seq Scan" and node["Relation Name"] == TABLE for node in read
                ),
                "ms": sum(plan["Planning Time"] + plan["Execution Time"] for plan in plans),
            }
        )
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
