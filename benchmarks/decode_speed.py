"""Seconds to decode one radiograph in every transfer syntax, beside pydicom's own and dcmtk's own.

    python -m benchmarks.decode_speed [--side 2048] [--repeats 7] [--write]

Ours is the whole way from the file to checked stored values (`dicom.read`, `stored_image`), pydicom's is
`dcmread` and `pixel_array`, dcmtk's its own program with its start (about 10 ms). A ratio is ours over theirs
on the same file, turn by turn in one run: below 1 is faster than theirs. Needs dcmtk and imagecodecs.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pydicom import dcmread

from inference.imaging import dicom
from inference.imaging.stored import stored_image
from inference.training import results
from tests import components
from tests.inference import syntaxes

COMMAND = "python -m benchmarks.decode_speed"
DCMTK = {"RLELossless": "dcmdrle", "JPEGLSLossless": "dcmdjpls", "JPEGLSNearLossless": "dcmdjpls"}
"""dcmtk's decoder of a syntax; JPEG has dcmdjpeg, the uncompressed ones dcmconv, JPEG 2000 none."""


def ours(path: Path) -> None:
    dataset, _header = dicom.read(path)
    stored_image(dataset)


def pydicoms(path: Path) -> None:
    assert dcmread(path).pixel_array.size


def dcmtks(path: Path, program: str) -> None:
    command = [
        components.require(program),
        *(["+te"] if program == "dcmconv" else []),
        str(path),
        "/dev/null",
    ]
    subprocess.run(command, check=True, capture_output=True)


def program_for(syntax: syntaxes.Syntax) -> str:
    name = str(syntax)
    if "2000" in name or "HTJ2K" in name:
        return ""
    return DCMTK.get(name, "dcmdjpeg" if "JPEG" in name else "dcmconv")


def timed(act: Callable[[], None]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def measure(syntax: syntaxes.Syntax, side: int, repeats: int, folder: Path) -> list[results.Row]:
    bits = 12 if 12 in syntax.bits else 8
    path = syntaxes.written(syntax, syntaxes.picture(side, side, bits, signed=False), bits, folder)
    acts: dict[str, Callable[[], None]] = {"ours": lambda: ours(path), "pydicom": lambda: pydicoms(path)}
    program = program_for(syntax)
    if program:
        acts["dcmtk"] = lambda: dcmtks(path, program)
    for act in acts.values():
        act()
    seconds: dict[str, list[float]] = {name: [] for name in acts}
    for _turn in range(repeats):
        for name, act in acts.items():
            seconds[name].append(timed(act))
    path.unlink()
    rows = [results.spread("decode-speed", str(syntax), "decode_s", seconds["ours"], command=COMMAND)]
    for peer in list(acts)[1:]:
        ratios = [mine / theirs for mine, theirs in zip(seconds["ours"], seconds[peer], strict=True)]
        rows.append(results.spread("decode-speed", str(syntax), f"ratio-to-{peer}", ratios, command=COMMAND))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for syntax in syntaxes.ALL:
            found = measure(syntax, options.side, options.repeats, Path(folder))
            print("  ".join(f"{row['metric']} {row['mean']:.3f}" for row in found), syntax, flush=True)
            rows += found
    if options.write:
        results.put(rows)


if __name__ == "__main__":
    main()
