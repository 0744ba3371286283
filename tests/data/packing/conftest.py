import pytest
from tests.data.packs.tools import encoded, write_folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Thirteen images, two of them broken."""
    root = tmp_path_factory.mktemp("data") / "photos"
    formats = ["JPEG", "PNG", "WEBP"]
    files = {
        f"{i % 3}/{i:02}.{formats[i % 3].lower()}": encoded(i, (20 + i, 17), formats[i % 3])
        for i in range(13)
    }
    files["1/04.png"] = files["1/04.png"][:150]
    files["2/11.webp"] = b"no picture"
    return write_folder(root, files)
