"""The broker of a machine that has none: one file a task, in a folder of `VAR`.

It is kombu's filesystem transport with three repairs: a message appears whole or not at all; a folder that
somebody deleted is made again; and a task's routing key is the name of its queue, so no table of bindings can
get lost.
What it holds may vanish at any time: the rows are the truth, and the sweeper tells the workers again.
"""

import json
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem

LISTED_AT_ONCE = 100


class Channel(filesystem.Channel):  # type: ignore[misc]  # kombu ships no types
    supports_fanout = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listed: dict[str, deque[Path]] = {}

    @property
    def folder(self) -> Path:
        return Path(self.data_folder_in)

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> list[str]:
        return [routing_key]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def _put(self, queue: str, payload: dict[str, object], **_: object) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns():020}_{uuid4()}.{queue}"
        part = self.folder / f"{name}.part"
        part.write_text(json.dumps(payload), encoding="utf-8")
        part.rename(self.folder / f"{name}.msg")

    def _get(self, queue: str) -> dict[str, object]:
        for path in self._oldest(queue):
            taken = path.with_suffix(".taken")
            try:
                path.rename(taken)  # only one worker can
            except FileNotFoundError:
                continue
            payload: dict[str, object] = json.loads(taken.read_text(encoding="utf-8"))
            taken.unlink()
            return payload
        raise Empty

    def _oldest(self, queue: str) -> Iterator[Path]:
        """Messages in order of arrival. A folder of thousands is listed once for many of them."""
        listed = self._listed.setdefault(queue, deque())
        if not listed:
            listed.extend(self._waiting(queue)[:LISTED_AT_ONCE])
        while listed:
            yield listed.popleft()

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        waiting = self._waiting(queue)
        for path in waiting:
            path.unlink(missing_ok=True)
        return len(waiting)

    def _delete(self, queue: str, *_: object, **__: object) -> None:
        self._purge(queue)

    def _waiting(self, queue: str) -> list[Path]:
        return sorted(self.folder.glob(f"*.{queue}.msg"))


class Transport(filesystem.Transport):  # type: ignore[misc]
    Channel = Channel
