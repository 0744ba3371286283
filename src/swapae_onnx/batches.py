"""Which batches, codes and weights go together, for arrays of numpy and of torch alike."""

import math
from collections.abc import Sequence


def check_weights(num_textures: int, weights: Sequence[float]) -> None:
    """Refuse weights by which so many textures cannot be blended.

    Raises:
        ValueError: when there are not as many weights, all are 0, or one is no finite number.
    """
    if num_textures != len(weights):
        raise ValueError(f"{num_textures} textures need as many weights, not {len(weights)}.")
    if not all(map(math.isfinite, weights)):
        raise ValueError(f"weights and strengths must be finite numbers, not {', '.join(map(str, weights))}.")
    if not any(weights):
        raise ValueError("no texture has a weight other than 0; give one at least.")


def common_batch(*sizes: int) -> int:
    """Tell the size of the batch that batches of these sizes make together, where 1 goes with any.

    Raises:
        ValueError: when two sizes differ and neither is 1.
    """
    batch = next((size for size in sizes if size != 1), 1)
    other = next((size for size in sizes if size not in (1, batch)), None)
    if other is not None:
        raise ValueError(f"batches of {batch} and {other} do not pair: give equal ones, or one of 1.")
    return batch


def check_pair(structure: Sequence[int], texture: Sequence[int]) -> None:
    """Refuse shapes that no structure and texture of one batch have.

    Raises:
        ValueError: they are not `[B, C, h, w]` and `[B, C]` or `[B, C, h, w]`, or their batches differ.
    """
    if len(structure) != 4 or len(texture) not in (2, 4):
        raise ValueError(
            f"structure must be [B, C, h, w] and texture [B, C] or [B, C, h, w], "
            f"not {tuple(structure)} and {tuple(texture)}."
        )
    if structure[0] != texture[0]:
        raise ValueError(f"{structure[0]} structure codes do not pair with {texture[0]} texture codes.")


def kept_axis(index: int | slice, length: int) -> slice:
    """Turn an index of a batch into a slice, so that the batch axis stays.

    Raises:
        IndexError: it lies outside of the batch.
    """
    if isinstance(index, slice):
        return index
    index = range(length)[index]  # refuses what is out of range, resolves negatives
    return slice(index, index + 1)
