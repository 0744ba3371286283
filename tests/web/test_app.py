"""The whole server by HTTP, with a double of the studio in its worker process."""

from collections.abc import Iterator

import httpx
import pytest
from tests.web.double import FAIL, MEMORY, REFUSE, Making, recipe
from tests.web.servers import RAW, Running, png, upload

from swapae.web.settings import StudioSettings


@pytest.fixture(scope="module")
def server(make_running: object) -> Running:
    return make_running(Making(), StudioSettings(max_json=4096, max_upload=200_000))  # type: ignore[operator]


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as one:
        yield one


def test_an_upload_can_be_rendered_and_has_a_thumbnail(client: httpx.Client) -> None:
    one = upload(client, png())
    assert upload(client, png()) == one
    assert upload(client, png(seed=1)) != one
    answer = client.post("/api/v1/render", json=recipe(one), headers={"X-Seq": "7"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert answer.content.endswith(b"picture")
    assert [answer.headers[f"x-{name}"] for name in ("width", "height", "seq")] == ["6", "4", "7"]
    thumbnail = client.get(f"/api/v1/images/{one}/thumbnail")
    assert thumbnail.content.endswith(one.encode())
    assert "immutable" in thumbnail.headers["cache-control"]


def test_the_model_and_its_gallery_are_told(client: httpx.Client) -> None:
    assert client.get("/api/v1/model").json()["name"] == "double"
    (image,) = client.get("/api/v1/gallery").json()
    assert client.get(f"/api/v1/images/{image['id']}/thumbnail").status_code == 200
    assert client.post("/api/v1/render", json=recipe(image["id"])).status_code == 200


def test_a_forgotten_image_is_gone_for_good(client: httpx.Client) -> None:
    one = upload(client, png(seed=2))
    assert client.delete(f"/api/v1/images/{one}").status_code == 204
    answers = [
        client.post("/api/v1/render", json=recipe(one)),
        client.get(f"/api/v1/images/{one}/thumbnail"),
        client.delete(f"/api/v1/images/{one}"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert answers[0].json()["code"] == "unknown"


def test_masks_and_directions_come_and_go(client: httpx.Client) -> None:
    image = upload(client, png())
    made = client.post("/api/v1/masks", content=png(mode="L"), headers=RAW)
    assert made.status_code == 201
    mask = made.json()["id"]
    assert client.get(f"/api/v1/masks/{mask}").content.endswith(mask.encode())
    layer = {"texture": image, "mask": mask}
    assert client.post("/api/v1/render", json=recipe(image, layers=[layer])).status_code == 200
    click = client.post("/api/v1/masks/click", json={"image": image, "x": 0.5, "y": 0.5})
    assert click.status_code == 200
    assert len(click.headers["x-mask-id"]) == 64
    group = {"name": "snow & ice", "toward": [image], "away": [image]}
    assert client.post("/api/v1/directions", json=group).status_code == 201
    assert [one["name"] for one in client.get("/api/v1/directions").json()] == ["snow & ice"]
    assert client.get("/api/v1/directions/snow%20%26%20ice/file").content == b"snow & ice"
    assert client.delete("/api/v1/directions/snow%20%26%20ice").status_code == 204
    assert client.delete("/api/v1/directions/snow%20%26%20ice").status_code == 404


@pytest.mark.parametrize(
    ("seed", "status", "code", "sentence"),
    [
        (FAIL, 500, "failed", "something went wrong inside the studio"),
        (REFUSE, 422, "refused", "a sentence of the studio."),
        (MEMORY, 503, "memory", "there is not enough memory"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    client: httpx.Client, seed: int, status: int, code: str, sentence: str
) -> None:
    answer = client.post("/api/v1/render", json=recipe(upload(client, png()), seed))
    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert sentence in answer.json()["error"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 2000, 400),
        (b"", 422),
        (b"[]", 422),
        (b'{"recipe": {"structures": []}}', 422),
        (b'{"recipe": {"structures": [{"image": "../../etc/passwd"}]}}', 422),
        (b'{"recipe": {"structures": [{"image": "%s", "weight": NaN}]}}' % (b"a" * 64), 422),
        (b'{"recipe": {"structures": [{"image": "%s", "weight": 1e999}]}}' % (b"a" * 64), 422),
        (b'{"recipe": {"structures": [{"image": "%s"}], "path": "\\ud800"}}' % (b"a" * 64), 422),
        (b'{"recipe": {"structures": [{"image": "%s"}], "seed": %s}}' % (b"a" * 64, b"9" * 4000), 413),
        (b'{"recipe": {"structures": [{"image": "%s"}], "extra": 1}}' % (b"a" * 64), 422),
        (b'{"recipe": {"structures": [{"image": "%s"}]}}' % (b"a" * 64), 404),
        (b"\xff\xfe", 400),
    ],
)
def test_bodies_that_are_no_request_are_refused_in_a_sentence(
    client: httpx.Client, body: bytes, status: int
) -> None:
    answer = client.post("/api/v1/render", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "code"}
    assert answer.json()["error"].count(". ") == 0


def test_what_is_not_there_and_what_is_not_taken(client: httpx.Client) -> None:
    assert client.get("/api/v1/nothing").json()["code"] == "unknown"
    assert client.get("/api/v1/nothing").status_code == 404
    wrong = client.delete("/api/v1/model")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method")
    assert client.request("PUT", "/api/v1/model").status_code == 405
    assert client.get("/api/v1/model/").status_code == 404  # no redirect


def test_a_fault_of_ours_is_a_sentence_and_costs_no_connection(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr("swapae.web.runs_api.looked_up", fails)
    answer = client.get("/api/v1/runs")
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "connection" not in answer.headers
    assert client.get("/api/v1/model").status_code == 200


def test_the_token_is_not_asked_for_where_there_is_none(client: httpx.Client) -> None:
    assert client.post("/api/v1/session").status_code == 204


def test_the_servers_figures_are_told(client: httpx.Client) -> None:
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    text = client.get("/metrics").text
    assert "swapae_ready 1.0" in text
    assert 'swapae_requests_total{method="GET",route="/livez",status="200"} 1.0' in text
    assert "swapae_work_seconds_bucket" in text
