"""Zip archives made to do harm, each from a number: the same one, the same bytes.

`mutate(content, seed)` breaks an archive where that means most, `made(seed)` builds what no program would
write, and `readable(files)` packs good files, for those to break.
"""

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

Random = np.random.Generator

_END, _DIRECTORY, _LOCAL, _END64 = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04", b"PK\x06\x06"
_EXTREMES = (0, 1, 0x7F, 0xFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_DATE = (2026, 1, 5, 12, 0, 0)


def readable(files: list[bytes]) -> bytes:
    """The files, stored and deflated in turn, in folders, with an extra field and a comment."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, content in enumerate(files):
            info = zipfile.ZipInfo(f"DICOM/画像{number % 2}/IM{number:05d}", _DATE)
            info.compress_type = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[number % 2]
            info.comment = b"a comment"
            archive.writestr(info, content)
        archive.comment = b"of a disc"
    return out.getvalue()


def mutate(content: bytes, seed: int) -> bytes:
    """One way of breaking an archive, chosen and placed by the seed."""
    rng = np.random.default_rng(seed)
    ways: tuple[Callable[[bytes, Random], bytes], ...] = (
        _cut,
        _flip_anywhere,
        _flip_records,
        _flip_records,
        _lie,
        _lie,
        _lie,
        _glue,
    )
    broken = ways[int(rng.integers(len(ways)))](content, rng)
    return _flip_records(broken, rng) if rng.random() < 0.2 else broken


def made(seed: int) -> bytes:
    """An archive built to do harm, in a few shapes, by the seed."""
    return MAKERS[seed % len(MAKERS)](np.random.default_rng(seed))


def _cut(content: bytes, rng: Random) -> bytes:
    return content[: int(rng.integers(0, len(content) + 1))]


def _flip_anywhere(content: bytes, rng: Random) -> bytes:
    out = bytearray(content)
    for _ in range(int(rng.integers(1, 30))):
        out[int(rng.integers(len(out)))] = int(rng.integers(256))
    return bytes(out)


def _flip_records(content: bytes, rng: Random) -> bytes:
    """Bits of the central directory, the end record and local headers, where every bit is a claim."""
    out = bytearray(content)
    places = _records(content)
    for _ in range(int(rng.integers(1, 8))):
        if places:
            at = places[int(rng.integers(len(places)))] + int(rng.integers(4, 50))
            if at < len(out):
                out[at] ^= 1 << int(rng.integers(8))
    return bytes(out)


def _lie(content: bytes, rng: Random) -> bytes:
    """Sizes, offsets, counts, versions, methods and flags become extremes."""
    out = bytearray(content)
    places = _records(content)
    for _ in range(int(rng.integers(1, 4))):
        if not places:
            break
        at = places[int(rng.integers(len(places)))] + int(rng.integers(2, 24)) * 2
        value = _EXTREMES[int(rng.integers(len(_EXTREMES)))]
        packed = struct.pack("<I", value) if rng.random() < 0.6 else struct.pack("<H", value & 0xFFFF)
        out[at : at + len(packed)] = packed
    return bytes(out)


def _glue(content: bytes, rng: Random) -> bytes:
    """Something before, after or twice over: other offsets than those that are stated."""
    ways = (
        content + bytes(rng.integers(0, 256, int(rng.integers(1, 500)), dtype=np.uint8)),
        _LOCAL + bytes(int(rng.integers(1, 500))) + content,
        content + content,
        content + content[content.rfind(_END) :],
    )
    return ways[int(rng.integers(len(ways)))]


def _records(content: bytes) -> list[int]:
    """Where the records of an archive begin."""
    places = []
    for sign in (_LOCAL, _DIRECTORY, _END, _END64):
        at = content.find(sign)
        while at >= 0:
            places.append(at)
            at = content.find(sign, at + 1)
    return places


def packed(*entries: tuple[str | bytes, bytes], **more: int) -> bytes:
    """An archive of (name, content), deflated, with names as they are given."""
    return assembled([entry(name, content, **more) for name, content in entries])


def entry(name: str | bytes, content: bytes, **more: int) -> dict[str, Any]:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = packer.compress(content) + packer.flush()
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass")
    fields: dict[str, Any] = {
        "name": raw,
        "data": data,
        "flags": 0x800,
        "method": 8,
        "crc": zlib.crc32(content),
        "size": len(content),
        "attributes": 0,
    }
    return fields | more


def assembled(entries: list[dict[str, Any]], *, shared: bool = False) -> bytes:
    """Written by hand, so that anything can be claimed. shared: every entry's data is that of the first."""
    out, directory = bytearray(), bytearray()
    for one in entries:
        name, data = one["name"], one["data"]
        numbers = (one["flags"], one["method"], 0, 0, one["crc"], len(data), one["size"], len(name))
        at = 0 if shared and out else len(out)
        if not (shared and out):
            out += _LOCAL + struct.pack("<HHHHHIIIHH", 45, *numbers, 0) + name + data
        directory += _DIRECTORY + struct.pack("<HHHHHHIIIHH", 0x033F, 45, *numbers, 0)
        directory += struct.pack("<HHHII", 0, 0, 0, one["attributes"], at) + name
    count = min(len(entries), 0xFFFF)
    end = _END + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(out), 0)
    return bytes(out + directory + end)


