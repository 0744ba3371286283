import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from swapae.runtime.weights_key import weights_key


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Sequential(nn.BatchNorm2d(8), nn.Linear(8, 300)))


def test_the_key_stays_while_weights_stay_and_their_use_changes_nothing() -> None:
    net = network().eval()
    key = weights_key(net)
    net[0](torch.zeros(1, 3, 5, 5))
    net.train()
    net.requires_grad_(False)
    assert weights_key(net) == key
    assert hash(weights_key(net)) == hash(key)


def adam(net: nn.Module, **options: bool) -> None:
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    torch.optim.Adam(net.parameters(), lr=0.01, **options).step()


@torch.no_grad()
def lerp(net: nn.Module) -> None:
    parameters = list(net.parameters())
    torch._foreach_lerp_(parameters, [torch.ones_like(one) for one in parameters], 0.1)


def edit_one_number(net: nn.Module) -> None:
    with torch.no_grad():
        net[1][1].weight[200, 5] += 1


def edit_in_inference_mode(net: nn.Module) -> None:
    with torch.inference_mode():
        net[1][1].weight[200, 5] += 1


def load_assigned(net: nn.Module) -> None:
    net.load_state_dict(network().state_dict(), assign=True)


EDITS: dict[str, Callable[[nn.Module], object]] = {
    "Adam": lambda net: adam(net, foreach=False),
    "foreach Adam": lambda net: adam(net, foreach=True),
    "fused Adam": lambda net: adam(net, fused=True),
    "load_state_dict": lambda net: net.load_state_dict(network().state_dict()),
    "load_state_dict by assignment": load_assigned,
    "one number": edit_one_number,
    "one number in inference mode": edit_in_inference_mode,
    "foreach lerp": lerp,
    "to bfloat16": lambda net: net.to(torch.bfloat16),
    "another parameter": lambda net: setattr(net[0], "bias", nn.Parameter(net[0].bias.detach().clone())),
    "another module": lambda net: net.__setitem__(0, nn.Conv2d(3, 8, 3)),
    "a buffer": lambda net: net[1][0].running_mean.add_(1),
    "all numbers through data": lambda net: net[0].weight.data.mul_(2),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_the_key_changes_with_the_weights(edit: Callable[[nn.Module], object]) -> None:
    net = network()
    key = weights_key(net)
    edit(net)
    assert weights_key(net) != key
    assert weights_key(net) == weights_key(net)


def test_there_and_back_between_types_is_another_key_even_where_memory_is_used_again() -> None:
    net = nn.Linear(300, 300)
    keys = [weights_key(net)]
    for _ in range(20):
        keys.append(weights_key(net.to(torch.bfloat16).to(torch.float32)))
    assert len(set(keys)) == 21


def test_a_copy_has_another_key() -> None:
    net = network()
    assert weights_key(copy.deepcopy(net)) != weights_key(net)


def test_weights_made_in_inference_mode_have_a_key_that_sees_their_replacement_and_loading() -> None:
    with torch.inference_mode():
        net = network()
        key = weights_key(net)
        assert weights_key(net) == key
        net.load_state_dict(network().state_dict())
        assert weights_key(net) != key


def test_networks_on_no_device_and_without_weights_have_a_key() -> None:
    with torch.device("meta"):
        net = network()
    assert weights_key(net) == weights_key(net)
    assert weights_key(nn.ReLU()) == weights_key(nn.ReLU())


def test_an_empty_and_a_shared_tensor_are_read_within_their_memory() -> None:
    net = nn.Module()
    net.register_buffer("empty", torch.empty(0))
    net.register_buffer("end", torch.zeros(100)[98:])
    net.register_buffer("wide", torch.zeros(1).expand(1000))
    assert weights_key(net) == weights_key(net)
