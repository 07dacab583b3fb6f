"""Files made to do harm: broken, lying and bottomless ones, each from a number: the same one, the same bytes.

`mutate(content, seed)` breaks any file, `made(folder, seed)` builds what no camera would write, and
`readable(folder)` gives radiographs that are taken, for those to break.
"""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.inference import syntaxes
from tests.inference.radiographs import lut, radiograph, save

Random = np.random.Generator

_LENGTHS = (0, 1, 0xFFFE, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_LIES: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("Rows", (0, 1, 60000, 65535)),
    ("Columns", (0, 1, 60000, 65535)),
    ("BitsAllocated", (0, 1, 8, 12, 16, 32, 64)),
    ("BitsStored", (0, 1, 7, 8, 12, 16, 33)),
    ("HighBit", (0, 7, 15, 31, 65535)),
    ("SamplesPerPixel", (0, 1, 3, 65535)),
    ("PixelRepresentation", (0, 1, 7)),
    ("PhotometricInterpretation", ("MONOCHROME1", "RGB", "PALETTE COLOR", "NONSENSE")),
    ("NumberOfFrames", ("0", "1", "2147483647", "-3")),
    ("RescaleSlope", ("0", "1e308", "-1", "nan", "x")),
    ("RescaleIntercept", ("1e308", "-1e308", "inf")),
    ("WindowWidth", ("0", "-5", "1e308", "x")),
    ("WindowCenter", ("1e308", "nan", "x")),
    ("PixelPaddingValue", (0, 65535)),
    ("PixelSpacing", (["0", "0"], ["1e-300", "1e300"], ["x"])),
    ("SpecificCharacterSet", ("ISO_IR 192", "ISO 2022 IR 87", "NO SUCH SET")),
    ("PatientName", ("\x1b$B\x1b\x1b", "^^^^====", "")),
)
_DEEPEST = 3000


def readable(folder: Path) -> list[bytes]:
    """A radiograph in every transfer syntax: broken, these reach the decoders."""
    files = []
    for syntax in syntaxes.ALL:
        bits = syntax.bits[-1] if syntax.lossless else syntax.bits[0]
        image = syntaxes.picture(140, 150, bits, signed=False)
        files.append(syntaxes.written(syntax, image, bits, folder).read_bytes())
    return files


def mutate(content: bytes, seed: int) -> bytes:
    """One way of breaking a file, chosen and placed by the seed."""
    rng = np.random.default_rng(seed)
    ways: tuple[Callable[[bytes, Random], bytes], ...] = (
        _cut,
        _flip,
        _flip,
        _lengthen,
        _lengthen,
        _repeat,
        _remove,
        _lie,
        _lie,
        _mislabel,
    )
    broken = ways[int(rng.integers(len(ways)))](content, rng)
    return _flip(broken, rng) if rng.random() < 0.2 else broken


def made(folder: Path, seed: int) -> Path:
    """A file built to do harm, in a few shapes, by the seed."""
    rng = np.random.default_rng(seed)
    makers = (_deep_sequence, _bomb, _endless_sequence, _huge_picture, _huge_lut, _many_elements)
    path = folder / "made"
    path.write_bytes(makers[seed % len(makers)](folder, rng))
    return path


def _cut(content: bytes, rng: Random) -> bytes:
    return content[: int(rng.integers(0, len(content) + 1))]


def _flip(content: bytes, rng: Random) -> bytes:
    """Some bytes become others, mostly in the header, where they mean most."""
    out = bytearray(content)
    for _ in range(int(rng.integers(1, 20))):
        reach = len(out) if rng.random() < 0.3 else min(len(out), 3000)
        if reach:
            out[int(rng.integers(reach))] = int(rng.integers(256))
    return bytes(out)


def _lengthen(content: bytes, rng: Random) -> bytes:
    """A 16- or 32-bit number in the header becomes an extreme: most lengths are such numbers."""
    out = bytearray(content)
    at = int(rng.integers(0, max(1, min(len(out), 4000) - 4)))
    length = _LENGTHS[int(rng.integers(len(_LENGTHS)))]
    packed = struct.pack("<I", length) if rng.random() < 0.6 else struct.pack("<H", length & 0xFFFF)
    out[at : at + len(packed)] = packed
    return bytes(out)


def _repeat(content: bytes, rng: Random) -> bytes:
    start = int(rng.integers(0, len(content) + 1))
    part = content[start : start + int(rng.integers(1, 2000))]
    return content[:start] + part * int(rng.integers(2, 50)) + content[start:]


def _remove(content: bytes, rng: Random) -> bytes:
    start = int(rng.integers(0, len(content) + 1))
    return content[:start] + content[start + int(rng.integers(1, 2000)) :]


