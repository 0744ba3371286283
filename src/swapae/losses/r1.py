"""R1 regularisation: the squared gradient of the logits on real data (model-spec §9.2)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from swapae.ops import no_weight_gradients


def squared_gradient(logits: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """Compute `Σ |∂ Σ logits / ∂ input|²` for each image, summed over inputs, patches and pixels.

    Args:
        logits: any shape; they must depend on every input.
        inputs: tensors `[B, …]` that require gradients.

    Returns:
        `[B]`, with a graph, so that it can be descended.
    """
    with no_weight_gradients():  # of the inputs alone; those of weights come when this is descended
        gradients = torch.autograd.grad(logits.sum(), list(inputs), create_graph=True)
    return torch.stack([gradient.square().flatten(1).sum(1) for gradient in gradients]).sum(0)
