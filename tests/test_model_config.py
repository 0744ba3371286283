import pytest
import torch

from swapae import ModelConfig, SwappingAutoencoder


def test_stride_and_shortest_side_are_those_of_the_networks() -> None:
    for config in (ModelConfig(), ModelConfig(structure_downsamplings=2, texture_downsamplings=1)):
        assert config.stride == 2**config.structure_downsamplings
        with torch.device("meta"):
            assert config.min_side == SwappingAutoencoder(config).encoder.min_side
    assert (ModelConfig().stride, ModelConfig().min_side) == (16, 112)


def test_given_widths_replace_the_computed_ones() -> None:
    config = ModelConfig(
        structure_channels=4,
        texture_channels=16,
        structure_downsamplings=2,
        texture_downsamplings=1,
        encoder_widths=(3, 4, 5, 6),
        generator_widths=(7, 8),
        head_blocks=1,
        head_widths=(9,),
    )
    assert config.encoder().widths == (3, 4, 5, 6)
    assert config.generator().widths == (7, 8)
    assert config.generator().head_widths == (9,)
    model = SwappingAutoencoder(config)
    assert model.decode(model.encode(torch.zeros(1, 3, 15, 20))).shape == (1, 3, 15, 20)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"structure_channels": 0}, "structure_channels=0 must be at least 1"),
        ({"texture_channels": -2}, "texture_channels=-2"),
        ({"structure_downsamplings": 0}, "structure_downsamplings=0"),
        ({"texture_downsamplings": 0}, "texture_downsamplings=0"),
        ({"head_blocks": 0}, "head_blocks=0"),
        ({"encoder_capacity": 0.0}, "encoder_capacity=0.0 must be more than 0"),
        ({"generator_capacity": float("nan")}, "generator_capacity=nan must be more than 0"),
        ({"encoder_widths": (1, 2)}, "2 numbers"),
        ({"generator_widths": (8, 8)}, "generator_widths .* are 2 numbers; this model needs 4"),
        ({"head_widths": (8, 8, 8)}, "head_widths .* are 3 numbers; this model needs 2"),
    ],
)
def test_an_impossible_config_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelConfig(**changes)
