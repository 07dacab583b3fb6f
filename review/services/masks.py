"""Correcting outlines. A person's is a new row beside the model's, which stays as it was."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inference.imaging import masks as rle
from inference.structures import BY_CODE
from review import audit
from review.exceptions import InvalidInput, MaskConflict
from review.models.audit import Verb
from review.models.drafts import Mask, MaskContent
from review.models.people import Capability, User
from review.models.studies import Image, Study
from review.selectors import drafts, masks, people
from review.services import reports


@dataclass(frozen=True)
class Outlined:
    """What one correction carries: a structure's whole outline on one image, COCO run-length encoded in the
    pixels of the stored image; without a pixel it says "not there".

    `based_on` is the mask the person started from: a person's newest or the model's; None where there was
    none.
    """

    sop_instance_uid: str
    structure: str
    size: tuple[int, int]
    counts: str
    based_on: int | None = None


@transaction.atomic
def correct(study: Study, *, by: User, outlined: Outlined) -> Mask:
    """Keep a person's outline, which supersedes what stood there. Records `mask.corrected`.

    Saying again what stands already makes no row.

    Raises
    ------
    NotAllowed
        Without the right to write at the study's site.
    ReportSigned, ReportLocked
        When the report is signed, or another person is writing it.
    InvalidInput
        When the image is not the study's, no such structure is known, or the outline does not fit the image.
    MaskConflict
        When another outline of a person stands there now; `errors["current"]` is its id.
    """
    people.require(by, Capability.WRITE, study.site)
    reports.require_writable(study, by=by)
    image = _image(study, outlined.sop_instance_uid)
    counts = _checked(outlined, image)
    standing = masks.newest_human(study, image.sop_instance_uid, outlined.structure)
    drafted = masks.of_draft(
        drafts.newest_ready(study, by), study, image.sop_instance_uid, outlined.structure
    )
    if standing is not None and standing.content.counts == counts:
        return standing
    if standing is not None and standing.pk != outlined.based_on:
        raise MaskConflict(errors={"current": standing.pk})
    made = Mask.objects.create(
        image=image,
        structure=outlined.structure,
        source=Mask.Source.HUMAN,
        author=by,
        supersedes=standing or drafted,
        area=rle.area(counts, outlined.size),
        box=rle.bounding_box(counts, outlined.size),
        trusted=True,
        created_at=timezone.now(),
    )
    rows, columns = outlined.size
    MaskContent.objects.create(mask=made, rows=rows, columns=columns, counts=counts)
    audit.record(
        Verb.MASK_CORRECTED,
        by=by,
        study=study,
        data={
            "mask": made.pk,
            "image": image.sop_instance_uid,
            "structure": made.structure,
            "supersedes": made.supersedes_id,
            "area": made.area,
        },
    )
    return made


def _image(study: Study, sop_instance_uid: str) -> Image:
    image = Image.objects.filter(series__study=study, sop_instance_uid=sop_instance_uid).first()
    if image is None:
        raise InvalidInput(_("The study has no such image."))
    return image


def _checked(outlined: Outlined, image: Image) -> str:
    """The counts, written the one way this house writes them: the same pixels are the same text."""
    if outlined.structure not in BY_CODE:
        raise InvalidInput(_("No structure of that name is known."))
    try:
        rle.validate(outlined.size, outlined.counts, (image.rows, image.columns))
    except ValueError as error:
        raise InvalidInput(
            _("The outline does not fit the image."), errors={"counts": [str(error)]}
        ) from error
    return rle.encode(rle.decode(outlined.counts, outlined.size))
