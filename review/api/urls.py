"""Addresses of the API, under /api/v1/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from review.api import arrivals, feedback, missing, reports, studies

_STUDY = "studies/<uid:study_instance_uid>/"

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("studies/", studies.Worklist.as_view(), name="api-studies"),
    path(_STUDY, studies.Detail.as_view(), name="api-study"),
    path(f"{_STUDY}draft/", studies.Draft.as_view(), name="api-draft"),
    path(f"{_STUDY}report/", reports.Report.as_view(), name="api-report"),
    path(f"{_STUDY}masks/", studies.Masks.as_view(), name="api-masks"),
    path(f"{_STUDY}audit/", studies.Audit.as_view(), name="api-audit"),
    path("arrivals/", arrivals.Arrivals.as_view(), name="api-arrivals"),
    path("feedback/", feedback.Datasets.as_view(), name="api-feedback"),
    path("feedback/<int:dataset_id>/", feedback.Dataset.as_view(), name="api-dataset"),
    path("feedback/<int:dataset_id>/download/", feedback.Download.as_view(), name="api-dataset-download"),
    path("", missing.Nothing.as_view(), name="api-root"),
    path("<path:rest>", missing.Nothing.as_view(), name="api-missing"),
]
