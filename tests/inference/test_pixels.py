"""The grayscale pipeline beyond the golden cases of test_golden.py: offers, derivatives, refusals.

Gray is given in 16 bits: floor(y * 65535 + 0.5) for the standard's output y in 0..1.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from inference.imaging import pixels, voi
from inference.imaging.dicom import Refusal
from inference.imaging.voi import Window
from tests.inference.radiographs import lut, radiograph, save


def shown(dataset: Dataset, stored: list[int]) -> list[int]:
    """The 16-bit gray that pixels with these stored values are first shown with."""
    dtype = np.dtype("i2" if dataset.PixelRepresentation else "u2")
    image = np.resize(np.array(stored, dtype), (130, 140))
    dataset.Rows, dataset.Columns = image.shape
    dataset.PixelData = image.tobytes()
    rendered = pixels.render(dataset)
    return [int(v) for v in rendered.table[rendered.values].ravel()[: len(stored)]]


def test_a_rescale_comes_before_the_window() -> None:
    # Modality = 2 * stored - 1024; LINEAR_EXACT c = 0, w = 2048: y = (2 s - 1024) / 2048 + 0.5 = s / 1024.
    dataset = radiograph(
        RescaleSlope=2,
        RescaleIntercept=-1024,
        WindowCenter=0,
        WindowWidth=2048,
        VOILUTFunction="LINEAR_EXACT",
    )
    assert shown(dataset, [0, 256, 512, 1024]) == [0, 16384, 32768, 65535]
    display = pixels.render(dataset).display
    assert (display.value_slope, display.value_intercept) == (2.0, -1024.0)


def test_a_negative_slope_turns_the_scale() -> None:
    # Modality = 1000 - 10 * stored; c = 500, w = 1000 exact: y = 1 - s / 100.
    dataset = radiograph(
        RescaleSlope=-10,
        RescaleIntercept=1000,
        WindowCenter=500,
        WindowWidth=1000,
        VOILUTFunction="LINEAR_EXACT",
    )
    assert shown(dataset, [0, 25, 100, 300]) == [65535, 49151, 0, 0]
    rendered = pixels.render(dataset)
    assert rendered.display.value_slope == 10.0
    modality = rendered.values[0, :4] * rendered.display.value_slope + rendered.display.value_intercept
    assert modality.tolist() == [1000.0, 750.0, 0.0, -2000.0]
    assert not rendered.display.invert


def test_a_modality_lut_replaces_values() -> None:
    dataset = radiograph(ModalityLUTSequence=[lut([3, 10, 16], [5, 700, 9000])])
    shown(dataset, [9, 10, 11, 12, 13])
    assert pixels.render(dataset).values[0, :5].tolist() == [5, 5, 700, 9000, 9000]


def test_a_voi_lut_is_shown_first_and_windows_stay_on_offer() -> None:
    # 8-bit entries: 51 / 255 = 0.2 and 204 / 255 = 0.8. Inputs outside take the first and last entry.
    dataset = radiograph(VOILUTSequence=[lut([4, 100, 8], [0, 51, 204, 255])], WindowCenter=9, WindowWidth=8)
    assert shown(dataset, [0, 100, 101, 102, 103, 60000]) == [0, 0, 13107, 52428, 65535, 65535]
    functions = [window.function for window in pixels.render(dataset).display.windows]
    assert functions == ["LUT", "LINEAR", "LINEAR_EXACT"]


def test_a_voi_lut_may_start_below_zero_and_a_length_of_zero_means_65536() -> None:
    entries = [0] * 30000 + [65535] * 35536
    dataset = radiograph(
        np.zeros((130, 140), np.int16), VOILUTSequence=[lut([0, 0x8000, 16], entries)]
    )  # 0x8000 is -32768 as SS: the step lies at -2768
    assert shown(dataset, [-2769, -2768]) == [0, 65535]


def test_a_voi_lut_that_contradicts_itself_gives_way_to_the_window() -> None:
    dataset = radiograph(
        VOILUTSequence=[lut([4, 0, 16], [1, 2])],
        WindowCenter=50,
        WindowWidth=100,
        VOILUTFunction="LINEAR_EXACT",
    )
    assert shown(dataset, [0, 25, 100]) == [0, 16384, 65535]


def test_a_modality_lut_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        pixels.render(radiograph(ModalityLUTSequence=[lut([4, 0, 16], [1, 2])]))
    assert caught.value.code == "damaged-pixels"


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME2", "INVERSE", True),
    ],
)
def test_the_image_is_inverted_once_and_after_the_window(
    photometric: str, shape: Any, inverted: bool
) -> None:
    elements = {"PresentationLUTShape": shape} if shape else {}
    dataset = radiograph(
        PhotometricInterpretation=photometric, WindowCenter=2048, WindowWidth=4096, **elements
    )
    assert shown(dataset, [0, 1, 4095]) == ([65535, 65519, 0] if inverted else [0, 16, 65535])
    assert pixels.render(dataset).display.invert is inverted


def test_several_windows_keep_order_and_names() -> None:
    dataset = radiograph(
        WindowCenter=[100, 200], WindowWidth=[50, 60], WindowCenterWidthExplanation=["LUNG", "BONE"]
    )
    windows = pixels.render(dataset).display.windows
    assert windows[:2] == (Window(100, 50, "LINEAR", "LUNG"), Window(200, 60, "LINEAR", "BONE"))
    assert windows[-1].explanation == pixels.AUTOMATIC


def test_a_window_without_width_is_left_out() -> None:
    windows = pixels.render(radiograph(WindowCenter=[100, 200], WindowWidth=[0, 60])).display.windows
    assert [window.center for window in windows[:-1]] == [200]


def test_without_a_window_percentiles_decide() -> None:
    # 40,000 pixels 0..39,999 once each: half a per cent lies at or below 199, 99.5 % at or below 39,799.
    dataset = radiograph(np.arange(40_000, dtype=np.uint16).reshape(200, 200))
    (window,) = pixels.render(dataset).display.windows
    assert (window.center, window.width) == (19_999.0, 39_600.0)


def test_padding_is_black_and_left_out_of_statistics() -> None:
    image = np.full((200, 200), 1000, np.uint16)
    image[:, 100:] = 2000
    image[:50] = 65000
    dataset = radiograph(
        image, PixelPaddingValue=64000, PixelPaddingRangeLimit=65535, PhotometricInterpretation="MONOCHROME1"
    )
    rendered = pixels.render(dataset)
    display = rendered.display
    assert (display.value_min, display.value_max, display.padding) == (1000, 2000, (64000, 65535))
    assert (display.windows[0].center, display.windows[0].width) == (1500.0, 1000.0)
    assert rendered.eight_bit()[[0, 100, 100], [0, 0, 199]].tolist() == [0, 255, 0]
    valid = rendered.valid()
    assert valid is not None
    assert valid.sum() == 150 * 200


def test_padding_on_signed_values_may_be_written_unsigned() -> None:
    image = np.full((130, 140), 7, np.int16)
    image[0] = -2000
    dataset = radiograph(image)
    dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
    display = pixels.render(dataset).display
    assert display.padding == (30768, 30768)
    assert display.value_min == display.value_max == 32775


def test_padding_does_not_pass_through_a_modality_lut() -> None:
    image = np.tile(np.array([0, 1, 2, 3], np.uint16), (130, 35))
    dataset = radiograph(image, PixelPaddingValue=3, ModalityLUTSequence=[lut([4, 0, 16], [0, 1, 2, 2])])
    rendered = pixels.render(dataset)
    assert rendered.values[0, :4].tolist() == [0, 1, 2, 3]
    assert rendered.display.padding == (3, 3)


def test_an_image_that_is_all_padding_is_shown_as_image() -> None:
    rendered = pixels.render(radiograph(np.full((130, 140), 9, np.uint16), PixelPaddingValue=9))
    assert rendered.display.padding is None
    assert rendered.valid() is None


@pytest.mark.parametrize(
    ("signed", "expected"), [(False, [0x0ABC, 0x0001]), (True, [0x0ABC - 0x1000, 0x0001])]
)
def test_stored_bits_are_cut_out_wherever_they_lie(signed: bool, expected: list) -> None:
    # 12 bits at the top of 16, noise in the four unused bits below: 0xABC7 holds 0xABC, signed -1348.
    words = np.resize(np.array([0xABC7, 0x001F], np.uint16), (130, 140))
    dataset = radiograph(words, BitsStored=12, HighBit=15, PixelRepresentation=int(signed))
    rendered = pixels.render(dataset)
    modality = rendered.values.astype(float) * rendered.display.value_slope + rendered.display.value_intercept
    assert modality[0, :2].tolist() == expected


@pytest.mark.parametrize(("signed", "expected"), [(False, 0x0ABC), (True, 0x0ABC - 0x1000)])
def test_noise_above_the_stored_bits_is_ignored(signed: bool, expected: int) -> None:
    words = np.full((130, 140), 0x5ABC, np.uint16)
    dataset = radiograph(words, BitsStored=12, HighBit=11, PixelRepresentation=int(signed))
    display = pixels.render(dataset).display
    assert display.value_min * display.value_slope + display.value_intercept == expected


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize(("dtype", "bits"), [("u1", 8), ("u2", 12), ("u2", 16)])
def test_lossless_compression_changes_nothing(syntax: str, dtype: str, bits: int) -> None:
    image = np.random.default_rng(3).integers(0, 2**bits, (130, 141)).astype(dtype)
    dataset = radiograph(image, BitsStored=bits, HighBit=bits - 1)
    dataset.compress(syntax, generate_instance_uid=False)
    assert np.array_equal(pixels.render(dataset).values, image)


def test_big_endian_words_are_turned(tmp_path: Path) -> None:
    image = np.arange(130 * 140, dtype=np.uint16).reshape(130, 140)
    dataset = radiograph(image, VOILUTSequence=[lut([2, 0, 16], [1, 256])])
    dataset.PixelData = image.astype(">u2").tobytes()
    dataset.VOILUTSequence[0].LUTData = np.array([1, 256], ">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    rendered = pixels.render(dcmread(save(dataset, tmp_path / "big.dcm")))
    assert np.array_equal(rendered.values, image)
    assert rendered.table[:2].tolist() == [1, 256]


def test_an_unknown_compression_is_refused() -> None:
    dataset = radiograph()
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.53")  # spectral selection, retired
    with pytest.raises(Refusal) as caught:
        pixels.render(dataset)
    assert caught.value.code == "unsupported-compression"


@pytest.mark.parametrize(
    "change",
    [
        {"PixelData": b"\0" * 100},
        {"HighBit": 3},
        {"BitsStored": 12, "HighBit": 17},
    ],
)
def test_pixels_that_contradict_the_header_are_refused(change: dict) -> None:
    with pytest.raises(Refusal) as caught:
        pixels.render(radiograph(**change))
    assert caught.value.code == "damaged-pixels"


def test_a_jpeg_lossless_image_with_a_modality_lut(shared_data: Path) -> None:
    """A dental panorama, refused as a chest, but decodable: its LUT (0, 0, 1, 2, 2, 3, ...) is applied."""
    (path,) = (shared_data / "dicom" / "chest").glob("*CR-ModalitySequenceLUT.dcm")
    dataset = dcmread(path)
    entries = np.frombuffer(dataset.ModalityLUTSequence[0].LUTData, "<u2")
    assert np.array_equal(pixels.render(dataset).values, entries[dataset.pixel_array])


def test_the_derivatives_are_what_the_documentation_says(tmp_path: Path) -> None:
    image = np.random.default_rng(1).integers(0, 4096, (300, 1000)).astype(np.uint16)
    dataset = radiograph(image, WindowCenter=2048, WindowWidth=4096, ImagerPixelSpacing=[0.2, 0.1])
    pixels.write_derivatives(dataset, tmp_path)
    full = np.frombuffer(gzip.decompress((tmp_path / "full.bin").read_bytes()), "<u2").reshape(300, 1000)
    assert np.array_equal(full[:, 0], image[:, 0])
    assert np.array_equal(np.cumsum(full.astype(np.int64), axis=1) % 65536, image)
    table = np.frombuffer(gzip.decompress((tmp_path / "table.bin").read_bytes()), "<u2")
    assert len(table) == 65536
    assert table[[0, 1, 4095]].tolist() == [0, 16, 65535]
    preview = np.frombuffer(gzip.decompress((tmp_path / "preview.bin").read_bytes()), "<u2")
    display = json.loads((tmp_path / "display.json").read_text())
    assert (display["rows"], display["columns"]) == (300, 1000)
    assert (display["preview_rows"], display["preview_columns"]) == (192, 640)
    assert len(preview) == 192 * 640
    assert display["windows"][0] == {
        "center": 2048.0,
        "width": 4096.0,
        "function": "LINEAR",
        "explanation": "",
    }
    assert display["pixel_spacing"] == [0.2, 0.1]
    assert display["pixel_spacing_source"] == "detector"
    assert display["pixel_aspect_ratio"] == 2.0
    assert display["version"] == pixels.PIPELINE_VERSION


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        pixels.write_derivatives(radiograph(), tmp_path / name)
    for file in ("full.bin", "preview.bin", "table.bin", "display.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@settings(max_examples=25, deadline=None)
@given(
    hnp.arrays(st.sampled_from(["u1", "u2", "i2"]), (128, 131)),
    st.sampled_from([None, -3.5, 0.25, 1.0]),
    st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    st.sampled_from([None, 0, 5]),
)
def test_server_browser_and_model_agree(
    tmp_path_factory: Any, image: np.ndarray, slope: Any, photometric: str, padding: Any
) -> None:
    elements = {"RescaleSlope": slope, "RescaleIntercept": 3} if slope else {}
    if padding is not None:
        elements["PixelPaddingValue"] = padding
    dataset = radiograph(image, PhotometricInterpretation=photometric, **elements)
    folder = tmp_path_factory.mktemp("derivatives")
    rendered = pixels.render(dataset)
    display = pixels.write_derivatives(dataset, folder)
    assert pixels.read_display(folder) == display == rendered.display
    modality = rendered.values * display.value_slope + display.value_intercept
    assert np.array_equal(modality, image * (slope or 1.0) + (3 if slope else 0))
    grayscale, valid = pixels.model_input(folder)
    assert grayscale.dtype == np.float32
    assert np.array_equal(grayscale, rendered.grayscale())
    assert (valid is None) == (rendered.valid() is None)
    assert np.array_equal((grayscale * 65535 + 0.5).astype(np.uint16) >> 8, rendered.eight_bit())
    assert np.array_equal(pixels.window_table(display, display.windows[0]), rendered.table)


def test_shrinking_averages_areas() -> None:
    block = np.array([[0, 10], [20, 30]], np.uint16)
    assert pixels.shrink(np.tile(block, (3, 5)), (3, 5), None).tolist() == [[15] * 5] * 3


def test_shrinking_leaves_padding_out_of_averages() -> None:
    image = np.array([[100, 9999, 9999, 9999], [300, 9999, 9999, 9999]], np.uint16)
    assert pixels.shrink(image, (1, 2), (9999, 9999)).tolist() == [[200, 9999]]


def test_derivatives_of_another_version_are_not_read(tmp_path: Path) -> None:
    pixels.write_derivatives(radiograph(), tmp_path)
    path = tmp_path / "display.json"
    path.write_text(path.read_text().replace(f'"version": "{pixels.PIPELINE_VERSION}"', '"version": "0"'))
    with pytest.raises(ValueError, match="version"):
        pixels.model_input(tmp_path)


@pytest.mark.parametrize("implicit", [False, True])
def test_a_voi_lut_of_large_inputs_reads_the_same_in_every_encoding(implicit: bool, tmp_path: Path) -> None:
    """Signed pixels through a modality LUT are positive: 40000 is no -25536, however pydicom types it."""
    dataset = radiograph(
        np.zeros((130, 140), np.int16),
        ModalityLUTSequence=[lut([3, 0, 16], [100, 40000, 40001])],
        VOILUTSequence=[lut([2, 40000, 16], [0, 65535])],
    )
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    dataset.PixelData = np.resize(np.array([0, 1, 2], np.int16), (130, 140)).tobytes()
    path = tmp_path / "image.dcm"
    dataset.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=True)
    rendered = pixels.render(dcmread(path))
    assert rendered.table[rendered.values[0, :3]].tolist() == [0, 0, 65535]


def test_stored_bits_are_cut_out_of_run_length_encoded_words_too() -> None:
    words = np.resize(np.array([0xABC7, 0x001F], np.uint16), (130, 140))
    dataset = radiograph(words)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.BitsStored, dataset.HighBit = 12, 15
    assert pixels.render(dataset).values[0, :2].tolist() == [0xABC, 0x001]


def test_a_shift_beside_a_codec_that_knows_none_is_refused() -> None:
    dataset = radiograph(np.zeros((130, 140), np.uint16))
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    dataset.BitsStored, dataset.HighBit = 12, 15
    with pytest.raises(Refusal) as caught:
        pixels.render(dataset)
    assert caught.value.code == "damaged-pixels"


def test_one_of_several_voi_luts_that_contradicts_itself_is_left_out() -> None:
    luts = [lut([4, 0, 16], [1, 2], "BROKEN"), lut([2, 0, 16], [0, 9], "WHOLE")]
    rendered = pixels.render(radiograph(VOILUTSequence=luts))
    assert rendered.display.windows[0].explanation == "WHOLE"
    assert len(rendered.tables) == 1


def test_no_more_voi_luts_are_offered_than_a_browser_may_fetch() -> None:
    luts = [lut([2, 0, 16], [0, number]) for number in range(1, 40)]
    rendered = pixels.render(radiograph(VOILUTSequence=luts))
    assert len(rendered.tables) == voi.LUTS == 16
    assert [window.function for window in rendered.display.windows].count("LUT") == 16


def test_derivatives_of_the_version_before_are_read(tmp_path: Path) -> None:
    """They offer the first VOI LUT only, and are right otherwise."""
    pixels.write_derivatives(radiograph(), tmp_path)
    path = tmp_path / "display.json"
    path.write_text(path.read_text().replace(f'"version": "{pixels.PIPELINE_VERSION}"', '"version": "1"'))
    assert pixels.read_display(tmp_path).rows == radiograph().Rows


def test_a_voi_lut_has_no_formula() -> None:
    display = pixels.render(radiograph(VOILUTSequence=[lut([2, 0, 16], [0, 9])])).display
    with pytest.raises(ValueError, match="table"):
        pixels.window_table(display, display.windows[0])
