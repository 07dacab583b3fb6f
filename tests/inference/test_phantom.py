"""Phantoms: the same bytes every time, masks where they should be, findings that change the picture."""

import hashlib

import numpy as np
import pytest

from inference.contract import Certainty, Side, ViewPosition
from inference.phantom import scenario, study
from inference.phantom.scenario import PlannedFinding
from inference.structures import BY_CODE, FINDINGS, Group

SIZE = 192
KNOWN_PIXELS = "e55f139f34ede46ec1bc27b14b9ab71e09d73c4166e897e2531f988598c6f943"
EVERY_FINDING = [
    PlannedFinding(finding, side, extent)
    for finding, extents in scenario.EXTENTS.items()
    for side in (
        (Side.RIGHT, Side.LEFT) if finding not in ("cardiomegaly", "endotracheal_tube") else (Side.NONE,)
    )
    for extent in extents
]


@pytest.fixture(scope="module")
def studies() -> list[study.PhantomStudy]:
    return [study.generate(11, index, size=SIZE) for index in range(60)]


def _digest(made: study.PhantomStudy) -> str:
    digest = hashlib.sha256()
    for image in made.images:
        digest.update(image.pixels.tobytes())
        for code, mask in image.masks.items():
            digest.update(code.encode() + np.packbits(mask).tobytes())
    digest.update(repr((made.key, made.patient, made.findings, made.sentences, made.indication)).encode())
    digest.update(repr((made.study_date, made.study_time, made.accession_number, made.priority)).encode())
    return digest.hexdigest()


def test_the_same_seed_and_index_give_the_same_study() -> None:
    assert _digest(study.generate(3, 5, size=SIZE)) == _digest(study.generate(3, 5, size=SIZE))


def test_these_bytes_are_the_same_on_every_machine() -> None:
    """A change here is a change of the data models were trained on: name it in the changelog."""
    pixels = study.generate(1, 2, size=SIZE).images[0].pixels
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == KNOWN_PIXELS


def test_another_seed_or_index_gives_another_study() -> None:
    digests = {_digest(study.generate(seed, index, size=64)) for seed in range(3) for index in range(3)}
    assert len(digests) == 9


def test_uids_are_unique_and_under_the_uuid_root(studies: list[study.PhantomStudy]) -> None:
    uids = [made.study_instance_uid for made in studies]
    uids += [uid for made in studies for image in made.images for uid in _image_uids(image)]
    assert len(set(uids)) == len(uids)
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in uids)
    assert len({made.accession_number for made in studies}) == len(studies)


def _image_uids(image: study.PhantomImage) -> tuple[str, str]:
    return image.series_instance_uid, image.sop_instance_uid


