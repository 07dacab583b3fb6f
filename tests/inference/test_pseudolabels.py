"""Outlines of radiographs that nobody drew on: whose they are, which are believed, what the rows say."""

import argparse
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from inference.training import lungs_real, pseudolabels
from inference.training.lungs_real import CONFIG, CROSS_VALIDATED, FOLDS, PHANTOM_ONLY, WEIGHTS
from inference.training.radiographs import Radiograph

SIZE = CONFIG.image_size


def radiograph(name, patient, *, drawn):
    lungs = np.zeros((SIZE, SIZE), dtype=bool)
    lungs[30:110, 20:60] = lungs[30:110, 70:110] = True
    gray = np.where(lungs, 0.2, 0.8).astype(np.float32)
    return Radiograph(name, patient, False, gray, lungs if drawn else None)


class Dark(torch.nn.Module):
    """Says lung where the picture is dark, right on its left half; `sure` is how strongly."""

    def __init__(self, sure):
        super().__init__()
        self.sure = sure

    def forward(self, seen):
        dark = (0.5 - seen[:, 0]) * self.sure
        nowhere = torch.full_like(dark[..., : SIZE // 2], -100.0)
        right = torch.cat([dark[..., : SIZE // 2], nowhere], dim=-1)
        left = torch.cat([nowhere, dark[..., SIZE // 2 :]], dim=-1)
        return torch.stack([right, left], dim=1)


@pytest.fixture
def everyone():
    drawn = [radiograph(f"d{number}", f"p{number}", drawn=True) for number in range(6)]
    undrawn = [radiograph(f"u{number}", f"p{number}", drawn=False) for number in range(4, 10)]
    return drawn + undrawn


def test_a_trusted_outline_teaches_each_lung_on_its_side():
    squares, taken = pseudolabels.pseudolabels(Dark(40), [radiograph("u", "p", drawn=False)])
    assert taken == 1
    assert squares.known.all()
    assert squares.sides[0, :, 60, 40].tolist() == [1, 0]
    assert squares.sides[0, :, 60, 90].tolist() == [0, 1]
    assert torch.equal(squares.lungs, squares.sides.amax(dim=1))


def test_the_half_that_is_trusted_most_teaches():
    plain = [radiograph(f"u{number}", "p", drawn=False) for number in range(3)]
    faint = [replace(one, grayscale=ndimage.gaussian_filter(one.grayscale, 6)) for one in plain]
    teacher = Dark(20)
    trust = [float(pseudolabels.outlined(teacher, one)[2].min()) for one in (plain[0], faint[0])]
    assert trust[0] > trust[1] > 0
    squares, taken = pseudolabels.pseudolabels(teacher, [faint[0], plain[0], faint[1], plain[1], faint[2]])
    assert taken == 3
    expected = [plain[0], plain[1], faint[0]]
    for image, one in zip(squares.images, expected, strict=True):
        assert torch.equal(image, pseudolabels.outlined(teacher, one)[0])


def test_where_nothing_is_outlined_nothing_teaches():
    def nowhere(seen):
        return torch.full((1, 2, SIZE, SIZE), -100.0)

    squares, taken = pseudolabels.pseudolabels(nowhere, [radiograph("u", "p", drawn=False)])
    assert taken == 0
    assert squares.images.shape == (0, 1, SIZE, SIZE)


def test_the_mirror_image_is_told_with_the_sides_changed():
    seen = torch.rand(1, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    network = lungs_real.build(CONFIG).eval()
    with torch.inference_mode():
        told = lungs_real.probabilities(network, seen)
        mirrored = lungs_real.probabilities(network, seen.flip(-1))
    torch.testing.assert_close(told, mirrored.flip(-1, 0))


@given(
    blocks=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 7)),
        unique_by=lambda b: b[:2],
        max_size=6,
    ),
    pieces=st.integers(1, 2),
)
def test_the_largest_pieces_are_kept_whole(blocks, pieces):
    mask = np.zeros((40, 40), dtype=bool)
    for row, column, side in blocks:
        mask[row * 10 : row * 10 + side, column * 10 : column * 10 + side] = True
    kept = lungs_real.largest(mask, pieces)
    areas = sorted((side**2 for *_, side in blocks), reverse=True)
    assert kept.sum() == sum(areas[:pieces])
    assert not (kept & ~mask).any()


def test_holes_are_filled():
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:12, 2:12] = True
    whole = mask.copy()
    mask[5:7, 5:7] = False
    np.testing.assert_array_equal(lungs_real.largest(mask), whole)


@pytest.mark.parametrize("arm", [PHANTOM_ONLY, CROSS_VALIDATED])
def test_nobody_who_is_measured_teaches(arm, everyone, tmp_path, monkeypatch):
    lungs_real.save_weights(lungs_real.build(CONFIG), tmp_path / WEIGHTS)
    for fold in range(FOLDS):
        lungs_real.save_weights(lungs_real.build(CONFIG), tmp_path / lungs_real.of_fold(fold))
    asked, measured = [], []
    real = pseudolabels.pseudolabels

    def noted(teacher, undrawn):
        asked.append({one.patient for one in undrawn})
        assert all(one.lungs is None for one in undrawn)
        return real(teacher, undrawn)

    def dices(_network, unseen):
        measured.append({one.patient for one in unseen})
        return [float(one.name[1:]) for one in unseen]

    blank = torch.zeros(4, 1, SIZE, SIZE, dtype=torch.uint8), torch.zeros(4, 2, SIZE, SIZE, dtype=torch.bool)
    monkeypatch.setattr(pseudolabels, "pseudolabels", noted)
    monkeypatch.setattr(lungs_real, "dices", dices)
    monkeypatch.setattr(lungs_real, "phantoms", lambda _cache, _count: blank)
    monkeypatch.setattr(lungs_real, "fit", lambda *_: None)
    options = argparse.Namespace(
        arm=arm, out=tmp_path, cache=tmp_path, studies=4, seed=0, threads=1, device="cpu"
    )
    found = pseudolabels.measured(everyone, options)
    assert found.teacher == found.student == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert len(asked) == (1 if arm == PHANTOM_ONLY else FOLDS)
    for others, (teacher, student) in zip(
        asked, zip(measured[::2], measured[1::2], strict=True), strict=True
    ):
        assert teacher == student
        assert not others & teacher
    assert {patient for one in measured for patient in one} == {f"p{number}" for number in range(6)}


def test_what_is_won_is_taken_image_by_image():
    found = pseudolabels.Measured([0.8, 0.9, 0.7], [0.82, 0.91, 0.75], [0.9, 0.95, 0.8], taken=7)
    options = argparse.Namespace(arm=CROSS_VALIDATED, minutes=0.0, steps=400, rate=1e-3)
    rows = {(row["arm"], row["metric"]): row for row in pseudolabels.rows(found, options)}
    won = rows["cross-validated, pseudolabels", "dice minus cross-validated"]
    assert won["mean"] == pytest.approx(0.0267, abs=1e-4)
    assert won["low"] > 0
    assert rows["cross-validated, pseudolabels", "taken"]["mean"] == 7
    assert rows["cross-validated", "trust_dice_correlation"]["mean"] > 0.9
    assert "--steps 400" in won["command"]
