"""SIFID, self-similarity and colours against scipy."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance, wasserstein_distance_nd

from swapae.metrics import from_lab, palette, to_lab
from swapae.metrics.answers import TRIVIAL, TRIVIAL_RECONSTRUCTIONS, cell_averages, color_transfer
from swapae.metrics.palette import centers, color_distance, histograms, transport
from swapae.metrics.selfsim import columns, places, self_similarity_distance
from swapae.metrics.sifid import sifid


def test_sifid_is_the_distance_of_gaussians_over_places() -> None:
    a, b = torch.randn(2, 4, 5, 6), torch.randn(2, 4, 3, 7) * 2
    for i in range(2):
        x, y = (side[i].flatten(1).double().numpy() for side in (a, b))
        trace = np.trace(np.cov(x) + np.cov(y) - 2 * sqrtm(np.cov(x) @ np.cov(y)).real)
        wanted = ((x.mean(1) - y.mean(1)) ** 2).sum() + trace
        assert sifid(a, b)[i].item() == pytest.approx(wanted, rel=1e-8)


def test_sifid_does_not_ask_where_things_are() -> None:
    a = torch.randn(1, 4, 6, 6)
    assert sifid(a, a.flip(3)).item() == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="one place"):
        sifid(a[..., :1, :1], a)


def test_self_similarity_is_that_of_scipys_cosine_distances() -> None:
    a, b = torch.randn(2, 2, 9, 5)
    for i in range(2):
        x, y = (cdist(side[i].numpy(), side[i].numpy(), "cosine") for side in (a, b))
        wanted = np.abs(x / x.sum(0) - y / y.sum(0)).mean() * 9
        assert self_similarity_distance(a, b)[i].item() == pytest.approx(wanted, rel=1e-5)


def test_self_similarity_asks_only_what_looks_alike() -> None:
    a = torch.randn(1, 7, 4)
    turn, _ = torch.linalg.qr(torch.randn(4, 4))
    assert self_similarity_distance(a, 3 * a @ turn).item() == pytest.approx(0, abs=1e-5)
    flat = torch.ones(1, 7, 4)
    assert self_similarity_distance(flat, flat).item() == 0


def test_columns_read_all_layers_at_the_same_places() -> None:
    ramp = (torch.arange(8) + 0.5) / 4 - 1  # the coordinate of each pixel's middle
    big = ramp.expand(1, 1, 8, 8)
    small = F.avg_pool2d(big, 2)
    where = places() * 0.7  # off the border, where a map has nothing to read between
    read = columns([big, small], where)
    assert read.shape == (1, len(where), 2)
    torch.testing.assert_close(read[0], where[:, :1].expand(-1, 2), atol=1e-5, rtol=0)
    assert torch.equal(places(), places())


def test_lab_goes_back_to_rgb() -> None:
    images = torch.rand(2, 3, 4, 4, dtype=torch.float64) * 2 - 1
    torch.testing.assert_close(from_lab(to_lab(images)), images, atol=1e-6, rtol=0)
    assert from_lab(torch.tensor([50.0, 500.0, 0.0]).view(1, 3, 1, 1)).abs().max() <= 1


def test_histograms_are_shares_of_pixels() -> None:
    images = torch.rand(2, 3, 6, 7) * 2 - 1
    found = histograms(images)
    torch.testing.assert_close(found.sum(1), torch.ones(2).double())
    lab = to_lab(images.double())[1].flatten(1).T.numpy()
    edges = [np.linspace(0, 100, 9), np.linspace(-112, 112, 9), np.linspace(-112, 112, 9)]
    wanted, _ = np.histogramdd(lab, edges)
    np.testing.assert_allclose(found[1].numpy(), wanted.ravel() / 42, atol=1e-12)


def test_the_distance_of_histograms_is_scipys_wasserstein_distance() -> None:
    images = torch.rand(2, 3, 3, 4) * 2 - 1
    a, b = (one.numpy() for one in histograms(images))
    x, y = a.nonzero()[0], b.nonzero()[0]
    wanted = wasserstein_distance_nd(centers()[x], centers()[y], a[x], b[y])
    assert color_distance(images[:1], images[1:]).item() == pytest.approx(wanted, rel=1e-6)
    assert wanted > 5


def test_many_distances_come_by_few_programs_and_equal_ones_by_none(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = histograms(torch.rand(20, 3, 3, 5) * 2 - 1).split(10)
    b[3] = a[3]
    together = transport(a, b)
    alone = torch.cat([transport(a[i : i + 1], b[i : i + 1]) for i in range(10)])
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-9)
    assert together[3] == 0
    assert (together > 1).sum() == 9
    sizes = dict.fromkeys(range(10), 30) | {4: 200}
    monkeypatch.setattr(palette, "MAX_VARIABLES", 150)
    assert list(palette._together(sizes)) == [[0, 1, 2, 3], [4], [5, 6, 7, 8, 9]]
    monkeypatch.setattr(palette, "AT_ONCE", 3)
    torch.testing.assert_close(transport(a, b), alone, rtol=1e-9, atol=1e-9)


def test_along_the_grays_it_is_the_distance_on_a_line() -> None:
    a, b = torch.zeros(2, 512, dtype=torch.float64)
    grays = torch.arange(8) * 64 + 3 * 8 + 3
    a[grays], b[grays] = torch.rand(2, 8, dtype=torch.float64)
    a, b = a / a.sum(), b / b.sum()
    light = centers()[grays, 0]
    wanted = wasserstein_distance(light, light, a[grays].numpy(), b[grays].numpy())
    assert transport(a[None], b[None]).item() == pytest.approx(wanted, rel=1e-8)
    assert transport(a[None], a[None]).item() == 0


def test_colours_may_lie_anywhere() -> None:
    a = torch.rand(1, 3, 8, 8) * 2 - 1
    assert color_distance(a, a.flip(2)).item() == 0


def test_colour_transfer_has_the_structure_images_shapes_and_the_texture_images_statistics() -> None:
    structure, texture = torch.rand(2, 2, 3, 8, 8) * 0.6 - 0.3
    texture = texture * 0.5 + torch.tensor([0.2, -0.1, 0.0]).view(3, 1, 1)
    made = to_lab(color_transfer(structure, texture).double())
    wanted, own = to_lab(texture.double()), to_lab(structure.double())
    torch.testing.assert_close(made.mean((2, 3)), wanted.mean((2, 3)), atol=0.1, rtol=0)
    torch.testing.assert_close(made.std((2, 3)), wanted.std((2, 3)), atol=0.1, rtol=0.02)
    both = torch.stack([made[0, 0].flatten(), own[0, 0].flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.999
    flat = torch.full_like(structure, 0.5)
    torch.testing.assert_close(
        color_transfer(flat, texture).std((2, 3)), torch.zeros(2, 3), atol=1e-5, rtol=0
    )


def test_the_trivial_answers_are_three() -> None:
    a, b = torch.rand(2, 1, 3, 4, 4)
    assert list(TRIVIAL) == ["copy structure", "copy texture", "colour transfer"]
    assert torch.equal(TRIVIAL["copy structure"](a, b), a)
    assert torch.equal(TRIVIAL["copy texture"](a, b), b)


def test_trivial_reconstructions_know_one_colour_or_those_of_cells() -> None:
    photo = torch.rand(2, 3, 16, 24) * 2 - 1
    mean, cells = (make(photo) for make in TRIVIAL_RECONSTRUCTIONS.values())
    assert torch.equal(mean[:, :, 5, 7], photo.mean((2, 3)))
    assert mean.shape == cells.shape == photo.shape
    flat = torch.tensor([0.5, -0.25, 0.0]).view(1, 3, 1, 1).expand(2, -1, 24, 24)
    for make in TRIVIAL_RECONSTRUCTIONS.values():
        torch.testing.assert_close(make(flat), flat)
    two = torch.cat([-torch.ones(1, 3, 16, 8), torch.ones(1, 3, 16, 8)], 3)
    assert cell_averages(two)[..., 0].max() < -0.99
    assert cell_averages(two)[..., -1].min() > 0.99
