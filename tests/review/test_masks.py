"""Correcting outlines: a person's stands beside the model's; nothing and nobody is overwritten."""

import json
from typing import Any

import numpy as np

from inference.imaging import masks as rle
from review.models.audit import AuditEvent, Verb
from review.models.drafts import Mask
from review.models.studies import Image
from review.selectors import feedback, masks
from review.services import reports
from tests.review import cast
from tests.review.api_case import ApiCase, assert_error, client

SIZE = [cast.ROWS, cast.COLUMNS]


def letter_f() -> np.ndarray:
    """A shape that no flip or turn leaves as it is."""
    shape = np.zeros(SIZE, dtype=bool)
    shape[4:30, 5:8] = shape[4:7, 5:20] = shape[14:17, 5:14] = True
    return shape


def written(runs: list[int]) -> str:
    """Runs as compressed counts: five bits a character, differences from the fourth on."""
    text = ""
    for place, run in enumerate(runs):
        number = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            code, number = number & 0x1F, number >> 5
            more = number != (-1 if code & 0x10 else 0)
            text += chr(48 + (code | 0x20 if more else code))
    return text


class CorrectingTests(ApiCase):
    def setUp(self) -> None:
        super().setUp()
        self.draft = cast.draft(self.study, structures=("lung_right", "heart"))
        self.ai = self.draft.masks.get(structure="lung_right")
        self.image = Image.objects.get(series__study=self.study)

    def correct(self, pixels: np.ndarray, who: Any = None, **changed: Any) -> Any:
        given = {
            "sop_instance_uid": self.image.sop_instance_uid,
            "structure": "lung_right",
            "size": SIZE,
            "counts": rle.encode(pixels),
            "based_on": self.ai.pk,
        }
        return (who or self.ruth).post(self.path("masks/"), given | changed, content_type="application/json")

    def standing(self) -> dict[str, dict[str, Any]]:
        found = self.ruth.get(self.path("masks/")).json()["masks"]
        return {mask["structure"]: mask for mask in found if mask["stands"]}

    def test_a_correction_stands_and_the_models_outline_stays(self) -> None:
        answer = self.correct(letter_f())
        assert answer.status_code == 201, answer.content
        made = answer.json()
        assert (made["source"], made["author"], made["supersedes"]) == ("human", "Dr Ruth", self.ai.pk)
        assert made["area"] == letter_f().sum()
        assert made["box"] == [4, 5, 26, 15]
        assert self.standing()["lung_right"]["id"] == made["id"]
        assert self.standing()["heart"]["source"] == "ai"
        untouched = next(
            m for m in self.ruth.get(self.path("masks/")).json()["masks"] if m["id"] == self.ai.pk
        )
        assert untouched["counts"] == self.ai.content.counts
        assert not untouched["stands"]

    def test_every_pixel_comes_back_as_it_went(self) -> None:
        noise = np.random.default_rng(0).random(SIZE) < 0.5
        based_on = self.ai.pk
        for pixels in (letter_f(), noise, ~noise, np.ones(SIZE, dtype=bool), letter_f()[:, ::-1]):
            based_on = self.correct(pixels, based_on=based_on).json()["id"]
            kept = self.standing()["lung_right"]
            assert np.array_equal(rle.decode(kept["counts"], tuple(kept["size"])), pixels)

    def test_nothing_outlined_says_that_it_is_not_there(self) -> None:
        made = self.correct(np.zeros(SIZE, dtype=bool)).json()
        assert (made["area"], made["box"]) == (0, [0, 0, 0, 0])
        assert self.standing()["lung_right"]["area"] == 0

    def test_what_was_missed_can_be_added(self) -> None:
        made = self.correct(letter_f(), structure="nodule", based_on=None).json()
        assert made["supersedes"] is None
        assert self.standing()["nodule"]["id"] == made["id"]

    def test_a_second_correction_supersedes_the_first(self) -> None:
        first = self.correct(letter_f()).json()
        second = self.correct(letter_f()[::-1], based_on=first["id"]).json()
        assert second["supersedes"] == first["id"]
        assert self.standing()["lung_right"]["id"] == second["id"]
        assert Mask.objects.filter(source="human").count() == 2

    def test_two_people_do_not_talk_over_each_other(self) -> None:
        hers = self.correct(letter_f()).json()
        his = self.correct(letter_f()[::-1], client(self.cast.omar))
        assert_error(his, 409, "mask-conflict")
        assert his.json()["errors"] == {"current": hers["id"]}
        assert self.standing()["lung_right"]["id"] == hers["id"]

    def test_saying_it_again_makes_no_row(self) -> None:
        first = self.correct(letter_f()).json()
        again = self.correct(letter_f(), based_on=None)
        assert again.json()["id"] == first["id"]
        assert Mask.objects.filter(source="human").count() == 1

    def test_runs_written_otherwise_are_the_same_outline(self) -> None:
        """A run of no pixels may stand between any two: `encode` never writes one."""
        pixels = letter_f()
        first = self.correct(pixels).json()
        runs = rle.run_lengths(rle.encode(pixels))
        longer = written([1, 0, runs[0] - 1, *runs[1:]])
        assert np.array_equal(rle.decode(longer, tuple(SIZE)), pixels)
        assert longer != rle.encode(pixels)
        assert self.correct(pixels, counts=longer, based_on=first["id"]).json()["id"] == first["id"]

    def test_a_newer_draft_does_not_undo_a_person(self) -> None:
        made = self.correct(letter_f()).json()
        self.study.input_digest = "b" * 64
        self.study.save(update_fields=["input_digest"])
        newer = cast.draft(self.study)
        assert self.standing()["lung_right"]["id"] == made["id"]
        outline = next(one for one in masks.outlines(self.study, self.cast.ruth) if one.mask.pk == made["id"])
        assert outline.ai == newer.masks.get()

    def test_it_is_recorded_without_pixels(self) -> None:
        made = self.correct(letter_f()).json()
        event = AuditEvent.objects.get(verb=Verb.MASK_CORRECTED)
        assert json.loads(bytes(event.canonical))["data"] == {
            "mask": made["id"],
            "image": self.image.sop_instance_uid,
            "structure": "lung_right",
            "supersedes": self.ai.pk,
            "area": int(letter_f().sum()),
        }

    def test_what_does_not_fit_is_refused_and_nothing_is_kept(self) -> None:
        other = cast.study(self.cast.central, number=2)
        foreign = Image.objects.get(series__study=other).sop_instance_uid
        shifted = rle.encode(np.zeros((cast.ROWS + 1, cast.COLUMNS), dtype=bool))
        for changed in (
            {"structure": "wishbone"},
            {"sop_instance_uid": foreign},
            {"size": [cast.ROWS + 1, cast.COLUMNS], "counts": shifted},
            {"counts": "~"},
            {"counts": shifted},
            {"size": [cast.ROWS]},
        ):
            assert_error(self.correct(letter_f(), **changed), 422, "invalid-input")
        assert not Mask.objects.filter(source="human").exists()
        assert not AuditEvent.objects.filter(verb=Verb.MASK_CORRECTED).exists()

    def test_who_may_not_write_may_not_correct(self) -> None:
        assert_error(self.correct(letter_f(), client(self.cast.ada)), 403, "not-allowed")
        assert_error(self.correct(letter_f(), client(self.cast.petra)), 404, "not-found")
        assert_error(self.correct(letter_f(), client(None)), 401, "not-authenticated")

    def test_not_while_another_person_writes(self) -> None:
        reports.lock(self.study, by=self.cast.omar)
        assert_error(self.correct(letter_f()), 423, "report-locked")
        assert self.correct(letter_f(), client(self.cast.omar)).status_code == 201

    def test_not_after_signing(self) -> None:
        revision = reports.save(
            self.study, by=self.cast.ruth, text=reports.Text("Clear.", "Normal.", based_on=0)
        )
        signature = reports.sign(
            self.study,
            by=self.cast.ruth,
            revision_number=revision.number,
            sha256=revision.sha256,
            input_digest=self.study.input_digest,
            meaning="author",
        )
        assert_error(self.correct(letter_f()), 409, "report-signed")
        assert feedback.masks_of(self.study, signature, self.draft) == list(self.draft.masks.order_by("pk"))

    def test_the_reading_page_gets_what_stands(self) -> None:
        made = self.correct(letter_f()).json()
        self.client.force_login(self.cast.ruth)
        url = f"/studies/{self.study.study_instance_uid}/masks.json"
        shown = {mask["structure"]: mask for mask in self.client.get(url).json()}
        assert shown["lung_right"]["id"] == made["id"]
        assert (shown["lung_right"]["source"], shown["lung_right"]["cited_as"]) == ("human", self.ai.pk)
        assert shown["heart"]["cited_as"] == shown["heart"]["id"]

    def test_the_history_names_the_structure(self) -> None:
        self.correct(np.zeros(SIZE, dtype=bool))
        self.client.force_login(self.cast.ada)
        page = self.client.get(f"/studies/{self.study.study_instance_uid}/history/")
        self.assertContains(page, "outline corrected")
        self.assertContains(page, "Right lung: not there")
