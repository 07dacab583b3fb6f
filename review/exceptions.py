"""What can be refused, as data: a stable code, a message safe to show, an HTTP status.

Doors translate once.
"""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class ReviewError(Exception):
    """The root.

    `errors` carries what a door needs to help (the other text of a conflict, the holder of a lock).
    """

    code = "refused"
    status = 409
    message: str | Promise = _("This cannot be done now.")

    def __init__(self, message: str | Promise | None = None, *, errors: dict[str, Any] | None = None) -> None:
        if message is not None:
            self.message = message
        self.errors = errors or {}
        super().__init__(str(self.message))


class NotAllowed(ReviewError):
    code = "not-allowed"
    status = 403
    message = _("Your role at this site does not allow this.")


class IllegalMove(ReviewError):
    code = "illegal-move"
    message = _("This is no longer possible: the state has changed. Reload the page.")


class RevisionConflict(ReviewError):
    code = "revision-conflict"
    message = _("Someone saved another text meanwhile. Nothing is lost: both texts are shown.")


class MaskConflict(ReviewError):
    code = "mask-conflict"
    message = _("Someone corrected this outline meanwhile. Yours is still on your screen.")


class StudyChanged(ReviewError):
    code = "study-changed"
    message = _(
        "An image or the order came after you opened this study. Reload the page to see it, then sign."
    )


class ReportLocked(ReviewError):
    code = "report-locked"
    status = 423
    message = _("Another person is editing this report.")


class ReportSigned(ReviewError):
    code = "report-signed"
    message = _("This report is signed and cannot be edited. Add an addendum instead.")


class EmptyReport(ReviewError):
    code = "empty-report"
    status = 422
    message = _("A report needs findings or an impression before it can be signed.")


class ChecksOpen(ReviewError):
    """`errors["open"]` names the concerns that nobody has decided on."""

    code = "checks-open"
    message = _("There are questions about this text that were not on your screen. Look at them, then sign.")


class ReauthenticationFailed(ReviewError):
    code = "reauthentication-failed"
    status = 403
    message = _("Signing needs your password again, and it was not right.")


class InvalidInput(ReviewError):
    code = "invalid-input"
    status = 422
    message = _("The input is not valid.")