def _names(rng: Random) -> bytes:
    """Paths that lead elsewhere, cannot be decoded, cannot be shown, are endless or twice there."""
    names: tuple[str | bytes, ...] = (
        "../../../../tmp/maira-escaped",
        "/etc/maira-escaped",
        "C:\\Windows\\maira-escaped",
        "..\\..\\maira-escaped",
        "a\0b.dcm",
        "\u202egpj.mcd",
        "line\nbreak\x1b[31m.dcm",
        "x" * int(rng.integers(1000, 65_000)),
        "deep/" * int(rng.integers(100, 12_000)) + "er.dcm",
        b"\xff\xfe\x80 no UTF-8",
        "",
        ".",
        "..",
        "folder/",
        "same.dcm",
        "same.dcm",
        "\ud800.dcm",
    )
    chosen = [names[int(n)] for n in rng.integers(0, len(names), int(rng.integers(1, 12)))]
    return packed(*((name, b"no radiograph") for name in chosen))


def _links(rng: Random) -> bytes:
    """Symbolic links, devices and set-uid files by their Unix mode."""
    modes = (0o120777, 0o060666, 0o104755, 0o010644)
    targets = (b"/etc/passwd", b"../../secret", b"/dev/zero", b"")
    chosen = [(targets[int(rng.integers(4))], modes[int(rng.integers(4))]) for _ in range(4)]
    return assembled(
        [entry(f"{n}", target, attributes=mode << 16) for n, (target, mode) in enumerate(chosen)]
    )


def _bomb(rng: Random) -> bytes:
    """Up to three gigabytes of zeros, by one member or the same one many times over."""
    size = int(rng.integers(1, 192)) * 2**24
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)
    one = entry("bomb.dcm", b"", size=min(size, 0xFFFFFFFE))
    one["data"] = block * (size // 2**24) + packer.flush()
    many = int(rng.integers(1, 300)) if rng.random() < 0.5 else 1
    return assembled([one] * many, shared=True)


def _other_methods(rng: Random) -> bytes:
    """bzip2 and LZMA, whose bombs are steeper; and methods that nobody knows."""
    method = (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)[int(rng.integers(2))]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive, archive.open("bomb.dcm", "w") as member:
        for _ in range(int(rng.integers(1, 12))):
            member.write(bytes(2**22))
    strange = packed(("strange.dcm", b"x" * 100), method=int(rng.integers(1, 100)))
    return out.getvalue() if rng.random() < 0.7 else strange


def _nested(rng: Random) -> bytes:
    """Archives in archives."""
    content = b"no radiograph"
    for depth in range(int(rng.integers(2, 60))):
        content = packed(*((f"{depth}-{n}.zip", content) for n in range(int(rng.integers(1, 4)))))
        if len(content) > 2**20:
            break
    return content


def _locked(rng: Random) -> bytes:
    """Some entries say that they need a password, or that they are patches."""
    flags = (0x801, 0x841, 0x820, 0x800)
    return assembled([entry(f"{n}.dcm", b"secret", flags=flags[int(rng.integers(4))]) for n in range(6)])


def _many(rng: Random) -> bytes:
    """Entries by the ten thousand, of nothing, over each other."""
    return assembled([entry("n", b"")] * int(rng.choice([50, 9_000, 10_001, 60_000])), shared=True)


def _endless_nothing(rng: Random) -> bytes:
    """Megabytes of empty blocks that unpack to nothing, over and over."""
    one = entry("nothing.dcm", b"")
    one["data"] = b"\0\0\0\xff\xff" * int(rng.integers(1_000, 1_000_000)) + b"\x01\0\0\xff\xff"
    one["size"] = 1
    return assembled([one] * int(rng.integers(100, 2000)), shared=True)


def _zip64(rng: Random) -> bytes:
    """A small end record, and before it one of zip64 that claims another directory, or another disc."""
    content = packed(("a.dcm", b"no radiograph"))
    at = content.rindex(_END)
    huge = int(rng.choice([2**24, 2**31, 2**40, 2**63 - 1]))
    filler = bytes(int(rng.choice([0, 2**24])))
    start = int(rng.choice([0, at, 2**62]))
    record = _END64 + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, huge, start)
    discs = int(rng.integers(2)), int(rng.integers(1, 3))
    locator = b"PK\x06\x07" + struct.pack("<IQI", discs[0], at + len(filler), discs[1])
    return content[:at] + filler + record + locator + content[at:]


def _empty(rng: Random) -> bytes:
    """An archive of nothing, or of folders only."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")
        for _ in range(int(rng.integers(0, 3))):
            archive.writestr(zipfile.ZipInfo("folder/", _DATE), b"")
    return out.getvalue()


MAKERS: tuple[Callable[[Random], bytes], ...] = (
    _names,
    _links,
    _bomb,
    _other_methods,
    _nested,
    _locked,
    _many,
    _endless_nothing,
    _zip64,
    _empty,
)
