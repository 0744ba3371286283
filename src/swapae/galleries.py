"""Galleries: samples that come with a model, as pictures, or as codes where photos may not be passed on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL.Image import Image

from swapae import box
from swapae.codes import Codes
from swapae.errors import UserError
from swapae.hub import HUB_ID
from swapae.images import open_image
from swapae.locate import find_weights
from swapae.model import SwappingAutoencoder

LIST, CODES = "gallery.json", "codes.safetensors"
FORMAT = "swapae.gallery/1"


@dataclass(frozen=True, eq=False)
class Sample:
    """One of a gallery, ready to be swapped and to be shown.

    Attributes:
        name: in its gallery.
        about: what it shows, in a few words.
        picture: the picture itself; None where there are only codes.
        stored: its codes of a batch of 1, float32; None where there is the picture.
        source: what it was made from: place in a generated sequence, or in a set of photos.
    """

    name: str
    about: str
    picture: Image | None = None
    stored: Codes | None = None
    source: Mapping[str, object] = field(default_factory=dict)

    def codes(self, model: SwappingAutoencoder) -> Codes:
        """Give its codes by the gallery's model: the stored ones, or else those of the picture."""
        if self.stored is not None:
            return self.stored
        assert self.picture is not None
        return model.encode_image(self.picture)

    def show(self, model: SwappingAutoencoder) -> Image:
        """Give the picture, or else what the gallery's model decodes from the codes."""
        return self.picture if self.picture is not None else model.decode_image(self.codes(model))


def gallery(model: str | Path) -> dict[str, Sample]:
    """Read the samples that come with a model, by name.

    Args:
        model: the name of a model in the box, the folder of a model that has a gallery, or a hub id.

    Raises:
        UserError: there is no such model, it has no gallery, or the gallery is damaged.

    Example:
        >>> import swapae
        >>> model = swapae.SwappingAutoencoder.from_pretrained("clothing")  # doctest: +SKIP
        >>> a, b, *_ = swapae.gallery("clothing").values()  # doctest: +SKIP
        >>> own, other = a.codes(model), b.codes(model)  # doctest: +SKIP
        >>> swap = swapae.Codes(own.structure, other.texture, own.size)  # doctest: +SKIP
        >>> model.decode_image(swap).save("hybrid.png")  # doctest: +SKIP
    """
    folder = _folder(model)
    listed = box.read_json(folder / LIST)
    codes = Codes.load(folder / CODES) if (folder / CODES).is_file() else None
    try:
        if listed["format"] != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        samples = [_sample(folder, entry, codes) for entry in listed["samples"]]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UserError(f"the gallery {folder} is damaged ({error}); install swapae anew.") from error
    return {sample.name: sample for sample in samples}


def _folder(model: str | Path) -> Path:
    """Find a gallery by the rule of `find_weights`: a folder that has one comes before a name in the box."""
    for path in (Path(model), box.folder_of(str(model))):
        if path is not None and (path / box.GALLERY).is_dir():
            return path / box.GALLERY
    if not Path(model).exists() and HUB_ID.fullmatch(str(model)):
        folder = find_weights(model, box.WEIGHTS).parent
        if (folder / box.GALLERY).is_dir():
            return folder / box.GALLERY
    else:
        folder = Path(model) if Path(model).is_dir() else box.required(str(model))
    raise UserError(f"{folder} has no gallery: there is no folder {box.GALLERY} in it.")


def _sample(folder: Path, entry: Mapping[str, object], codes: Codes | None) -> Sample:
    """Read one: its picture `file`, or the codes at its `place`."""
    name, about, source = str(entry["name"]), str(entry["about"]), entry.get("source", {})
    assert isinstance(source, Mapping)
    if "file" in entry:
        if Path(str(entry["file"])).name != entry["file"]:  # it may be another's: it names nothing outside
            raise ValueError(f"{entry['file']!r} is no name of a file in it")
        return Sample(name, about, picture=open_image(folder / str(entry["file"])), source=source)
    if codes is None:
        raise ValueError(f"there is no {CODES}")
    own = codes[int(str(entry["place"]))]
    return Sample(name, about, None, Codes(own.structure.float(), own.texture.float(), own.size), source)
