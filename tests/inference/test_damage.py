"""Damaged masks by hand, and what the trust gate makes of them."""

import pytest
import torch

from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD
from inference.structures import STRUCTURES
from inference.training import damage, records, told
from tests.inference import tiny_model

CODES = [structure.code for structure in STRUCTURES]
RIGHT, LEFT, HEART = (CODES.index(code) for code in ("lung_right", "lung_left", "heart"))


def one_square(structure=RIGHT, size=64):
    masks = torch.zeros(2, len(CODES), size, size, dtype=torch.bool)
    masks[0, structure, 20:40, 20:40] = True
    return masks


def apply(name, masks):
    return damage.DAMAGES[name](masks, torch.Generator().manual_seed(0))


def test_eroded_masks_lose_two_pixels_all_round_and_lines_vanish():
    masks = one_square()
    masks[0, HEART, 10, 5:60] = True
    thin = apply("eroded", masks)
    expected = torch.zeros(64, 64, dtype=torch.bool)
    expected[22:38, 22:38] = True
    assert torch.equal(thin[0, RIGHT], expected)
    assert not thin[0, HEART].any()


def test_shifted_masks_do_not_come_back_on_the_other_side():
    masks = one_square()
    masks[0, HEART, 60:, 60:] = True
    moved = apply("shifted", masks)
    expected = torch.zeros(64, 64, dtype=torch.bool)
    expected[36:56, 36:56] = True
    assert torch.equal(moved[0, RIGHT], expected)
    assert not moved[0, HEART].any()


def test_swapped_sides_are_the_patients_other_lung_and_the_heart_stays():
    masks = one_square()
    masks[0, HEART, 5:9, 5:9] = True
    swapped = apply("sides swapped", masks)
    assert torch.equal(swapped[0, LEFT], masks[0, RIGHT])
    assert not swapped[0, RIGHT].any()
    assert torch.equal(swapped[0, HEART], masks[0, HEART])
    assert torch.equal(apply("sides swapped", swapped), masks)


def test_every_sided_structure_has_another_side():
    swapped = [damage._other_side(code) for code in CODES]
    assert sorted(swapped) == sorted(CODES)


def test_half_missing_leaves_whole_masks_or_none():
    masks = torch.ones(40, len(CODES), 4, 4, dtype=torch.bool)
    left = apply("half missing", masks).flatten(2)
    assert torch.equal(left.any(dim=-1), left.all(dim=-1))
    assert 0.4 < left[..., 0].float().mean() < 0.6


def test_the_other_patients_masks_are_those_of_the_study_before():
    masks = one_square()
    assert torch.equal(apply("another patient's", masks)[1], masks[0])
    assert not apply("all gone", masks).any()


@pytest.fixture(scope="module")
def bundle():
    return tiny_model.bundle()


def test_the_gate_believes_masks_as_far_as_the_segmenter_agrees(bundle):
    masks = one_square()
    probabilities = torch.where(masks, 0.99, 0.01).half()
    looked = told.Looked(torch.zeros(2, 2, 17, 32), probabilities, masks)
    assert told.states(bundle, looked, masks)[0, RIGHT] == PRESENT
    moved = apply("shifted", masks)
    assert told.states(bundle, looked, moved)[0, RIGHT] == WITHHELD
    assert told.states(bundle, looked, moved, gate=False)[0, RIGHT] == PRESENT
    assert (told.states(bundle, looked, apply("all gone", masks)) == ABSENT).all()


def test_every_damage_gives_rows_with_and_without_the_gate(bundle, tmp_path):
    phantoms = records.phantoms(tmp_path, 3, 3, size=64, processes=1)
    rows = damage.measure(bundle, phantoms)
    arms = {(row["arm"], row["population"]) for row in rows}
    assert arms == {
        (damage.NOTHING_TOLD, "none"),
        *((arm, name) for arm in ("trust gate", "no gate") for name in damage.DAMAGES),
    }
    assert all(row["n"] == 3 for row in rows if row["metric"].startswith(("macro", "micro")))
    assert all(row["n"] <= 3 for row in rows)
    assert all("--studies 3 " in row["command"] for row in rows)


def test_a_batch_writes_what_the_drafter_writes_one_by_one(bundle, tmp_path):
    phantoms = records.phantoms(tmp_path, 3, 3, size=64, processes=1)
    images = phantoms.images(torch.arange(3))
    looked = told.look(bundle, images)
    states = told.states(bundle, looked, looked.masks)
    together = told.write(bundle, looked, looked.masks, states)
    for row in range(3):
        alone = told.look(bundle, images[row : row + 1])
        assert told.write(bundle, alone, alone.masks, states[row : row + 1]) == together[row : row + 1]
