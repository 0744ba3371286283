import pytest
import torch
import torch.nn.functional as F

from swapae.losses import code_distance


@pytest.mark.parametrize("shape", [(3, 8), (3, 8, 4, 5)], ids=["texture", "structure"])
def test_the_distance_of_unit_codes_is_one_minus_their_cosine(shape: tuple[int, ...]) -> None:
    one, other = (F.normalize(torch.randn(shape, dtype=torch.float64), dim=1) for _ in range(2))
    cosine = F.cosine_similarity(one, other, dim=1).reshape(3, -1).mean(1)
    torch.testing.assert_close(code_distance(one, other), 1 - cosine)
    assert torch.equal(code_distance(one, one), torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(code_distance(one, -one), torch.full((3,), 2.0, dtype=torch.float64))


def test_the_wanted_code_gets_no_gradient() -> None:
    found, wanted = (torch.randn(2, 4).requires_grad_() for _ in range(2))
    code_distance(found, wanted).sum().backward()
    assert found.grad is not None
    assert wanted.grad is None
