import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from swapae.runtime.codes_cache import HALVES, OVERHEAD, CodesCache, Half, cached_encode, content_hash

ENTRY = 2 * 4 * 3 + OVERHEAD  # bytes of both halves that `Counter` gives


class Counter:
    """Encodes an image to its mean and to the negative of it, and counts."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, bool, bool]] = []

    def __call__(self, images: Tensor, structure: bool, texture: bool) -> tuple[Tensor | None, Tensor | None]:
        self.calls.append((len(images), structure, texture))
        means = images.mean(dim=(2, 3)).float()
        return means if structure else None, -means if texture else None


def images(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None].expand(-1, 3, 4, 4)


def encode(
    cache: CodesCache | None, counter: Counter, some: Tensor, *wanted: Half, weights: str = ""
) -> list[Tensor]:
    return cached_encode(cache, weights, some, wanted or HALVES, counter)


def test_of_a_batch_only_the_missing_images_are_encoded_and_together() -> None:
    cache, counter = CodesCache(), Counter()
    encode(cache, counter, images(1, 2))
    structure, texture = encode(cache, counter, images(3, 2, 4, 1))
    assert counter.calls == [(2, True, True), (2, True, True)]
    assert structure[:, 0].tolist() == [3, 2, 4, 1]
    assert texture[:, 0].tolist() == [-3, -2, -4, -1]
    found = cache.statistics()
    assert (found.hits, found.misses, found.entries, found.bytes) == (2, 4, 4, 4 * ENTRY)


def test_equal_images_of_a_batch_are_encoded_once() -> None:
    counter = Counter()
    structure, _ = encode(CodesCache(), counter, images(1, 2, 1, 2, 2))
    assert counter.calls == [(2, True, True)]
    assert structure[:, 0].tolist() == [1, 2, 1, 2, 2]


def test_only_the_half_asked_for_is_encoded_and_the_other_joins_it_later() -> None:
    cache, counter = CodesCache(), Counter()
    (texture,) = encode(cache, counter, images(1), "texture")
    (structure,) = encode(cache, counter, images(1), "structure")
    both = encode(cache, counter, images(1))
    assert counter.calls == [(1, False, True), (1, True, False)]
    assert torch.equal(both[0], structure)
    assert torch.equal(both[1], texture)
    assert cache.statistics().bytes == ENTRY
    encode(cache, counter, images(2), "structure")
    encode(cache, counter, images(2, 1))
    assert counter.calls[-1] == (1, False, True)


def test_other_weights_shapes_types_and_numbers_are_other_images() -> None:
    cache, counter = CodesCache(), Counter()
    one = images(1)
    for some in (one, one[:, :, :2], one.reshape(1, 3, 2, 8), one.double(), one.bfloat16(), images(-1)):
        encode(cache, counter, some)
    encode(cache, counter, one, weights="others")
    assert len(counter.calls) == 7
    encode(cache, counter, one.clone())
    assert len(counter.calls) == 7


def test_the_hash_is_of_content_not_of_memory_order() -> None:
    image = torch.rand(3, 4, 6)
    turned = image.transpose(1, 2).contiguous().transpose(1, 2)
    assert turned.stride() != image.stride()
    assert content_hash(turned) == content_hash(image)
    assert content_hash(image.requires_grad_()) == content_hash(turned)


def test_what_comes_out_may_be_edited() -> None:
    cache, counter = CodesCache(), Counter()
    for _ in range(3):
        for code in encode(cache, counter, images(1)):
            assert code.abs().eq(1).all()
            code.zero_()
    assert len(counter.calls) == 1


def test_codes_made_in_inference_mode_may_be_trained_with_later() -> None:
    cache, counter = CodesCache(), Counter()
    with torch.inference_mode():
        encode(cache, counter, images(1))
    structure, _ = encode(cache, counter, images(1))
    assert not structure.is_inference()
    (structure.requires_grad_() ** 2).sum().backward()


def test_the_least_recently_used_go_first_and_the_bytes_hold() -> None:
    cache, counter = CodesCache(2 * ENTRY), Counter()
    for value in (1, 2, 1, 3):  # 3 displaces 2
        encode(cache, counter, images(value))
    assert cache.statistics().bytes == 2 * ENTRY
    assert len(counter.calls) == 3
    encode(cache, counter, images(1))
    assert len(counter.calls) == 3
    encode(cache, counter, images(2))
    assert len(counter.calls) == 4


@pytest.mark.parametrize("max_bytes", [0, ENTRY - 1])
def test_what_is_too_large_is_not_kept(max_bytes: int) -> None:
    cache, counter = CodesCache(max_bytes), Counter()
    structure, _ = encode(cache, counter, images(1, 2))
    assert structure[:, 0].tolist() == [1, 2]
    assert (cache.statistics().entries, cache.statistics().bytes) == (0, 0)


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="max_bytes=-1"):
        CodesCache(-1)


def test_clearing_forgets_all() -> None:
    cache, counter = CodesCache(), Counter()
    encode(cache, counter, images(1))
    cache.clear()
    assert (cache.statistics().entries, cache.statistics().bytes) == (0, 0)
    encode(cache, counter, images(1))
    assert len(counter.calls) == 2


def test_copies_and_pickles_are_empty_caches_of_the_same_size() -> None:
    cache = CodesCache(12345)
    cache.keep("key", {"structure": torch.zeros(1)})
    for other in (copy.deepcopy(cache), pickle.loads(pickle.dumps(cache))):
        assert other.max_bytes == 12345
        assert other.statistics().entries == 0


def test_without_a_cache_on_other_devices_and_without_images_all_is_encoded() -> None:
    cache, counter = CodesCache(), Counter()
    encode(None, counter, images(1, 1))
    encode(cache, counter, images(1, 1).to("meta"))
    encode(cache, counter, images(1)[:0])
    assert [call[0] for call in counter.calls] == [2, 2, 0]
    assert cache.statistics().misses == 0


def test_threads_get_the_right_codes_and_the_bytes_stay_true() -> None:
    cache, counter = CodesCache(5 * ENTRY), Counter()

    def work(seed: int) -> None:
        for i in range(200):
            value = (seed * 7 + i * 3) % 11
            structure, texture = encode(cache, counter, images(value, (value + 1) % 11))
            assert structure[:, 0].tolist() == [value, (value + 1) % 11]
            assert torch.equal(texture, -structure)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    found = cache.statistics()
    assert found.entries <= 5
    assert found.bytes == found.entries * ENTRY
    assert found.hits + found.misses == 4 * 200 * 2
