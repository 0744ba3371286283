"""Examples of what is asked and answered, for the API's documentation."""

from typing import Any

FOREST, SUNSET, SNOW, SKY = (digit * 64 for digit in "1a2b")
RECIPE: dict[str, Any] = {
    "version": 1,
    "structures": [{"image": FOREST, "weight": 1.0}],
    "textures": [{"image": SUNSET, "weight": 2.0}, {"image": SNOW, "weight": 1.0}],
    "strength": 0.8,
    "path": "sphere",
    "directions": [{"name": "texture1", "strength": 1.5, "mask": None, "feather": 0.0}],
    "layers": [{"texture": SNOW, "mask": SKY, "strength": 1.0, "feather": 4.0, "visible": True}],
    "outside": "plain",
    "seed": 0,
}
IMAGE = {
    "id": FOREST,
    "width": 640,
    "height": 480,
    "sha256": FOREST,
    "title": "",
    "shrunk": False,
    "has_photo": True,
}
MASK = {"id": SKY, "width": 640, "height": 480}
DIRECTION = {
    "name": "winter",
    "of": "texture",
    "kind": "attribute",
    "sigma_degrees": 12.5,
    "images": 20,
    "share": None,
    "apart": 2.1,
    "own": True,
}
SNAPSHOT = {"number": 96, "images_seen": 24, "kind": "fixed", "raw": False, "media_type": "image/png"}
LINE = {"images_seen": 4000, "generator.l1": 0.21}
# By the names of `schemas`.
EXAMPLES: dict[str, Any] = {
    "Recipe": RECIPE,
    "RenderRequest": {"recipe": RECIPE, "side": 512, "quality": "full", "format": "webp"},
    "SaveRequest": {"recipe": RECIPE, "side": None},
    "StripRequest": {
        "recipe": RECIPE,
        "name": "texture1",
        "strengths": [-2, -1, 0, 1, 2],
        "side": 96,
        "format": "webp",
    },
    "ClickRequest": {
        "image": FOREST,
        "x": 0.4,
        "y": 0.25,
        "threshold": 0.8,
        "connected": True,
        "softness": 0.0,
    },
    "NewDirection": {"name": "winter", "toward": [SNOW], "away": [SUNSET, FOREST], "of": "texture"},
    "ModelInfo": {
        "name": "synthetic64",
        "title": "Generated scenes",
        "size": 64,
        "multiple": 4,
        "places": [16, 16],
        "max_side": 1024,
        "structure_channels": 8,
        "texture_channels": 128,
        "has_click": True,
        "has_noise": False,
        "device": "cpu",
        "backend": "torch",
        "card": "# synthetic64\n",
        "fingerprint": "0" * 64,
    },
    "ImageInfo": IMAGE,
    "MaskInfo": MASK,
    "DirectionInfo": DIRECTION,
    "OpenedRecipe": {
        "recipe": RECIPE,
        "images": [IMAGE],
        "masks": [MASK],
        "directions": [DIRECTION],
        "notice": "",
    },
    "SnapshotInfo": SNAPSHOT,
    "RunInfo": {
        "id": "0123456789abcdef",
        "title": "church",
        "image_size": 128,
        "images_seen": 4000,
        "total_images": 200_000,
        "changed": 1.76e9,
        "log_bytes": 51_200,
        "last": LINE,
        "snapshots": [SNAPSHOT],
    },
    "RunLog": {"lines": [LINE], "next": 51_200, "more": False, "restarted": False},
}
