"""The signed report as a PDF: stored when it is signed, the same bytes each time, all signatures on it."""

import io
from typing import Any

from django.urls import reverse
from pypdf import PdfReader

from review.models.audit import AuditEvent, Verb
from review.models.reports import Letter, Signature
from review.services import reports
from tests.review import cast
from tests.review.test_views_reports import AUTHOR, ReportTestCase


class LetterTests(ReportTestCase):
    def sign(self) -> Signature:
        revision = reports.save(
            self.study, by=self.people.ruth, text=reports.Text("No effusion.", "Normal.", 0)
        )
        return reports.sign(
            self.study,
            by=self.people.ruth,
            revision_number=revision.number,
            sha256=revision.sha256,
            input_digest=self.study.input_digest,
            meaning=AUTHOR,
        )

    def letter(self, signature: Signature) -> Any:
        return self.client.get(reverse("report-letter", args=[self.study.study_instance_uid, signature.pk]))

    def words(self, content: bytes) -> str:
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)

    def test_it_is_stored_when_it_is_signed_and_never_changes(self) -> None:
        signature = self.sign()
        stored = bytes(Letter.objects.get(signature=signature).content)
        answer = self.letter(signature)
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content == stored
        reports.add_addendum(self.study, by=self.people.ruth, text="Seen again.")
        assert self.letter(signature).content == stored

    def test_it_says_who_signed_what_meaning_what(self) -> None:
        signature = self.sign()
        said = self.words(self.letter(signature).content)
        for wanted in (
            "No effusion.",
            "Normal.",
            "Dr Ruth",
            "author",
            "final",
            signature.content_sha256,
            "YAMADA TARO",
            self.study.patient.patient_id,
            "Central Hospital",
        ):
            assert wanted in said, wanted

    def test_an_addendum_has_a_letter_with_the_text_it_adds_to(self) -> None:
        self.sign()
        addendum = reports.add_addendum(self.study, by=self.people.ruth, text="Seen again.")
        said = self.words(self.letter(addendum.signature).content)
        assert said.index("No effusion.") < said.index("Addendum 1") < said.index("Seen again.")

    def test_a_signature_older_than_letters_gets_one_when_it_is_asked_for(self) -> None:
        signature = self.sign()
        stored = bytes(signature.letter.content)
        from review.services import letters

        assert letters.letter.pdf(letters._letter(signature)) == stored

    def test_giving_it_out_is_recorded_without_a_word_of_it(self) -> None:
        signature = self.sign()
        self.letter(signature)
        event = AuditEvent.objects.get(verb=Verb.LETTER_OPENED)
        assert "effusion" not in bytes(event.canonical).decode()

    def test_strangers_and_other_studies_find_none(self) -> None:
        signature = self.sign()
        other = cast.study(self.people.central, number=2)
        address = reverse("report-letter", args=[other.study_instance_uid, signature.pk])
        assert self.client.get(address).status_code == 404
        self.client.force_login(self.people.petra)
        assert self.letter(signature).status_code == 404
