"""A stage for the viewer's modules: an empty page in a real browser, and an image to load on it."""

from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, Route

from inference.imaging import masks as rle

STATIC = Path(__file__).resolve().parents[2] / "static"
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
SIDE = 200
"""Of the phantom: larger than a preview is not needed, and every pixel can be compared."""

PAGE = f"""<!doctype html><html lang="en"><body>
<script id="messages" type="application/json">{{}}</script>
<textarea id="text"></textarea>
<aside id="structures"></aside>
<figure><canvas style="width: {SIDE}px; height: {SIDE}px"></canvas></figure>
</body></html>"""

# Draws as the page does and hands back the canvas, red channel, row by row.
OPEN = """async ({kind, masks, look, zoom}) => {
  const {Viewer} = await import('/static/js/viewer/viewer.js');
  const viewer = new Viewer(document.querySelector('figure'), {kind});
  window.viewer = viewer;
  await viewer.load('/image/', '1');
  if (masks) viewer.setMasks(masks);
  if (look) viewer.restyle(look);
  if (zoom) viewer.zoom(zoom);
  window.shot = async () => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [viewer.canvas.width, viewer.canvas.height];
    const context = copy.getContext('2d');
    context.drawImage(viewer.canvas, 0, 0);
    const bytes = context.getImageData(0, 0, copy.width, copy.height).data;
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  };
  return viewer.renderer.constructor.name;
}"""


@contextmanager
def opened(browser: Browser, image: Path) -> Iterator[Page]:
    """An empty page at the scale of one device pixel, on which the modules and an image can be loaded."""

    def serve(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/":
            route.fulfill(body=PAGE, content_type="text/html")
            return
        file = (image if path.startswith("/image/") else STATIC) / path.split("/", 2)[2]
        content_type = TYPES.get(file.suffix, "application/octet-stream")
        route.fulfill(body=file.read_bytes(), content_type=content_type)

    page = browser.new_page(viewport={"width": 600, "height": 500})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route("**/*", serve)
    page.goto("http://localhost/")
    yield page
    page.close()
    assert errors == [], errors


def shot(page: Page) -> NDArray[np.uint8]:
    """The canvas as (rows, cols, RGBA)."""
    return np.frombuffer(b64decode(page.evaluate("shot()")), np.uint8).reshape(SIDE, SIDE, 4)


def outline(number: int, mask: NDArray[np.bool_], colour: str = "#FF0000", **more: Any) -> dict[str, Any]:
    """A mask as the server describes it."""
    return {
        "id": number,
        "image": "1",
        "structure": f"s{number}",
        "name": f"Structure {number}",
        "group": "anatomy",
        "quiet": False,
        "colour": colour,
        "source": "ai",
        "trusted": True,
        "area": int(mask.sum()),
        "size": list(mask.shape),
        "counts": rle.encode(mask),
        **more,
    }
