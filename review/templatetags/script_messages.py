"""What the scripts say, translated; `{names}` in braces are filled in by the scripts."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MESSAGES: dict[str, Promise] = {
    "close": _("Close"),
    "findings": _("Findings"),
    "impression": _("Impression"),
    "empty": _("(empty)"),
    # Errors in the corner
    "server-unreachable": _("The server does not answer. What is on this page stays; it is tried again."),
    "server-failed": _("The server could not do this ({status}). Nothing was changed."),
    "not-allowed": _("This is not allowed, or the session has ended. Reload the page to sign in again."),
    # Images
    "image-failed": _("The image could not be loaded. Reload the page to try again."),
    "image-partly": _("Only a small version of the image could be loaded. Reload the page to try again."),
    "window-and-zoom": _("C {center} W {width} · {zoom} %"),
    "inverted": _("inverted"),
    "flipped": _("FLIPPED"),
    "turned": _("TURNED {degrees}°"),
    "no-prior": _("There is no prior study of this patient here."),
    "prior-failed": _("The prior could not be loaded. Try again."),
    "prior-empty": _("The prior has no image."),
    "other-patient": _("The server sent images of another patient: they are not shown."),
    # Measuring
    "measure-mm": _("{value} mm ({source})"),
    "measure-px": _("{value} px (size of a pixel unknown)"),
    "measure-angle": _("{value}°"),
    "measure-ratio": _("heart : thorax {value}"),
    "measure-remove": _("Take this measurement away"),
    "measure-later": _("An outline is being corrected: finish it first, then measure."),
    "spacing-detector": _("detector"),
    "spacing-magnification": _("detector, less magnification"),
    "spacing-calibrated": _("calibrated"),
    "spacing-unknown": _("of the detector or calibrated, not stated"),
    "probe": _("{value} at row {row}, column {column}"),
    "ratio-frontal": _("The ratio of heart to thorax is taken on a frontal image."),
    "ratio-ap": _("unreliable: AP"),
    "ratio-rotated": _("unreliable: patient rotated"),
    "ratio-rotation-unknown": _("rotation not checked"),
    "ratio-untrusted": _("unreliable: outlines not trusted"),
    "ratio-by-hand": _("no outlines: move the ends to their places"),
    "window-as-received": _("As received"),
    "window-numbered": _("Window {number}"),
    "window-lung": _("Lung"),
    "window-mediastinum": _("Mediastinum"),
    "window-bone": _("Bone"),
    # Outlines
    "masks-failed": _("The outlines could not be loaded. The images and your text are not affected."),
    "no-masks": _("No outlines for this study."),
    "group-finding": _("Findings"),
    "group-device": _("Devices"),
    "group-anatomy": _("Anatomy"),
    "group-landmark": _("Landmarks"),
    "fold-landmark": _("{count} outlines"),
    "switch-group": _("Show or hide all of these"),
    "source-ai": _("AI"),
    "source-human": _("person"),
    "untrusted": _("not trusted: outline uncertain"),
    "not-there": _("not there"),
    # Correcting outlines
    "outline-there": _("Outlined on this image"),
    "outline-add": _("Add what was missed"),
    "outline-unsaved": _("Outline not saved yet; it is kept in this browser"),
    "outline-unkept": _("Outline not saved yet, and this browser refuses to keep a copy"),
    "outline-not-there": _("Nothing is outlined: saving says that it is not there"),
    "outline-discard": _("Discard changes"),
    "outline-leave": _("Leave"),
    "outline-saved": _("Outline saved: {structure}"),
    "outline-restored": _("Drawn at {time} and not saved: it is here again"),
    "outline-kept": _("An outline of yours was never saved: {structure}. It is back when you correct it."),
    "outline-conflict": _(
        "Someone else corrected this outline: theirs is dashed, yours is lit. Save again to let yours stand."
    ),
    "outline-expired": _("Session expired: sign in again in a new tab. Your outline is kept here."),
    "outline-unreachable": _("Not saved: the server does not answer. Your outline is kept here."),
    "step-brush": _("brush"),
    "step-eraser": _("eraser"),
    "step-polygon": _("polygon"),
    "step-polygon-cut": _("polygon cut away"),
    "step-move": _("move"),
    "step-fill-holes": _("holes filled"),
    "step-remove-piece": _("piece removed"),
    "step-keep-piece": _("one piece kept"),
    "step-not-there": _("not there"),
    "step-restored": _("brought back"),
    # Sentences of the draft
    "sentence-kept": _("in the report"),
    "sentence-edited": _("edited"),
    "sentence-left-out": _("left out"),
    # Saving
    "nothing-saved": _("Nothing saved yet"),
    "unsaved": _("Not saved yet"),
    "unsaved-unkept": _("Not saved yet, and this browser refuses to keep a copy"),
    "saving": _("Saving…"),
    "saved": _("Saved revision {revision} at {time}"),
    "saved-other": _(
        "Not saved: the server kept another text than this. Copy your text and reload the page."
    ),
    "not-saved": _("Not saved:"),
    "not-saved-unreachable": _("Not saved: the server does not answer. Your text is kept here."),
    "kept-here": _("Your text is kept here."),
    "expired": _("Session expired: sign in again in a new tab. Your text is kept here."),
    "sign-in-again": _("Sign in again"),
    "conflict": _("Conflict: both texts are shown"),
    "conflict-title": _("Two texts"),
    "conflict-help": _(
        "Someone saved another text while you were writing. Theirs is in the history; yours is here until you"
        " decide."
    ),
    "sign-needs-saved": _(
        "The report can be signed once what you wrote is saved: see the line at the bottom."
    ),
    "leftover": _("This is yours and was not saved: the report was signed by somebody else before."),
    "copy": _("Copy"),
    "into-addendum": _("Put it into an addendum"),
    "discard-leftover": _("Discard it"),
    "addendum-expired": _(
        "The session has ended. Sign in again in another tab, then press again: your text stays."
    ),
    "sign-out-unsaved": _("Text of yours is not saved yet and would be lost. Sign out all the same?"),
    "window-by-hand": _("by hand"),
    "not-sent-unreachable": _("The server does not answer. It is sent when the connection is back."),
    "your-text": _("Your text"),
    "their-text": _("Text of {author}, {time}"),
    "keep-mine": _("Keep mine"),
    "take-theirs": _("Take theirs"),
    "decide-later": _("Decide later"),
    "yours-below": _("The other text is in the report now. Yours is below until you close it."),
    "bring-mine-back": _("Bring mine back"),
    "restored": _("Text typed at {time} had not been saved. It is back in the report."),
    "use-saved": _("Use the saved text instead"),
    "keep-restored": _("Keep it"),
    # Lock and signature
    "sign": _("Sign"),
    "sign-as-it-is": _("Sign as it is"),
    "show-place": _("Show"),
    "not-checked": _("Not checked, the language is not known: {sections}"),
    "locked-by": _(
        "{holder} has been writing here since {time}. You can read; taking over tells the record."
    ),
    "signs-revision": _("revision {revision}"),
    # Handing in files
    "not-sent": _("not sent"),
    "send-again": _("Send again"),
    "upload-total": _("{done} of {all} files done"),
    "upload-unsent": _("{count} not sent"),
}
