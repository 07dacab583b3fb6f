"""The way into the network's square and back, the masks it gives, and how far they are believed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.contract import ImageInput
from inference.segmentation import geometry, model, trust
from inference.segmentation import segmenter as segmenter_module
from inference.segmentation.geometry import Letterbox
from inference.structures import STRUCTURES
from tests.inference import tiny_model


def letter_f(rows: int, cols: int) -> np.ndarray:
    """An F: no mirror and no turn leaves it as it is."""
    mask = np.zeros((rows, cols), dtype=np.float32)
    mask[rows // 8 : -rows // 8, cols // 4 : cols // 4 + cols // 8] = 1
    mask[rows // 8 : rows // 4, cols // 4 : -cols // 8] = 1
    mask[rows // 2 : rows // 2 + rows // 8, cols // 4 : cols // 2 + cols // 8] = 1
    return mask


@pytest.mark.parametrize("shape", [(512, 512), (512, 256), (256, 512), (128, 64), (256, 256)])
def test_a_letter_comes_back_from_the_square_as_it_went_in(shape):
    mask = letter_f(*shape)
    box = Letterbox(*shape, 256)
    square = box.shrink(torch.from_numpy(mask)[None])
    back = box.grow(square)[0].numpy() >= 0.5
    assert square.shape == (1, 256, 256)
    assert (back == (mask > 0.5)).all()


@given(rows=st.integers(64, 400), cols=st.integers(64, 400))
@settings(max_examples=25, deadline=None)
def test_any_size_comes_back_in_its_own_pixels_and_place(rows, cols):
    mask = letter_f(rows, cols)
    box = Letterbox(rows, cols, 256)
    back = box.grow(box.shrink(torch.from_numpy(mask)[None]))[0].numpy() >= 0.5
    assert back.shape == mask.shape
    assert 2 * (back & (mask > 0.5)).sum() / (back.sum() + mask.sum()) > 0.93


def test_a_wire_one_pixel_wide_still_darkens_the_square():
    image = np.zeros((1024, 1024), dtype=np.float32)
    image[:, 511] = 1.0
    shrunk = Letterbox(1024, 1024, 256).shrink(torch.from_numpy(image)[None])
    assert shrunk[0, :, 127].min() == pytest.approx(0.25)


def test_the_window_an_image_was_shown_with_makes_no_difference():
    pixels = np.linspace(0, 1, 128 * 128, dtype=np.float32).reshape(128, 128)
    one, _ = geometry.to_square(ImageInput("1", pixels), 64)
    other, _ = geometry.to_square(ImageInput("1", 0.3 + 0.4 * pixels), 64)
    assert torch.allclose(one, other, atol=1e-5)


def test_padding_is_left_out_of_the_statistics():
    pixels = np.tile(np.linspace(0.4, 0.6, 128, dtype=np.float32), (128, 1))
    valid = np.ones((128, 128), dtype=bool)
    valid[:32] = False
    padded = np.where(valid, pixels, 1.0).astype(np.float32)
    square, _ = geometry.to_square(ImageInput("1", padded, valid=valid), 64)
    whole, _ = geometry.to_square(ImageInput("1", pixels), 64)
    assert torch.allclose(square[0, 16:], whole[0, 16:], atol=1e-4)
    assert float(square[0, :16].max()) == 0.0


def test_every_structure_has_its_channel():
    segmenter = tiny_model.segmenter()
    square = segmenter.look(ImageInput("1", np.random.default_rng(0).random((90, 70), dtype=np.float32)))
    assert square.probabilities.shape == (len(STRUCTURES), 64, 64)
    assert segmenter.to_image(square, 0).shape == (90, 70)


def test_small_specks_count_as_absent():
    segmenter = tiny_model.segmenter()
    object.__setattr__(segmenter.config, "min_area", (5,) * len(STRUCTURES))
    probabilities = torch.zeros(1, len(STRUCTURES), 8, 8)
    probabilities[0, 0, 0, :4] = 1.0
    probabilities[0, 1, 0, :5] = 1.0
    masks = segmenter.cut(probabilities)
    assert not masks[0, 0].any()
    assert masks[0, 1].sum() == 5


def test_specks_beside_anatomy_are_taken_away_and_halves_are_kept():
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:10, 2:10] = mask[12:18, 2:10] = mask[5, 18] = True
    cleaned = segmenter_module.without_specks(mask)
    assert not cleaned[5, 18]
    assert cleaned.sum() == mask.sum() - 1
    assert (segmenter_module.without_specks(~mask & False) == 0).all()


def test_what_was_taken_away_does_not_come_back_in_the_images_pixels():
    segmenter = tiny_model.segmenter()
    probabilities = torch.zeros(1, len(STRUCTURES), 64, 64)
    probabilities[0, 0, 10:40, 10:30] = probabilities[0, 0, 50:52, 50:52] = 0.9
    masks = segmenter.cut(probabilities)[0]
    box = Letterbox(128, 128, 64)
    square = segmenter_module.Square(
        probabilities[:, 0], probabilities[0], masks, masks[:, 0, 0], masks[:, 0, 0], box
    )
    back = segmenter.to_image(square, 0)
    assert back[30, 40]
    assert not back[95:110, 95:110].any()


def test_the_configuration_survives_its_file():
    config = model.SegmenterConfig(min_area=(1,) * 14)
    assert model.SegmenterConfig.from_dict(config.to_dict()) == config


def test_trust_is_one_when_certain_and_low_when_wavering():
    certain = torch.zeros(2, 4, 4)
    certain[0, :2] = 1.0
    wavering = torch.full((2, 4, 4), 0.45)
    wavering[:, 0, 0] = 0.55
    assert trust.soft_dice(certain, certain >= 0.5).tolist() == [1.0, 0.0]
    assert float(trust.soft_dice(wavering, wavering >= 0.5)[0]) < 0.3
