"""Radiographs whose gray was worked out by hand from DICOM PS3.3: what server, browser and model must show.

Each case gives stored values and the 16-bit gray they are first shown with: floor(y * 65535 + 0.5) for the
standard's output y in 0..1, worked out beside each case; 65535 less that where the image is inverted.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tests.inference.radiographs import lut, radiograph

SIDE = 200


@dataclass(frozen=True)
class Case:
    """shown: stored value -> 16-bit gray. dtype: of the stored words, in which `shown` is written as is.
    luts: the explanations of all VOI LUTs; others: the grays of the same values by those after the first."""

    name: str
    section: str
    shown: dict[int, int]
    elements: dict[str, Any] = field(default_factory=dict)
    dtype: str = "u2"
    luts: tuple[str, ...] = ()
    others: tuple[tuple[int, ...], ...] = ()

    def __str__(self) -> str:
        return self.name

    def dataset(self) -> Dataset:
        return radiograph(self._tiled(list(self.shown)).astype(self.dtype), **self.elements)

    def gray(self) -> NDArray[np.uint16]:
        """(SIDE, SIDE) uint16: what must be shown."""
        return self._tiled(list(self.shown.values())).astype(np.uint16)

    def gray_of_others(self) -> list[NDArray[np.uint16]]:
        """What must be shown by each further VOI LUT."""
        return [self._tiled(list(other)).astype(np.uint16) for other in self.others]

    def _tiled(self, values: list[int]) -> NDArray[np.int64]:
        return np.resize(np.array(values, np.int64), (SIDE, SIDE))


def window(center: Any, width: Any, function: str = "LINEAR", **more: Any) -> dict[str, Any]:
    return {"WindowCenter": center, "WindowWidth": width, "VOILUTFunction": function, **more}


def bits(stored: int, high: int, **more: Any) -> dict[str, Any]:
    return {"BitsStored": stored, "HighBit": high, **more}


def item(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


EXACT = "LINEAR_EXACT"
FULL = window(2048, 4096)
LUTS = [
    lut([4, 100, 8], [0, 51, 204, 255], "SOFT"),
    lut([3, 100, 16], [65535, 16384, 0], "NEGATIVE"),
    lut([2, 102, 12], [1000, 4095]),
]
FULL_EXACT = window(32768, 65536, EXACT)

CASES = (
    # C.11.2.1.2.1 with c = 2048, w = 4096: y = (x - 2047.5) / 4095 + 0.5 = x / 4095.
    Case("linear", "C.11.2.1.2", {0: 0, 1: 16, 2047: 32759, 4095: 65535, 5000: 65535}, FULL),
    # w = 1: black up to c - 0.5, white above.
    Case("linear-one-level", "C.11.2.1.2", {0: 0, 99: 0, 100: 65535, 101: 65535}, window(100, 1)),
    # Real centre and width: y = (x - 100) / 199.5 + 0.5: 0 at 0.25, so 0; 50 gives 0.24937 (16342.56).
    Case(
        "linear-fractions",
        "C.11.2.1.2",
        {0: 0, 50: 16343, 100: 32768, 150: 49192, 200: 65535},
        window(100.5, 200.5),
    ),
    # The standard's own example, c = 0, w = 100, on signed values: y = (x + 0.5) / 99 + 0.5.
    Case(
        "linear-signed",
        "C.11.2.1.2",
        {-32768: 0, -50: 0, 0: 33098, 49: 65535, 32767: 65535},
        window(0, 100),
        "i2",
    ),
    # C.11.2.1.3.2: y = x / 4096: white is reached at 4096 only.
    Case(
        "linear-exact",
        "C.11.2.1.3.2",
        {0: 0, 1024: 16384, 4095: 65519, 4096: 65535, 9000: 65535},
        window(2048, 4096, EXACT),
    ),
    # C.11.2.1.3.1: 1 / (1 + exp(-4 (x - c) / w)): 1/2, 1 / (1 + 1/e), 1 / (1 + e^2), 1 / (1 + e^-2).
    Case(
        "sigmoid",
        "C.11.2.1.3.1",
        {2048: 32768, 3072: 47910, 0: 7812, 4096: 57723},
        window(2048, 4096, "SIGMOID"),
    ),
    # Two windows: the first is shown, whatever they are called.
    Case(
        "several-windows",
        "C.11.2.1.2",
        {0: 0, 50: 32768, 100: 65535},
        window([50, 800], [100, 9], EXACT, WindowCenterWidthExplanation=["LUNG", "BONE"]),
    ),
    # C.11.1.1.2 before C.11.2: modality = 2 s - 1024; y = (2 s - 1024) / 2048 + 0.5 = s / 1024.
    Case(
        "rescale",
        "C.11.1.1.2",
        {0: 0, 256: 16384, 512: 32768, 1024: 65535},
        window(0, 2048, EXACT, RescaleSlope=2, RescaleIntercept=-1024),
    ),
    # A negative slope: modality = 1000 - 10 s; y = 1 - s / 100.
    Case(
        "negative-slope",
        "C.11.1.1.2",
        {0: 65535, 25: 49151, 100: 0, 300: 0},
        window(500, 1000, EXACT, RescaleSlope=-10, RescaleIntercept=1000),
    ),
    # ... on signed values and inverted: y = 0.5 - s / 100, shown 1 - y; s = -25: 0.75 -> 49151, shown 16384.
    Case(
        "negative-slope-signed-monochrome1",
        "C.11.1.1.2",
        {-50: 0, -25: 16384, 0: 32767, 50: 65535},
        window(0, 100, EXACT, RescaleSlope=-1, RescaleIntercept=0, PhotometricInterpretation="MONOCHROME1"),
        "i2",
    ),
    # C.11.1.1.1: entries 5, 700, 9000 from input 10 on, the ends repeated; then y = x / 10000.
    Case(
        "modality-lut",
        "C.11.1.1.1",
        {0: 33, 10: 33, 11: 4587, 12: 58982, 99: 58982},
        window(5000, 10000, EXACT, ModalityLUTSequence=[lut([3, 10, 16], [5, 700, 9000])]),
    ),
    # A first input of 65,534 is -2 where pixels are signed: -2 -> 0, -1 -> 200, 0 -> 1000; y = x / 1000.
    Case(
        "modality-lut-signed",
        "C.11.1.1.1",
        {-9: 0, -2: 0, -1: 13107, 0: 65535, 7: 65535},
        window(500, 1000, EXACT, ModalityLUTSequence=[lut([3, 0xFFFE, 16], [0, 200, 1000])]),
        "i2",
    ),
    # C.11.2.1.1, 8-bit entries: 51 / 255 = 0.2, 204 / 255 = 0.8. The LUT wins over the window.
    Case(
        "voi-lut",
        "C.11.2.1.1",
        {0: 0, 100: 0, 101: 13107, 102: 52428, 103: 65535, 60000: 65535},
        window(9, 8, VOILUTSequence=[lut([4, 100, 8], [0, 51, 204, 255])]),
    ),
    # C.11.2.1: of several VOI LUTs one is applied, and the user may choose; the first is shown first. Inputs
    # outside of a table take its first or last entry. NEGATIVE: 100 and below 65535, 101 16384, 102 and above
    # 0. The third, of 12 bits: 102 and below 1000 / 4095 * 65535 = 16003.66, 103 and above 4095.
    Case(
        "voi-luts",
        "C.11.2.1.1",
        {0: 0, 100: 0, 101: 13107, 102: 52428, 103: 65535, 4000: 65535},
        window(9, 8, VOILUTSequence=LUTS),
        luts=("SOFT", "NEGATIVE", ""),
        others=((65535, 65535, 16384, 0, 0, 0), (16004, 16004, 16004, 16004, 65535, 65535)),
    ),
    # MONOCHROME1 turns what came out of each: 65535 - gray.
    Case(
        "voi-luts-monochrome1",
        "C.11.2.1.1",
        {100: 65535, 101: 52428, 102: 13107, 103: 0},
        {"PhotometricInterpretation": "MONOCHROME1", "VOILUTSequence": LUTS},
        luts=("SOFT", "NEGATIVE", ""),
        others=((0, 49151, 65535, 65535), (49531, 49531, 49531, 0)),
    ),
    # The input of the VOI LUT is the modality value, here s - 1024, so its first input is signed: -1024 -> 0.
    Case(
        "voi-lut-after-rescale",
        "C.11.2.1.1",
        {0: 0, 1: 16384, 2: 65535, 900: 65535},
        {
            "RescaleSlope": 1,
            "RescaleIntercept": -1024,
            "VOILUTSequence": [lut([3, 0x10000 - 1024, 16], [0, 16384, 65535])],
        },
    ),
    # A 12-bit LUT: 4095 is white. 1000 / 4095 * 65535 = 16003.66.
    Case(
        "voi-lut-12-bits",
        "C.11.2.1.1",
        {0: 0, 1: 16004, 2: 65535},
        {"VOILUTSequence": [lut([3, 0, 12], [0, 1000, 4095])]},
    ),
    # C.7.6.3.1.2: the lowest value is white.
    Case(
        "monochrome1",
        "C.7.6.3.1.2",
        {0: 65535, 1: 65519, 4095: 0},
        {**FULL, "PhotometricInterpretation": "MONOCHROME1"},
    ),
    # C.11.6: INVERSE turns the output of the VOI stage round.
    Case("inverse", "C.11.6.1.2", {0: 65535, 1: 65519, 4095: 0}, {**FULL, "PresentationLUTShape": "INVERSE"}),
    # C.8.11.3.1.2: MONOCHROME1 shall come with INVERSE: one inversion, said twice.
    Case(
        "inverse-monochrome1",
        "C.8.11.3.1.2",
        {0: 65535, 1: 65519, 4095: 0},
        {**FULL, "PresentationLUTShape": "INVERSE", "PhotometricInterpretation": "MONOCHROME1"},
    ),
    Case("identity", "C.11.6.1.2", {0: 0, 1: 16, 4095: 65535}, {**FULL, "PresentationLUTShape": "IDENTITY"}),
    Case(
        "sigmoid-inverse",
        "C.11.6.1.2",
        {2048: 32767, 3072: 17625, 0: 57723},
        {**window(2048, 4096, "SIGMOID"), "PresentationLUTShape": "INVERSE"},
    ),
    Case(
        "voi-lut-monochrome1",
        "C.7.6.3.1.2",
        {100: 65535, 101: 52428, 102: 13107, 103: 0},
        {
            "PhotometricInterpretation": "MONOCHROME1",
            "VOILUTSequence": [lut([4, 100, 8], [0, 51, 204, 255])],
        },
    ),
    # C.7.5.1.1.2: padding is no pixel, and black in either polarity. 1 - 0.01 = 64879.65 -> 64880.
    Case(
        "padding-monochrome1",
        "C.7.5.1.1.2",
        {0: 0, 1: 64880, 50: 32767, 100: 0},
        window(50, 100, EXACT, PixelPaddingValue=0, PhotometricInterpretation="MONOCHROME1"),
    ),
    Case(
        "padding-range",
        "C.7.5.1.1.2",
        {1000: 0, 1500: 32768, 2000: 65535, 63999: 65535, 64000: 0, 65000: 0, 65535: 0},
        window(1500, 1000, EXACT, PixelPaddingValue=64000, PixelPaddingRangeLimit=65535),
    ),
    Case(
        "padding-signed",
        "C.7.5.1.1.2",
        {-2000: 0, -1999: 65535, 0: 32767, 50: 0},
        window(0, 100, EXACT, PixelPaddingValue=-2000, PhotometricInterpretation="MONOCHROME1"),
        "i2",
    ),
    # C.7.6.3.1: 8 bits, y = x / 256.
    Case("bits-8", "C.7.6.3.1", {0: 0, 64: 16384, 128: 32768, 255: 65279}, window(128, 256, EXACT), "u1"),
    # 10 bits below noise: word 0x0600 holds 512; y = x / 1024.
    Case(
        "bits-10-under-noise",
        "C.7.6.3.1",
        {0: 0, 512: 32768, 0x0600: 32768, 1023: 65471},
        window(512, 1024, EXACT, **bits(10, 9)),
    ),
    # 12 bits on top of 16, noise below: word 0x8007 holds 0x800; y = x / 4096.
    Case(
        "bits-12-high-15",
        "C.7.6.3.1",
        {0x000F: 0, 0x4003: 16384, 0x8007: 32768, 0xFFF0: 65519},
        window(2048, 4096, EXACT, **bits(12, 15)),
    ),
    # 12 signed bits under noise: word 0x5ABC holds -1348; y = x / 4096 + 0.5 = 0.170898 (11199.83).
    Case(
        "bits-12-signed-under-noise",
        "C.7.6.3.1",
        {0x5ABC: 11200, 0x0000: 32768, 0x0001: 32783, 0x0800: 0},
        window(0, 4096, EXACT, PixelRepresentation=1, **bits(12, 11)),
    ),
    # 16 bits: y = x / 65536.
    Case("bits-16", "C.7.6.3.1", {0: 0, 32768: 32768, 65535: 65534}, FULL_EXACT),
    # C.7.6.16.2.10 and C.7.6.16.2.9: rescale and window in functional groups, shared and of the frame.
    Case(
        "functional-groups",
        "C.7.6.16.2",
        {0: 0, 256: 16384, 512: 32768, 1024: 65535, 2048: 65535},
        {
            "SharedFunctionalGroupsSequence": [
                item(PixelValueTransformationSequence=[item(RescaleSlope=2, RescaleIntercept=-1024)])
            ],
            "PerFrameFunctionalGroupsSequence": [item(FrameVOILUTSequence=[item(**window(0, 2048, EXACT))])],
        },
    ),
)
