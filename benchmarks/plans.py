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


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


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
        statement = next(
            each["sql"] for each in captured.captured_queries if f'FROM "{TABLE}"' in each["sql"]
        )
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
            (answer,) = cursor.fetchone()[0]
        read = [
            node
            for node in nodes(answer["Plan"])
            if node.get("Relation Name") == TABLE or "Index Name" in node
        ]
        told.append(
            {
                "list": query.urlencode(),
                "indexes": sorted({node["Index Name"] for node in read if "Index Name" in node}),
                "reads_all": any(
                    node["Node Type"] == "Seq Scan" and node["Relation Name"] == TABLE for node in read
                ),
                "ms": answer["Execution Time"],
            }
        )
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
