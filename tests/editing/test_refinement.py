import pytest
import torch

from swapae.codes import Codes
from swapae.editing.refinement import STEPS, refine
from swapae.losses.reconstruction import l1_gradient_loss, l1_loss
from swapae.model import SwappingAutoencoder
from swapae.presets import tiny32


@pytest.fixture(scope="module")
def net() -> SwappingAutoencoder:
    torch.manual_seed(0)
    net = SwappingAutoencoder(tiny32().model)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return net


@pytest.fixture(scope="module")
def images(net: SwappingAutoencoder) -> torch.Tensor:
    """Two that the generator can make, but that the encoder does not see through."""
    draw = torch.Generator().manual_seed(1)
    structure = torch.nn.functional.interpolate(
        torch.randn(2, 4, 3, 3, generator=draw), (8, 8), mode="bilinear"
    )
    return net.decode(Codes(structure, torch.randn(2, 32, generator=draw), (30, 32)))


def error(net: SwappingAutoencoder, codes: Codes, images: torch.Tensor) -> torch.Tensor:
    decoded = net.decode(codes)
    return l1_loss(decoded, images) + l1_gradient_loss(decoded, images)


def test_refined_codes_decode_more_exactly_by_the_error_they_tell(
    net: SwappingAutoencoder, images: torch.Tensor
) -> None:
    start = net.encode(images)
    found = refine(net, images, steps=25)
    torch.testing.assert_close(found.start, error(net, start, images), atol=1e-4, rtol=0)
    torch.testing.assert_close(found.error, error(net, found.codes, images), atol=1e-4, rtol=0)
    assert (found.error < 0.6 * found.start).all()
    assert found.codes.size == (30, 32)
    torch.testing.assert_close(found.codes.structure.norm(dim=1), torch.ones(2, 8, 8))
    torch.testing.assert_close(found.codes.texture.norm(dim=1), torch.ones(2))


def test_more_steps_find_no_worse_codes(net: SwappingAutoencoder, images: torch.Tensor) -> None:
    errors = [refine(net, images[:1], steps=steps).error.item() for steps in (0, 5, 30)]
    assert errors[0] > errors[1] > errors[2]
    assert list(STEPS.values()) == sorted(STEPS.values())


def test_the_same_call_gives_the_same_codes_and_leaves_the_model_as_it_was(
    net: SwappingAutoencoder, images: torch.Tensor
) -> None:
    before = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(1)
    a = refine(net, images, steps=3)
    torch.manual_seed(2)
    b = refine(net, images, steps=3)
    assert torch.equal(a.codes.structure, b.codes.structure)
    assert torch.equal(a.codes.texture, b.codes.texture)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in net.parameters())
    assert not a.codes.structure.requires_grad


def test_images_of_a_batch_are_refined_each_for_itself(
    net: SwappingAutoencoder, images: torch.Tensor
) -> None:
    both, alone = refine(net, images, steps=4), refine(net, images[1:], steps=4)
    torch.testing.assert_close(both.codes[1].structure, alone.codes.structure, atol=1e-3, rtol=0)
    torch.testing.assert_close(both.error[1:], alone.error, atol=1e-4, rtol=0)


