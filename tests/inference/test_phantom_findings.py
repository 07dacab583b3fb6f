"""Findings of the phantom: each changes the picture where its mask says and measures what it should."""

import functools

import numpy as np
import pytest

from inference.contract import Certainty, Side, ViewPosition
from inference.phantom import plan, study
from inference.phantom.plan import PlannedFinding
from inference.structures import FINDINGS

PA, AP, LL = ViewPosition.PA, ViewPosition.AP, ViewPosition.LEFT_LATERAL
SIZE = 128
MOVING = {("pneumothorax", "tension"), ("atelectasis", "lobar"), ("pleural_effusion", "large")}
"""Findings that move organs: the picture changes beyond their masks too."""


def _every() -> list[PlannedFinding]:
    return [
        PlannedFinding(finding.code, side, extent, zone)
        for finding in FINDINGS
        for side in ((Side.RIGHT, Side.LEFT) if finding.sided else (Side.NONE,))
        if side is not Side.LEFT or finding.code in ("consolidation", "atelectasis")
        for extent in plan.EXTENTS[finding.code]
        for zone in (plan.zones(finding.code, side) or ("",))
    ]


@functools.cache
def _made(findings: tuple[PlannedFinding, ...], view: ViewPosition, index: int) -> study.PhantomStudy:
    return study.generate(
        5, index, size=SIZE, findings=findings, views=[view], with_prior=False, with_noise=False
    )


def _pair(
    planned: PlannedFinding, view: ViewPosition, index: int = 3
) -> tuple[study.PhantomStudy, study.PhantomStudy]:
    return _made((planned,), view, index), _made((), view, index)


def _name(planned: PlannedFinding) -> str:
    return "-".join(
        str(part) for part in (planned.finding, planned.side, planned.extent, planned.zone) if part
    )


@pytest.mark.parametrize("planned", _every(), ids=_name)
def test_it_changes_the_picture_where_its_mask_says(planned: PlannedFinding) -> None:
    view = AP if planned.finding in plan.DEVICES else PA
    with_it, without = _pair(planned, view)
    (coded,) = with_it.findings
    assert (coded.finding, coded.side, coded.extent) == (planned.finding, planned.side, planned.extent)
    image, plain = with_it.images[0], without.images[0]
    change = np.abs(image.grayscale() - plain.grayscale())
    mask = np.logical_or.reduce([image.masks[code] for code in coded.structures])
    if planned.finding == "cardiomegaly":
        mask = mask & ~plain.masks["heart"]
    assert change[mask].mean() > 0.008
    moving = (planned.finding, planned.extent) in MOVING or planned.finding == "cardiomegaly"
    assert change[mask].mean() > (0.8 if moving else 2) * change[~mask].mean()
    known = {code for code in image.masks if code not in plain.masks}
    assert known <= set(coded.structures), "no other finding's mask appears"


@pytest.mark.parametrize("side", [Side.RIGHT, Side.LEFT])
@pytest.mark.parametrize(
    "code", ["pleural_effusion", "pneumothorax", "consolidation", "atelectasis", "rib_fracture"]
)
def test_it_lies_on_its_side(code: str, side: Side) -> None:
    for view in (PA, AP):
        image = _pair(PlannedFinding(code, side), view)[0].images[0]
        own, other = (
            image.masks[f"lung_{s}"] for s in (side, Side.LEFT if side is Side.RIGHT else Side.RIGHT)
        )
        mask = image.masks[f"{code}_{side}"]
        assert (mask & own).sum() > (mask & other).sum()
        columns = np.nonzero(mask)[1].mean(), np.nonzero(image.masks["spine"])[1].mean()
        assert (columns[0] < columns[1]) == (side is Side.RIGHT)


def test_heart_size_is_what_the_truth_says() -> None:
    def ratio(index: int, extent: str) -> float:
        planned = (PlannedFinding("cardiomegaly", extent=extent),) if extent else ()
        made = study.generate(9, index, size=256, findings=planned, views=[PA], with_prior=False)
        masks = made.images[0].masks
        thorax = np.flatnonzero((masks["lung_right"] | masks["lung_left"]).any(axis=0))
        return float(masks["heart"].any(axis=0).sum() / np.ptp(thorax))

    for index in range(6):
        normal, mild, marked = (ratio(index, extent) for extent in ("", "mild", "marked"))
        assert normal < mild < marked
        assert normal < 0.53
        assert 0.48 < mild < 0.64
        assert 0.54 < marked < 0.74


@pytest.mark.parametrize("code", ["pleural_effusion", "pneumothorax"])
def test_more_of_it_covers_more(code: str) -> None:
    for view in (PA, AP):
        areas = [
            _pair(PlannedFinding(code, Side.LEFT, extent), view)[0].images[0].masks[f"{code}_left"].sum()
            for extent in ("small", "moderate", "large")
        ]
        assert areas == sorted(set(areas))


