"""Everything that crosses HTTP, as pydantic models: strict, with bounds on every number and list.

A `Recipe` says a whole edit; a picture that is saved carries it. Ids are SHA-256 of what they stand for, in
hexadecimal: of an image's codes, of a mask's pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from swapae.files import shown

MOST_IMAGES = 8  # of a mix
MOST_EDITS = 32  # directions, and layers
MOST_OF_GROUP = 64  # images of one group of a new direction
MOST_STEPS = 9  # pictures along a direction
LONGEST_SIDE = 4096  # pixels; a studio allows less (`ModelInfo.max_side`)


def _spoken(name: str) -> str:
    """Refuse what is no name of a direction (`swapae.editing.Directions` has the same rule)."""
    if not name.isprintable() or "=" in name or name != name.strip():
        raise ValueError("a name has no sign like = or a line break, nor a space at its ends")
    return name


def _some(weighted: list["Part"]) -> list["Part"]:
    if weighted and not any(part.weight for part in weighted):
        raise ValueError("no weight is above 0: give one at least")
    return weighted


Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_spoken)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Weight = Annotated[Number, Field(ge=0, le=1000)]
Strength = Annotated[Number, Field(ge=-20, le=20)]
Feather = Annotated[Number, Field(ge=0, le=512)]  # pixels of the image, to either side of an edge
Share = Annotated[Number, Field(ge=0, le=1)]  # of a picture's width or height
Side = Annotated[int, Field(ge=1, le=LONGEST_SIDE)]
Kind = Literal["texture", "structure", "layout"]


class Given(BaseModel):
    """What a client says: it must be exactly right."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Told(BaseModel):
    """What the studio answers."""

    model_config = ConfigDict(frozen=True)


# ---- the recipe


class Part(Given):
    """An image in a mix; only the proportions of weights count."""

    image: Id
    weight: Weight = 1.0


class Move(Given):
    """A step along a direction: strength in σ, within a mask or everywhere."""

    name: Name
    strength: Strength
    mask: Id | None = None
    feather: Feather = 0.0


class Paint(Given):
    """An image's texture through a mask; later layers lie over earlier ones."""

    texture: Id
    mask: Id
    strength: Strength = 1.0
    feather: Feather = 0.0
    visible: bool = True


class Recipe(Given):
    """A whole edit: what `swapae swap`, `mix`, `edit` and `paint` do, in this order.

    - structures: whose structure the result has; several are mixed by weights. The first gives the size, its
      own texture, and its photo.
    - textures: whose texture it takes; several are mixed. None keeps the own.
    - strength: from the own texture (0) to that of `textures` (1), and past it.
    - path: of mixes and strengths: in equal angles along the `sphere`, or along a straight `line`, as
      published.
    - directions: moves, one after the other.
    - layers: textures painted by masks.
    - outside: what is where no mask is: `plain`, the picture without what masks hold; `photo`, the first
      structure's photo itself; `free`, what the generator makes of it.
    - seed: of fixed noise; null adds none, as the commands do.
    """

    version: Literal[1] = 1
    structures: Annotated[list[Part], Field(min_length=1, max_length=MOST_IMAGES), AfterValidator(_some)]
    textures: Annotated[list[Part], Field(max_length=MOST_IMAGES), AfterValidator(_some)] = []
    strength: Strength = 1.0
    path: Literal["sphere", "line"] = "sphere"
    directions: Annotated[list[Move], Field(max_length=MOST_EDITS)] = []
    layers: Annotated[list[Paint], Field(max_length=MOST_EDITS)] = []
    outside: Literal["plain", "photo", "free"] = "plain"
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None

    def digest(self) -> str:
        """Name it shortly, for what was made of it to be found again."""
        return sha256(self.model_dump_json().encode()).hexdigest()


# ---- requests


class RenderRequest(Given):
    """A picture of a recipe.

    - side: the longest side of the result in pixels; null, or more than the image has, is the image's size.
    - quality: `fast` may answer with a smaller picture where the full one takes long (`Rendered.full`).
    """

    recipe: Recipe
    side: Side | None = None
    quality: Literal["fast", "full"] = "full"
    format: Literal["webp", "png"] = "webp"


class SaveRequest(Given):
    """A PNG that carries its recipe; `side` as for a render."""

    recipe: Recipe
    side: Side | None = None


class StripRequest(Given):
    """One direction of a recipe at several strengths, in place of the one it has there: a row of pictures."""

    recipe: Recipe
    name: Name
    strengths: Annotated[list[Strength], Field(min_length=1, max_length=MOST_STEPS)] = [-2, -1, 0, 1, 2]
    side: Annotated[int, Field(ge=16, le=256)] = 96
    format: Literal["webp", "png"] = "webp"


