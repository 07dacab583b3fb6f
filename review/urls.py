"""Addresses of the pages and of the API."""

from django.urls import include, path, register_converter

from review.converters import UidConverter
from review.views import (
    arrivals,
    critical,
    feedback,
    home,
    images,
    macros,
    quality,
    registry,
    reports,
    studies,
    worklist,
)

register_converter(UidConverter, "uid")

_STUDY = "studies/<uid:study_instance_uid>/"

urlpatterns = [
    path("api/v1/", include("review.api.urls")),
    path("", home.start, name="start"),
    path("studies/", worklist.listing, name="worklist"),
    path(_STUDY, studies.reading, name="study"),
    path(f"{_STUDY}priors/<uid:prior_uid>/report/", studies.prior_report, name="study-prior"),
    path(f"{_STUDY}priors/<uid:prior_uid>/images/", studies.prior_images, name="study-prior-images"),
    path(f"{_STUDY}critical/", critical.of_study, name="study-critical"),
    path(f"{_STUDY}critical/<int:result_id>/", critical.communicate, name="critical-communicate"),
    path("macros/", macros.listing, name="macros"),
    path("macros/<int:macro_id>/delete/", macros.drop, name="macro-drop"),
    path("critical/", critical.listing, name="critical"),
    path(f"{_STUDY}history/", studies.history, name="study-history"),
    path(f"{_STUDY}draft/", studies.draft, name="study-draft"),
    path(f"{_STUDY}assign/", studies.assign, name="study-assign"),
    path(f"{_STUDY}close/", studies.close, name="study-close"),
    path(f"{_STUDY}masks.json", images.masks, name="study-masks"),
    path(f"{_STUDY}images/<uid:sop_instance_uid>/<str:name>", images.derivative, name="study-image"),
    path(f"{_STUDY}report/", reports.save, name="report-save"),
    path(f"{_STUDY}report/state/", reports.state, name="report-state"),
    path(f"{_STUDY}report/lock/", reports.lock, name="report-lock"),
    path(f"{_STUDY}report/check/", reports.check, name="report-check"),
    path(f"{_STUDY}report/sentences/", reports.judge, name="report-judge"),
    path(f"{_STUDY}report/sign/", reports.sign, name="report-sign"),
    path(f"{_STUDY}report/<int:signature_id>.pdf", reports.letter, name="report-letter"),
    path(f"{_STUDY}report/addenda/", reports.addenda, name="report-addenda"),
    path("arrivals/", arrivals.listing, name="arrivals"),
    path("arrivals/<int:arrival_id>/retry/", arrivals.retry, name="arrival-retry"),
    path("arrivals/<int:arrival_id>/resolve/", arrivals.resolve, name="arrival-resolve"),
    path("feedback/", feedback.listing, name="feedback"),
    path("feedback/<int:dataset_id>/download/", feedback.download, name="feedback-download"),
    path("models/", registry.listing, name="models"),
    path("quality/", quality.listing, name="quality"),
]
