"""Files of a machine's own disk: a file is there whole or not at all, whatever kills the process that
writes it."""

import os
from pathlib import Path
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class Storage(FileSystemStorage):
    """Django's file storage, except that a file appears by a rename, and one of the same name is replaced."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]  # not subscriptable when run
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{uuid4().hex}.part")
        try:
            with part.open("wb") as out:
                for chunk in content.chunks():
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            if self.file_permissions_mode is not None:
                part.chmod(self.file_permissions_mode)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return name