def test_masks_have_the_shape_of_the_picture_and_known_codes(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        for image in made.images:
            assert {"lung_right", "lung_left", "heart", "trachea"} <= set(image.masks) <= set(BY_CODE)
            for code, mask in image.masks.items():
                assert mask.shape == image.pixels.shape == (SIZE, SIZE), code
                assert mask.dtype == np.bool_, code
                assert mask.any(), code


def test_pixels_are_twelve_bits_and_use_them(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        pixels = made.images[0].pixels
        assert pixels.dtype == np.uint16
        assert pixels.max() < 4096
        assert np.ptp(pixels) > 1500


def test_the_right_lung_is_on_the_viewers_left_and_the_heart_leans_left(
    studies: list[study.PhantomStudy],
) -> None:
    for made in studies:
        masks = made.images[0].masks
        right, left, heart = (_middle(masks[code])[1] for code in ("lung_right", "lung_left", "heart"))
        assert right < heart < left
        assert heart > (right + left) / 2
        assert not (masks["lung_right"] & masks["lung_left"]).any()


def _middle(mask: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(rows.mean()), float(columns.mean())


def test_findings_lie_in_the_lung_of_their_side(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        masks = made.images[0].masks
        for finding in made.findings:
            if BY_CODE[finding.structures[0]].group is not Group.FINDING:
                continue
            lung = masks[f"lung_{finding.side.value}"]
            for code in finding.structures:
                assert not (masks[code] & ~lung).any() or code == "nodule", code
                assert (masks[code] & lung).any(), code


def test_fluid_and_air_and_consolidation_do_not_share_pixels_of_fluid(
    studies: list[study.PhantomStudy],
) -> None:
    for made in studies:
        masks = made.images[0].masks
        for side in ("right", "left"):
            wet = masks.get(f"pleural_effusion_{side}")
            for other in (f"pneumothorax_{side}", f"consolidation_{side}"):
                if wet is not None and other in masks:
                    assert not (wet & masks[other]).any(), other


def test_lungs_are_dark_and_the_middle_is_bright(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        if made.findings:
            continue
        image = made.images[0]
        gray, masks = image.grayscale(), image.masks
        lungs = (masks["lung_right"] | masks["lung_left"]) & ~masks["heart"]
        assert gray[lungs].mean() + 0.1 < gray[masks["heart"]].mean()


@pytest.mark.parametrize("planned", EVERY_FINDING, ids=lambda p: f"{p.finding}-{p.side.value}-{p.extent}")
@pytest.mark.parametrize("index", [0, 7])
def test_every_finding_changes_the_picture_where_its_mask_says(planned: PlannedFinding, index: int) -> None:
    view = ViewPosition.AP if index else ViewPosition.PA
    with_it = study.generate(5, index, size=SIZE, findings=[planned], view=view, with_noise=False)
    without = study.generate(5, index, size=SIZE, findings=(), view=view, with_noise=False)
    (coded,) = with_it.findings
    assert (coded.finding, coded.side, coded.extent) == (planned.finding, planned.side, planned.extent)
    masks, others = with_it.images[0].masks, without.images[0].masks
    for code in ("lung_right", "lung_left", "trachea"):
        assert np.array_equal(masks[code], others[code])
    assert with_it.images[0].view_position is without.images[0].view_position is view
    change = np.abs(with_it.images[0].grayscale() - without.images[0].grayscale())
    mask = np.logical_or.reduce([masks[code] for code in coded.structures])
    if planned.finding == "cardiomegaly":
        mask = mask & ~others["heart"]
    assert change[mask].mean() > 0.012
    assert change[mask].mean() > 2 * change[~mask].mean()


@pytest.mark.parametrize("index", range(12))
def test_heart_size_is_what_the_truth_says(index: int) -> None:
    def ratio(extent: str) -> float:
        planned = [PlannedFinding("cardiomegaly", extent=extent)] if extent else []
        masks = study.generate(9, index, size=512, findings=planned).images[0].masks
        thorax = np.flatnonzero((masks["lung_right"] | masks["lung_left"]).any(axis=0))
        return float(masks["heart"].any(axis=0).sum() / np.ptp(thorax))

    normal, mild, marked = ratio(""), ratio("mild"), ratio("marked")
    assert normal < 0.48
    assert 0.5 < mild < 0.64
    assert 0.55 < marked < 0.72
    assert normal < mild < marked


def test_nodules_measure_what_the_truth_says() -> None:
    for index in range(10):
        made = study.generate(4, index, size=512, findings=[PlannedFinding("nodule", Side.RIGHT)])
        image, (coded,) = made.images[0], made.findings
        across = np.sqrt(image.masks["nodule"].sum() * image.pixel_spacing[0] ** 2 * 4 / np.pi)
        assert coded.size_mm is not None
        assert 0.85 * coded.size_mm < across < 1.05 * coded.size_mm


def test_a_tube_ends_where_the_truth_says() -> None:
    for extent in ("well_placed", "too_low"):
        for index in range(6):
            made = study.generate(
                4, index, size=512, findings=[PlannedFinding("endotracheal_tube", extent=extent)]
            )
            image, (coded,) = made.images[0], made.findings
            tip = np.flatnonzero(image.masks["endotracheal_tube"].any(axis=1)).max()
            carina = np.flatnonzero(image.masks["trachea"].any(axis=1)).max()
            assert coded.size_mm is not None
            assert abs((carina - tip) * image.pixel_spacing[0] - coded.size_mm) < 8
            assert image.view_position is ViewPosition.AP


def test_a_picture_need_not_be_square() -> None:
    made = study.generate(1, 3, size=(SIZE, 150))
    assert made.images[0].pixels.shape == (SIZE, 150)
    assert all(mask.shape == (SIZE, 150) for mask in made.images[0].masks.values())
    assert made.study_instance_uid != study.generate(1, 3, size=SIZE).study_instance_uid


def test_the_picture_is_the_same_at_every_size() -> None:
    """Drawn in millimetres: the masks of a small picture are those of a large one, seen from farther away."""
    small = study.generate(2, 8, size=128).images[0].masks
    large = study.generate(2, 8, size=512).images[0].masks
    assert set(small) == set(large)
    for code in ("lung_right", "lung_left", "heart"):
        shrunk = large[code].reshape(128, 4, 128, 4).mean(axis=(1, 3)) >= 0.5
        overlap = (shrunk & small[code]).sum() * 2 / (shrunk.sum() + small[code].sum())
        assert overlap > 0.97, code


def test_both_photometrics_show_dense_as_bright(studies: list[study.PhantomStudy]) -> None:
    kinds = {made.images[0].photometric for made in studies}
    assert kinds == {"MONOCHROME1", "MONOCHROME2"}


def test_about_four_in_ten_are_normal_and_everything_occurs() -> None:
    drawn = [scenario.draw(np.random.default_rng([1, index])) for index in range(2000)]
    assert 0.35 < sum(not planned for planned in drawn) / len(drawn) < 0.45
    seen = {one.finding for planned in drawn for one in planned}
    assert seen == {finding.code for finding in FINDINGS}
    assert {one for planned in drawn for one in planned} == {
        scenario.checked(one) for planned in drawn for one in planned
    }


def test_the_demo_series_shows_every_finding_and_normals() -> None:
    made = [study.generate(1, index, size=64) for index in range(24)]
    present = {one.finding for each in made for one in each.findings}
    assert present == {finding.code for finding in FINDINGS}
    assert 5 <= sum(not each.findings for each in made) <= 14


def test_a_doubtful_finding_is_coded_as_uncertain() -> None:
    planned = PlannedFinding("nodule", Side.LEFT, zone="upper", doubtful=True)
    (coded,) = study.generate(1, 0, size=64, findings=[planned]).findings
    assert coded.certainty is Certainty.UNCERTAIN


@pytest.mark.parametrize(
    "planned",
    [
        PlannedFinding("fracture"),
        PlannedFinding("nodule"),
        PlannedFinding("cardiomegaly", Side.LEFT),
        PlannedFinding("pleural_effusion", Side.BILATERAL),
        PlannedFinding("pleural_effusion", Side.LEFT, extent="huge"),
        PlannedFinding("pleural_effusion", Side.LEFT, zone="upper"),
        PlannedFinding("nodule", Side.LEFT, zone="middle"),
    ],
    ids=repr,
)
def test_it_refuses_an_impossible_finding(planned: PlannedFinding) -> None:
    with pytest.raises(ValueError, match=planned.finding):
        study.generate(1, 0, size=64, findings=[planned])


def test_it_refuses_a_lateral_view() -> None:
    with pytest.raises(ValueError, match="LL"):
        study.generate(1, 0, size=64, view=ViewPosition.LEFT_LATERAL)


@pytest.mark.parametrize(("seed", "index", "size"), [(-1, 0, 64), (0, -1, 64), (0, 0, 31), (0, 0, (64, 8))])
def test_it_refuses_impossible_arguments(seed: int, index: int, size: int) -> None:
    with pytest.raises(ValueError, match=r"-1|31|8"):
        study.generate(seed, index, size=size)
