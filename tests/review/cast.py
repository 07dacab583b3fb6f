"""The fixed cast of the tests, and studies for them to work on.

**Ruth** reads at the central hospital, **Omar** too, **Tomo** is their trainee, **Petra** is a stranger who
reads elsewhere, **Ada** leads quality there, **Nils** is an administrator, **Tessa** a technologist, and
**Root** administers the platform without belonging to any site.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
from django.contrib.auth.hashers import make_password

from inference.imaging import masks as rle
from review import worklist
from review.models.drafts import Draft, Evidence, Explanation, Mask, MaskContent, Sentence, Support
from review.models.patients import Patient, Site
from review.models.people import Membership, Role, User
from review.models.registry import ModelVersion
from review.models.states import JobStatus, ModelState
from review.models.studies import Image, Order, Series, Study
from review.pipeline import drafting

PASSWORD = "correct horse"
TAKEN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ROWS, COLUMNS = 40, 30


@dataclass(frozen=True)
class Cast:
    central: Site
    harbour: Site
    ruth: User
    omar: User
    tomo: User
    petra: User
    ada: User
    nils: User
    tessa: User
    root: User


def user(name: str, **fields: object) -> User:
    return User.objects.create(
        username=name, printed_name=f"Dr {name.title()}", password=make_password(PASSWORD), **fields
    )


def make() -> Cast:
    central = Site.objects.create(code="central", name="Central Hospital", issuer_of_patient_id="CENTRAL")
    harbour = Site.objects.create(code="harbour", name="Harbour Clinic", issuer_of_patient_id="HARBOUR")
    roles = {
        "ruth": (central, Role.RADIOLOGIST),
        "omar": (central, Role.RADIOLOGIST),
        "tomo": (central, Role.TRAINEE),
        "petra": (harbour, Role.RADIOLOGIST),
        "ada": (central, Role.QA_LEAD),
        "nils": (central, Role.ADMIN),
        "tessa": (central, Role.TECHNOLOGIST),
    }
    people = {name: user(name) for name in roles}
    for name, (site, role) in roles.items():
        Membership.objects.create(user=people[name], site=site, role=role)
    root = user("root", is_staff=True, is_superuser=True)
    return Cast(central=central, harbour=harbour, root=root, **people)


def model() -> ModelVersion:
    """An active model version without a bundle: for tests in which nothing is drafted."""
    found = ModelVersion.objects.filter(state=ModelState.ACTIVE).first()
    if found is not None:
        return found
    version = ModelVersion.objects.create(
        digest="a" * 64, name="test", location="/nowhere", config={}, registered_at=TAKEN
    )
    version.state = ModelState.ACTIVE
    version.save(update_fields=["state"])
    return version


def study(site: Site, *, number: int = 1, name: str = "YAMADA^TARO", accession: str = "") -> Study:
    """A study with one frontal image; its pixels are not in storage."""
    patient, _ = Patient.objects.get_or_create(
        issuer=site.issuer_of_patient_id,
        patient_id=f"P{number:05d}",
        defaults={"name_alphabetic": name, "birth_date_raw": "19500102", "sex": "M"},
    )
    order = Order.objects.create(
        site=site, accession_number=accession or f"{site.code}-{number}", indication="Cough."
    )
    row = Study.objects.create(
        site=site,
        patient=patient,
        order=order,
        study_instance_uid=f"2.25.{uuid4().int}",
        started_at=TAKEN,
        received_at=TAKEN,
    )
    series = Series.objects.create(study=row, series_instance_uid=f"2.25.{uuid4().int}", modality="DX")
    Image.objects.create(
        series=series,
        sop_instance_uid=f"2.25.{uuid4().int}",
        content_sha256=uuid4().hex * 2,
        pipeline_version="test",
        rows=ROWS,
        columns=COLUMNS,
        view_position="PA",
        header={},
        received_at=TAKEN,
    )
    row.input_digest = drafting.input_digest(row)
    row.save(update_fields=["input_digest"])
    worklist.refresh(row)
    return row


def draft(of: Study, *, withheld: str = "", structures: Sequence[str] = ("lung_right",)) -> Draft:
    """A ready draft: masks, a sentence that cites them, an impression; only the masks when withheld."""
    row = Draft.objects.create(
        study=of,
        model_version=model(),
        input_digest=of.input_digest,
        language="en",
        reason="arrival",
        queued_at=TAKEN,
    )
    Draft.objects.filter(pk=row.pk).update(status=JobStatus.RUNNING)
    masks = [_mask(row, structure) for structure in structures]
    if not withheld:
        first = Sentence.objects.create(
            draft=row, position=0, section="findings", text="The right lung is clear.", language="en"
        )
        for mask in masks:
            Evidence.objects.create(sentence=first, mask=mask, weight=1 / len(masks))
        Sentence.objects.create(
            draft=row, position=1, section="impression", text="No acute abnormality.", language="en"
        )
    Draft.objects.filter(pk=row.pk).update(
        status=JobStatus.READY, withheld_reason=withheld, finished_at=TAKEN, draft_gate={"open": not withheld}
    )
    worklist.refresh(of)
    row.refresh_from_db()
    return row


def _mask(of: Draft, structure: str) -> Mask:
    lung = np.zeros((ROWS, COLUMNS), dtype=bool)
    lung[5:30, 3:12] = True
    mask = Mask.objects.create(
        image=Image.objects.get(series__study=of.study),
        structure=structure,
        source=Mask.Source.AI,
        draft=of,
        area=int(lung.sum()),
        box=[5, 3, 25, 9],
        trust=0.9,
        trusted=True,
        created_at=TAKEN,
    )
    MaskContent.objects.create(mask=mask, rows=ROWS, columns=COLUMNS, counts=rle.encode(lung))
    return mask


def explained(of: Draft, nats: Mapping[str, float]) -> Explanation:
    """The measured evidence of a ready draft: what masks, by structure, do to its first sentence."""
    row = Explanation.objects.create(draft=of, queued_at=TAKEN)
    Explanation.objects.filter(pk=row.pk).update(status=JobStatus.RUNNING)
    for mask in of.masks.filter(structure__in=nats):
        Support.objects.create(sentence=of.sentences.first(), mask=mask, nats=nats[mask.structure])
    Explanation.objects.filter(pk=row.pk).update(status=JobStatus.READY, finished_at=TAKEN)
    row.refresh_from_db()
    return row
