"""Small radiographs for tests, to be written to disk and read back: tests see what a hospital would send."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ComputedRadiographyImageStorage, ExplicitVRLittleEndian


def radiograph(pixels: NDArray[Any] | None = None, **elements: Any) -> Dataset:
    """A chest CR with the given pixels (default: a ramp) and elements; None deletes an element."""
    if pixels is None:
        pixels = np.arange(160 * 200, dtype=np.uint16).reshape(160, 200) % 4096
    bits = pixels.dtype.itemsize * 8
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID, dataset.StudyInstanceUID = "1.2.3", "1.2.4", "1.2.5"
    dataset.Modality, dataset.BodyPartExamined = "CR", "CHEST"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    content = pixels.tobytes()
    dataset.add_new("PixelData", "OB" if bits == 8 else "OW", content + b"\0" * (len(content) % 2))
    for keyword, element in elements.items():
        if element is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, element)
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(dataset.get("SOPInstanceUID") or "1.2.3")
    dataset.save_as(path, enforce_file_format=True)
    return path


def lut(descriptor: list[int], entries: list[int], explanation: str = "") -> Dataset:
    item = Dataset()
    if explanation:
        item.LUTExplanation = explanation
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", "OW", np.array(entries, "<u2").tobytes())
    return item