def _lie(content: bytes, rng: Random) -> bytes:
    """One to three elements say what is not so; a file that cannot be read is flipped in place of that."""
    try:
        dataset = dcmread(io.BytesIO(content), force=True)
        for _ in range(int(rng.integers(1, 4))):
            keyword, values = _LIES[int(rng.integers(len(_LIES)))]
            _set_raw(dataset, keyword, values[int(rng.integers(len(values)))])
        out = io.BytesIO()
        dataset.save_as(out)
    except Exception:  # noqa: BLE001 - whatever a broken file does to the writer, it is not what is tried here
        return _flip(content, rng)
    return out.getvalue()


def _set_raw(dataset: Dataset, keyword: str, value: object) -> None:
    """Set past pydicom's checks, as a careless writer would."""
    setattr(dataset, keyword, None)
    dataset[keyword]._value = value


def _mislabel(content: bytes, rng: Random) -> bytes:
    """The transfer syntax says another compression than there is."""
    uids = [str(syntax.uid).encode() for syntax in syntaxes.ALL]
    at = content.find(b"1.2.840.10008.1.2", 132, 1000)
    if at < 0:
        return _flip(content, rng)
    length = int.from_bytes(content[at - 2 : at], "little")
    label = uids[int(rng.integers(len(uids)))][:length].ljust(length, b"\0")
    return content[:at] + label + content[at + length :]


def _plain(folder: Path, **elements: object) -> bytes:
    return save(radiograph(**elements), folder / "plain.dcm").read_bytes()


def _deep_sequence(folder: Path, rng: Random) -> bytes:
    """Sequences inside sequences, thousands deep, undefined lengths, never closed or all closed."""
    depth = int(rng.integers(50, _DEEPEST))
    opening = b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return _before_pixels(_plain(folder), opening * depth + (closing * depth if rng.random() < 0.5 else b""))


def _endless_sequence(folder: Path, rng: Random) -> bytes:
    """One sequence of many empty items that never ends."""
    opening = b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff"
    return _before_pixels(
        _plain(folder), opening + b"\xfe\xff\x00\xe0\0\0\0\0" * int(rng.integers(10, 200_000))
    )


def _before_pixels(content: bytes, inserted: bytes) -> bytes:
    at = content.rindex(b"\xe0\x7f\x10\x00")
    return content[:at] + inserted + content[at:]


def _bomb(folder: Path, rng: Random) -> bytes:
    """A few hundred kilobytes that inflate to up to three gigabytes of zeros."""
    dataset = radiograph()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    content = save(dataset, folder / "bomb.dcm").read_bytes()
    meta = content[: 144 + int.from_bytes(content[140:144], "little")]
    size = int(rng.integers(1, 192)) * 2**24
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = packer.compress(b"\x08\x00\x05\x00UN\0\0" + size.to_bytes(4, "little"))
    start += packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush a block stands for itself: one made once is sixteen megabytes wherever it is put.
    block = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)
    body = start + block * (size // 2**24)
    return meta + body + packer.flush()


def _huge_picture(folder: Path, rng: Random) -> bytes:
    """60,000 x 60,000 pixels claimed, in every compression, by a few thousand bytes."""
    syntax = syntaxes.ALL[int(rng.integers(len(syntaxes.ALL)))]
    bits = syntax.bits[0]
    path = syntaxes.written(syntax, syntaxes.picture(130, 140, bits, signed=False), bits, folder)
    dataset = dcmread(path)
    dataset.Rows = int(rng.choice([9000, 10000, 60000]))
    dataset.Columns = int(rng.choice([9000, 11000, 60000]))
    dataset.save_as(path)
    return path.read_bytes()


def _huge_lut(folder: Path, rng: Random) -> bytes:
    """Look-up tables whose descriptor and data disagree."""
    descriptor = [int(rng.integers(65536)), int(rng.integers(65536)), int(rng.integers(33))]
    keyword = ("ModalityLUTSequence", "VOILUTSequence")[int(rng.integers(2))]
    return _plain(folder, **{keyword: [lut(descriptor, [1] * int(rng.integers(1, 70_000)))]})


def _many_elements(folder: Path, rng: Random) -> bytes:
    """Private elements by the ten thousand."""
    count = int(rng.integers(1000, 60_000))
    one = b"".join(struct.pack("<HH2sH", 0x0009, n & 0xFFFF, b"LO", 0) for n in range(count))
    content = _plain(folder)
    at = content.index(b"\x10\x00", 200) if b"\x10\x00" in content[200:] else 200
    return content[:at] + one + content[at:]
