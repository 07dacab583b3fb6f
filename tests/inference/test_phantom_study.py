"""The phantom: the same bytes, masks that agree between views, left is left, priors that change."""

import hashlib

import numpy as np
import pytest

from inference.contract import Certainty, Side, ViewPosition
from inference.phantom import camera, plan, study
from inference.phantom.frame import Frame
from inference.phantom.plan import PlannedFinding
from inference.structures import BY_CODE, FINDINGS

SIZE = 128
KNOWN_PIXELS = ["3d7f3994deea8a47", "a3f0d4ef80299522", "9eddbb88ee573639"]
PA, AP, LL = ViewPosition.PA, ViewPosition.AP, ViewPosition.LEFT_LATERAL


@pytest.fixture(scope="module")
def studies() -> list[study.PhantomStudy]:
    return [study.generate(11, index, size=SIZE) for index in range(14)]


def _digest(made: study.PhantomStudy) -> str:
    digest = hashlib.sha256()
    for image in made.images:
        digest.update(image.pixels.tobytes())
        for code, mask in image.masks.items():
            digest.update(code.encode() + np.packbits(mask).tobytes())
    digest.update(repr((made.key, made.patient, made.findings, made.study_date)).encode())
    return digest.hexdigest() + (_digest(made.prior) if made.prior else "")


def _middle(mask: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(rows.mean()), float(columns.mean())


def test_the_same_seed_and_index_give_the_same_bytes() -> None:
    one, two = (study.generate(3, 5, size=SIZE, with_prior=True) for _ in range(2))
    assert _digest(one) == _digest(two)


def test_these_bytes_are_the_same_on_every_machine() -> None:
    """A change here is a change of what models are trained on: name it in the changelog."""
    made = study.generate(1, 2, size=SIZE, findings=(), views=[PA, AP, LL], with_prior=False)
    digests = [hashlib.sha256(image.pixels.tobytes()).hexdigest()[:16] for image in made.images]
    assert digests == KNOWN_PIXELS


def test_another_seed_or_index_gives_another_study() -> None:
    digests = {_digest(study.generate(seed, index, size=64)) for seed in range(2) for index in range(3)}
    assert len(digests) == 6


def test_uids_are_unique_and_under_the_uuid_root(studies: list[study.PhantomStudy]) -> None:
    uids = [made.study_instance_uid for made in studies]
    uids += [u for made in studies for i in made.images for u in (i.series_instance_uid, i.sop_instance_uid)]
    assert len(set(uids)) == len(uids)
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in uids)


