"""Drafting again with corrected outlines: the drafter sees them, the draft cites them, the text stays."""

import numpy as np

from inference.imaging import masks as rle
from review.models.audit import AuditEvent, Verb
from review.models.drafts import Draft, Evidence, Mask, Support
from review.models.states import JobStatus
from review.models.studies import Study
from review.models.worklist import WorklistEntry, WorklistStatus
from review.pipeline import drafting, explaining
from review.selectors import masks as masks_selector
from review.services import drafts, masks, reports
from tests.review import fakes
from tests.review.test_pipeline import PipelineCase, phantom


class RedraftTests(PipelineCase):
    def setUp(self) -> None:
        super().setUp()
        self.bundle()
        self.receive_dataset(phantom())
        self.study = Study.objects.get()
        self.first = Draft.objects.get()
        drafting.run(self.first.pk)
        self.first.refresh_from_db()

    def correct(self, *, top: int = 10) -> Mask:
        ai = self.first.masks.get(structure="heart")
        pixels = np.zeros((ai.image.rows, ai.image.columns), dtype=bool)
        pixels[top : top + 20, 30:90] = True
        standing = masks_selector.newest_human(self.study, ai.image.sop_instance_uid, "heart")
        outlined = masks.Outlined(
            ai.image.sop_instance_uid, "heart", pixels.shape, rle.encode(pixels), (standing or ai).pk
        )
        return masks.correct(self.study, by=self.cast.ruth, outlined=outlined)

    def again(self) -> Draft:
        made = drafts.request(self.study, by=self.cast.ruth)
        drafting.run(made.pk)
        made.refresh_from_db()
        return made

    def panel(self) -> str:
        self.client.force_login(self.cast.ruth)
        return self.client.get(f"/studies/{self.study.study_instance_uid}/draft/").content.decode()

    def test_the_drafter_is_shown_the_persons_outline(self) -> None:
        mine = self.correct()
        second = self.again()
        assert (second.status, second.human_masks) == (JobStatus.READY, [mine.pk])
        (given,) = fakes.calls[-1].human_masks
        assert (given.structure, given.counts) == ("heart", mine.content.counts)
        assert fakes.calls[0].human_masks == ()

    def test_it_cites_that_outline_which_is_kept_once(self) -> None:
        mine = self.correct()
        second = self.again()
        assert Evidence.objects.get(sentence__draft=second).mask == mine
        assert not second.masks.exists(), "a person's outline is no model's"
        assert Evidence.objects.get(sentence__draft=self.first).mask.source == Mask.Source.AI
        outlines = masks_selector.outlines(self.study, self.cast.ruth)
        assert [one.mask for one in outlines if one.stands] == [mine]

    def test_its_evidence_is_measured_on_that_outline(self) -> None:
        mine = self.correct()
        second = self.again()
        explaining.run(second.explanation.pk)
        assert Support.objects.get(sentence__draft=second).mask == mine

    def test_it_is_offered_when_outlines_changed_and_only_then(self) -> None:
        offer = "Draft again with the corrected outlines"
        assert offer not in self.panel()
        self.correct()
        assert offer in self.panel()
        self.again()
        assert offer not in self.panel()
        self.correct(top=40)
        assert offer in self.panel()

    def test_asking_twice_is_one_draft_and_every_correction_another(self) -> None:
        self.correct()
        assert self.again() == self.again()
        self.correct(top=40)
        self.again()
        assert Draft.objects.count() == 3
        asked = AuditEvent.objects.filter(verb=Verb.DRAFT_REQUESTED)
        assert asked.count() == 3

    def test_the_text_stays_as_it_is(self) -> None:
        revision = reports.save(
            self.study, by=self.cast.ruth, text=reports.Text("Mine.", "", based_on=0, draft_id=self.first.pk)
        )
        self.correct()
        self.again()
        assert (
            reports.save(
                self.study, by=self.cast.ruth, text=reports.Text("Mine.", "", based_on=revision.number)
            )
            == revision
        )

    def test_a_study_that_was_ready_stays_ready_whatever_becomes_of_it(self) -> None:
        self.correct()
        second = drafts.request(self.study, by=self.cast.ruth)
        entry = WorklistEntry.objects.get(study=self.study)
        assert entry.status == WorklistStatus.READY
        fakes.failures.append(fakes.contract.InferenceError("bad-mask", "no", permanent=True))
        drafting.run(second.pk)
        entry.refresh_from_db()
        assert entry.status == WorklistStatus.READY
        assert "could not be made" in self.panel()

    def test_an_outline_made_meanwhile_does_not_change_what_was_asked_for(self) -> None:
        mine = self.correct()
        second = drafts.request(self.study, by=self.cast.ruth)
        self.correct(top=40)
        drafting.run(second.pk)
        assert Evidence.objects.get(sentence__draft=second).mask == mine
