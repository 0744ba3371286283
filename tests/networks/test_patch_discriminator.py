import pytest
import torch

from swapae.networks import PatchDiscriminator, PatchDiscriminatorConfig

SMALL = PatchDiscriminatorConfig(patch_size=16, capacity=0.1, max_channels=4, head_widths=(6, 5))


def test_channels_are_the_published_ones() -> None:
    sizes = [256, 128, 64, 32, 16, 8, 4]
    config = PatchDiscriminatorConfig(256)
    assert [config.channels_at(size) for size in sizes] == [16, 32, 64, 128, 256, 384, 384]
    small = PatchDiscriminatorConfig(32, capacity=0.5, max_channels=64)
    assert [small.channels_at(size) for size in sizes[3:]] == [16, 32, 64, 64]


def test_features_of_default_patches_are_384_by_two_by_two() -> None:
    with torch.device("meta"):
        network = PatchDiscriminator()
    assert network.to_features.conv.weight.shape == (384, 768, 3, 3)
    assert network.head[0].weight.shape == (2048, 2 * 384 * 4)
    assert [layer.weight.shape[0] for layer in network.head] == [2048, 2048, 1024, 1]


@pytest.mark.parametrize("patch_size", [16, 32])
def test_features_are_two_by_two_per_patch(patch_size: int) -> None:
    config = PatchDiscriminatorConfig(patch_size, capacity=0.1, max_channels=4, head_widths=(6,))
    features = PatchDiscriminator(config).features(torch.randn(2, 3, 3, patch_size, patch_size))
    assert features.shape == (2, 3, 4, 2, 2)


def test_patches_are_seen_one_by_one_and_in_order() -> None:
    network = PatchDiscriminator(SMALL).double()
    patches = torch.randn(2, 3, 3, 16, 16, dtype=torch.float64)
    features = network.features(patches)
    torch.testing.assert_close(features[1, 2], network.features(patches[1:, 2:])[0, 0])


def test_the_pair_is_the_reference_then_the_query() -> None:
    network = PatchDiscriminator(SMALL).double()
    reference, query = torch.randn(2, 2, 1, 4, 2, 2, dtype=torch.float64)
    pair = torch.cat([reference.flatten(1), query.flatten(1)], dim=1)
    torch.testing.assert_close(network.compare(reference, query), network.head(pair))
    assert not torch.allclose(network.compare(reference, query), network.compare(query, reference))


def test_aggregation_compares_each_query_with_the_mean_of_its_images_references() -> None:
    network = PatchDiscriminator(SMALL).double()
    reference = torch.randn(2, 5, 4, 2, 2, dtype=torch.float64)
    query = torch.randn(2, 3, 4, 2, 2, dtype=torch.float64)
    logits = network.compare(reference, query)
    assert logits.shape == (6, 1)
    for image in range(2):
        for patch in range(3):
            pair = torch.cat([reference[image].mean(0).flatten(), query[image, patch].flatten()])
            torch.testing.assert_close(logits[3 * image + patch], network.head(pair[None])[0])


def test_without_aggregation_patches_are_compared_one_to_one() -> None:
    network = PatchDiscriminator(SMALL).double()
    reference, query = torch.randn(2, 2, 3, 4, 2, 2, dtype=torch.float64)
    logits = network.compare(reference, query, use_aggregation=False)
    alone = network.compare(reference[1:, 2:], query[1:, 2:], use_aggregation=False)
    torch.testing.assert_close(logits[5:], alone)
    assert not torch.allclose(logits, network.compare(reference, query))


def test_forward_is_features_then_comparison() -> None:
    network = PatchDiscriminator(SMALL)
    reference, patches = torch.randn(2, 2, 3, 3, 16, 16)
    expected = network.compare(network.features(reference), network.features(patches))
    torch.testing.assert_close(network(reference, patches), expected)


@pytest.mark.parametrize("shape", [(1, 2, 3, 16, 12), (1, 2, 3, 32, 32), (2, 3, 16, 16)])
def test_patches_of_another_size_are_refused_with_both(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\[B, N, 3, 16, 16\], not \["):
        PatchDiscriminator(SMALL).features(torch.zeros(shape))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patch_size": 8}, "patch_size=8 must be a power of two of at least 16"),
        ({"patch_size": 48}, "patch_size=48"),
        ({"patch_size": 16, "widths": (4, 4)}, "2 numbers; patch_size=16 needs 3"),
        ({"head_widths": (4, 0)}, "at least 1"),
    ],
)
def test_an_impossible_shape_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PatchDiscriminatorConfig(**changes)