def test_masks_have_the_shape_of_the_picture_and_known_codes(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        for image in made.images:
            assert (
                {"lung_right", "lung_left", "heart", "trachea", "spine"} <= set(image.masks) <= set(BY_CODE)
            )
            for code, mask in image.masks.items():
                assert mask.shape == image.pixels.shape == (SIZE, SIZE), code
                assert mask.dtype == np.bool_, code
                assert mask.any(), code


def test_pixels_are_twelve_bits_and_use_them(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        for image in made.images:
            assert image.pixels.dtype == np.uint16
            assert image.pixels.max() < 4096
            assert np.ptp(image.pixels) > 1500


def test_left_is_left(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        for image in made.images:
            if image.view_position is LL:
                continue
            masks = image.masks
            for pair in ("lung", "clavicle", "scapula", "diaphragm"):
                right, left = (masks.get(f"{pair}_{side}") for side in ("right", "left"))
                if right is not None and left is not None:
                    assert _middle(right)[1] < _middle(left)[1], pair
            assert not (masks["lung_right"] & masks["lung_left"]).any()


def test_the_heart_leans_left_when_nothing_pushes_it() -> None:
    for index in range(4):
        masks = study.generate(6, index, size=SIZE, findings=(), views=[PA], with_prior=False).images[0].masks
        right, left, heart = (_middle(masks[code])[1] for code in ("lung_right", "lung_left", "heart"))
        assert (right + left) / 2 < heart < left


def test_the_lateral_faces_left() -> None:
    for index in range(4):
        image = study.generate(6, index, size=SIZE, findings=(), views=[LL], with_prior=False).images[0]
        heart, spine = (_middle(image.masks[code])[1] for code in ("heart", "spine"))
        assert heart < _middle(image.masks["lung_left"])[1] < spine


def test_lungs_are_dark_and_the_middle_is_bright() -> None:
    for index in range(6):
        image = study.generate(8, index, size=SIZE, findings=(), views=[PA], with_prior=False).images[0]
        gray, masks = image.grayscale(), image.masks
        lungs = (masks["lung_right"] | masks["lung_left"]) & ~masks["heart"]
        assert gray[lungs].mean() + 0.08 < gray[masks["heart"] & masks["mediastinum"]].mean()


def test_lung_lies_behind_the_heart_down_to_the_diaphragm() -> None:
    for index in range(4):
        masks = study.generate(6, index, size=SIZE, findings=(), views=[PA], with_prior=False).images[0].masks
        behind = masks["heart"] & masks["lung_left"]
        assert behind.sum() > 0.2 * masks["heart"].sum()
        assert not (masks["mediastinum"] & masks["lung_left"]).any()


@pytest.mark.parametrize("zone", plan.LEVELS)
@pytest.mark.parametrize("side", [Side.RIGHT, Side.LEFT])
def test_a_nodule_is_at_one_place_in_every_view(
    zone: str, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two parallel projections share the level; the third coordinate is the other view's."""
    frames: list[Frame] = []
    make = Frame.make
    monkeypatch.setattr(
        camera.Frame, "make", lambda shape, pose: frames.append(make(shape, pose)) or frames[-1]
    )
    planned = [PlannedFinding("nodule", side, zone=zone)]
    made = study.generate(4, 2, size=256, findings=planned, views=[PA, LL], with_prior=False)
    levels = []
    for image, frame in zip(made.images, frames, strict=True):
        row, column = (round(value) for value in _middle(image.masks["nodule"]))
        scale = frame.pose.magnification(0.0)
        levels.append(float(frame.v[row, column]) / scale)
    assert abs(levels[0] - levels[1]) < 10
    assert (made.images[0].masks["nodule"] & made.images[0].masks[f"lung_{side}"]).any()
    assert (made.images[1].masks["nodule"] & made.images[1].masks[f"lung_{side}"]).any()


def test_the_picture_is_the_same_at_every_size() -> None:
    small = study.generate(2, 8, size=128, with_prior=False).images[0].masks
    large = study.generate(2, 8, size=512, with_prior=False).images[0].masks
    for code in ("lung_right", "lung_left", "heart"):
        shrunk = large[code].reshape(128, 4, 128, 4).mean(axis=(1, 3)) >= 0.5
        overlap = (shrunk & small[code]).sum() * 2 / (shrunk.sum() + small[code].sum())
        assert overlap > 0.97, code


def test_a_picture_need_not_be_square() -> None:
    made = study.generate(1, 3, size=(SIZE, 150), with_prior=False)
    assert made.images[0].pixels.shape == (SIZE, 150)
    assert all(mask.shape == (SIZE, 150) for mask in made.images[0].masks.values())


def test_a_picture_can_be_as_large_as_a_detector() -> None:
    made = study.generate(1, 3, size=(3000, 2400), views=[PA], with_prior=False)
    (image,) = made.images
    assert image.pixels.shape == (3000, 2400)
    assert {mask.shape for mask in image.masks.values()} == {(3000, 2400)}
    assert image.masks["lung_right"].mean() > 0.05


def test_a_prior_is_of_the_same_person_earlier_and_its_changes_are_coded() -> None:
    seen = set()
    for index in range(36):
        made = study.generate(5, index, size=32, with_prior=True)
        assert made.prior is not None
        assert made.prior.patient == made.patient
        assert made.prior.study_date < made.study_date
        if any(f.finding in ("endotracheal_tube", "chest_drain") for f in made.prior.findings):
            assert (made.study_date - made.prior.study_date).days <= study.SHORT_STAY_DAYS
        assert made.prior.prior is None
        before = {(f.finding, f.side): f for f in made.prior.findings}
        for finding in made.findings:
            was = before.get((finding.finding, finding.side))
            assert (finding.change == "new") == (was is None)
            assert (finding.change == "resolved") == (finding.certainty is Certainty.ABSENT)
            seen.add(finding.change)
    assert seen == {"new", "larger", "smaller", "unchanged", "resolved"}


def test_without_a_prior_nothing_has_changed() -> None:
    made = study.generate(5, 1, size=32, with_prior=False)
    assert made.prior is None
    assert {finding.change for finding in made.findings} <= {""}


def test_everything_occurs_and_a_third_is_normal() -> None:
    drawn = [plan.draw(np.random.default_rng([1, index])) for index in range(2000)]
    assert 0.3 < sum(not planned for planned in drawn) / len(drawn) < 0.4
    seen = {one.finding for planned in drawn for one in planned}
    assert seen == {finding.code for finding in FINDINGS} == set(plan.EXTENTS)
    for planned in drawn:
        assert plan.compatible(tuple(plan.checked(one) for one in planned)) == planned


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"seed": -1}, "-1"),
        ({"index": -1}, "-1"),
        ({"size": 31}, "31"),
        ({"size": (64, 8)}, "8"),
        ({"views": [ViewPosition.RIGHT_LATERAL]}, "RL"),
        ({"views": []}, "nowhere"),
    ],
)
def test_it_refuses_impossible_arguments(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        study.generate(**({"seed": 0, "index": 0, "size": 64} | arguments))


def test_the_language_changes_words_alone() -> None:
    english, japanese = (
        study.generate(5, 4, size=SIZE, with_prior=True, language=one) for one in ("en", "ja")
    )
    assert _digest(english) == _digest(japanese)
    for one, two in ((english, japanese), (english.prior, japanese.prior)):
        assert one is not None
        assert two is not None
        assert [i.sop_instance_uid for i in one.images] == [i.sop_instance_uid for i in two.images]
        assert {s.language for s in one.sentences} == {"en"}
        assert {s.language for s in two.sentences} == {"ja"}
        assert [(s.finding, s.side) for s in one.sentences] == [(s.finding, s.side) for s in two.sentences]
        assert one.indication
        assert one.indication != two.indication


def test_the_words_are_the_same_at_every_size() -> None:
    for index in range(8):
        small, large = (study.generate(3, index, size=size) for size in (64, 512))
        assert small.findings == large.findings
        assert small.indication == large.indication
        assert [s.text for s in small.sentences] == [s.text for s in large.sentences]


def test_a_report_states_the_findings_and_rests_on_images_that_show_them(
    studies: list[study.PhantomStudy],
) -> None:
    for made in studies:
        stated = {s.finding for s in made.sentences if s.certainty is not Certainty.ABSENT} - {""}
        assert stated == {f.finding for f in made.findings if f.certainty is not Certainty.ABSENT}
        masks = {image.sop_instance_uid: image.masks for image in made.images}
        evidence = [e for s in made.sentences for e in s.evidence]
        assert evidence
        assert all(e.structure in masks[e.sop_instance_uid] for e in evidence)
        frontal = [i for i in made.images if i.view_position is not LL]
        for one in evidence:
            if any(one.structure in image.masks for image in frontal):
                assert one.sop_instance_uid in {image.sop_instance_uid for image in frontal}


def test_a_prior_has_a_report_of_its_own_that_compares_with_nothing() -> None:
    made = [study.generate(5, index, size=32, with_prior=True) for index in range(12)]
    hints = ("prior", "since", "before", "unchanged", "previous", "new ")
    later = " ".join(s.text.lower() for one in made for s in one.sentences)
    assert any(hint in later for hint in hints)
    for one in made:
        assert one.prior is not None
        assert one.prior.sentences
        text = " ".join([one.prior.indication, *(s.text for s in one.prior.sentences)]).lower()
        assert not any(hint in text for hint in hints), text


def test_it_refuses_a_language_without_a_phrasebook() -> None:
    with pytest.raises(ValueError, match="'xx'"):
        study.generate(0, 0, size=32, language="xx")
