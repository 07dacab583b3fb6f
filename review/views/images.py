"""Pixels and outlines, as the viewer fetches them."""

from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from inference.structures import BY_CODE
from review import storage
from review.models.people import Capability
from review.models.studies import Image, Study
from review.selectors import masks as selectors
from review.selectors import studies
from review.views import vocabulary
from review.views.doors import Request, door, study_or_404

_YEAR_S = 31_536_000


def version_of(image: Image) -> str:
    """Changes whenever the derivatives may: what makes their addresses safe to cache for good."""
    return f"{image.pipeline_version}-{image.content_sha256[:16]}"


def base_of(study: Study, image: Image) -> str:
    """The address of an image's derivatives, to which their names are added."""
    address = reverse("study-image", args=[study.study_instance_uid, image.sop_instance_uid, "x"])
    return address.removesuffix("x")


@door(Capability.READ)
@require_safe
def derivative(request: Request, study_instance_uid: str, sop_instance_uid: str, name: str) -> FileResponse:
    """One prepared file of one image; cached for good under the address that carries its version."""
    if name not in storage.DERIVATIVES:
        raise Http404
    image = get_object_or_404(
        studies.images_visible_to(request.user),
        series__study__study_instance_uid=study_instance_uid,
        sop_instance_uid=sop_instance_uid,
    )
    stored = storage.open_derivative(image.pipeline_version, image.content_sha256, name)
    content_type = "application/json" if name.endswith(".json") else "application/octet-stream"
    response = FileResponse(stored, content_type=content_type)
    if request.GET.get("v") == version_of(image):
        patch_cache_control(response, private=True, max_age=_YEAR_S, immutable=True)
    else:
        patch_cache_control(response, private=True, no_cache=True)
    return response


@door(Capability.READ)
@require_safe
def masks(request: Request, study_instance_uid: str) -> HttpResponse:
    """The outlines that stand, largest first: people's, else those of the newest ready draft."""
    study = study_or_404(request.user, study_instance_uid)
    found = [one for one in selectors.outlines(study, request.user) if one.stands]
    response = JsonResponse([_describe(one) for one in found], safe=False)
    patch_cache_control(response, private=True, no_cache=True)
    return response


def _describe(outline: selectors.Outline) -> dict[str, object]:
    mask = outline.mask
    structure = BY_CODE[mask.structure]
    return {
        "id": mask.pk,
        "cited_as": outline.ai.pk if outline.ai else mask.pk,
        "image": mask.image.sop_instance_uid,
        "view": mask.image.view_position,
        "structure": mask.structure,
        "name": str(vocabulary.STRUCTURES.get(mask.structure, structure.name)),
        "group": structure.group.value,
        "quiet": structure.quiet,
        "colour": structure.colour,
        "side": structure.side.value,
        "source": mask.source,
        "trusted": mask.trusted,
        "trust": mask.trust,
        "area": mask.area,
        "size": [mask.content.rows, mask.content.columns],
        "counts": mask.content.counts,
    }
