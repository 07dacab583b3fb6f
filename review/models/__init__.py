"""Every model, so that Django finds them; code imports the modules: `from review.models import studies`."""

from review.models.audit import AuditCheckpoint, AuditEvent
from review.models.critical import Communication, CriticalResult
from review.models.drafts import Draft, Evidence, Explanation, Mask, MaskContent, Sentence, Support
from review.models.feedback import FeedbackDataset
from review.models.jobs import WorkerBeat
from review.models.judgements import Judgement
from review.models.macros import Macro
from review.models.patients import Patient, Site
from review.models.people import ApiToken, Membership, User
from review.models.registry import ModelVersion
from review.models.reports import Addendum, Letter, Report, Revision, Signature
from review.models.studies import Arrival, Image, Order, Series, Study
from review.models.worklist import WorklistEntry

__all__ = [
    "Addendum",
    "ApiToken",
    "Arrival",
    "AuditCheckpoint",
    "AuditEvent",
    "Communication",
    "CriticalResult",
    "Draft",
    "Evidence",
    "Explanation",
    "FeedbackDataset",
    "Image",
    "Judgement",
    "Letter",
    "Macro",
    "Mask",
    "MaskContent",
    "Membership",
    "ModelVersion",
    "Order",
    "Patient",
    "Report",
    "Revision",
    "Sentence",
    "Series",
    "Signature",
    "Site",
    "Study",
    "Support",
    "User",
    "WorkerBeat",
    "WorklistEntry",
]
