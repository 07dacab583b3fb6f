"""What the API answers. Fields are DICOM keywords in snake case where DICOM has one."""

from typing import Any

from rest_framework import serializers

from review.models.drafts import Draft, Mask, Sentence
from review.models.feedback import FeedbackDataset
from review.models.reports import Addendum, Signature
from review.models.states import JobStatus, ReportStatus
from review.models.studies import Arrival, Image, Priority, Study
from review.models.worklist import WorklistEntry
from review.selectors import drafts

Read = serializers.Serializer[Any]


class ErrorOutput(Read):
    """The one error body."""

    code = serializers.CharField()
    message = serializers.CharField()
    errors = serializers.DictField()  # type: ignore[assignment]  # DRF moves it away
    status = serializers.IntegerField()


class WorklistItem(serializers.ModelSerializer[WorklistEntry]):
    study_instance_uid = serializers.CharField(source="study.study_instance_uid")
    site = serializers.CharField(source="site.code")
    priority = serializers.SerializerMethodField()
    patient_id = serializers.CharField(source="patient_identifier")
    assignee = serializers.CharField(source="assignee.username", default=None, allow_null=True)

    class Meta:
        model = WorklistEntry
        fields = [
            "study_instance_uid",
            "site",
            "status",
            "stale",
            "priority",
            "patient_id",
            "patient_name",
            "name_doubtful",
            "patient_birth_date",
            "patient_sex",
            "accession_number",
            "study_description",
            "views",
            "started_at",
            "received_at",
            "signed_at",
            "assignee",
        ]

    def get_priority(self, entry: WorklistEntry) -> str:
        return Priority(entry.priority).name.lower()


class WorklistPage(Read):
    results = WorklistItem(many=True, source="entries")
    next_cursor = serializers.CharField(help_text="Empty on the last page.")


class ImageOutput(serializers.ModelSerializer[Image]):
    series_instance_uid = serializers.CharField(source="series.series_instance_uid")
    modality = serializers.CharField(source="series.modality")
    pixel_spacing = serializers.ListField(child=serializers.FloatField(), allow_null=True)

    class Meta:
        model = Image
        fields = [
            "sop_instance_uid",
            "sop_class_uid",
            "series_instance_uid",
            "modality",
            "instance_number",
            "rows",
            "columns",
            "view_position",
            "image_laterality",
            "body_part_examined",
            "photometric_interpretation",
            "pixel_spacing",
            "pixel_spacing_source",
            "secondary_capture",
            "content_sha256",
            "received_at",
        ]


class PatientOutput(Read):
    issuer_of_patient_id = serializers.CharField(source="issuer")
    patient_id = serializers.CharField()
    name_alphabetic = serializers.CharField()
    name_ideographic = serializers.CharField()
    name_phonetic = serializers.CharField()
    birth_date = serializers.DateField(allow_null=True)
    sex = serializers.CharField()


class OrderOutput(Read):
    accession_number = serializers.CharField()
    indication = serializers.CharField()
    priority = serializers.SerializerMethodField()
    referring_physician_name = serializers.CharField()

    def get_priority(self, order: Any) -> str:
        return Priority(order.priority).name.lower()


class StudyOutput(serializers.ModelSerializer[Study]):
    site = serializers.CharField(source="site.code")
    status = serializers.CharField(source="entry.status")
    patient = PatientOutput()
    order = OrderOutput(allow_null=True)
    assignee = serializers.CharField(source="assignee.username", default=None, allow_null=True)
    images = serializers.SerializerMethodField()

    class Meta:
        model = Study
        fields = [
            "study_instance_uid",
            "site",
            "status",
            "patient",
            "order",
            "study_description",
            "patient_age_years",
            "started_at",
            "received_at",
            "assignee",
            "images",
        ]

    def get_images(self, study: Study) -> list[dict[str, Any]]:
        return list(ImageOutput(self.context["images"], many=True).data)


class EvidenceOutput(Read):
    mask = serializers.IntegerField(source="mask_id")
    structure = serializers.CharField(source="mask.structure")
    weight = serializers.FloatField()


class SupportOutput(Read):
    mask = serializers.IntegerField(source="mask_id")
    structure = serializers.CharField(source="mask.structure")
    nats = serializers.FloatField(
        help_text="Fall of the log-probability of the sentence's codes without the mask."
    )


class SentenceOutput(serializers.ModelSerializer[Sentence]):
    """`evidence`: the masks the sentence cites. `support`: what masks do to it, measured by ablation."""

    evidence = EvidenceOutput(many=True, source="evidence.all")
    support = SupportOutput(many=True, source="support.all")

    class Meta:
        model = Sentence
        fields = [
            "position",
            "section",
            "text",
            "language",
            "finding",
            "side",
            "certainty",
            "confidence",
            "evidence",
            "support",
        ]


