"""What people must say about a model in the box, for no file does: what it is, its data, its limits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """Words for the card of a model; `{size}` stands for the side of its images."""

    about: str
    data: str
    data_license: str
    limits: tuple[str, ...]
    first: tuple[str, str]  # samples of a swap worth seeing first, structure and texture, chosen by eye
    metrics: tuple[str, ...] = ()  # of the evaluation on photos; none for the generated domain


SMALL = "It is small and was trained on a processor, to try things with at once; it is no result in itself."

KINDS = {
    "synthetic64": Kind(
        about="rendered forms and materials, a domain whose true swaps are known",
        data=(
            "Pictures of a single solid on a plain ground, rendered by this program (`swapae train "
            "synthetic`), "
            "as many as it saw. Three forms and three materials are held out. No photographs."
        ),
        data_license="none is needed, as the pictures are generated",
        limits=(
            "It knows one solid on a plain ground, lit by one lamp. What it makes of a photograph is such a "
            "picture, not a photograph.",
            "It takes images of any size, but has only seen {size}×{size}. In larger ones patterns keep "
            "their "
            "size in pixels, and forms are put together from what fits into {size} pixels.",
            SMALL,
        ),
        first=("torus-stripes", "mushroom-checker"),
    ),
    "clothing": Kind(
        about="garments, shoes and hats, from photographs",
        data=(
            "Photographs of garments, shoes and hats in 10 classes, mostly one piece laid flat or hung up: "
            "the "
            "training part of “Clothing dataset (small)” by Alexey Grigorev and contributors. No "
            "photograph is "
            "in the package: the gallery holds codes of validation photos, and shows what the model decodes."
        ),
        data_license="CC0 1.0",
        limits=(
            "It knows one piece of clothing that fills the frame, and was trained on nothing else: not on "
            "people, rooms or landscapes.",
            "Prints, lettering and fine weave are mostly lost. A texture is colours, how they are spread, "
            "and "
            "the ground that the piece lies on, which comes over too.",
            "It takes images of any size, but has only seen {size}×{size}: make larger ones smaller first.",
            SMALL,
        ),
        first=("t-shirt-2", "pants"),
        metrics=("all",),
    ),
}
