"""What rendering a finding gives back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rendered:
    """structures: masks that show it. size_mm: diameter of a lump, width of a pleural gap. tip_mm: of a tube,
    see `devices`."""

    structures: tuple[str, ...]
    size_mm: float | None = None
    tip_mm: float | None = None
