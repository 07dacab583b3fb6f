"""Does trust tell good masks from bad, and on what do the gates close: measures, populations, commands."""

import json

import numpy as np
import pytest

from inference import measures
from inference.contract import DraftOutput, Gate, ImageInput, InferenceError, Mask
from inference.imaging import masks as rle
from inference.maira_seg import checkpoint
from inference.training import radiographs
from inference.training.report import __main__ as report
from inference.training.report import applicability, outlined, populations, trust
from inference.training.report.outlined import Outlined, Seen
from inference.training.report.rows import Table
from tests.inference import tiny_model

TABLE = Table("trust", "tiny", "command")
OPEN = Gate(open=True, score=0.5, threshold=1.0)
SHUT = Gate(open=False, score=2.0, threshold=1.0, reason="outside-domain")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    checkpoint.save(tiny_model.bundle(), folder)
    return folder


# Trust

MASKS = [[(0.9, 0.95), (0.8, 0.5)], [(0.95, 0.99)], [(0.6, 0.9), (0.5, 0.0)], []]
"""Of three studies with masks; by trust 0.95, 0.9, 0.8, 0.6, 0.5 their Dice is 0.99, 0.95, 0.5, 0.9, 0."""


def test_the_measures_of_trust_by_hand():
    rows = {row["metric"]: row["mean"] for row in trust.rows({"some": MASKS}, 0.75, TABLE)}
    # Ranks 5 4 3 2 1 against 5 4 2 3 1: 1 - 6 * 2 / (5 * 24).
    assert rows["spearman"] == pytest.approx(0.9)
    # Poor ones (0.8, 0.5) against good ones (0.95, 0.9, 0.6): of six pairs one is the wrong way round.
    assert rows["auroc_dice_below_0.7"] == pytest.approx(5 / 6, abs=1e-4)
    assert rows["coverage"] == pytest.approx(3 / 5)
    assert rows["dice"] == pytest.approx((0.95 + 0.5 + 0.99 + 0.9) / 5)
    assert rows["dice_of_trusted"] == pytest.approx((0.95 + 0.5 + 0.99) / 3, abs=1e-4)
    assert rows["dice_below_0.7"] == pytest.approx(2 / 5)
    assert rows["dice_below_0.7_of_trusted"] == pytest.approx(1 / 3, abs=1e-4)


def test_what_is_not_defined_has_no_row():
    good = {row["metric"] for row in trust.rows({"good": [[(0.9, 0.9)], [(0.8, 0.9)]]}, 0.95, TABLE)}
    assert good == {"dice_below_0.7", "dice", "coverage"}
    assert trust.rows({"none": [[], []]}, 0.5, TABLE) == []


def test_only_drawn_masks_of_the_wanted_groups_have_a_trust():
    seen = [
        Seen(
            True,
            True,
            (
                Outlined("heart", is_there=True, is_drawn=True, dice=0.9, trust=0.8),
                Outlined("nodule", is_there=True, is_drawn=False, dice=0.0),
                Outlined("mass", is_there=False, is_drawn=True, dice=0.0, trust=0.7),
            ),
        )
    ]
    assert trust.pairs(seen) == [[(0.8, 0.9), (0.7, 0.0)]]
    assert trust.pairs(seen, ("findings",)) == [[(0.7, 0.0)]]


class Fixed:
    """A drafter that always says the same, or fails always."""

    def __init__(self, output: DraftOutput | InferenceError) -> None:
        self.output = output

    def draft(self, study):
        if isinstance(self.output, InferenceError):
            raise self.output
        return self.output


def test_lungs_are_compared_side_by_side_and_kept_with_their_patient():
    lungs = np.zeros((40, 40), bool)
    lungs[5:35, 4:14] = lungs[5:35, 24:34] = True
    right = np.where(np.arange(40) < 9, lungs, False)  # half of the patient's right lung
    drawn = Fixed(DraftOutput((Mask("lung_right", "1", (40, 40), rle.encode(right), 0.7),), (), OPEN, SHUT))
    gray = lungs.astype(np.float32)
    taken = [
        radiographs.Radiograph(name, patient, True, gray, truth)
        for name, patient, truth in (
            ("1", "a", lungs), ("2", "a", lungs), ("3", "b", lungs), ("4", "b", None),
            ("5", "c", np.ones_like(lungs)),
        )
    ]  # fmt: skip
    half = (0.7, pytest.approx(2 * 150 / (150 + 300)))
    assert trust.real_lungs(drawn, taken) == [[half, half], [half]]


