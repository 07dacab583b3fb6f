"""No UID and no row's values reach a log line, from whatever part of the record they come."""

import logging
import sys

import pytest

from maira_web import logs

LONG = "1.2.826.0.1.3680043.8.498.12345678901234567890"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"GET /studies/{LONG}/ 200", "GET /studies/<uid>/ 200"),
        ("GET /studies/1.2.3/images/1.2.3.4/full.bin", "GET /studies/<uid>/images/<uid>/full.bin"),
        (f"arrival 7 holds {LONG}", "arrival 7 holds <uid>"),
        ("derived 2.25.329800735698586629295641978511506172918", "derived <uid>"),
        (repr(ValueError(f"images:\n{LONG}")), "ValueError('images:\\n<uid>')"),
        ("listening at http://127.0.0.1:8000", "listening at http://127.0.0.1:8000"),
        ("from 192.168.100.200", "from 192.168.100.200"),
        ("Django 5.2.19 took 0.25 s", "Django 5.2.19 took 0.25 s"),
        ("DETAIL:  Key (name)=(Yamada) already exists.", "DETAIL: <values>"),
        (
            repr(ValueError("duplicate key\nDETAIL:  Key (name)=(Yamada) already exists.\nmore")),
            "ValueError('duplicate key\\nDETAIL: <values>",
        ),
    ],
)
def test_a_line_loses_what_names_a_patient(line, expected):
    assert logs.redacted(line) == expected


def test_arguments_and_tracebacks_are_redacted_too():
    message = "\n".join([f"no image {LONG}", "DETAIL:  Failing row contains (Yamada)."])
    try:
        raise ValueError(message)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "study %s", (LONG,), sys.exc_info())
    text = logs.Formatter().format(record)
    assert LONG not in text
    assert "Yamada" not in text
    assert "study <uid>" in text


def test_the_probes_leave_no_lines():
    line = logging.LogRecord("x", logging.INFO, "f", 1, "GET /readyz 503", (), None)
    assert not logs.NoHealth().filter(line)
