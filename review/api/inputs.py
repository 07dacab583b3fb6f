"""What the API accepts, declared once; services decide what it means."""

from typing import Any

from rest_framework import serializers

from inference.imaging import masks
from review.models.studies import Priority
from review.models.worklist import WorklistStatus
from review.selectors import worklist

_MOST = 2**31 - 1


class WorklistQuery(serializers.Serializer[Any]):
    """Filters and sort of the worklist; every one may be left out."""

    status = serializers.ChoiceField(["open", "all", *WorklistStatus.values], default="open")
    priority = serializers.ChoiceField([priority.name.lower() for priority in Priority], required=False)
    site = serializers.SlugField(max_length=32, default="")
    assignee = serializers.ChoiceField(["me"], required=False)
    search = serializers.CharField(max_length=200, default="", allow_blank=True)
    day = serializers.DateField(required=False, help_text="Day of the study, UTC.")
    sort = serializers.ChoiceField(sorted(worklist.SORTS), default="urgency")
    cursor = serializers.CharField(max_length=400, default="", help_text="`next_cursor` of the page before.")


class ReportInput(serializers.Serializer[Any]):
    """One save. `based_on` is the revision the writer started from; 0 before anything was saved."""

    based_on = serializers.IntegerField(min_value=0, max_value=_MOST)
    findings = serializers.CharField(allow_blank=True, trim_whitespace=False)
    impression = serializers.CharField(allow_blank=True, trim_whitespace=False)
    draft_id = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=_MOST,
        help_text="The draft whose prose the writer had on screen; null when none was.",
    )


class MaskInput(serializers.Serializer[Any]):
    """A structure's whole outline on one image, COCO run-length encoded; without a pixel: it is not there."""

    sop_instance_uid = serializers.CharField(max_length=64)
    structure = serializers.SlugField(max_length=64)
    size = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=_MOST),
        min_length=2,
        max_length=2,
        help_text="Rows, columns: those of the image.",
    )
    counts = serializers.CharField(max_length=masks.MAX_COUNTS, trim_whitespace=False)
    based_on = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=_MOST,
        help_text="The outline this was made from, a person's or the model's; null where there was none.",
    )


class ArrivalInput(serializers.Serializer[Any]):
    """Files of one hand-in: repeat `file`. A zip is taken in file by file."""

    site = serializers.SlugField(max_length=32)
    file = serializers.ListField(child=serializers.FileField(allow_empty_file=True), allow_empty=False)
    batch = serializers.UUIDField(required=False, help_text="To add to a batch begun before.")


class ArrivalQuery(serializers.Serializer[Any]):
    batch = serializers.UUIDField(required=False)
    before = serializers.IntegerField(
        required=False, min_value=1, help_text="`next_before` of the page before."
    )


class DatasetInput(serializers.Serializer[Any]):
    site = serializers.SlugField(max_length=32)
