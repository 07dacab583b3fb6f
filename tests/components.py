"""System programs that some tests need. Missing ones skip the test, or fail it where CI is set."""

import os
import shutil

import pytest

MARK = "needs the Debian package"
PACKAGES = {
    "chromium": "chromium",
    "dciodvfy": "dicom3tools",
    "dcmcjpeg": "dcmtk",
    "dcmcjpls": "dcmtk",
    "dcmconv": "dcmtk",
    "dcmcrle": "dcmtk",
    "dcmdjpeg": "dcmtk",
    "dcmdjpls": "dcmtk",
    "dcmdump": "dcmtk",
    "storescu": "dcmtk",
    "msgfmt": "gettext",
    "xgettext": "gettext",
    "redis-server": "redis-server",
    "pg_ctl": "postgresql",
}
FOLDERS = ":".join([os.environ.get("PATH", ""), "/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/17/bin"])


def require(program: str) -> str:
    """The program's path; the test is skipped where it is missing, and fails there if CI is set."""
    path = shutil.which(program, path=FOLDERS)
    if path:
        return path
    reason = f"{MARK} {PACKAGES[program]}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
