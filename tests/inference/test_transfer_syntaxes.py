"""Each transfer syntax, written by another program, read here: bit by bit where nothing may be lost."""

import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import HTJ2K, JPEG2000, JPEGBaseline8Bit, JPEGExtended12Bit

from inference.imaging import dicom, pixels
from tests import components
from tests.inference import syntaxes
from tests.inference.syntaxes import Syntax

LOSSLESS = [
    pytest.param(syntax, bits, signed, id=f"{syntax}-{bits}-{'signed' if signed else 'unsigned'}")
    for syntax in syntaxes.ALL
    if syntax.lossless
    for bits in syntax.bits
    for signed in ((False, True) if syntax.signed else (False,))
]
LOSSY = [
    pytest.param(syntax, bits, id=f"{syntax}-{bits}")
    for syntax in syntaxes.ALL
    if not syntax.lossless
    for bits in syntax.bits
]


def read(path: Path) -> NDArray[np.float64]:
    """The modality values of a file, through the product's own door."""
    dataset, _header = dicom.read(path)
    rendered = pixels.render(dataset)
    return rendered.values * rendered.display.value_slope + rendered.display.value_intercept


@pytest.mark.parametrize(("syntax", "bits", "signed"), LOSSLESS)
def test_lossless_is_bit_exact(syntax: Syntax, bits: int, signed: bool, tmp_path: Path) -> None:
    image = syntaxes.picture(131, 150, bits, signed=signed)
    assert np.array_equal(read(syntaxes.written(syntax, image, bits, tmp_path)), image)


@pytest.mark.parametrize(("syntax", "bits"), LOSSY)
def test_lossy_is_what_another_decoder_makes_of_it(syntax: Syntax, bits: int, tmp_path: Path) -> None:
    """Decoders may round otherwise: by one level of 8 or 12 bits, or as much of 16."""
    image = syntaxes.picture(131, 150, bits, signed=False)
    path = syntaxes.written(syntax, image, bits, tmp_path)
    found = read(path)
    assert np.abs(found - other_decoder(path, tmp_path)).max() <= max(1, 2 ** (bits - 12))
    off = syntaxes.NEAR if syntax.uid.keyword == "JPEGLSNearLossless" else 2**bits / 16
    assert np.abs(found - image).max() <= off


def other_decoder(path: Path, folder: Path) -> NDArray[np.float64]:
    """The same file decoded by dcmtk, or by imagecodecs where dcmtk knows no JPEG 2000."""
    dataset = dcmread(path)
    if dataset.file_meta.TransferSyntaxUID in {JPEG2000, HTJ2K}:
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        decode = imagecodecs.jpeg2k_decode
        if dataset.file_meta.TransferSyntaxUID == HTJ2K:
            decode = imagecodecs.htj2k_decode
        return np.asarray(decode(frame), np.float64)
    is_jpeg = dataset.file_meta.TransferSyntaxUID in {JPEGBaseline8Bit, JPEGExtended12Bit}
    program = components.require("dcmdjpeg" if is_jpeg else "dcmdjpls")
    target = folder / "decoded.dcm"
    subprocess.run([program, str(path), str(target)], check=True, capture_output=True)
    return dcmread(target).pixel_array.astype(np.float64)


def test_every_transfer_syntax_named_in_the_documentation_is_tried() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "imaging.md").read_text()
    for syntax in syntaxes.ALL:
        assert f"`{syntax.uid}`" in page, syntax.uid.name
