"""Worklist and reading page at a million studies: queries a request, the server's time, the lists' plans.

    python -m benchmarks.pages [--studies 1000000] [--requests 200] [--plans docs/plans.md] [--write]

Starts an installation of its own as `make run` does, counts the queries of both pages on the demo's two
dozen studies, fills the tables up to `--studies` (patients with about three studies each, orders, series,
images and worklist entries; one in five hundred is open), counts again and then asks over HTTP, one request
at a time, for lists that a reader may ask for and for the demo's studies, which have images, masks and
drafts. Prints one row a figure; `--plans` writes PostgreSQL's plan of every filter with every sort, and a
plan that reads the whole table ends the run with an error.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from http.cookiejar import CookieJar
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.spine import queries, running
from inference.training import results
from maira_web import embedded
from tests.system.hospital import ROOT, Hospital

COMMAND = "python -m benchmarks.pages"
CEILING_MS = 100
OPEN_EVERY = 500
STUDIES_A_PATIENT = 3
SURNAMES = [
    "SATO",
    "SUZUKI",
    "TAKAHASHI",
    "TANAKA",
    "ITO",
    "WATANABE",
    "YAMAMOTO",
    "NAKAMURA",
    "KOBAYASHI",
    "KATO",
]
LOCAL = "YOSHIDA"
IDEOGRAPHS = ["佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤"]
SYLLABLES = ["a", "ki", "ha", "ru", "mi", "no", "yo", "shi", "ka", "to", "na", "ri"]


def given_name(number: int) -> str:
    digits = [number // len(SYLLABLES) ** place % len(SYLLABLES) for place in range(4)]
    return "".join(SYLLABLES[digit] for digit in digits).upper()


def search_key(text: str) -> str:
    """As `review.worklist.search_key` for the plain names here; importing that needs settings."""
    return text.casefold().replace("^", " ")


class Tables:
    """Rows of `studies` made-up studies behind those that are there, the same for the same number."""

    def __init__(self, hospital: Hospital, studies: int) -> None:
        self.studies = studies
        self.patients = -(-studies // STUDIES_A_PATIENT)
        self.sites = [int(site) for (site,) in hospital.sql("SELECT id FROM review_site ORDER BY id")]
        (self.reader,) = hospital.sql("SELECT id FROM review_user WHERE username = 'radiologist'")[0]
        tables = ("patient", "order", "study", "series", "image")
        self.first = {
            table: hospital.count(f"SELECT coalesce(max(id), 0) + 1 FROM review_{table}") for table in tables
        }
        self.random = random.Random(7)
        self.start = datetime(2021, 1, 4, tzinfo=UTC)
        self.step = timedelta(days=5 * 365) / studies

    def site(self, number: int) -> int:
        return self.sites[number // STUDIES_A_PATIENT % len(self.sites)]

    def name(self, patient: int) -> tuple[str, str]:
        given = given_name(patient)
        index = patient * 7919 // 3 % len(SURNAMES)
        if patient % 40 == 0:  # a name that one site knows and the other does not
            return f"{LOCAL}^{given}", f"吉田^{given}"
        return f"{SURNAMES[index]}^{given}", f"{IDEOGRAPHS[index]}^{given}"

    def taken(self, number: int) -> datetime:
        """Spread over five years, a patient's studies two years apart."""
        return self.start + self.step * (number * 2_000_003 % self.studies)

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for patient in range(self.patients):
            alphabetic, ideographic = self.name(patient)
            yield (
                "patient",
                {
                    "id": self.first["patient"] + patient,
                    "issuer": f"site {self.site(patient * STUDIES_A_PATIENT)}",
                    "patient_id": f"B{patient:08}",
                    "name_alphabetic": alphabetic,
                    "name_ideographic": ideographic,
                    "name_phonetic": "",
                    "name_doubtful": False,
                    "birth_date_raw": "",
                    "birth_date": date(1930 + patient % 80, 1 + patient % 12, 1 + patient % 28),
                    "sex": "FM"[patient % 2],
                },
            )
        for number in range(self.studies):
            yield from self.study(number)

    def study(self, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
        patient, taken, site = number // STUDIES_A_PATIENT, self.taken(number), self.site(number)
        alphabetic, ideographic = self.name(patient)
        is_open = number % OPEN_EVERY == 0
        priority = self.random.choices([1, 2, 3], [2, 8, 90])[0]
        order, study = self.first["order"] + number, self.first["study"] + number
        accession, uid = f"C{number:09}", f"2.25.{10**30 + number}"
        assignee = self.reader if self.random.random() < 0.2 else None
        yield (
            "order",
            {
                "id": order,
                "site_id": site,
                "accession_number": accession,
                "indication": "Cough.",
                "priority": priority,
                "referring_physician_name": "",
            },
        )
        yield (
            "study",
            {
                "id": study,
                "site_id": site,
                "patient_id": self.first["patient"] + patient,
                "order_id": order,
                "study_instance_uid": uid,
                "study_date_raw": taken.strftime("%Y%m%d"),
                "study_time_raw": taken.strftime("%H%M%S"),
                "started_at": taken,
                "study_description": "CHEST",
                "received_at": taken + timedelta(minutes=7),
                "input_digest": "",
                "assignee_id": assignee,
            },
        )
        yield (
            "series",
            {
                "id": self.first["series"] + number,
                "study_id": study,
                "series_instance_uid": f"{uid}.1",
                "series_description": "",
                "modality": "DX",
            },
        )
        yield (
            "image",
            {
                "id": self.first["image"] + number,
                "series_id": self.first["series"] + number,
                "sop_instance_uid": f"{uid}.1.1",
                "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1.1",
                "content_sha256": f"{number:064x}",
                "pipeline_version": "0",
                "rows": 3000,
                "columns": 3000,
                "view_position": "PA",
                "image_laterality": "",
                "patient_orientation": "L\\F",
                "body_part_examined": "CHEST",
                "photometric_interpretation": "MONOCHROME2",
                "pixel_spacing_source": "",
                "secondary_capture": False,
                "header": "{}",
                "received_at": taken + timedelta(minutes=7),
            },
        )
        yield (
            "worklistentry",
            {
                "study_id": study,
                "site_id": site,
                "status": "ready" if is_open else "signed",
                "is_open": is_open,
                "stale": False,
                "priority": priority,
                "patient_name": ideographic,
                "name_doubtful": False,
                "patient_identifier": f"B{patient:08}",
                "patient_birth_date": None,
                "patient_sex": "FM"[patient % 2],
                "accession_number": accession,
                "study_description": "CHEST",
                "views": "PA",
                "started_at": taken,
                "received_at": taken + timedelta(minutes=7),
                "signed_at": None if is_open else taken + timedelta(hours=1),
                "assignee_id": assignee,
                "alphabetic_key": search_key(alphabetic),
                "ideographic_key": search_key(ideographic),
                "phonetic_key": "",
                "identifier_key": search_key(f"B{patient:08}"),
                "accession_key": search_key(accession),
            },
        )


CHUNK = 20_000


def fill(hospital: Hospital, studies: int) -> None:
    """COPY the rows in, a table after the other within each chunk, so that every reference is there."""
    url = embedded.url(hospital.var, embedded.OWNER)
    with psycopg.connect(url) as connection:
        waiting: dict[str, list[dict[str, Any]]] = {}
        for count, (table, row) in enumerate(Tables(hospital, studies).rows(), 1):
            waiting.setdefault(table, []).append(row)
            if count % CHUNK == 0:
                flush(connection, waiting)
        flush(connection, waiting)
        for table in ("patient", "order", "study", "series", "image"):
            connection.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence({name}, 'id'), (SELECT max(id) FROM {table}))"
                ).format(name=sql.Literal(f"public.review_{table}"), table=sql.Identifier(f"review_{table}"))
            )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def flush(connection: psycopg.Connection, waiting: dict[str, list[dict[str, Any]]]) -> None:
    for table, rows in waiting.items():
        if not rows:
            continue
        columns = list(rows[0])
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(f"review_{table}"), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([row[column] for column in columns])
        rows.clear()