def test_tension_pushes_the_heart_away_and_the_dome_down() -> None:
    tense, plain = _pair(PlannedFinding("pneumothorax", Side.RIGHT, "tension"), PA)
    hearts = [np.nonzero(made.images[0].masks["heart"])[1].mean() for made in (tense, plain)]
    domes = [np.nonzero(made.images[0].masks["diaphragm_right"])[0].min() for made in (tense, plain)]
    assert hearts[0] > hearts[1] + 3
    assert domes[0] > domes[1]


def test_lumps_measure_what_the_truth_says() -> None:
    for index in range(5):
        made = study.generate(
            4, index, size=512, findings=[PlannedFinding("nodule", Side.RIGHT)], views=[PA], with_prior=False
        )
        image, (coded,) = made.images[0], made.findings
        across = np.sqrt(image.masks["nodule"].sum() * image.pixel_spacing[0] ** 2 * 4 / np.pi)
        assert coded.size_mm is not None
        assert 0.95 * coded.size_mm < across < 1.25 * coded.size_mm, "magnified, never smaller"


@pytest.mark.parametrize("extent", ["well_placed", "too_low", "too_high"])
def test_a_tube_ends_where_the_truth_says(extent: str) -> None:
    for index in range(3):
        planned = [PlannedFinding("endotracheal_tube", extent=extent)]
        made = study.generate(4, index, size=384, findings=planned, views=[AP], with_prior=False)
        image, (coded,) = made.images[0], made.findings
        tip = np.flatnonzero(image.masks["endotracheal_tube"].any(axis=1)).max()
        carina = np.nonzero(image.masks["carina"])[0].mean()
        assert coded.tip_mm is not None
        assert abs((carina - tip) * image.pixel_spacing[0] - coded.tip_mm) < 16
    assert (extent == "well_placed") == (28 <= coded.tip_mm <= 58)


def test_a_feeding_tube_passes_the_diaphragm_or_does_not() -> None:
    for extent, below in (("well_placed", True), ("too_high", False), ("bronchial", False)):
        (coded,) = _pair(PlannedFinding("nasogastric_tube", extent=extent), AP)[0].findings
        assert coded.tip_mm is not None
        assert (coded.tip_mm > 0) == below


def test_what_else_is_there_does_not_move_a_finding() -> None:
    nodule = PlannedFinding("nodule", Side.LEFT, zone="upper")
    effusion = PlannedFinding("pleural_effusion", Side.RIGHT, "small")
    both, alone = (
        study.generate(5, 1, size=SIZE, findings=findings, views=[PA], with_prior=False)
        .images[0]
        .masks["nodule"]
        for findings in ((nodule, effusion), (nodule,))
    )
    assert np.array_equal(both, alone)


def test_a_doubtful_finding_is_coded_as_uncertain_and_fainter() -> None:
    def strength(doubtful: bool) -> tuple[float, Certainty]:
        planned = PlannedFinding("nodule", Side.LEFT, zone="upper", doubtful=doubtful)
        with_it, without = _pair(planned, PA)
        mask = with_it.images[0].masks["nodule"]
        change = with_it.images[0].grayscale() - without.images[0].grayscale()
        return float(change[mask].mean()), with_it.findings[0].certainty

    faint, doubted = strength(True)
    plain, certain = strength(False)
    assert faint < plain
    assert (doubted, certain) == (Certainty.UNCERTAIN, Certainty.PRESENT)


@pytest.mark.parametrize(
    "planned",
    [
        PlannedFinding("fracture"),
        PlannedFinding("nodule"),
        PlannedFinding("cardiomegaly", Side.LEFT),
        PlannedFinding("pleural_effusion", Side.BILATERAL),
        PlannedFinding("pleural_effusion", Side.LEFT, extent="huge"),
        PlannedFinding("pleural_effusion", Side.LEFT, zone="upper"),
        PlannedFinding("consolidation", Side.LEFT, zone="middle_lobe"),
        PlannedFinding("free_air", Side.RIGHT),
    ],
    ids=repr,
)
def test_it_refuses_an_impossible_finding(planned: PlannedFinding) -> None:
    with pytest.raises(ValueError, match=planned.finding):
        study.generate(1, 0, size=64, findings=[planned])


def test_it_refuses_two_tubes_in_one_windpipe_and_a_finding_twice() -> None:
    tubes = [PlannedFinding("endotracheal_tube"), PlannedFinding("tracheostomy_tube")]
    with pytest.raises(ValueError, match="windpipe"):
        study.generate(1, 0, size=64, findings=tubes)
    with pytest.raises(ValueError, match="twice"):
        study.generate(1, 0, size=64, findings=[PlannedFinding("nodule", Side.LEFT)] * 2)
