from collections.abc import Sequence
from pathlib import Path

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from inference.feedback.schema import SCHEMA_VERSION
from inference.feedback.writer import Written
from review import audit, queue
from review.models.audit import Verb
from review.models.feedback import FeedbackDataset
from review.models.patients import Site
from review.models.people import Capability, User
from review.pipeline import datasets
from review.selectors import people


@transaction.atomic
def request(site: Site, *, by: User | None) -> FeedbackDataset:
    """Ask for a dataset of everything signed at the site so far. Records `dataset.requested`.

    `by` is None only for an operator at the command line.
    """
    if by is not None:
        people.require(by, Capability.EXPORT, site)
    Site.objects.select_for_update().get(pk=site.pk)  # One number is given out at a time.
    newest = FeedbackDataset.objects.filter(site=site).aggregate(number=Max("number"))["number"] or 0
    now = timezone.now()
    dataset = FeedbackDataset.objects.create(
        site=site,
        number=newest + 1,
        requested_by=by,
        schema_version=SCHEMA_VERSION,
        queued_at=now,
        nudged_at=now,
    )
    audit.record(
        Verb.DATASET_REQUESTED, by=by, site=site, data={"dataset": dataset.pk, "number": dataset.number}
    )
    queue.nudge(dataset)
    return dataset


@transaction.atomic
def note_downloaded(dataset: FeedbackDataset, *, by: User) -> None:
    """Data leaves the house. Records `dataset.downloaded`."""
    audit.record(
        Verb.DATASET_DOWNLOADED,
        by=by,
        site=dataset.site,
        data={"dataset": dataset.pk, "number": dataset.number},
    )


def export(sites: Sequence[Site], folder: Path) -> Written:
    """An operator at the command line takes everything signed at these sites out of the house. Records
    `dataset.downloaded` at each, committed before the folder appears: nothing leaves without a trace.

    Raises
    ------
    FeedbackError
        When the folder holds anything already.
    """

    def announce(written: Written) -> None:
        data = datasets.described(None, written)
        with transaction.atomic(durable=True):
            for site in sites:
                audit.record(Verb.DATASET_DOWNLOADED, by=None, site=site, data=data)

    return datasets.build(sites, folder, announce=announce)
