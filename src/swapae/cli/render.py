"""`swapae render`: the picture of a recipe that a saved PNG carries, without the studio's page."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from swapae.cli.common import Model, OutFile, Report, RunningOptions
from swapae.errors import UserError

MOST = 2**28  # bytes of a file


def render(
    png: Annotated[Positional[Path], arg(metavar="PNG")],
    *,
    model: Model,
    out: OutFile,
    common: RunningOptions,
) -> Report:
    """Make the picture of a recipe once more, from the PNG that the studio saved.

    The PNG carries all the recipe needs. By the same model the picture is the same.

    Args:
        png: A PNG that the studio saved.
        out: File to write.
    """
    from swapae.images import check_target, open_file

    check_target(out, common.force)
    if not find_spec("pydantic"):
        raise UserError("recipes need an extra (pydantic): pip install 'swapae[web]'.")
    with open_file(png) as file:
        data = file.read(MOST + 1)
    if len(data) > MOST:
        raise UserError(f"{png} is no PNG that the studio saved: those have less than {MOST // 2**20} MB.")

    import io

    from PIL import Image

    from swapae.images import save_image
    from swapae.model import SwappingAutoencoder
    from swapae.web.schemas import LONGEST_SIDE, RenderRequest
    from swapae.web.studio import Studio

    net = SwappingAutoencoder.from_pretrained(model, device=common.device, backend=common.backend)
    studio = Studio(net, model, max_side=LONGEST_SIDE)
    opened = studio.open_recipe(data)
    if opened.notice:
        common.say(opened.notice)
    made = studio.render(RenderRequest(recipe=opened.recipe, format="png"))
    save_image(Image.open(io.BytesIO(made.data)), out, common.force)
    common.say(f"wrote {out}")
    return {"output": str(out), "recipe": opened.recipe.model_dump(), "notice": opened.notice}
