"""Why a file was not filed, in the reader's language.

What is stored is one English sentence with the particulars of the file. A reader of another language gets the
general sentence of its code, which says what is wrong and what to do.
"""

from django import template
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from review.models.studies import Arrival

register = template.Library()

REASONS: dict[str, str | Promise] = {
    "not-an-image-file": _("The file is neither DICOM nor a PNG or JPEG picture, or cannot be opened."),
    "damaged-file": _("The file is damaged or cut off: export it and send it again."),
    "disc-index": _("This is the index of a disc (DICOMDIR), not an image: send the images themselves."),
    "missing-identifier": _(
        "A UID is missing or invalid: the image cannot be told from others. Export it again."
    ),
    "bad-identifier": _("An identifier is longer than DICOM allows, or no UID. Correct it at the source."),
    "not-a-radiograph": _("This is no radiograph: only modality CR, DX or RG is accepted."),
    "not-human": _("The header says that this is a veterinary image; only people are read here."),
    "not-a-chest": _(
        "The header names another region than the chest. If this is a chest, correct it at the modality and"
        " send the image again."
    ),
    "unprocessed": _("This is the detector's unprocessed image: send the one that is for presentation."),
    "no-pixels": _("The object holds no image: send the complete one."),
    "several-frames": _("The object holds several frames; a radiograph has one."),
    "colour": _("The image is in colour; a radiograph is grayscale."),
    "bit-depth": _("The depth of the pixels is not one that is taken: 8 to 16 bits in 8 or 16."),
    "too-small": _("The image is too small: a chest needs at least 128 pixels on each side."),
    "too-large": _("The file or the image is larger than what is accepted."),
    "unsupported-compression": _(
        "The image is compressed in a way that cannot be read: send it uncompressed, or as JPEG 2000 or JPEG"
        " Lossless."
    ),
    "damaged-pixels": _("The pixels cannot be decoded, or contradict the header: send the image again."),
    "decoder-crashed": _("The file made the image decoder crash: it is damaged, or made to do harm."),
    "too-slow": _("Opening the file took too long and was stopped."),
    "too-many-files": _("The archive holds too many files: send it in parts."),
    "bad-archive": _("The archive cannot be opened. Send the files, or another archive, without password."),
    "empty-archive": _("The archive holds no file. Make it again."),
    "archive-too-large": _("The archive unpacks to more than is accepted. Send it in parts."),
    "empty-file": _("The file is empty. Export it again at its source."),
    "other-site": _("This study belongs to another site. Discard the file here and send it to its own site."),
    "other-content": _(
        "An image with the same SOP Instance UID is already here with other content. Discard this file, or"
        " keep it as a further image under a new UID."
    ),
    "patient-mismatch": _(
        "The patient in this file is not the one known here. Check the wristband and the order: accept it if"
        " it is the same person, else discard it."
    ),
    "order-mismatch": _(
        "The accession number in this file is that of another patient's order here. Check the order: accept"
        " the file to have it without that order, else discard it."
    ),
    "other-study": _(
        "The series of this file is already here as part of another study. Ask the sender to repair the UIDs."
    ),
    "worker-lost": _(
        "The program that reads files was stopped on this one several times. It can be retried."
    ),
    "unexpected": _("Reading this file failed in a way we did not foresee. It is kept and can be retried."),
}
"""By the code that `Arrival.reason_code` holds."""


@register.filter
def reason(arrival: Arrival) -> str:
    """Why this file was not filed; empty when it was."""
    stored = arrival.reason or arrival.failure_message
    if not stored or (get_language() or "en").startswith("en"):
        return stored
    return str(REASONS.get(arrival.reason_code, stored))
