"""Masks survive every conversion exactly, and a bad one is named before any decoder sees it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inference.imaging import masks

F = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 0, 0],
        [0, 1, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    bool,
)

anything = hnp.arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40)))


def test_an_asymmetric_mask_survives() -> None:
    assert np.array_equal(masks.decode(masks.encode(F), (8, 7)), F)


def test_runs_go_down_the_columns() -> None:
    # Column 0 is empty (8), column 1 starts one below the top: 9 outside, then 5 inside.
    assert masks.run_lengths(masks.encode(F))[:2] == [9, 5]


def test_area_and_box_are_those_of_the_letter() -> None:
    counts = masks.encode(F)
    assert masks.area(counts, (8, 7)) == 10
    assert masks.bounding_box(counts, (8, 7)) == (1, 1, 5, 4)
    assert masks.bounding_box(masks.encode(np.zeros((8, 7), bool)), (8, 7)) == (0, 0, 0, 0)


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_enlarging_by_whole_factors_is_exact_and_reversible(factor: int) -> None:
    large = masks.resize(F, (8 * factor, 7 * factor))
    assert np.array_equal(large, np.kron(F, np.ones((factor, factor), bool)))
    assert np.array_equal(masks.resize(large, (8, 7)), F)


def test_thin_structures_survive_a_reduction_when_asked() -> None:
    catheter = np.zeros((64, 64), bool)
    catheter[:, 13] = True
    assert not masks.resize(catheter, (16, 16)).any()
    assert masks.resize(catheter, (16, 16), keep_thin=True)[:, 3].all()
    assert masks.resize(catheter, (16, 16), keep_thin=True).sum() == 16


@given(anything)
def test_any_mask_survives(mask: np.ndarray) -> None:
    counts = masks.encode(mask)
    size = (mask.shape[0], mask.shape[1])
    masks.validate(size, counts, size)
    assert np.array_equal(masks.decode(counts, size), mask)
    assert masks.area(counts, size) == mask.sum()
    assert sum(masks.run_lengths(counts)) == mask.size


@given(st.text(max_size=40), st.integers(1, 30), st.integers(1, 30))
def test_no_counts_reach_the_decoder_unchecked(counts: str, rows: int, cols: int) -> None:
    try:
        decoded = masks.decode(counts, (rows, cols))
    except ValueError:
        return
    assert decoded.shape == (rows, cols)


@pytest.mark.parametrize(
    ("size", "counts", "image_size", "message"),
    [
        ((7, 8), masks.encode(F), (8, 7), r"size \[7, 8\] is not the image's \[8, 7\]"),
        ((8, 8), masks.encode(F), (8, 8), "cover 56 pixels, but the size .* has 64"),
        ((8, 7), "", (8, 7), "empty"),
        ((8, 7), "9 5", (8, 7), "outside the code at position 1"),
        ((8, 7), masks.encode(F)[:-1] + "P", (8, 7), "cut off"),
        ((8, 7), "oooooooo0", (8, 7), "too long"),
        ((8, 7), "O", (8, 7), "negative"),
        ((0, 7), "0", (0, 7), "holds no pixels"),
    ],
)
def test_a_bad_mask_is_named(size: tuple, counts: str, image_size: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        masks.validate(size, counts, image_size)


def test_a_stack_is_no_mask() -> None:
    with pytest.raises(ValueError, match="two dimensions"):
        masks.encode(np.zeros((2, 3, 4), bool))
