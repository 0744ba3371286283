"""The stream of training images: no state, no dependence on workers or batch size, exact resumption."""

import itertools
import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from swapae.data import stream as streams
from swapae.data.folder import FolderSource
from swapae.data.stream import SampleStream, epoch_order, evaluation_images, loader, to_batch
from swapae.data.transforms import DataConfig
from swapae.errors import UserError
from swapae.images import to_array

CONFIG = DataConfig(preprocess="none", crop="random", crop_size=8)
STILL = DataConfig(preprocess="none", crop="none", flip=False)


class Numbered:
    """Images that carry their number in blue; 12×10 pixels that know their place."""

    name = "numbered"

    def __init__(self, num_images):
        self.num_images = num_images
        self.skipped = []

    def read(self, indices):
        y, x = np.mgrid[0:10, 0:12]
        return [
            Image.fromarray(np.stack([x * 9, y * 9, np.full_like(x, i % 256)], -1).astype(np.uint8))
            for i in indices
        ]


def numbers(images):
    """The numbers that images, or batches of them, carry."""
    return [int(image.getpixel((0, 0))[2]) for image in images]


def first(stream, batch_size, start, count, workers=0):
    return list(itertools.islice(loader(stream, batch_size, start, workers), count))


def test_each_pass_shows_every_image_once_and_each_in_another_order():
    stream = SampleStream(Numbered(20), STILL, 1, seed=3)
    passes = [numbers(stream.images(range(20 * k, 20 * k + 20))) for k in range(3)]
    assert all(sorted(order) == list(range(20)) for order in passes)
    assert len({tuple(order) for order in passes}) == 3
    assert passes[0] != list(range(20))


def test_another_seed_gives_another_order_other_crops_and_other_flips():
    def shown(seed, config, num_images):
        return [
            image.tobytes() for image in SampleStream(Numbered(num_images), config, 1, seed).images(range(30))
        ]

    assert shown(0, CONFIG, 30) == shown(0, CONFIG, 30)
    assert shown(0, STILL, 30) != shown(1, STILL, 30)
    assert shown(0, CONFIG, 1) != shown(1, CONFIG, 1)
    assert len(set(shown(0, CONFIG, 1))) > 10
    assert shown(-1, CONFIG, 1) != shown(1, CONFIG, 1)


def test_orders_are_the_ones_they_always_were():
    assert epoch_order(0, 0, 12).tolist() == [8, 7, 4, 2, 6, 10, 5, 9, 0, 11, 1, 3]
    assert epoch_order(7, 3, 5).tolist() == [4, 0, 2, 3, 1]
    chances = streams.generator(5, "augmentation", 1000).random(2)
    assert chances.tolist() == [0.4267945573429601, 0.41785004341905707]


def test_an_image_is_a_function_of_its_position_alone():
    stream = SampleStream(Numbered(7), CONFIG, 8, seed=1)
    together = stream.__getitems__(list(range(30)))
    for position in (29, 3, 17, 3):
        torch.testing.assert_close(stream[position], together[position], rtol=0, atol=0)
    copy = pickle.loads(pickle.dumps(stream))
    torch.testing.assert_close(copy[17], together[17], rtol=0, atol=0)


def test_an_image_is_a_float_tensor_from_minus_one_to_one():
    stream = SampleStream(Numbered(3), STILL, 1, seed=0)
    image = stream[0]
    assert (image.dtype, image.shape) == (torch.float32, (3, 10, 12))
    np.testing.assert_array_equal(image.numpy(), to_array(stream.images([0])[0]))


def test_a_source_without_end_is_shown_in_its_own_order():
    stream = SampleStream(Numbered(None), STILL, 1, seed=9)
    assert numbers(stream.images(range(5))) == [0, 1, 2, 3, 4]
    assert stream.index(10**12) == 10**12


@pytest.mark.parametrize(("batch_size", "start"), [(4, 0), (4, 12), (3, 7), (16, 5)])
def test_batches_go_on_where_a_training_stopped(batch_size, start):
    stream = SampleStream(Numbered(6), CONFIG, 8, seed=2)
    batches = first(stream, batch_size, start, 3)
    expected = torch.stack(stream.__getitems__(list(range(start, start + 3 * batch_size))))
    assert [batch.shape for batch in batches] == [(batch_size, 3, 8, 8)] * 3
    torch.testing.assert_close(torch.cat(batches), expected, rtol=0, atol=0)


def test_a_set_smaller_than_the_batch_is_repeated():
    batch = first(SampleStream(Numbered(3), STILL, 1, seed=0), 8, 0, 1)[0]
    shown = ((batch[:, 2, 0, 0] + 1) * 127.5).round().int().tolist()
    assert sorted(shown[:3]) == sorted(shown[3:6]) == [0, 1, 2]


def test_reading_leaves_the_random_numbers_of_the_training_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first(SampleStream(Numbered(3), CONFIG, 8, seed=0), 2, 0, 2)
    torch.testing.assert_close(torch.rand(3), expected)


def test_images_of_different_sizes_do_not_fit_into_a_batch():
    with pytest.raises(UserError, match=r"\(4x4 and 8x4\): set data.crop"):
        to_batch([Image.new("RGB", (8, 4)), Image.new("RGB", (4, 4))])


def test_evaluation_is_without_chance():
    images = evaluation_images(Numbered(5), CONFIG, 8, [4, 2])
    assert numbers(images) == [4, 2]
    assert [image.size for image in images] == [(8, 8)] * 2
    assert images[0].getpixel((0, 0)) == (2 * 9, 1 * 9, 4)


@pytest.fixture
def damaged_folder(tmp_path):
    """Five images of which number 3 has a sound header and half of its pixels."""
    for number in range(5):
        pixels = np.random.default_rng(number).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    broken = tmp_path / "3.png"
    broken.write_bytes(broken.read_bytes()[:250])
    return tmp_path


@pytest.mark.slow
def test_worker_processes_change_neither_the_images_nor_what_is_listed_as_skipped(damaged_folder):
    alone = SampleStream(FolderSource(damaged_folder), CONFIG, 8, seed=0)
    helped = SampleStream(FolderSource(damaged_folder), CONFIG, 8, seed=0)
    assert alone.source.skipped == []
    expected = first(alone, 4, 3, 5)
    torch.testing.assert_close(first(helped, 4, 3, 5, workers=2), expected, rtol=0, atol=0)
    assert [path for path, _ in helped.source.skipped] == ["3.png"]
    assert helped.source.skipped == alone.source.skipped


def test_the_reason_why_no_image_can_be_read_arrives_as_it_is(damaged_folder):
    stream = SampleStream(FolderSource(damaged_folder), CONFIG, 8, seed=0)
    for path in damaged_folder.iterdir():
        path.write_bytes(b"gone")
    with pytest.raises(UserError) as caught:
        first(stream, 2, 0, 1)
    assert str(caught.value).startswith("No image in")
    assert len(stream.source.skipped) == 5


def test_the_death_of_a_worker_is_told_with_a_way_out(monkeypatch):
    def dying(*_, **__):
        raise RuntimeError("DataLoader worker (pid(s) 17) exited unexpectedly")
        yield

    monkeypatch.setattr(streams, "DataLoader", dying)
    with pytest.raises(UserError, match=r"data\.workers to 0"):
        first(SampleStream(Numbered(3), CONFIG, 8, seed=0), 2, 0, 1)
