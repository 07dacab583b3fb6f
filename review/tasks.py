"""One-line Celery doors into the pipeline. A task is one id; it may run twice without harm."""

from celery import shared_task

from review.pipeline import datasets, drafting, explaining
from review.pipeline import ingest as ingestion


@shared_task(ignore_result=True)
def ingest(arrival_id: int) -> None:
    ingestion.run(arrival_id)


@shared_task(ignore_result=True)
def generate_draft(draft_id: int) -> None:
    drafting.run(draft_id)


@shared_task(ignore_result=True)
def explain_draft(explanation_id: int) -> None:
    explaining.run(explanation_id)


@shared_task(ignore_result=True)
def build_dataset(dataset_id: int) -> None:
    datasets.run(dataset_id)
