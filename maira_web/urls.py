"""Addresses: the health of the whole, signing in, and what the application offers."""

from django.urls import include, path

from maira_web import health
from review import admin

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("review.urls")),
]
