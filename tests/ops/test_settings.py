"""Settings stop the start when they are nonsense, and say which variable, what it is and what is allowed."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "0123456789abcdef0123456789abcdef0123456789abcdef"
SHOW = """
import json, os
from django.conf import settings
settings.configured or settings.DEBUG
values = {name: getattr(settings, name) for name in %r}
print(json.dumps(values, default=str))
"""


def load(var: Path, names: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Import the settings in a fresh process whose environment holds nothing but what is given."""
    return subprocess.run(
        [sys.executable, "-c", SHOW % names],
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "maira_web.settings",
            "VAR": str(var),
            **environment,
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def values(var: Path, names: list[str], **environment: str) -> dict[str, object]:
    result = load(var, names, **environment)
    assert result.returncode == 0, result.stderr
    shown: dict[str, object] = json.loads(result.stdout)
    return shown


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("DEBUG", "perhaps", "1, true, yes, on"),
        ("PORT", "http", "whole numbers from 1 to 65535"),
        ("PORT", "70000", "whole numbers from 1 to 65535"),
        ("LEASE_SECONDS", "-3", "whole numbers from 5"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO"),
        ("DATABASE_URL", "mysql://root@localhost/maira", "postgresql://user"),
        ("DATABASE_URL", "postgresql://localhost", "names no database"),
        ("DATABASE_URL", "postgresql://localhost:many/maira", "postgresql://user"),
        ("DATABASE_APP_URL", "postgresql://app@localhost/maira", "both or neither"),
        ("SECRET_KEY_FILE", "/nowhere/key", "cannot be read"),
        ("SECRET_KEY", "short", "32 random"),
        ("HEARTBEAT_SECONDS", "29", "two heartbeats"),
        ("CELERY_BROKER_URL", "nonsense", "redis, rediss, sentinel, amqp"),
        ("CACHE_URL", "memcached://localhost", "redis, rediss, unix"),
        ("MAIRA_WORKER", "gpu", "io and inference"),
    ],
)
def test_nonsense_is_refused(tmp_path, name, value, allowed):
    result = load(tmp_path, [], **{"SECRET_KEY": "" if name == "SECRET_KEY_FILE" else SECRET, name: value})
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last
    assert name in last
    assert allowed in last


def test_a_secret_and_its_file_together_are_refused(tmp_path):
    (tmp_path / "key").write_text(SECRET)
    result = load(tmp_path, [], SECRET_KEY=SECRET, SECRET_KEY_FILE=str(tmp_path / "key"))
    assert "SECRET_KEY and SECRET_KEY_FILE are both set" in result.stderr


def test_a_secret_is_read_from_a_file(tmp_path):
    (tmp_path / "key").write_text(SECRET + "\n")
    assert values(tmp_path, ["SECRET_KEY"], SECRET_KEY_FILE=str(tmp_path / "key"))["SECRET_KEY"] == SECRET


def test_a_password_is_never_shown(tmp_path):
    result = load(tmp_path, [], DATABASE_URL="mysql://root:geheim@localhost/maira")
    assert "geheim" not in result.stderr


def test_the_secret_key_is_made_once_and_for_the_owner_alone(tmp_path):
    first = values(tmp_path, ["SECRET_KEY"])["SECRET_KEY"]
    assert values(tmp_path, ["SECRET_KEY"], DEMO="1")["SECRET_KEY"] == first
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_a_server_needs_a_secret_key_of_its_own(tmp_path):
    result = load(tmp_path, [], DATABASE_URL="postgresql://maira@db/maira")
    assert "SECRET_KEY" in result.stderr
    assert not (tmp_path / "secret_key").exists()


def test_importing_starts_nothing(tmp_path):
    values(tmp_path, ["DATABASES"])
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_it_is_strict_unless_it_is_the_demo(tmp_path):
    names = [
        "DEBUG",
        "SECURE_SSL_REDIRECT",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_HSTS_SECONDS",
    ]
    strict = values(tmp_path, names)
    assert strict == {
        "DEBUG": False,
        "SECURE_SSL_REDIRECT": True,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
    }
    demo = values(tmp_path, names, DEMO="1")
    assert demo["DEBUG"] is False
    assert demo["SECURE_SSL_REDIRECT"] is False


def test_one_login_drops_to_the_application_role(tmp_path):
    url = "postgresql://me:p%40ss@db.example:5433/maira?sslmode=require"
    shown = values(tmp_path, ["DATABASES"], DATABASE_URL=url, SECRET_KEY=SECRET)["DATABASES"]
    assert isinstance(shown, dict)
    assert shown["owner"]["PASSWORD"] == "p@ss"
    assert shown["owner"]["PORT"] == "5433"
    assert shown["owner"]["OPTIONS"]["sslmode"] == "require"
    assert "options" not in shown["owner"]["OPTIONS"]
    assert shown["default"]["OPTIONS"]["options"] == "-c role=maira_app"


def test_two_logins_are_used_as_they_are(tmp_path):
    shown = values(
        tmp_path,
        ["DATABASES"],
        DATABASE_URL="postgresql://owner@db/maira",
        DATABASE_APP_URL="postgresql://app@db/maira",
        SECRET_KEY=SECRET,
    )["DATABASES"]
    assert isinstance(shown, dict)
    assert (shown["owner"]["USER"], shown["default"]["USER"]) == ("owner", "app")
    assert "options" not in shown["default"]["OPTIONS"]


def test_a_worker_has_no_pool(tmp_path):
    web = values(tmp_path, ["DATABASES"])["DATABASES"]
    worker = values(tmp_path, ["DATABASES"], MAIRA_WORKER="io")["DATABASES"]
    assert isinstance(web, dict)
    assert isinstance(worker, dict)
    assert "pool" in web["default"]["OPTIONS"]
    assert "pool" not in worker["default"]["OPTIONS"]
