"""Server and model against gray worked out by hand from the standard; the browser: tests/browser."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from inference.imaging import dicom, pixels
from tests.inference import golden
from tests.inference.radiographs import save

CASES = pytest.mark.parametrize("case", golden.CASES, ids=str)


@CASES
def test_the_server_shows_what_the_standard_says(case: golden.Case, tmp_path: Path) -> None:
    dataset, _header = dicom.read(save(case.dataset(), tmp_path / "image.dcm"))
    rendered = pixels.render(dataset)
    assert np.array_equal(rendered.table[rendered.values], case.gray())
    assert np.array_equal(rendered.eight_bit(), (case.gray() >> 8).astype(np.uint8))


@CASES
def test_every_voi_lut_is_offered_and_shows_what_the_standard_says(case: golden.Case, tmp_path: Path) -> None:
    dataset, _header = dicom.read(save(case.dataset(), tmp_path / "image.dcm"))
    rendered = pixels.render(dataset)
    offered = rendered.display.windows
    if case.luts:
        assert tuple(window.explanation for window in offered if window.function == "LUT") == case.luts
    assert len(rendered.tables) == 1 + len(case.others)
    for table, gray in zip(rendered.tables[1:], case.gray_of_others(), strict=True):
        assert np.array_equal(table[rendered.values], gray)
    pixels.write_derivatives(dataset, tmp_path / "derivatives")
    written = np.frombuffer(gzip.decompress((tmp_path / "derivatives" / "table.bin").read_bytes()), "<u2")
    assert np.array_equal(written.reshape(-1, 65536), np.stack(rendered.tables))


@CASES
def test_the_model_sees_the_same(case: golden.Case, tmp_path: Path) -> None:
    dataset, _header = dicom.read(save(case.dataset(), tmp_path / "image.dcm"))
    pixels.write_derivatives(dataset, tmp_path / "derivatives")
    grayscale, _valid = pixels.model_input(tmp_path / "derivatives")
    assert np.array_equal(grayscale, (case.gray() / np.float32(65535)).astype(np.float32))


def test_the_cases_are_files_as_others_read_them(tmp_path: Path) -> None:
    """pydicom reads back what each case says: the files are the cases."""
    for case in golden.CASES:
        read = dcmread(save(case.dataset(), tmp_path / "image.dcm"))
        words = np.frombuffer(read.PixelData, np.dtype(case.dtype))[: golden.SIDE**2]
        assert words[: len(case.shown)].tolist() == list(case.shown)
