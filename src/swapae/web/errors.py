"""What the studio refuses, beside `UserError`."""

from swapae.errors import UserError


class UnknownId(UserError):  # noqa: N818  as in "unknown id: …"
    """An image, mask, direction or run that is not there, or not any more: HTTP 404.

    Attributes:
        id: that was asked for; of a direction, its name.
    """

    def __init__(self, id: str, sentence: str) -> None:
        super().__init__(sentence)
        self.id = id

    def __reduce__(self) -> tuple[type["UnknownId"], tuple[str, str]]:
        """Let it be pickled, though its arguments are two."""
        return type(self), (self.id, str(self))