def test_auroc_by_hand():
    scores, poor = np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False])
    assert measures.auroc(scores, poor) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert measures.auroc(-scores, poor) == pytest.approx(0.125)
    assert np.isnan(measures.auroc(scores, np.ones(4, bool)))


@pytest.mark.parametrize(
    ("hits", "units", "low", "high"),
    # Newcombe 1998, table I, method 3; and 0 of n, whose upper end is z2 / (n + z2).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_the_published_table(hits, units, low, high):
    found = measures.wilson(hits, units)
    assert (found.mean, found.n) == (hits / units, units)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_wilsons_interval_wants_a_rate():
    for hits, units in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="no rate"):
            measures.wilson(hits, units)


# Gates

IMAGE = ImageInput("1", np.zeros((80, 80), np.float32))
LUNG = Mask("lung_left", "1", (80, 80), rle.encode(np.ones((80, 80), bool)), 0.9)


def test_what_is_refused_is_closed_and_what_may_pass_later_is_an_error():
    broken = InferenceError("bad-image", "not finite", permanent=True)
    shut = applicability.Verdict(masks_closed=True, draft_closed=True, refused=True)
    assert applicability.judge(Fixed(broken), IMAGE) == shut
    assert applicability.judge(Fixed(broken), None) == shut
    with pytest.raises(InferenceError):
        applicability.judge(Fixed(InferenceError("out-of-memory", "1 image", permanent=False)), IMAGE)


def test_the_rates_of_the_gates_by_hand():
    half_open = Fixed(DraftOutput((LUNG,), (), OPEN, SHUT))
    found = applicability.judged(half_open, [("chest", IMAGE)] * 3 + [("dog", None)])
    rows = {(row["population"], row["metric"]): row for row in applicability.rows(found, TABLE)}
    assert {key: row["mean"] for key, row in rows.items()} == {
        ("chest", "draft_closed"): 1, ("chest", "masks_closed"): 0, ("chest", "lungs_trusted"): 1,
        ("dog", "draft_closed"): 1, ("dog", "masks_closed"): 1, ("dog", "refused"): 1,
        ("dog", "lungs_trusted"): 0,
    }  # fmt: skip
    assert rows["chest", "masks_closed"]["n"] == 3


def test_every_population_is_made_and_made_again_alike(monkeypatch):
    monkeypatch.setattr(outlined, "SIZE", 96)
    made = [[*populations.shifted(1), *populations.generated(1), *populations.made(2)] for _ in range(2)]
    names = [name for name, _ in made[0]]
    assert set(populations.SHIFTS) | {"phantom, AP", "blank", "text", "white noise", "smooth noise"} <= set(
        names
    )
    for (name, one), (_, other) in zip(*made, strict=True):
        assert one.grayscale.dtype == np.float32, name
        assert np.array_equal(one.grayscale, other.grayscale, equal_nan=True), name
        known = one.grayscale[np.isfinite(one.grayscale)]
        assert 0 <= known.min() <= known.max() <= 1, name
    by_name = {name: image.grayscale for name, image in made[0]}
    assert (np.ptp(by_name["blank"]), np.isnan(by_name["phantom, not numbers"]).any()) == (0, True)
    blocks = np.sort(by_name["phantom, blocks scrambled"], axis=None)
    assert np.array_equal(blocks, np.sort(by_name["phantom"], axis=None))


def test_dicom_files_are_named_by_what_they_show(shared_data):
    files = list(populations.dicom_files(shared_data / "dicom"))
    shown = dict(files)
    assert len(files) == 9
    assert {"DICOM, chest", "DICOM, dog", "DICOM, extremity", "DICOM, no pixels"} <= set(shown)
    assert shown["DICOM, no pixels"] is None


@pytest.mark.parametrize("table", ["trust", "applicability"])
def test_the_command_writes_its_rows(bundle, tmp_path, monkeypatch, table):
    monkeypatch.setattr(outlined, "SIZE", 96)
    path = tmp_path / "results.json"
    report.main([table, "--bundle", str(bundle), "--studies", "1", "--results", str(path), "--write"])
    rows = json.loads(path.read_text())["rows"]
    assert rows
    assert {row["experiment"] for row in rows} == {table}
    assert all(row["low"] <= row["mean"] <= row["high"] for row in rows)
    assert f"report {table} --bundle BUNDLE --studies 1`" in path.with_suffix(".md").read_text()
