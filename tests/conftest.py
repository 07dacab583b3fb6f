"""Fixtures every test may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.test.utils import setup_databases, teardown_databases
from pydicom import config as pydicom_config
from pytest_django import DjangoDbBlocker


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public radiographs and odd DICOM files that is kept beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MAIRA_SHARED_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}: set MAIRA_SHARED_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session", autouse=True)
def strict_dicom_writing() -> Iterator[None]:
    """What we write must be valid DICOM, value by value."""
    before = pydicom_config.settings.writing_validation_mode
    pydicom_config.settings.writing_validation_mode = pydicom_config.RAISE
    yield
    pydicom_config.settings.writing_validation_mode = before


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """One database, made and migrated by the owner, used by the application's role as in production.

    pytest-django's own fixture makes only the aliases that tests name, and no test names the owner.
    """
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases={"default", "owner"})
    yield
    with django_db_blocker.unblock():
        for connection in connections.all():
            connection.close()
        teardown_databases(made, verbosity=0)
