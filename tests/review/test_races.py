"""Two at the same moment, with transactions that really commit."""

import itertools
import threading
from collections.abc import Callable

import pytest
from django.db import connection

from review import exceptions, queue
from review.models.audit import AuditEvent
from review.models.drafts import Draft
from review.models.reports import Revision
from review.models.states import JobStatus
from review.services import reports
from tests.review import cast

pytestmark = pytest.mark.usefixtures("committed_db")


def together(*acts: Callable[[], object]) -> list[object]:
    """Run the acts in threads that start at once; what each returned or raised, in order."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = acts[index]()
        except exceptions.ReviewError as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def test_one_of_two_saves_wins_and_the_other_gets_both_texts() -> None:
    people = cast.make()
    study = cast.study(people.central)
    results = together(
        lambda: reports.save(study, by=people.ruth, text=reports.Text("Ruth's.", "", 0)),
        lambda: reports.save(study, by=people.omar, text=reports.Text("Omar's.", "", 0)),
    )
    kinds = sorted(type(result).__name__ for result in results)
    assert kinds == ["Revision", "RevisionConflict"]
    assert Revision.objects.count() == 1


def test_a_row_is_claimed_once() -> None:
    study = cast.study(cast.make().central)
    draft = Draft.objects.create(
        study=study,
        model_version=cast.model(),
        input_digest=study.input_digest,
        language="en",
        reason="arrival",
        queued_at=cast.TAKEN,
    )
    claims = together(*[lambda: queue.claim(Draft, draft.pk)] * 4)
    assert sum(claim is not None for claim in claims) == 1


def test_a_worker_whose_lease_went_to_another_stores_nothing() -> None:
    study = cast.study(cast.make().central)
    draft = Draft.objects.create(
        study=study,
        model_version=cast.model(),
        input_digest=study.input_digest,
        language="en",
        reason="arrival",
        queued_at=cast.TAKEN,
    )
    claimed = queue.claim(Draft, draft.pk)
    assert claimed is not None
    Draft.objects.filter(pk=draft.pk).update(status=JobStatus.QUEUED)
    assert queue.claim(Draft, draft.pk) is not None
    with pytest.raises(queue.LeaseLost):
        queue.finish(claimed[1], JobStatus.READY)


def test_the_chain_has_no_gap_when_many_write_at_once() -> None:
    people = cast.make()
    study = cast.study(people.central)
    together(*[lambda: reports.take_over(study, by=people.ruth)] * 8)
    events = AuditEvent.objects.filter(study_id=study.pk).order_by("sequence")
    assert [event.sequence for event in events] == list(range(1, 9))
    for before, after in itertools.pairwise(events):
        assert before.sha256.encode() in bytes(after.canonical)
