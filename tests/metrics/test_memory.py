"""What is known of photos is not computed again, and is the same."""

import torch

from swapae.metrics.collectors import Batch
from swapae.metrics.memory import Memory


class Squares:
    """Computes, and notes of how many images."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        self.sizes.append(len(images))
        return {"square": images.square(), "mean": images.mean((1, 2, 3))}


IMAGES = torch.rand(6, 3, 2, 2)


def asked(memory: Memory, compute: Squares, which: list[int]) -> dict[str, torch.Tensor]:
    return memory.rows("kind", torch.tensor(which), IMAGES[which], compute)


def test_only_what_is_new_is_computed_and_rows_come_in_the_order_asked_for() -> None:
    memory, compute = Memory(), Squares()
    for which in ([0, 1, 2], [2, 4, 0, 4], [1, 0]):
        found = asked(memory, compute, which)
        assert torch.equal(found["square"], IMAGES[which].square())
        assert torch.equal(found["mean"], IMAGES[which].mean((1, 2, 3)))
    assert compute.sizes == [3, 1]
    memory.rows("other kind", torch.tensor([0]), IMAGES[:1], compute)
    assert compute.sizes == [3, 1, 1]


def test_when_it_is_full_it_computes_again() -> None:
    row = 13 * 4  # bytes of a square and a mean
    memory, compute = Memory(2 * row + 1), Squares()
    asked(memory, compute, [0, 1, 2])
    assert memory.num_bytes == 2 * row
    found = asked(memory, compute, [2, 1, 0, 3])
    assert torch.equal(found["square"], IMAGES[[2, 1, 0, 3]].square())
    assert compute.sizes == [3, 2]


def test_a_batch_remembers_photos_but_not_what_replaced_them() -> None:
    memory, compute = Memory(), Squares()
    numbers = torch.tensor([3, 1])
    first = Batch(torch.arange(2), {"photo": IMAGES[[3, 1]]}, photos={"photo": numbers}, memory=memory)
    roles = {"structure": numbers, "texture": numbers.flip(0)}
    images = {"structure": IMAGES[[3, 1]], "texture": IMAGES[[1, 3]], "hybrid": IMAGES[[0, 2]]}
    second = Batch(torch.arange(2), images, photos=roles, memory=memory)
    for batch, role in ((first, "photo"), (second, "structure"), (second, "texture"), (second, "hybrid")):
        rows = batch.rows("kind", role, compute)
        assert torch.equal(rows["square"], batch.images[role].square())
    assert compute.sizes == [2, 2]
    other = second.replaced(structure=IMAGES[[4, 5]])
    assert torch.equal(other.rows("kind", "structure", compute)["square"], IMAGES[[4, 5]].square())
    assert other.only(["structure"]).images.keys() == {"structure"}
    assert "texture" in other.photos
    copied = second.replaced(hybrid=second.images["texture"])
    copied.rows("another kind", "texture", compute)
    copied.rows("another kind", "hybrid", compute)
    assert torch.equal(copied.photos["hybrid"], numbers.flip(0))
    assert compute.sizes == [2, 2, 2, 2]
