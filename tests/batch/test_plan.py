"""What is still to be done, and under which names."""

import os
import zipfile
from pathlib import Path

import pytest
from tests.batch.tools import batch_of, encoded, folder

from swapae.batch.manifest import FORMAT, Lines
from swapae.batch.plan import fingerprint, make_plan, mine, output_names, read, state_of
from swapae.data.open import open_pack
from swapae.errors import UserError


def noted(batch, pack, **changes):
    """Write down that all is done, as a run would."""
    lines = Lines(batch.out / "manifest.jsonl")
    lines.add([{"format": FORMAT, "settings": batch.settings(), "fingerprint": fingerprint(pack)}])
    for job in make_plan(pack, batch).jobs:
        (batch.out / job.output).parent.mkdir(parents=True, exist_ok=True)
        (batch.out / job.output).write_bytes(b"result")
        data, sha256 = read(pack, job.number)
        facts = {"bytes": len(data), "sha256": sha256, "mtime_ns": state_of(pack, job.number)[1], **changes}
        lines.add([{"input": job.name, "output": job.output, "state": "done", **facts}])
    lines.close()


def outputs(plan):
    return [job.output for job in plan.jobs]


def test_names_that_would_meet_are_told_apart_and_the_tree_is_kept(tmp_path, tiny_model):
    data = folder(tmp_path / "in", ["a.jpg", "a.png", "b/A.png", "b/a.png", "b/c/Straße 夏.png", "a-2.png"])
    plan = make_plan(open_pack(data), batch_of(data, tmp_path / "out", tiny_model, format="webp"))
    assert len(set(map(str.lower, outputs(plan)))) == 6
    assert {"a.webp", "b/A.webp", "b/a-2.webp", "b/c/Straße 夏.webp"} <= set(outputs(plan))
    assert {job.name: job.output for job in plan.jobs if job.name in ("a.jpg", "a.png", "a-2.png")} == {
        "a-2.png": "a-2.webp",
        "a.jpg": "a.webp",
        "a.png": "a-3.webp",
    }
    assert plan.num_renamed == 2
    assert not (tmp_path / "out").exists()


def test_a_picture_keeps_the_name_that_its_result_once_had():
    known = {
        "b.png": {"output": "a.png"},
        "evil.png": {"output": "../evil.png"},
        "c.jpg": {"output": "c.jpg"},
    }
    found = output_names(["a.png", "b.png", "c.jpg", "evil.png"], ".png", known)
    assert found == ["a-2.png", "a.png", "c.png", "evil.png"]


def test_what_is_done_and_as_it_was_is_not_done_again(tmp_path, tiny_model):
    names = ["a.png", "b.png", "c.png", "d.png"]
    data = folder(tmp_path / "in", names)
    batch = batch_of(data, tmp_path / "out", tiny_model)
    batch.out.mkdir()
    noted(batch, open_pack(data))
    plan = make_plan(open_pack(data), batch)
    assert (plan.num_before, plan.jobs, plan.refused) == (4, [], [])
    os.utime(data / "a.png", (1, 1))  # touched: its bytes say that it is the same
    (data / "b.png").write_bytes(encoded(50))  # changed
    (batch.out / "c.png").unlink()  # its result was lost
    (data / "e.png").write_bytes(encoded(51))  # new
    plan = make_plan(open_pack(data), batch)
    assert (plan.num_before, outputs(plan)) == (2, ["b.png", "c.png", "e.png"])


def test_a_file_that_is_of_nobody_is_never_overwritten_unless_forced(tmp_path, tiny_model):
    data = folder(tmp_path / "in", ["a.png", "b.png"])
    batch = batch_of(data, tmp_path / "out", tiny_model)
    batch.out.mkdir()
    (batch.out / "a.png").write_bytes(b"mine")
    plan = make_plan(open_pack(data), batch)
    assert ([job.output for job in plan.refused], outputs(plan)) == (["a.png"], ["b.png"])
    assert len(make_plan(open_pack(data), batch, force=True).jobs) == 2


def test_pictures_of_an_archive_are_known_by_it_and_else_by_their_bytes(tmp_path, tiny_model):
    data = tmp_path / "in.zip"

    def pack_up(**files: bytes):
        with zipfile.ZipFile(data, "w") as archive:
            for name, content in files.items():
                archive.writestr(f"{name}.png", content)
        return open_pack(data)

    pack = pack_up(a=encoded(1), b=encoded(2))
    batch = batch_of(data, tmp_path / "out", tiny_model)
    batch.out.mkdir()
    noted(batch, pack)
    assert make_plan(pack, batch).num_before == 2
    changed = make_plan(pack_up(a=encoded(1), b=encoded(3)), batch)
    assert (changed.num_before, outputs(changed)) == (1, ["b.png"])


def test_shares_are_even_and_make_up_the_whole_with_the_same_names(tmp_path, tiny_model):
    data = folder(tmp_path / "in", [f"{i}{kind}" for i in range(5) for kind in (".jpg", ".png")] + ["z.png"])
    pack = open_pack(data)
    whole = make_plan(pack, batch_of(data, tmp_path / "out", tiny_model))
    shares = [make_plan(pack, batch_of(data, tmp_path / "out", tiny_model, share=(i, 3))) for i in (1, 2, 3)]
    assert sorted(job.number for share in shares for job in share.jobs) == list(range(11))
    assert {job for share in shares for job in share.jobs} == set(whole.jobs)
    assert [share.num_images for share in shares] == [4, 4, 3]
    assert list(mine(7, (2, 3))) == [1, 4]


def test_results_must_not_become_pictures_of_the_set(tmp_path, tiny_model):
    data = folder(tmp_path / "in", ["a.png"])
    (tmp_path / "link").symlink_to(data)
    for out in (data, data / "out", tmp_path / "link" / "out"):
        with pytest.raises(UserError, match="lies inside the images of"):
            make_plan(open_pack(data), batch_of(data, out, tiny_model))
    with pytest.raises(UserError, match="is not a folder"):
        make_plan(open_pack(data), batch_of(data, data / "a.png", tiny_model))


def test_errors_that_somebody_else_wrote_down_are_kept(tmp_path, tiny_model):
    data, out = folder(tmp_path / "in", ["a.png"]), tmp_path / "out"
    out.mkdir()
    (out / "errors.jsonl").write_text("mine")
    with pytest.raises(UserError, match=r"errors\.jsonl is not of a batch"):
        make_plan(open_pack(data), batch_of(data, out, tiny_model))


def test_links_that_lead_in_a_circle_end(tmp_path, tiny_model):
    data = folder(tmp_path / "in", ["a.png", "b/c.png"])
    (data / "b" / "up").symlink_to(data)
    (data / "self.png").symlink_to(data / "self.png")
    (data / "gone.png").symlink_to(Path("nowhere.png"))
    plan = make_plan(open_pack(data), batch_of(data, tmp_path / "out", tiny_model))
    assert sorted(outputs(plan)) == ["a.png", "b/c.png", "gone.png", "self.png"]
