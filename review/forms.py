"""What doors accept from people, declared once; services decide what it means."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from review.models.critical import Communication, CriticalResult
from review.models.judgements import Judgement
from review.models.macros import NAME
from review.models.patients import Site
from review.models.reports import Signature
from review.models.studies import Priority
from review.models.worklist import WorklistStatus

_MOST = 2**31 - 1


class WorklistForm(forms.Form):
    """The filters and sorts of the worklist, as GET parameters. Every field may be left out."""

    q = forms.CharField(required=False, max_length=200)
    status = forms.ChoiceField(
        required=False, choices=[("open", _("open")), ("all", _("all")), *WorklistStatus.choices]
    )
    priority = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, choices=[("", _("any")), *Priority.choices]
    )
    assignee = forms.ChoiceField(required=False, choices=[("", _("anyone")), ("me", _("me"))])
    site = forms.ChoiceField(required=False)
    day = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    sort = forms.ChoiceField(
        required=False,
        choices=[("urgency", _("urgency")), ("newest", _("newest")), ("received", _("last received"))],
    )

    def __init__(self, *args: Any, sites: list[Site], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("all")), *((site.code, site.name) for site in sites)]
        self.fields["site"].choices = choices  # type: ignore[attr-defined]


class SaveForm(forms.Form):
    """One save of a report, from JSON. Blanks are kept as typed."""

    based_on = forms.IntegerField(min_value=0, max_value=_MOST)
    findings = forms.CharField(required=False, strip=False)
    impression = forms.CharField(required=False, strip=False)
    draft_id = forms.IntegerField(required=False, min_value=1, max_value=_MOST)


class LockForm(forms.Form):
    """`based_on` is the revision on the screen: whoever goes on writing must have the newest."""

    action = forms.ChoiceField(choices=[("hold", ""), ("release", ""), ("take-over", "")])
    based_on = forms.IntegerField(required=False, min_value=-1, max_value=_MOST)


class LookForm(forms.Form):
    based_on = forms.IntegerField(required=False, min_value=-1, max_value=_MOST)


class SignForm(forms.Form):
    """What was on screen (revision, its hash, the study's digest), what signing means, and the password
    again."""

    revision = forms.IntegerField(min_value=1, max_value=_MOST)
    sha256 = forms.RegexField(r"^[0-9a-f]{64}$")
    input_digest = forms.RegexField(r"^[0-9a-f]{64}$")
    meaning = forms.ChoiceField(choices=Signature.Meaning.choices)
    password = forms.CharField(required=False, strip=False)
    decided = forms.JSONField(required=False)

    def clean_decided(self) -> list[str]:
        """Keys of the concerns that were on screen, a list in JSON."""
        given = self.cleaned_data["decided"] or []
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise forms.ValidationError(_("Not a list of keys."), code="invalid")
        return given


class TextForm(forms.Form):
    """A text to be checked as it stands, from JSON."""

    findings = forms.CharField(required=False, strip=False, max_length=50_000)
    impression = forms.CharField(required=False, strip=False, max_length=50_000)


class CriticalForm(forms.Form):
    finding = forms.CharField(max_length=300)
    urgency = forms.TypedChoiceField(coerce=int, choices=CriticalResult.Urgency.choices)


class CommunicationForm(forms.Form):
    """Who was told, how, when (now, when empty), and whether they repeated it."""

    told = forms.CharField(max_length=200)
    told_at = forms.DateTimeField(required=False)
    method = forms.ChoiceField(choices=Communication.Method.choices)
    read_back = forms.BooleanField(required=False)
    note = forms.CharField(required=False, max_length=500)


class JudgeForm(forms.Form):
    """A decision about a sentence of a draft, from JSON. Without `reason` one is guessed from `written`."""

    sentence = forms.IntegerField(min_value=1, max_value=_MOST)
    decision = forms.ChoiceField(choices=Judgement.Decision.choices)
    reason = forms.ChoiceField(required=False, choices=Judgement.Reason.choices)
    written = forms.CharField(required=False, strip=False, max_length=50_000)


class AddendumForm(forms.Form):
    text = forms.CharField(max_length=50_000, strip=False)
    password = forms.CharField(required=False, strip=False)


class SecondsForm(forms.Form):
    """How long a study was on screen, in seconds."""

    seconds = forms.FloatField(min_value=0, max_value=7 * 86_400)


class AssignForm(forms.Form):
    """`was` is who had the study on the screen this was decided on; nobody when empty."""

    to = forms.ChoiceField(required=False, choices=[("", ""), ("me", "")])
    was = forms.IntegerField(required=False, min_value=1, max_value=_MOST)


class _SiteForm(forms.Form):
    site = forms.ModelChoiceField(Site.objects.none(), to_field_name="code")

    def __init__(self, *args: Any, sites: QuerySet[Site], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].queryset = sites  # type: ignore[attr-defined]


class MacroForm(_SiteForm):
    """`site` is empty for a macro of one's own."""

    name = forms.CharField(label=_("Name"), max_length=32, validators=[NAME])
    text = forms.CharField(label=_("Text"), max_length=5_000, strip=False)

    def __init__(self, *args: Any, sites: QuerySet[Site], **kwargs: Any) -> None:
        super().__init__(*args, sites=sites, **kwargs)
        self.fields["site"].required = False


class UploadForm(_SiteForm):
    """One file handed in. `path` is its name inside its folder; `batch` names what came together."""

    file = forms.FileField(allow_empty_file=True, max_length=None)
    path = forms.CharField(required=False, max_length=4000)
    batch = forms.UUIDField(required=False)


class ResolveForm(forms.Form):
    """`reason_code` is the reason that was on the screen this was decided on."""

    decision = forms.ChoiceField(choices=[("accept", ""), ("discard", "")])
    reason_code = forms.SlugField(max_length=64)
    note = forms.CharField(max_length=500)


class DatasetForm(_SiteForm):
    """The site whose signed reports become a feedback dataset."""
