"""Fuzz the image door: thousands of broken and malicious files through the sandbox, one after the other.

    python -m benchmarks.hostile [--archives] [--cases 3000] [--seed 0] [--corpus FOLDER] [--log FILE]
                                 [--write]

Every file must end as an image or as a reason, in bounded time and memory, and the process that asks must
live: an error nobody foresaw ends the run, and so does a good file that is not read afterwards. Prints how
many ended how, seconds, and the most memory a child had; `--log` keeps one line a case. With `--archives`
a case is a zip archive, every file of it is followed to its end, and the memory is that of this process,
which unpacks them.
"""

import argparse
import io
import json
import re
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import TextIO

from inference.imaging import archives
from inference.imaging.refusals import Refusal, RefusalCode
from inference.imaging.sandbox import Sandbox
from inference.training import results
from tests.inference import hostile, hostile_archives
from tests.inference.radiographs import radiograph, save

COMMAND = "python -m benchmarks.hostile"
MADE_EVERY = 8
ARCHIVE_FILES = 6
ARCHIVE_BYTES = 2**28
"""What an archive may unpack to here; the setting ARCHIVE_MAX_BYTES is the application's."""
GOOD_EVERY = 50
REACHED = ("image", "damaged-pixels", "decoder-crashed")
"""How files end whose pixels somebody tried to decode; the others are turned away by their headers."""


def peak_bytes(sandbox: Sandbox) -> int:
    """The most memory any child ever had: the living one by VmHWM, the dead ones as the kernel counted."""
    dead = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    child = sandbox._child
    try:
        status = Path(f"/proc/{child.pid}/status").read_text() if child else ""
    except OSError:
        status = ""
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return max(dead, int(found[1]) * 1024 if found else 0)


def outcome(sandbox: Sandbox, path: Path, folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        sandbox.prepare(path, folder)
    except Refusal as refusal:
        assert not folder.exists(), "a refused file left derivatives"
        return str(refusal.code)
    return "image"


def run(
    corpus: list[bytes], cases: int, seed: int, log: TextIO | None
) -> tuple[Counter[str], list[float], int]:
    """Outcomes by code, seconds of each case, and the peak memory in bytes."""
    ended: Counter[str] = Counter()
    seconds: list[float] = []
    peak = 0
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        folder = Path(name)
        good = save(radiograph(), folder / "good.dcm")
        for case in range(cases):
            number = seed * 10**6 + case
            if case % MADE_EVERY == 0:
                path = hostile.made(folder, number // MADE_EVERY)
            else:
                path = folder / "broken"
                path.write_bytes(hostile.mutate(corpus[number % len(corpus)], number))
            start = time.perf_counter()
            code = outcome(sandbox, path, folder / "out")
            seconds.append(time.perf_counter() - start)
            peak = max(peak, peak_bytes(sandbox))
            ended[code] += 1
            if log:
                print(json.dumps({"case": number, "ended": code, "seconds": round(seconds[-1], 4)}), file=log)
            if case % GOOD_EVERY == 0:
                assert outcome(sandbox, good, folder / "out") == "image", f"after case {number}"
    return ended, seconds, peak


def members(sandbox: Sandbox, archive: bytes, folder: Path) -> Iterator[str]:
    """How each file of an archive ended, and the archive itself where it was refused."""
    source = folder / "member"
    try:
        for member in archives.members(io.BytesIO(archive), limit=ARCHIVE_BYTES):
            try:
                unpack(member, source)
            except Refusal as refusal:
                yield str(refusal.code)
            else:
                yield outcome(sandbox, source, folder / "out")
    except Refusal as refusal:
        yield str(refusal.code)


def unpack(member: archives.Member, target: Path) -> None:
    """As `storage.keep_original` does, which needs an application."""
    with target.open("wb") as out:
        while chunk := member.read(archives.CHUNK):
            out.write(chunk)
            if member.bytes_read > member.limit:
                raise Refusal(RefusalCode.TOO_LARGE, "The file is larger than what is accepted.")


def run_archives(
    corpus: list[bytes], cases: int, seed: int, log: TextIO | None
) -> tuple[Counter[str], list[float], int]:
    """As `run`: outcomes of files by code, seconds of each archive, and the peak of this process in bytes."""
    ended: Counter[str] = Counter()
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        folder = Path(name)
        good = hostile_archives.readable(corpus[1 : 2 * ARCHIVE_FILES : 2])
        for case in range(cases):
            number = seed * 10**6 + case
            if case % MADE_EVERY == 0:
                archive = hostile_archives.made(number // MADE_EVERY)
            else:
                archive = hostile_archives.mutate(good, number)
            if not archives.is_archive(io.BytesIO(archive)):
                continue
            start = time.perf_counter()
            codes = Counter(members(sandbox, archive, folder))
            seconds.append(time.perf_counter() - start)
            assert codes, f"archive {number} says nothing at all"
            assert {path.name for path in folder.iterdir()} <= {"member", "out"}, f"archive {number} wrote"
            ended += codes
            if log:
                print(
                    json.dumps({"case": number, "ended": codes, "seconds": round(seconds[-1], 4)}), file=log
                )
            if case % GOOD_EVERY == 0:
                assert set(members(sandbox, good, folder)) == {"image"}, f"after archive {number}"
    return ended, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--archives", action="store_true", help="fuzz zip archives")
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, default=Path("../shared/data/dicom"))
    parser.add_argument("--log", type=Path, default=None)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args()
    odd = [path.read_bytes() for path in sorted(options.corpus.rglob("*")) if path.is_file()]
    if not odd:
        sys.exit(f"no files under {options.corpus}")
    with tempfile.TemporaryDirectory() as folder:
        # Most files of the corpus are foreign and end at the header; as many breakages start from good ones.
        corpus = [content for pair in zip(odd, cycle(hostile.readable(Path(folder)))) for content in pair]
    log = options.log.open("w") if options.log else None
    start = run_archives if options.archives else run
    ended, seconds, peak = start(corpus, options.cases, options.seed, log)
    for code, count in ended.most_common():
        print(f"{count:>6}  {code}")
    print(
        f"{options.cases} cases, {sum(seconds):.0f} s, slowest {max(seconds):.1f} s,"
        f" peak {peak / 2**20:.0f} MiB"
    )
    if options.write and options.archives:
        common = {
            "population": f"{options.cases} archives",
            "command": f"{COMMAND} --archives --cases {options.cases}",
        }
        results.put(
            [
                results.spread("hostile", "archives", "seconds_an_archive", seconds, **common),
                results.spread("hostile", "archives", "peak_mib", [peak / 2**20], **common),
            ]
        )
    elif options.write:
        reached = sum(ended[code] for code in REACHED)
        common = {"population": f"{options.cases} cases", "command": f"{COMMAND} --cases {options.cases}"}
        put = [
            results.spread("hostile", "sandbox", "seconds_a_file", seconds, **common),
            results.spread("hostile", "sandbox", "peak_mib", [peak / 2**20], **common),
            results.spread("hostile", "sandbox", "reached_a_decoder", [reached], **common),
            results.spread("hostile", "sandbox", "decoder_crashed", [ended["decoder-crashed"]], **common),
        ]
        results.put(put)


if __name__ == "__main__":
    main()
