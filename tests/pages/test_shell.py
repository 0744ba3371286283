"""What all pages share: foreign text stays text, and nothing is asked for from outside."""

import base64
import hashlib

from swapae.pages.shell import data_uri, filled, policy, text, whole

HOSTILE = "</title><script>alert(1)</script>\"'&\n\u202e{{body}}"


def test_a_place_in_the_template_is_filled_once() -> None:
    assert filled("a {{x}} b {{y}}{{x}}", {"x": "{{y}}", "y": "2"}) == "a {{y}} b 2{{y}}"


def test_foreign_text_is_harmless_between_tags_and_in_attributes() -> None:
    harmless = "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;\\n\\u202e{{body}}"
    assert text(HOSTILE) == harmless
    page = whole(HOSTILE, "<p>all</p>\n")
    assert f"<title>{harmless}</title>" in page
    assert "<script" not in page
    assert page.count("<p>all</p>") == 1


def test_a_page_takes_nothing_from_outside_and_runs_one_script() -> None:
    assert policy() == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    digest = base64.b64encode(hashlib.sha256(b"go()").digest()).decode()
    assert policy("go()", "'self'").endswith(
        f"img-src 'self'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    assert "content=\"default-src 'none'; img-src data:; style-src" in whole("a", "")
    assert data_uri(b"x", "png") == "data:image/png;base64,eA=="
