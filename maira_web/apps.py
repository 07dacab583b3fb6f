"""The wiring as a Django app: whoever sets Django up has the project's Celery app as the current one."""

from django.apps import AppConfig

from maira_web import celery

__all__ = ["Wiring", "celery"]


class Wiring(AppConfig):
    name = "maira_web"
