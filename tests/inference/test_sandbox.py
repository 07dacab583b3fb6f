"""Hostile files through the sandbox: a result or a refusal, within limits, and the next file works."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian

from inference.imaging import pixels
from inference.imaging.dicom import Refusal
from inference.imaging.sandbox import Sandbox
from tests.inference.radiographs import radiograph, save

MEMORY = 2 * 2**30


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as shared:
        yield shared


def code(sandbox: Sandbox, source: Path, folder: Path) -> str:
    try:
        sandbox.prepare(source, folder)
    except Refusal as error:
        assert not folder.exists()
        return error.code
    assert (folder / "display.json").is_file()
    return ""


def child_pid(sandbox: Sandbox) -> int:
    assert sandbox._child is not None
    return sandbox._child.pid


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def bomb(tmp_path: Path, zeros: int) -> Path:
    """A deflated DICOM file of a few megabytes whose data set ends in an element of `zeros` bytes."""
    dataset = radiograph()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = save(dataset, tmp_path / "bomb.dcm")
    content = path.read_bytes()
    length = int.from_bytes(content[140:144], "little")
    meta = content[: 144 + length]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(b"\x08\x00\x05\x00UN\0\0" + zeros.to_bytes(4, "little"))
    for _ in range(zeros // 2**24):
        body += packer.compress(bytes(2**24))
    path.write_bytes(meta + body + packer.flush())
    return path


def slow_picture(tmp_path: Path) -> Path:
    """Noise of 25 million pixels: some seconds of work."""
    noise = np.random.default_rng(0).integers(0, 65536, (5000, 5000)).astype(np.uint16)
    Image.fromarray(noise).save(tmp_path / "slow.png", compress_level=0)
    return tmp_path / "slow.png"


def test_every_shared_dicom_file_ends_as_an_image_or_a_refusal(
    sandbox: Sandbox, shared_data: Path, tmp_path: Path
) -> None:
    paths = [path for path in (shared_data / "dicom").rglob("*") if path.is_file()]
    started = time.monotonic()
    codes = {path.name: code(sandbox, path, tmp_path / path.name) for path in paths}
    taken = {name for name, refused in codes.items() if not refused}
    assert len(taken) == 5
    assert not {"decoder-crashed", "too-slow", "too-large"} & set(codes.values())
    assert time.monotonic() - started < 60
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child_pid(sandbox)}/status").read_text())
    assert peak is not None
    assert int(peak[1]) < 500 * 1024


def test_the_result_is_what_reading_in_this_process_gives(sandbox: Sandbox, tmp_path: Path) -> None:
    path = save(radiograph(PatientName="山^花", SpecificCharacterSet="ISO_IR 192"), tmp_path / "image.dcm")
    header, display = sandbox.prepare(path, tmp_path / "sandbox")
    assert header.patient_name == "山^花"
    assert display == pixels.write_derivatives(radiograph(), tmp_path / "here")
    for file in ("full.bin", "preview.bin", "table.bin", "display.json"):
        assert (tmp_path / "sandbox" / file).read_bytes() == (tmp_path / "here" / file).read_bytes()


def test_nothing_is_left_beside_the_folder(sandbox: Sandbox, tmp_path: Path) -> None:
    source = save(radiograph(), tmp_path / "image.dcm")
    target = tmp_path / "deep" / "derivatives"
    assert code(sandbox, source, target / "good") == ""
    assert code(sandbox, source, target / "good") == ""
    assert code(sandbox, save(radiograph(PixelData=b"\0\0"), tmp_path / "bad.dcm"), target / "bad")
    assert [path.name for path in target.iterdir()] == ["good"]


def test_a_folder_cut_off_by_a_crash_is_replaced(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "derivatives"
    folder.mkdir()
    (folder / "full.bin").write_bytes(b"half")
    assert code(sandbox, save(radiograph(), tmp_path / "image.dcm"), folder) == ""
    assert pixels.model_input(folder)[0].shape == (160, 200)


def test_a_file_that_eats_memory_is_refused_and_the_next_one_works(tmp_path: Path) -> None:
    with Sandbox(memory_bytes=640 * 2**20) as sandbox:
        assert code(sandbox, bomb(tmp_path, 768 * 2**20), tmp_path / "bomb") == "too-large"
        assert code(sandbox, save(radiograph(), tmp_path / "image.dcm"), tmp_path / "next") == ""


def test_a_length_beyond_the_file_is_damage(sandbox: Sandbox, tmp_path: Path) -> None:
    path = save(radiograph(StudyDescription="0123456789"), tmp_path / "image.dcm")
    content = path.read_bytes().replace(b"LO\x0a\x000123456789", b"UN\x00\x00\xf0\xff\xff\xff456789")
    path.write_bytes(content)
    assert code(sandbox, path, tmp_path / "folder") == "damaged-file"


def test_a_file_that_takes_too_long_is_stopped_and_the_next_one_works(tmp_path: Path) -> None:
    picture = slow_picture(tmp_path)
    with Sandbox(seconds=1.0) as sandbox:
        assert code(sandbox, save(radiograph(), tmp_path / "image.dcm"), tmp_path / "first") == ""
        before = child_pid(sandbox)
        started = time.monotonic()
        assert code(sandbox, picture, tmp_path / "slow") == "too-slow"
        assert time.monotonic() - started < 5
        assert not alive(before)
        assert code(sandbox, tmp_path / "image.dcm", tmp_path / "next") == ""
        assert child_pid(sandbox) != before


def test_a_child_that_hangs_is_killed(tmp_path: Path) -> None:
    source = save(radiograph(), tmp_path / "image.dcm")
    with Sandbox(seconds=1.0) as sandbox:
        assert code(sandbox, source, tmp_path / "first") == ""
        stopped = child_pid(sandbox)
        os.kill(stopped, signal.SIGSTOP)
        assert code(sandbox, source, tmp_path / "second") == "too-slow"
        assert not alive(stopped)


def test_a_child_that_was_killed_meanwhile_is_replaced(tmp_path: Path) -> None:
    source = save(radiograph(), tmp_path / "image.dcm")
    with Sandbox() as sandbox:
        assert code(sandbox, source, tmp_path / "first") == ""
        os.kill(child_pid(sandbox), signal.SIGKILL)
        assert code(sandbox, source, tmp_path / "second") == ""


def test_a_file_whose_decoder_dies_twice_is_refused(tmp_path: Path) -> None:
    source = save(radiograph(), tmp_path / "image.dcm")
    with Sandbox() as sandbox:
        assert code(sandbox, source, tmp_path / "first") == ""

        def kill_twice() -> None:
            for _ in range(2):
                pid = child_pid(sandbox)
                time.sleep(0.2)
                os.kill(pid, signal.SIGKILL)
                while sandbox._child is None or child_pid(sandbox) == pid:
                    time.sleep(0.02)

        picture = slow_picture(tmp_path)
        killer = threading.Thread(target=kill_twice, daemon=True)
        killer.start()
        assert code(sandbox, picture, tmp_path / "second") == "decoder-crashed"
        assert code(sandbox, source, tmp_path / "third") == ""
        killer.join(10)


def test_a_child_leads_its_own_session_and_writes_to_no_terminal(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.prepare(save(radiograph(), tmp_path / "image.dcm"), tmp_path / "folder")
    pid = child_pid(sandbox)
    assert os.getsid(pid) == pid
    for descriptor in (1, 2):
        assert str(Path(f"/proc/{pid}/fd/{descriptor}").readlink()) == os.devnull
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert re.search(rf"Max address space\s+{MEMORY}\s", limits)
    assert re.search(r"Max core file size\s+0\s", limits)


def test_a_child_knows_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    with Sandbox() as sandbox:
        sandbox.prepare(save(radiograph(), tmp_path / "image.dcm"), tmp_path / "folder")
        assert b"secret" not in Path(f"/proc/{child_pid(sandbox)}/environ").read_bytes()


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    source = save(radiograph(), tmp_path / "image.dcm")
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom inference.imaging.sandbox import Sandbox\n"
        "sandbox = Sandbox()\nsandbox.prepare(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(sandbox._child.pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", program, str(source), str(tmp_path / "folder")]
    parent = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert parent.returncode == -signal.SIGKILL
    pid = int(parent.stdout)
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)


def test_threads_take_turns(sandbox: Sandbox, tmp_path: Path) -> None:
    source = save(radiograph(), tmp_path / "image.dcm")
    codes: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: codes.append(code(sandbox, source, tmp_path / f"t{n}")))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [""] * 4


def test_a_large_radiograph_stays_well_under_the_limit(tmp_path: Path) -> None:
    ramp = (np.arange(3000 * 3000) % 4096).astype(np.uint16).reshape(3000, 3000)
    source = save(radiograph(ramp, BitsStored=12, HighBit=11, PixelPaddingValue=0), tmp_path / "large.dcm")
    with Sandbox() as sandbox:
        assert code(sandbox, source, tmp_path / "folder") == ""
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{child_pid(sandbox)}/status").read_text())
    assert peak is not None
    assert int(peak[1]) < 400 * 1024
