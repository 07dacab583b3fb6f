"""The segmenter's tables: courses and tips of tubes, detection, gates, conditions; worked out by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from inference.contract import DraftOutput, ImageInput, Mask, Side, ViewPosition
from inference.imaging import masks as rle
from inference.maira_seg import applicability, checkpoint
from inference.phantom import study as phantom
from inference.phantom.plan import PlannedFinding
from inference.structures import STRUCTURES
from inference.training import results
from inference.training.report import __main__ as report
from inference.training.report import centrelines, conditions, outlined, segmenter
from inference.training.report.outlined import Outlined, Seen
from inference.training.report.rows import Table
from tests.inference import tiny_model

HALF = (0.5, 0.5)
TABLE = Table("segmenter", "tiny", "command")


def tube(rows: slice, cols: slice, shape=(200, 200)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[rows, cols] = True
    return mask


TRUE = tube(slice(0, 121), slice(99, 102))
"""From the upper edge straight down to row 120, three pixels wide."""


# Courses and tips


def test_a_tube_drawn_ten_pixels_short_ends_five_millimetres_off():
    short = tube(slice(0, 111), slice(99, 102))
    assert centrelines.tip_error_mm(short, TRUE, HALF) == pytest.approx(5.0)


def test_a_tip_is_measured_in_both_directions_by_their_own_spacing():
    aside = tube(slice(0, 117), slice(103, 106))
    assert centrelines.tip_error_mm(aside, TRUE, (1.0, 0.75)) == pytest.approx(np.hypot(4 * 1.0, 4 * 0.75))


@given(st.integers(-20, 20), st.integers(-20, 20))
def test_a_tube_drawn_elsewhere_is_as_far_off_as_it_was_moved(down, aside):
    line = np.zeros((120, 120), bool)
    line[40:81, 60:63] = True
    moved = np.roll(line, (down, aside), (0, 1))
    wanted = np.hypot(down * 0.5, aside * 0.25)
    ends = [centrelines._ends(centrelines.centreline(mask), np.array((0.5, 0.25))) for mask in (line, moved)]
    assert np.linalg.norm(ends[1] - ends[0], axis=1) == pytest.approx([wanted, wanted])


def test_a_tube_that_is_drawn_as_it_is_has_its_whole_course_and_no_error():
    assert centrelines.recall(TRUE, TRUE, HALF) == 1
    assert centrelines.tip_error_mm(TRUE, TRUE, HALF) == 0


def test_half_a_tube_has_half_its_course_and_what_lies_within_the_tolerance():
    line = tube(slice(0, 120), slice(100, 101))
    half = tube(slice(0, 60), slice(100, 101))
    # Rows 0 to 59 are drawn; 60 to 63 lie 0.5 to 2.0 mm below.
    assert centrelines.recall(half, line, HALF) == pytest.approx(64 / 120)


@pytest.mark.parametrize(("away", "found"), [(4, 1.0), (5, 0.0)])
def test_a_course_is_followed_up_to_two_millimetres_beside_it(away, found):
    line = tube(slice(0, 120), slice(100, 101))
    beside = tube(slice(0, 120), slice(100 + away, 101 + away))
    assert centrelines.recall(beside, line, HALF) == found


def test_nothing_drawn_follows_nothing_and_has_no_tip():
    nothing = np.zeros_like(TRUE)
    assert centrelines.recall(nothing, TRUE, HALF) == 0
    assert centrelines.tip_error_mm(nothing, TRUE, HALF) == np.inf
    with pytest.raises(ValueError, match="no tube"):
        centrelines.recall(TRUE, nothing, HALF)


def test_a_tube_that_leaves_the_picture_at_both_ends_has_no_tip():
    through = tube(slice(0, 200), slice(99, 102))
    assert centrelines.tip(through, HALF) is None
    assert centrelines.tip_error_mm(TRUE, through, HALF) is None


def test_the_tip_is_that_of_the_longest_piece():
    broken = TRUE.copy()
    broken[60:64] = False  # rows 0 to 59 and 64 to 120 remain
    assert centrelines.tip(broken, HALF)[0] == pytest.approx(29, abs=1.0)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_the_tip_of_a_phantoms_tube_lies_as_far_above_the_carina_as_its_truth_says(index):
    planned = [PlannedFinding("endotracheal_tube", Side.NONE, "well_placed")]
    study = phantom.generate(14, index, findings=planned, views=[ViewPosition.AP], with_prior=False)
    image = study.images[0]
    tip = centrelines.tip(image.masks["endotracheal_tube"], image.pixel_spacing)
    carina = ndimage.center_of_mass(image.masks["carina"])[0] * image.pixel_spacing[0]
    # The detector sees the body 10 to 25 % larger, and the carina's mask has a height of its own.
    magnified = (carina - tip[0]) / study.findings[0].tip_mm
    assert 1.0 < magnified < 1.3


# What became of a structure


def output(*drawn: tuple[str, np.ndarray], masks_open=True, draft_open=True) -> DraftOutput:
    gates = [
        applicability.Gate(open=is_open, score=0.5, threshold=1.0, reason="" if is_open else "outside-domain")
        for is_open in (masks_open, draft_open)
    ]
    masks = tuple(Mask(code, "1", mask.shape, rle.encode(mask), 0.9) for code, mask in drawn)
    return DraftOutput(masks, (), *gates)


def by_code(found: tuple[Outlined, ...]) -> dict[str, Outlined]:
    return {one.code: one for one in found}


def test_a_structure_is_compared_with_its_own_truth():
    half = tube(slice(0, 61), slice(99, 102))
    found = by_code(
        outlined.compare(
            output(("endotracheal_tube", half), ("nodule", half)),
            {"endotracheal_tube": TRUE, "heart": TRUE},
            HALF,
        )
    )
    assert list(found) == [structure.code for structure in STRUCTURES]
    assert found["endotracheal_tube"].dice == pytest.approx(2 * 61 / (61 + 121))
    assert found["endotracheal_tube"].tip_mm == pytest.approx(30)
    assert found["endotracheal_tube"].trust == 0.9
    assert found["nodule"] == Outlined("nodule", is_there=False, is_drawn=True, dice=0, trust=0.9)
    assert found["heart"] == Outlined("heart", is_there=True, is_drawn=False, dice=0)


def test_what_a_closed_gate_kept_back_is_no_miss():
    truth = {"heart": TRUE, "nodule": TRUE}
    assert outlined.compare(output(masks_open=False), truth, HALF) == ()
    outside = by_code(outlined.compare(output(draft_open=False), truth, HALF))
    assert "heart" in outside
    assert "nodule" not in outside


def test_an_image_without_pixel_spacing_is_refused():
    image = ImageInput("7", np.zeros((80, 80), np.float32))
    with pytest.raises(ValueError, match="7 has no pixel spacing"):
        outlined.look(outlined.Outliner(tiny_model.bundle(), "d"), image, {})


# Rows


def one(code: str, *, there=True, drawn=True, dice=0.0, **more) -> Outlined:
    return Outlined(code, is_there=there, is_drawn=drawn, dice=dice, **more)


SEEN = [
    Seen(True, True, (one("nodule", dice=0.8), one("mass", there=False))),  # found, and a false alarm
    Seen(True, True, (one("nodule", drawn=False), one("mass", dice=0.05))),  # missed, and drawn elsewhere
    Seen(True, False, ()),
    Seen(False, False, ()),
]


def values(rows: list[results.Row], population: str) -> dict[str, float]:
    return {row["metric"]: row["mean"] for row in rows if row["population"] == population}


def test_the_segmenters_rows_by_hand():
    rows = segmenter.rows(SEEN, TABLE)
    assert values(rows, "phantom") == {"masks_open": 0.75, "draft_open": 0.5}
    # Of three drawn one is found, of three that are there one.
    assert values(rows, "findings") == {
        "dice": pytest.approx((0.8 + 0.025) / 2, abs=1e-4),
        "detection_precision": pytest.approx(1 / 3, abs=1e-4),
        "detection_recall": pytest.approx(1 / 3, abs=1e-4),
        "detection_f1": pytest.approx(1 / 3, abs=1e-4),
    }
    assert values(rows, "nodule")["dice"] == 0.4
    assert values(rows, "nodule")["detection_f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert values(rows, "heart") == {}
    floors = {(row["population"], row["metric"]): row.get("floor") for row in rows}
    assert floors["findings", "dice"] == 0.75
    assert floors["findings", "detection_f1"] == 0.85
    assert floors["findings", "detection_recall"] is None


def test_a_missed_tube_counts_in_recall_and_within_but_not_in_the_median():
    tubes = [
        Seen(True, True, (one("central_line", dice=0.5, course=1.0, tip_mm=2.0),)),
        Seen(True, True, (one("central_line", dice=0.5, course=0.5, tip_mm=12.0),)),
        Seen(True, True, (one("central_line", dice=0.5, course=0.9, tip_mm=4.0),)),
        Seen(True, True, (one("central_line", drawn=False, course=0.0, tip_mm=float("inf")),)),
        Seen(True, True, (one("central_line", dice=0.5, course=0.6),)),  # its tip is not in the picture
    ]
    found = values(segmenter.rows(tubes, TABLE), "central_line")
    assert found["centreline_recall"] == pytest.approx(0.6)
    assert found["tip_mm"] == 4.0
    assert found["tip_within_5_mm"] == 0.5


def test_every_structure_is_in_one_group_and_alone():
    populations = segmenter.populations()
    grouped = [
        code
        for name in ("lungs", "heart", "other anatomy", "findings", "devices")
        for code in populations[name]
    ]
    assert sorted(grouped) == sorted(structure.code for structure in STRUCTURES)
    assert all(populations[structure.code] == (structure.code,) for structure in STRUCTURES)


def test_the_page_says_which_floors_are_missed():
    rows = segmenter.rows([*SEEN, Seen(True, True, (one("heart", dice=0.97),))], TABLE)
    page = results.page({"bundle": "abc", "rows": rows})
    assert "| tiny | heart | dice | 0.970 | 0.970 to 0.970 | 1 | 0.95: met |" in page
    assert "| 0.75: **missed** |" in page


# Conditions


def picture() -> conditions.Picture:
    image = phantom.generate(14, 0, size=128, views=[ViewPosition.PA], with_prior=False).images[0]
    return conditions._picture(image)


@pytest.mark.parametrize("name", list(conditions.CONDITIONS))
def test_a_condition_keeps_the_picture_and_its_masks_together(name):
    before = picture()
    after = conditions.CONDITIONS[name](before, 0)
    gray = after.image.grayscale
    assert gray.dtype == np.float32
    assert 0 <= gray.min() <= gray.max() <= 1
    assert after.masks
    assert all(mask.shape == gray.shape for mask in after.masks.values())
    changed = gray.shape != before.image.grayscale.shape or (gray != before.image.grayscale).any()
    assert changed == (name not in ("PA", "AP"))


def test_masks_turn_and_are_cut_with_the_picture():
    spot = np.zeros((100, 100), bool)
    spot[20:30, 60:70] = True
    before = conditions.Picture(ImageInput("1", spot.astype(np.float32)), {"nodule": spot, "heart": ~spot})
    for name in ("rotated 10 degrees", "cropped by a tenth"):
        for index in range(4):
            after = conditions.CONDITIONS[name](before, index)
            bright = after.image.grayscale > 0.5
            assert (bright ^ after.masks["nodule"]).sum() <= 12, (name, index)
    assert conditions.cropped(before, 0).image.grayscale.shape == (90, 90)


# The command


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    checkpoint.save(tiny_model.bundle(), folder)
    return folder


@pytest.mark.parametrize("table", ["segmenter", "robustness"])
def test_the_command_prints_its_rows_and_writes_them(bundle, tmp_path, monkeypatch, capsys, table):
    monkeypatch.setattr(outlined, "SIZE", 96)
    path = tmp_path / "results.json"
    given = ["--bundle", str(bundle), "--studies", "2", "--results", str(path)]
    report.main([table, *given])
    assert not path.exists()
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    report.main([table, *given, "--write"])
    rows = json.loads(path.read_text())["rows"]
    assert rows == [line for line in printed if "metric" in line]
    assert {(row["experiment"], row["arm"], row["seeds"]) for row in rows} == {("segmenter", "tiny", 1)}
    assert {row["command"] for row in rows} == {
        f"python -m inference.training.report {table} --bundle BUNDLE --studies 2"
    }
