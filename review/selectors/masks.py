"""Which outline of a structure stands: a person's newest, else that of the newest ready draft."""

from dataclasses import dataclass

from django.db.models import QuerySet

from review.models.drafts import Draft, Mask
from review.models.people import User
from review.models.studies import Study
from review.selectors import drafts


@dataclass(frozen=True)
class Outline:
    """One structure on one image, as made once. stands: nothing newer replaces it. ai: the outline of the
    newest ready draft in its place, which is itself when a model made it; what sentences cite."""

    mask: Mask
    stands: bool
    ai: Mask | None


def outlines(study: Study, user: User) -> list[Outline]:
    """Every outline of people, and those of the newest ready draft, with contents; largest first.

    An outline without a pixel says that the structure is not there.
    """
    draft = drafts.newest_ready(study, user)
    made = {(mask.image_id, mask.structure): mask for mask in drafts.masks_of(draft)}
    newest = dict(made)
    human = list(human_masks(study))
    newest.update({(mask.image_id, mask.structure): mask for mask in human})
    found = [
        Outline(mask, newest[place].pk == mask.pk, made.get(place))
        for mask in (*made.values(), *human)
        for place in [(mask.image_id, mask.structure)]
    ]
    return sorted(found, key=lambda one: (-one.mask.area, one.mask.pk))


def human_masks(study: Study) -> QuerySet[Mask]:
    """Those people made, in the order they were made."""
    made = Mask.objects.filter(image__series__study=study, source=Mask.Source.HUMAN)
    return made.select_related("content", "image", "author").order_by("pk")


def standing_human(study: Study) -> list[int]:
    """Ids of the newest of people's masks for each structure on each image, in the order they were made."""
    made = Mask.objects.filter(image__series__study=study, source=Mask.Source.HUMAN).order_by("pk")
    newest = {(image, structure): pk for image, structure, pk in made.values_list("image", "structure", "pk")}
    return sorted(newest.values())


def newest_human(study: Study, sop_instance_uid: str, structure: str) -> Mask | None:
    return human_masks(study).filter(image__sop_instance_uid=sop_instance_uid, structure=structure).last()


def of_draft(draft: Draft | None, study: Study, sop_instance_uid: str, structure: str) -> Mask | None:
    """What a model outlined in this place."""
    made = drafts.masks_of(draft).filter(image__series__study=study)
    return made.filter(image__sop_instance_uid=sop_instance_uid, structure=structure).first()