class Reader:
    """The radiologist of the demo, over HTTP."""

    def __init__(self, hospital: Hospital) -> None:
        self.url = hospital.url
        cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        self.get("accounts/login/")
        token = next(cookie.value for cookie in cookies if cookie.name.endswith("csrftoken"))
        form = {"login": "radiologist", "password": "demo-radiologist", "csrfmiddlewaretoken": token}
        request = urllib.request.Request(
            f"{self.url}/accounts/login/",
            urllib.parse.urlencode(form).encode(),
            {"Referer": f"{self.url}/accounts/login/"},
        )
        self.opener.open(request).read()

    def get(self, path: str) -> bytes:
        answer: bytes = self.opener.open(f"{self.url}/{path}", timeout=60).read()
        return answer

    def milliseconds(self, path: str) -> float:
        start = time.perf_counter()
        self.get(path)
        return (time.perf_counter() - start) * 1000


def lists() -> list[dict[str, str]]:
    """Every filter by itself and what is often asked for together; each with every sort."""
    narrowed: list[dict[str, str]] = [
        *(
            {"status": status}
            for status in ("open", "all", "ready", "signed", "reading", "preliminary", "changed")
        ),
        *({"status": status, "priority": "1"} for status in ("open", "all")),
        *({"status": status, "site": "central"} for status in ("open", "all")),
        *({"status": status, "assignee": "me"} for status in ("open", "all")),
        *({"status": "all", "day": day} for day in ("2023-05-17", "2025-11-02")),
        *(
            {"status": "all", "q": words}
            for words in ("B00012345", "C000777777", "sato", "鈴木", "sato aki", "yoshida", "zz")
        ),
    ]
    return [{**filters, "sort": order} for filters in narrowed for order in ("urgency", "newest", "received")]