class DraftOutput(serializers.ModelSerializer[Draft]):
    """`withheld_reason` is empty when prose is shown; `stale`: the study has changed since; `explanation`:
    how far the measuring of support is, null where none was asked for."""

    status = serializers.ChoiceField(JobStatus.choices)
    model_version = serializers.CharField(source="model_version.digest")
    stale = serializers.BooleanField(source="is_stale")
    explanation = serializers.ChoiceField(
        JobStatus.choices, source="explanation.status", default=None, allow_null=True
    )
    human_masks = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="People's masks that the drafter was shown in place of its own.",
    )
    findings = serializers.SerializerMethodField()
    impression = serializers.SerializerMethodField()
    sentences = SentenceOutput(many=True, source="sentences.all")

    class Meta:
        model = Draft
        fields = [
            "id",
            "status",
            "stale",
            "model_version",
            "language",
            "reason",
            "human_masks",
            "queued_at",
            "finished_at",
            "withheld_reason",
            "failure_code",
            "explanation",
            "findings",
            "impression",
            "sentences",
        ]

    def get_findings(self, draft: Draft) -> str:
        return drafts.text_of(draft, "findings")

    def get_impression(self, draft: Draft) -> str:
        return drafts.text_of(draft, "impression")


class MaskOutput(serializers.ModelSerializer[Mask]):
    """COCO run-length encoding, column-major: `size` is [rows, columns] of the image. A person's mask without
    a pixel says that the structure is not there."""

    author = serializers.SerializerMethodField(help_text="Who made it; empty for a model.")
    supersedes = serializers.IntegerField(
        source="supersedes_id", allow_null=True, help_text="The mask this was made instead of."
    )
    sop_instance_uid = serializers.CharField(source="image.sop_instance_uid")
    box = serializers.ListField(child=serializers.IntegerField(), help_text="Row, column, height, width.")
    size = serializers.SerializerMethodField()
    counts = serializers.CharField(source="content.counts")

    class Meta:
        model = Mask
        fields = [
            "id",
            "sop_instance_uid",
            "structure",
            "source",
            "author",
            "supersedes",
            "trust",
            "trusted",
            "area",
            "box",
            "size",
            "counts",
        ]

    def get_author(self, mask: Mask) -> str:
        return mask.author.signing_name() if mask.author else ""

    def get_size(self, mask: Mask) -> list[int]:
        return [mask.content.rows, mask.content.columns]


class OutlineOutput(MaskOutput):
    """A mask, and whether it stands: nothing newer replaces it."""

    stands = serializers.SerializerMethodField()

    class Meta(MaskOutput.Meta):
        fields = [*MaskOutput.Meta.fields, "stands"]

    def get_stands(self, mask: Mask) -> bool:
        return mask.pk in self.context["standing"]


class MasksOutput(Read):
    """Of the newest ready draft, and of people, largest first; `draft` is null while there is none."""

    draft = serializers.IntegerField(allow_null=True)
    masks = OutlineOutput(many=True)


class SignatureOutput(serializers.ModelSerializer[Signature]):
    revision = serializers.IntegerField(source="revision.number", default=None, allow_null=True)
    addendum = serializers.IntegerField(source="addendum.number", default=None, allow_null=True)

    class Meta:
        model = Signature
        fields = [
            "printed_name",
            "role",
            "meaning",
            "resulting_status",
            "signed_at",
            "revision",
            "addendum",
            "content_sha256",
        ]


class AddendumOutput(serializers.ModelSerializer[Addendum]):
    class Meta:
        model = Addendum
        fields = ["number", "text", "created_at"]


class RevisionOutput(Read):
    """A saved text; revision 0 and empty text before anything was saved."""

    revision = serializers.IntegerField()
    findings = serializers.CharField()
    impression = serializers.CharField()
    author = serializers.CharField()
    saved_at = serializers.CharField(allow_null=True)
    sha256 = serializers.CharField()


class ReportOutput(RevisionOutput):
    """The newest text, its state by FHIR's words, and who signed what."""

    status = serializers.ChoiceField(ReportStatus.choices)
    ai_seen_first = serializers.BooleanField(allow_null=True)
    signatures = SignatureOutput(many=True)
    addenda = AddendumOutput(many=True)


class EventOutput(Read):
    sequence = serializers.IntegerField()
    occurred_at = serializers.DateTimeField()
    verb = serializers.CharField()
    actor = serializers.IntegerField(source="actor_id", allow_null=True)
    actor_name = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]  # DRF moves it away
    sha256 = serializers.CharField()


class HistoryOutput(Read):
    events = EventOutput(many=True)


class ArrivalOutput(serializers.ModelSerializer[Arrival]):
    """What became of one file; `reason` says what is wrong and what to do."""

    site = serializers.CharField(source="site.code")
    study_instance_uid = serializers.CharField(
        source="image.series.study.study_instance_uid", default=None, allow_null=True
    )

    class Meta:
        model = Arrival
        fields = [
            "id",
            "site",
            "batch",
            "origin",
            "filename",
            "size",
            "status",
            "reason_code",
            "reason",
            "study_instance_uid",
            "queued_at",
            "finished_at",
        ]


class ArrivalPage(Read):
    results = ArrivalOutput(many=True)
    next_before = serializers.IntegerField(allow_null=True, help_text="Null on the last page.")


class DatasetOutput(serializers.ModelSerializer[FeedbackDataset]):
    site = serializers.CharField(source="site.code")
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)

    class Meta:
        model = FeedbackDataset
        fields = [
            "id",
            "site",
            "number",
            "status",
            "requested_by",
            "schema_version",
            "study_count",
            "manifest_sha256",
            "size",
            "queued_at",
            "finished_at",
            "failure_code",
            "failure_message",
        ]


class DatasetList(Read):
    results = DatasetOutput(many=True)
