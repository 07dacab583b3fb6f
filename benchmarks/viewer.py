"""The reading page beside OHIF: the same film, the same browser, the same flags, cold and warm, in one run.

    npm pack @ohif/app@3.12.0 && tar -xzf ohif-app-3.12.0.tgz      # unpacks to package/
    apt-get install orthanc orthanc-dicomweb
    python -m benchmarks.viewer --ohif package/dist [--tries 5] [--pictures FOLDER] [--write]

One phantom of 3,000 by 3,000 pixels goes into an installation as `make run` starts it, and into Orthanc,
which OHIF reads over DICOMweb. Both are opened in turns in a 1920 by 1080 window of Chromium that draws
WebGL in software. *Cold* is a browser that has no file of either; *warm* is the same page opened again. The
first image is there when the viewer says that it has drawn: `first-paint` here, `CORNERSTONE_IMAGE_RENDERED`
there, which for OHIF is the full resolution too. A frame of a drag is the time between two animation frames
while the pointer moves the window as fast as the page takes it. `--pictures` keeps what was on screen.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.spine import drafted, running, sign_in
from inference.training import results
from tests.system.hospital import Hospital, free_port, wait_until

COMMAND = "python -m benchmarks.viewer --ohif package/dist"
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
SIDE = 3000
UNEXPLAINED = "SELECT count(*) FROM review_explanation WHERE status IN ('queued', 'running')"
MOVES = 60
WATCH = """
window.seen = {};
const note = (name) => { window.seen[name] ??= performance.now() / 1000; };
document.addEventListener("CORNERSTONE_IMAGE_RENDERED", () => note("first"), true);
new MutationObserver(() => {
  for (const figure of document.querySelectorAll("figure.viewport")) {
    if (["preview", "full"].includes(figure.dataset.state)) note("first");
    if (figure.dataset.state === "full") note("full");
  }
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-state"] });
window.frames_ = [];
window.record = () => {
  window.frames_ = [];
  window.recording = true;
  const step = (time) => {
    window.frames_.push(time);
    if (window.recording) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
};
"""
GAPS = "() => { window.recording = false; return frames_.slice(1).map((time, i) => time - frames_[i]); }"


class Ohif(SimpleHTTPRequestHandler):
    """The built files of OHIF with its own configuration, and Orthanc under the same address."""

    protocol_version = "HTTP/1.1"
    orthanc_port = 0

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.startswith("/dicom-web/"):
            self.forward()
        elif path == "/app-config.js":
            self.answer(configuration().encode(), "text/javascript")
        else:
            if not Path(self.translate_path(path)).is_file():
                self.path = "/index.html"
            super().do_GET()

    def answer(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def forward(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.orthanc_port)
        connection.request("GET", self.path, headers={"Accept": self.headers.get("Accept", "*/*")})
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/octet-stream"))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "private, max-age=3600")
        self.end_headers()
        self.wfile.write(body)
        connection.close()


def configuration() -> str:
    """What an installation of OHIF writes for one DICOMweb server; the rest are OHIF's defaults."""
    source = {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": "dicomweb",
        "configuration": {
            "friendlyName": "Orthanc",
            "name": "orthanc",
            "wadoUriRoot": "/dicom-web",
            "qidoRoot": "/dicom-web",
            "wadoRoot": "/dicom-web",
            "qidoSupportsIncludeField": False,
            "imageRendering": "wadors",
            "thumbnailRendering": "wadors",
            "enableStudyLazyLoad": True,
            "supportsFuzzyMatching": False,
            "supportsWildcard": True,
        },
    }
    settings = {
        "routerBasename": "/",
        "extensions": [],
        "modes": [],
        "customizationService": {},
        "showStudyList": True,
        "maxNumberOfWebWorkers": 3,
        "showWarningMessageForCrossOrigin": False,
        "showCPUFallbackMessage": False,
        "showLoadingIndicator": True,
        "strictZSpacingForVolumeViewport": True,
        "investigationalUseDialog": {"option": "never"},
        "defaultDataSourceName": "dicomweb",
        "dataSources": [source],
    }
    return f"window.config = {json.dumps(settings)};"


@contextmanager
def orthanc(film: Path) -> Iterator[int]:
    """Orthanc with one film, on a port of its own."""
    with tempfile.TemporaryDirectory(prefix="orthanc-") as name:
        folder, port = Path(name), free_port()
        (folder / "orthanc.json").write_text(
            json.dumps(
                {
                    "StorageDirectory": str(folder / "storage"),
                    "IndexDirectory": str(folder / "storage"),
                    "HttpPort": port,
                    "HttpBindAddress": "127.0.0.1",
                    "RemoteAccessAllowed": False,
                    "DicomServerEnabled": False,
                    "AuthenticationEnabled": False,
                    "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
                    "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
                }
            )
        )
        program = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
        process = subprocess.Popen(
            [program, str(folder / "orthanc.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until("Orthanc", partial(answers, f"http://127.0.0.1:{port}/system"))
            request = urllib.request.Request(f"http://127.0.0.1:{port}/instances", film.read_bytes())
            urllib.request.urlopen(request, timeout=60).read()
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


def answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=5).status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def ohif(dist: Path, orthanc_port: int) -> Iterator[str]:
    handler = partial(type("Handler", (Ohif,), {"orthanc_port": orthanc_port}), directory=str(dist))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


class Weights:
    """Requests and bytes of JavaScript of a page."""

    def __init__(self, page: Page) -> None:
        self.requests = 0
        self.scripts: dict[str, int] = {}
        page.on("response", self.note)

    def note(self, response: Any) -> None:
        self.requests += 1
        if "javascript" in response.headers.get("content-type", ""):
            self.scripts[response.url] = len(response.body())


def opened(context: BrowserContext, url: str, picture: Path | None) -> tuple[Page, dict[str, float], Weights]:
    """The page with its film drawn, when that was, and what it loaded."""
    page = context.new_page()
    page.add_init_script(WATCH)
    weights = Weights(page)
    page.goto(url, wait_until="commit")
    page.wait_for_function(
        "() => seen.first && (seen.full || !document.querySelector('figure.viewport'))", timeout=60_000
    )
    page.wait_for_timeout(2_000)  # what comes after the image belongs to the page too
    if picture is not None:
        page.screenshot(path=picture)
    seen: dict[str, float] = page.evaluate("seen")
    return page, seen, weights


def drag(page: Page) -> float:
    """Milliseconds of a frame while the pointer changes the window: the mean over the drag."""
    canvas = page.locator("figure.viewport canvas, .cornerstone-canvas").first.bounding_box()
    assert canvas is not None
    x, y = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 4, y + 4)
    page.evaluate("record()")
    for move in range(MOVES):
        page.mouse.move(x + 4 + 2 * (move % 30), y + 4 + move)
    gaps: list[float] = page.evaluate(GAPS)
    page.mouse.up()
    return sum(gaps) / len(gaps)


def overlay(page: Page) -> float:
    """Milliseconds from the key that hides the outlines to the frame after it is drawn."""
    return float(
        page.evaluate(
            """() => new Promise((resolve) => {
              const start = performance.now();
              document.dispatchEvent(new KeyboardEvent('keydown', { key: 'h' }));
              requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start)));
            })"""
        )
    )


def visit(browser: Browser, url: str, state: Any, picture: Path | None) -> dict[str, float]:
    """Every figure of one cold and one warm visit."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, storage_state=state)
    page, cold, weights = opened(context, url, picture)
    page.close()
    page, warm, _ = opened(context, url, None)
    found = {
        "first_image_cold_s": cold["first"],
        "first_image_warm_s": warm["first"],
        "full_resolution_s": cold.get("full", cold["first"]),
        "full_resolution_warm_s": warm.get("full", warm["first"]),
        "drag_frame_ms": drag(page),
        "requests": weights.requests,
        "js_bytes": sum(weights.scripts.values()),
    }
    if picture is not None:
        page.screenshot(path=picture.with_stem(f"{picture.stem}-dragged"))
    if page.locator("figure.viewport").count() > 0:
        found["overlay_toggle_ms"] = overlay(page)
    context.close()
    return found


def film_of(hospital: Hospital) -> tuple[Path, str]:
    """A phantom of 3,000 by 3,000 pixels, received and drafted, and its Study Instance UID."""
    folder = hospital.var / "bench"
    hospital.manage("createphantoms", str(folder), "--studies", "3", "--seed", "5", "--size", str(SIDE))
    film = next(path for path in sorted(folder.glob("*/*")) if shape(path) == (SIDE, SIDE))
    alone = folder / "alone"
    alone.mkdir()
    shutil.move(film, alone / film.name)
    last = hospital.count("SELECT coalesce(max(id), 0) FROM review_draft")
    hospital.manage("importstudies", str(alone), "--site", "central")
    ready = f"SELECT count(*) FROM review_draft WHERE id > {last} AND status = 'ready'"
    wait_until("its draft", partial(drafted, hospital, ready))
    wait_until("an idle machine", lambda: hospital.count(UNEXPLAINED) == 0, 600)
    (uid,) = hospital.sql("SELECT study_instance_uid FROM review_study ORDER BY id DESC LIMIT 1")[0]
    return alone / film.name, str(uid)


def shape(path: Path) -> tuple[int, int]:
    from pydicom import dcmread

    dataset = dcmread(path, stop_before_pixels=True)
    return int(dataset.Rows), int(dataset.Columns)


def measure(dist: Path, tries: int, pictures: Path | None) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {"maira-web": [], "ohif": []}
    with running() as hospital, sync_playwright() as playwright:
        film, uid = film_of(hospital)
        with orthanc(film) as port, ohif(dist, port) as base:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            context = browser.new_context()
            sign_in(context.new_page(), hospital)
            signed_in = context.storage_state()
            context.close()
            for turn in range(tries):
                visits = {
                    "maira-web": (f"{hospital.url}/studies/{uid}/", signed_in),
                    "ohif": (f"{base}/viewer?StudyInstanceUIDs={uid}", None),
                }
                for arm, (url, state) in visits.items():
                    picture = pictures / f"{arm}.png" if pictures is not None and turn == 0 else None
                    found[arm].append(visit(browser, url, state, picture))
            browser.close()
    return found


def rows_of(found: dict[str, list[dict[str, float]]]) -> list[results.Row]:
    rows = []
    for arm, visits in found.items():
        for metric in visits[0]:
            values = [each[metric] for each in visits]
            rows.append(
                results.spread(
                    "viewer", arm, metric, values, population=f"one film of {SIDE} by {SIDE}", command=COMMAND
                )
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ohif", type=Path, required=True, help="the folder `dist` of the package @ohif/app")
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--pictures", type=Path, help="keep screenshots of the first visit there")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args()
    if not (options.ohif / "index.html").is_file():
        parser.error(
            f"{options.ohif} holds no index.html: unpack `npm pack @ohif/app@3.12.0` and give package/dist"
        )
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
    found = measure(options.ohif, options.tries, options.pictures)
    for row in rows_of(found):
        print(f"{row['arm']:<10} {row['metric']:<24} {row['mean']:>12} ({row['low']} to {row['high']})")
    if options.write:
        results.put(rows_of(found))


if __name__ == "__main__":
    main()