def timed(reader: Reader, paths: Iterable[str], requests: int) -> list[float]:
    paths = list(paths)
    for path in paths:
        reader.get(path)
    return [reader.milliseconds(path) for path, _turn in zip(cycle(paths), range(requests), strict=False)]


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def plans(hospital: Hospital) -> list[dict[str, Any]]:
    """The plan of each list's query, as the application asks it."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.plans"],
        cwd=ROOT,
        env={**os.environ, **hospital.environment, "DATABASE_POOL": "0"},
        input=json.dumps(lists()),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def told(found: list[dict[str, Any]], studies: int) -> str:
    """The plans as a page."""
    lines = [
        f"# Plans of the worklist at {studies:,} studies",
        "",
        f"Written by `{COMMAND} --plans docs/plans.md`: which index PostgreSQL reads for each filter and",
        "sort of the worklist, and how long planning and reading take. No list reads the whole table.",
        "",
        "| list | index | ms |",
        "| --- | --- | --- |",
    ]
    for each in found:
        lines.append(
            f"| `{each['list']}` | {', '.join(f'`{name}`' for name in each['indexes'])} | {each['ms']:.1f} |"
        )
    return "\n".join(lines) + "\n"


def row(arm: str, metric: str, values: list[float], **more: object) -> results.Row:
    return results.spread("pages", arm, metric, values, population="synthetic rows", command=COMMAND, **more)


def measure(studies: int, requests: int, page: Path | None) -> list[results.Row]:
    rows = []
    with running() as hospital:
        before = queries(hospital)
        opened = [uid for (uid,) in hospital.sql("SELECT study_instance_uid FROM review_study ORDER BY id")]
        start = time.monotonic()
        fill(hospital, studies)
        print(f"{studies:,} studies written in {time.monotonic() - start:.0f} s", file=sys.stderr)
        found = plans(hospital)
        if page is not None:
            page.write_text(told(found, studies), encoding="utf-8")
        after = queries(hospital)
        reader = Reader(hospital)
        seconds = {
            "worklist": timed(
                reader, [f"studies/?{urllib.parse.urlencode(each)}" for each in lists()], requests
            ),
            "reading": timed(reader, [f"studies/{uid}/" for uid in opened], requests),
        }
    for name, values in seconds.items():
        rows += [
            row(name, "queries", [before[name], after[name]]),
            row(name, "p50_ms", [percentile(values, 0.5)]),
            row(name, "p95_ms", [percentile(values, 0.95)], ceiling=CEILING_MS),
        ]
    whole = [each["list"] for each in found if each["reads_all"]]
    if whole:
        raise SystemExit(f"The whole table is read for: {'; '.join(whole)}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--plans", type=Path, help="write the plans there")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args()
    rows = measure(options.studies, options.requests, options.plans)
    for each in rows:
        print(f"{each['arm']:<10} {each['metric']:<10} {each['mean']:>10} ({each['low']} to {each['high']})")
    if options.write:
        results.put(rows)


if __name__ == "__main__":
    main()
