"""gunicorn's configuration. The access log has no query (searches hold names) and no UID (maira_web.logs)."""

import os

from maira_web import settings

bind = f"127.0.0.1:{settings.PORT}"
worker_class = "gthread"
workers = settings.WEB_WORKERS
threads = 8
timeout = 120
graceful_timeout = 8
keepalive = 5
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - heartbeats off the disk
accesslog = "-"
access_log_format = "%(m)s %(U)s %(s)s %(B)s bytes %(M)s ms"
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
        "gunicorn.access": {
            "level": "INFO",
            "handlers": ["stderr"],
            "filters": ["no_health"],
            "propagate": False,
        },
    },
}
