"""Queries of one request of each page, as JSON: run by `benchmarks.spine` against its installation."""

import json
import os
import sys

import django
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "maira_web.settings")
    django.setup()
    from review.models.people import User
    from review.models.worklist import WorklistEntry

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(User.objects.get(username="radiologist"))
    entry = WorklistEntry.objects.filter(status="ready").select_related("study").first()
    assert entry is not None
    pages = {"worklist": "/studies/", "reading": f"/studies/{entry.study.study_instance_uid}/"}
    counted = {}
    for name, path in pages.items():
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path)
        assert answer.status_code == 200, answer.status_code
        counted[name] = len(captured)
    json.dump(counted, sys.stdout)


if __name__ == "__main__":
    main()