def test_nothing_worse_than_the_start_is_ever_given(
    net: SwappingAutoencoder, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swapae.editing.refinement.STRUCTURE_RATE", 50.0)  # steps that lead nowhere
    monkeypatch.setattr("swapae.editing.refinement.TEXTURE_RATE", 50.0)
    perfect = net.encode(images)
    target = net.decode(perfect)
    found = refine(net, target, steps=3, codes=perfect)
    assert torch.equal(found.error, found.start)
    torch.testing.assert_close(found.codes.structure, perfect.structure)


def test_what_may_not_move_stays(net: SwappingAutoencoder, images: torch.Tensor) -> None:
    start = net.encode(images)
    only_texture = refine(net, images, steps=3, structure=False).codes
    assert torch.allclose(only_texture.structure, start.structure, atol=1e-6)
    assert not torch.allclose(only_texture.texture, start.texture, atol=1e-3)
    only_structure = refine(net, images, steps=3, texture=False).codes
    assert torch.allclose(only_structure.texture, start.texture, atol=1e-6)
    assert not torch.allclose(only_structure.structure, start.structure, atol=1e-3)
    with pytest.raises(ValueError, match="none"):
        refine(net, images, structure=False, texture=False)


def test_noise_is_refined_when_asked_and_keeps_its_bound(
    net: SwappingAutoencoder, images: torch.Tensor
) -> None:
    without, found = refine(net, images, steps=8), refine(net, images, steps=8, noise=True)
    assert without.noise is None
    assert found.noise is not None
    assert all(one.square().mean((2, 3)).max() <= 1 + 1e-5 for one in found.noise)
    assert (found.error < without.error).all()
    decoded = net.decode(found.codes, found.noise)
    torch.testing.assert_close(
        l1_loss(decoded, images) + l1_gradient_loss(decoded, images), found.error, atol=1e-4, rtol=0
    )


def test_a_texture_map_is_refined_as_one(net: SwappingAutoencoder, images: torch.Tensor) -> None:
    start = net.encode(images)
    spread = Codes(start.structure, start.texture[:, :, None, None].expand(-1, -1, 2, 2), start.size)
    found = refine(net, images, steps=4, codes=spread)
    assert found.codes.texture.shape == (2, 32, 2, 2)
    assert (found.error < found.start).all()


def test_the_caller_sees_every_step_and_may_end_it(net: SwappingAutoencoder, images: torch.Tensor) -> None:
    seen: list[tuple[int, int, float]] = []

    def look(step: int, of: int, error: float) -> bool:
        seen.append((step, of, error))
        return step < 3

    found = refine(net, images, steps=9, on_step=look)
    assert [step for step, _, _ in seen] == [0, 1, 2, 3]
    assert {of for _, of, _ in seen} == {9}
    assert found.num_steps == 3
    errors = [error for _, _, error in seen]
    assert errors == sorted(errors, reverse=True)
    assert found.error.mean().item() == pytest.approx(errors[-1])


def test_it_ends_where_nothing_is_gained(
    net: SwappingAutoencoder, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swapae.editing.refinement.PATIENCE", 2)
    monkeypatch.setattr("swapae.editing.refinement.LEAST_GAIN", 0.99)
    assert refine(net, images[:1], steps=50).num_steps == 4 * 2  # 1, 1/2, 1/4, 1/8


def test_it_runs_inside_inference_mode_and_with_half_precision_codes(
    net: SwappingAutoencoder, images: torch.Tensor
) -> None:
    start = net.encode(images)
    with torch.inference_mode():
        found = refine(
            net, images, steps=2, codes=Codes(start.structure.half(), start.texture.half(), start.size)
        )
    assert (found.error < found.start).all()
    assert net.decode(found.codes).isfinite().all()


def test_codes_of_another_image_size_are_refused(net: SwappingAutoencoder, images: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        refine(net, images, codes=net.encode(torch.zeros(2, 3, 32, 32)))
    with pytest.raises(ValueError, match="-1 steps"):
        refine(net, images, steps=-1)


def test_pixels_that_are_none_are_refused(net: SwappingAutoencoder, images: torch.Tensor) -> None:
    broken = images.clone()
    broken[1, 0, 3, 3] = torch.nan
    with pytest.raises(ValueError, match="error is no number"):
        refine(net, broken, steps=2)


def test_large_images_are_refined_in_less_memory_to_the_same_codes(
    net: SwappingAutoencoder, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = refine(net, images, steps=2)
    blocks = []
    monkeypatch.setattr("swapae.editing.refinement.MOST_KEPT", images.numel() // 3 - 1)
    monkeypatch.setattr(
        "swapae.layers.recompute.checkpoint",
        lambda block, *inputs, **_: blocks.append(block) or block(*inputs),
    )
    again = refine(net, images, steps=2)
    assert blocks, "nothing was computed twice"
    assert torch.equal(again.codes.structure, kept.codes.structure)
