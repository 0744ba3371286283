"""A picture made of pictures in rows and columns, which may come one after the other; and words above it."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont


class Sheet:
    """An empty table of pictures; `image` is the picture as far as it is filled.

    Args:
        widths: of the columns, in pixels.
        heights: of the rows, in pixels.
        gap: between cells, in pixels.
        background: colour of what is left blank.
    """

    def __init__(
        self, widths: Sequence[int], heights: Sequence[int], gap: int, background: tuple[int, int, int]
    ) -> None:
        self.widths, self.heights, self.gap = widths, heights, gap
        size = (sum(widths) + gap * (len(widths) - 1), sum(heights) + gap * (len(heights) - 1))
        self.image = Image.new("RGB", size, background)

    def paste_row(self, row: int, cells: Sequence[Image.Image | None]) -> None:
        """Put each picture in the middle of its cell; None leaves a cell blank."""
        upper = sum(self.heights[:row]) + self.gap * row
        left = 0
        for cell, width in zip(cells, self.widths, strict=False):
            if cell is not None:
                place = left + (width - cell.width) // 2, upper + (self.heights[row] - cell.height) // 2
                self.image.paste(cell, place, cell if cell.mode == "RGBA" else None)
            left += width + self.gap


def captioned(picture: Image.Image, words: str, size: int = 14) -> Image.Image:
    """Put a line of words, `size` pixels high, above a picture; what is too wide is cut off."""
    height = round(1.7 * size)
    sheet = Image.new("RGB", (picture.width, picture.height + height), "white")
    sheet.paste(picture, (0, height))
    draw = ImageDraw.Draw(sheet)
    draw.text((1, height // 2), words, fill=(40, 40, 40), font=ImageFont.load_default(size), anchor="lm")
    return sheet
