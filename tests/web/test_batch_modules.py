"""The batch's parts without a server: its zip, its names, its queue, in a real browser."""

import base64
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page
from tests.web.modules import imported

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with imported(browser, zip="batch/zip.js", names="batch/names.js", queue="batch/queue.js") as page:
        page.evaluate("""() => {
          window.text = (blob) => new Promise((resolve) => {
            const reader = new FileReader();
            reader.onload = () => resolve(reader.result.split(",")[1]);
            reader.readAsDataURL(blob);
          });
        }""")
        yield page


def test_a_zip_is_read_by_python_with_names_dates_and_bytes_as_they_were(page: Page, tmp_path: Path) -> None:
    made = page.evaluate("""async () => {
      const noise = crypto.getRandomValues(new Uint8Array(60000));
      const date = new Date(2026, 10, 25, 12, 34, 56);
      const told = [];
      const photo = {name: "été/größe 写真 📷.png", blob: new Blob([noise]), date};
      const files = [photo, {name: "empty", blob: new Blob([])}];
      const whole = await zip.zip(files, (...some) => told.push(some));
      return [await text(new Blob([noise])), await text(whole), told, whole.type];
    }""")
    noise, whole, told, kind = base64.b64decode(made[0]), base64.b64decode(made[1]), made[2], made[3]
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        first, second = archive.infolist()
        assert (first.filename, first.date_time) == ("été/größe 写真 📷.png", (2026, 11, 25, 12, 34, 56))
        assert (archive.read(first), archive.read(second)) == (noise, b"")
        assert first.compress_type == zipfile.ZIP_STORED
    assert (told, kind) == ([[1, 2], [2, 2]], "application/zip")


def test_a_zip_that_cannot_be_written_is_refused_in_a_sentence(page: Page) -> None:
    said = page.evaluate("""async () => {
      const files = Array(70000).fill({name: "a", blob: new Blob([])});
      return zip.zip(files).then(() => "", (error) => error.message);
    }""")
    assert said.startswith("These are more pictures than one zip can hold")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("holiday/beach.jpeg", "holiday/beach.png"),
        ("Holiday/BEACH.png", "Holiday/BEACH (2).png"),
        ("../../etc/passwd", "etc/passwd.png"),
        ("/C:\\windows\\a<b>?.gif", "C_/windows/a_b__.png"),
        ("con.jpg", "_con.png"),
        (".jpg", "jpg.png"),
        ("..", "photo.png"),
        ("a\u202egpj.png", "a_gpj.png"),
        ("a.b.tar.webp", "a.b.tar.png"),
        ("x" * 300 + ".png", "x" * 120 + ".png"),
    ],
)
def test_results_are_named_after_their_photos_and_fit_for_any_disk(page: Page, path: str, name: str) -> None:
    found = page.evaluate(
        """([path, before]) => {
          const taken = new Set();
          for (const one of before) names.resultName(one, taken);
          return names.resultName(path, taken);
        }""",
        [path, ["holiday/beach.jpeg"] if path.startswith("Holiday") else []],
    )
    assert found == name


QUEUE = """
  const open = [];
  let most = 0, now = 0;
  const work = (item, {signal, enter}) => new Promise((resolve, reject) => {
    now += 1; most = Math.max(most, now);
    const end = (give) => (value) => { now -= 1; give(value); };
    open.push({item, enter, resolve: end(resolve), reject: end(reject)});
    signal.addEventListener("abort", () => end(reject)(new DOMException("", "AbortError")));
  });
  const one = new queue.Queue(work, {mostBytes: 100});
  const photos = (count) => Array.from({length: count}, (_, n) => ({file: new Blob(["x"]), n}));
  const soon = () => new Promise((resolve) => setTimeout(resolve));
  const made = {blob: new Blob([new Uint8Array(10)])};
  const states = () => one.items.map(({state}) => state).join(" ");
"""


def test_at_most_two_photos_are_under_way_and_one_that_fails_does_not_stop_the_rest(page: Page) -> None:
    got = page.evaluate(f"""async () => {{{QUEUE}
      one.add(photos(4));
      while (open.length) {{
        const {{item, resolve, reject}} = open.shift();
        if (item.n === 1) reject(new Error("This is no picture.")); else resolve(made);
        await soon();
      }}
      return [most, states(), one.items[1].error, one.counts(), one.bytes];
    }}""")
    assert got[:3] == [2, "done failed done done", "This is no picture."]
    assert (got[3]["done"], got[3]["failed"], got[3]["all"], got[4]) == (3, 1, 4, 30)


def test_a_paused_queue_begins_nothing_and_a_cancelled_one_stops_what_is_under_way(page: Page) -> None:
    got = page.evaluate(f"""async () => {{{QUEUE}
      one.add(photos(4));
      one.pause();
      open.shift().resolve(made);
      await soon();
      const paused = states();
      one.resume();
      const resumed = states();
      one.cancel();
      await soon();
      const cancelled = states();
      one.retry();
      return [paused, resumed, cancelled, states(), now];
    }}""")
    assert got == [
        "done sending waiting waiting",
        "done sending sending waiting",
        "done stopped stopped stopped",
        "done sending sending waiting",
        2,
    ]


def test_a_busy_server_is_waited_for_and_asked_again_without_a_failure(page: Page) -> None:
    got = page.evaluate(f"""async () => {{{QUEUE}
      one.add(photos(3));
      open.shift().reject(new queue.Later(0.05, "busy"));
      open.shift().resolve(made);
      await soon();
      const waiting = [states(), one.pausedFor, open.length];
      await new Promise((resolve) => setTimeout(resolve, 120));
      return [waiting, states(), one.pausedFor];
    }}""")
    assert got == [["waiting done waiting", "busy", 0], "sending done sending", ""]


def test_no_photo_is_begun_while_the_results_fill_their_room(page: Page) -> None:
    got = page.evaluate(f"""async () => {{{QUEUE}
      one.add(photos(12));
      while (open.length) {{ open.shift().resolve({{blob: new Blob([new Uint8Array(20)])}}); await soon(); }}
      const full = [one.isFull, one.counts().done, one.counts().waiting];
      one.remove(({{state}}) => state === "done");
      return [full, one.isFull, one.counts().working];
    }}""")
    (is_full, done, waiting), is_still_full, working = got
    assert is_full
    assert done in (5, 6)  # a second one was under way when the room was full
    assert (done + waiting, is_still_full, working) == (12, False, 2)


def test_photos_in_a_zip_are_byte_for_byte_what_came(page: Page) -> None:
    whole = page.evaluate("""async () => {
      const blob = new Blob([new Uint8Array(200000).map((_, i) => (i * 31) % 251)]);
      return text(await zip.zip([{name: "a.png", blob}]));
    }""")
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(whole))) as archive:
        assert archive.read("a.png") == bytes((i * 31) % 251 for i in range(200000))
