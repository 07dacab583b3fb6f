"""The settings of the tests: a database and a data folder of their own, no TLS, a fast password hasher."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# One run is told from another by the process that began it: two runs in one checkout do not meet.
RUN = os.environ.setdefault("MAIRA_TEST_RUN", str(os.getpid()))

os.environ["VAR"] = str(ROOT / "var" / "tests")
os.environ["DEMO"] = "1"
os.environ["DATABASE_POOL"] = "0"
os.environ.pop("CELERY_BROKER_URL", None)
os.environ.pop("CACHE_URL", None)
os.environ.setdefault("OMP_NUM_THREADS", "1")

from maira_web.settings import *  # noqa: E402, F403 - the environment above comes first
from maira_web.settings import DATABASES, STORAGES, VAR  # noqa: E402

SERVER_VAR = VAR
# By process: settings are read before xdist says which worker this is, and workers must not share files.
VAR = VAR / "runs" / f"{RUN}-{os.getpid()}"
MEDIA_ROOT = VAR / "media"
STORAGES["default"]["OPTIONS"]["location"] = MEDIA_ROOT
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
AUDIT_KEY_FILE = VAR / "keys" / "audit.pem"
AUDIT_CHECKPOINT_DIR = VAR / "checkpoints"
DATABASES["owner"]["TEST"] = {"NAME": f"test_maira_{RUN}", "DEPENDENCIES": []}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
