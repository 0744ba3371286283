"""What the studio refuses, beside `UserError`."""

from swapae.errors import UserError


class UnknownId(UserError):  # noqa: N818  as in "unknown id: …"
    """An image, mask, direction or run that is not there, or not any more: HTTP 404."""
