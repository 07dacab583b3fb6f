"""One radiograph in every transfer syntax, compressed by programs that the product does not decode with.

dcmtk writes the uncompressed and the JPEG family, OpenJPEG and OpenJPH (by imagecodecs) the JPEG 2000 family.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tests import components
from tests.inference.radiographs import radiograph, save

NEAR = 2
"""The most a near-lossless JPEG-LS value may be off."""


@dataclass(frozen=True)
class Syntax:
    """How a transfer syntax is written, and at which depths. `lossless` files must come back bit by bit."""

    uid: UID
    encode: Callable[[Path, Path], None]
    lossless: bool = True
    bits: tuple[int, ...] = (8, 10, 12, 16)
    signed: bool = True

    def __str__(self) -> str:
        return str(self.uid.keyword)


def _dcmtk(program: str, *options: str) -> Callable[[Path, Path], None]:
    def encode(source: Path, target: Path) -> None:
        command = [components.require(program), *options, str(source), str(target)]
        subprocess.run(command, check=True, capture_output=True)

    return encode


def _codec(uid: UID, compress: Callable[[NDArray[np.integer], int], bytes]) -> Callable[[Path, Path], None]:
    def encode(source: Path, target: Path) -> None:
        dataset = dcmread(source)
        frame = compress(np.ascontiguousarray(dataset.pixel_array), int(dataset.BitsStored))
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = uid
        dataset.save_as(target)

    return encode


def _j2k(uid: UID, *, level: int, reversible: bool) -> Callable[[Path, Path], None]:
    return _codec(
        uid,
        lambda pixels, bits: imagecodecs.jpeg2k_encode(
            pixels, level=level, reversible=reversible, codecformat="j2k", bitspersample=bits
        ),
    )


def _htj2k(uid: UID, level: float, *, reversible: bool) -> Callable[[Path, Path], None]:
    return _codec(
        uid,
        lambda pixels, _bits: imagecodecs.htj2k_encode(pixels, level=level or None, reversible=reversible),
    )


ALL = (
    Syntax(ImplicitVRLittleEndian, _dcmtk("dcmconv", "+ti")),
    Syntax(ExplicitVRLittleEndian, _dcmtk("dcmconv", "+te")),
    Syntax(ExplicitVRBigEndian, _dcmtk("dcmconv", "+tb")),
    Syntax(DeflatedExplicitVRLittleEndian, _dcmtk("dcmconv", "+td")),
    Syntax(RLELossless, _dcmtk("dcmcrle")),
    Syntax(JPEGBaseline8Bit, _dcmtk("dcmcjpeg", "+eb", "+q", "95"), lossless=False, bits=(8,), signed=False),
    Syntax(
        JPEGExtended12Bit,
        _dcmtk("dcmcjpeg", "+ee", "+bt", "+q", "95"),
        lossless=False,
        bits=(12,),
        signed=False,
    ),
    Syntax(JPEGLossless, _dcmtk("dcmcjpeg", "+el", "+sv", "6")),
    Syntax(JPEGLosslessSV1, _dcmtk("dcmcjpeg", "+e1")),
    Syntax(JPEGLSLossless, _dcmtk("dcmcjpls", "+el")),
    Syntax(JPEGLSNearLossless, _dcmtk("dcmcjpls", "+en", "+md", str(NEAR)), lossless=False, signed=False),
    Syntax(JPEG2000Lossless, _j2k(JPEG2000Lossless, level=0, reversible=True)),
    Syntax(JPEG2000, _j2k(JPEG2000, level=60, reversible=False), lossless=False, bits=(8, 12, 16)),
    Syntax(HTJ2KLossless, _htj2k(HTJ2KLossless, 0, reversible=True)),
    Syntax(HTJ2KLosslessRPCL, _htj2k(HTJ2KLosslessRPCL, 0, reversible=True)),
    Syntax(HTJ2K, _htj2k(HTJ2K, 0.0005, reversible=False), lossless=False, bits=(8, 12, 16)),
)
"""Every transfer syntax that the issue of accepting radiographs names (docs/imaging.md)."""


def picture(rows: int, columns: int, bits: int, *, signed: bool, seed: int = 0) -> NDArray[np.integer]:
    """A smooth chest-like field with grain and both extremes: what compresses, and what goes wrong."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    top = 2**bits - 1
    field = top * (0.5 + 0.3 * np.sin(x / 23) * np.cos(y / 31)) + rng.normal(0, top * 0.01, (rows, columns))
    values = np.clip(np.rint(field), 0, top).astype(np.int64)
    values[0, :4] = [0, top, 1, top - 1]
    if signed:
        values -= 2 ** (bits - 1)
    return values.astype(np.dtype(f"{'i' if signed else 'u'}{1 if bits == 8 else 2}"))


def written(syntax: Syntax, pixels: NDArray[np.integer], bits: int, folder: Path) -> Path:
    """The radiograph as a file in this transfer syntax."""
    plain = save(radiograph(pixels, BitsStored=bits, HighBit=bits - 1), folder / "plain.dcm")
    target = folder / f"{syntax}.dcm"
    syntax.encode(plain, target)
    found = dcmread(target, stop_before_pixels=True).file_meta.TransferSyntaxUID
    assert found == syntax.uid, f"{syntax} was written as {found.name}"
    return target