class ClickRequest(Given):
    """A mask of what is like the place clicked on: x and y from 0 to 1, from the left and from above.

    - threshold: least cosine of the structure at a place with that at the click.
    - centered: of what places have beside the image's mean; without it nearly all is alike to some models.
    """

    image: Id
    x: Share
    y: Share
    threshold: Annotated[Number, Field(ge=-1, le=1)] = 0.4
    centered: bool = True
    connected: bool = False
    softness: Share = 0.0


class NewDirection(Given):
    """A direction of one's own: what one group of images has and the other has not."""

    name: Name
    toward: Annotated[list[Id], Field(min_length=1, max_length=MOST_OF_GROUP)]
    away: Annotated[list[Id], Field(min_length=1, max_length=MOST_OF_GROUP)]
    of: Kind = "texture"


# ---- answers


class ModelInfo(Told):
    """The model that is loaded.

    - name, title: as `swapae models` lists it, and in words.
    - size: of the images it was trained on, in pixels; null where nobody has written it down.
    - multiple: pixels to a side of a place, to which images are padded; places: of an image of `size`.
    - max_side: larger images are made smaller when they come in.
    - has_click, has_noise: whether a click can make a mask, and whether a seed changes anything.
    - device: where it computes; backend: what runs it, as `swapae studio --backend` was given.
    - card: its description, plain text (Markdown), "" where there is none.
    - fingerprint: SHA-256 of its weights.
    """

    name: str
    title: str
    size: int | None
    multiple: int
    places: list[int] | None
    max_side: int
    structure_channels: int
    texture_channels: int
    has_click: bool
    has_noise: bool
    device: str
    backend: str
    card: str
    fingerprint: str


class ImageInfo(Told):
    """An image whose codes the studio holds.

    - title: what it shows, of a gallery's; "" of others.
    - shrunk: it was larger than `max_side`, and was made smaller.
    - has_photo: its pixels are there too, not only its codes.
    """

    id: Id
    width: int
    height: int
    sha256: Id
    title: str = ""
    shrunk: bool = False
    has_photo: bool = False


class MaskInfo(Told):
    """A mask that the studio holds."""

    id: Id
    width: int
    height: int


class DirectionInfo(Told):
    """A direction: how far a strength of 1 turns codes, in how many images it was found, whose it is.

    - share: of all variance, of a principal one. apart: of an attribute, how many σ its groups lie apart.
    - own: made here, so that it can be deleted.
    """

    name: str
    of: Kind
    kind: Literal["principal", "attribute"]
    sigma_degrees: float
    images: int
    share: float | None
    apart: float | None
    own: bool


class OpenedRecipe(Told):
    """A recipe that was read out of a PNG; all it names is known to the studio from now on.

    - notice: "" or a sentence: what may look different from when it was saved.
    """

    recipe: Recipe
    images: list[ImageInfo]
    masks: list[MaskInfo]
    directions: list[DirectionInfo]
    notice: str = ""


@dataclass(frozen=True)
class Rendered:
    """A picture as bytes.

    - full: false for a quick frame, which is smaller than what was asked for, as that takes long.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    seconds: float
    full: bool = True


class SnapshotInfo(Told):
    """A picture of a run: of `fixed` or `random` images, by averaged weights or by `raw` ones as they are."""

    number: int
    images_seen: int
    kind: Literal["fixed", "random"]
    raw: bool
    media_type: str


class RunInfo(Told):
    """A training run.

    - id: made by the server. title: its folder's name.
    - images_seen, total_images: so far, and by its config; null where unknown.
    - changed: when its log last grew, seconds since 1970. log_bytes: how long the log is.
    - last: the last line of the log.
    """

    id: str
    title: str
    image_size: int | None
    images_seen: int | None
    total_images: int | None
    changed: float | None
    log_bytes: int
    last: dict[str, Any] | None
    snapshots: list[SnapshotInfo]


class RunLog(Told):
    """Lines of a log: those whole ones that follow byte `after`, as many as fit.

    - next: the byte to ask for next. more: there are further lines already.
    - restarted: the log is shorter than `after`; these lines are its first.
    """

    lines: list[dict[str, Any]]
    next: int
    more: bool
    restarted: bool = False


# ---- what is wrong with a request, in one sentence


def problem(error: ValidationError) -> str:
    """Say what is wrong with what a client sent: the first thing, where it is, how many more there are."""
    return sentence(error.errors(include_url=False, include_context=False, include_input=False))


def sentence(errors: Sequence[Any], drop: int = 0) -> str:
    """Say so of pydantic's list of errors; `drop` leaves out the first words of the places."""
    first = errors[0]
    place = ".".join(str(word) for word in first["loc"][drop:]) or "the request"
    what = str(first["msg"]).removeprefix("Value error, ")
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{shown(place[:200])}: {shown(what[:300])}{more}."
