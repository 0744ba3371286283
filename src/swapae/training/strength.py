"""How strongly images are augmented: the state of adaptive discriminator augmentation."""

import torch
from torch import Tensor

from swapae.losses import AugmentConfig, adapted
from swapae.training.engine import Engine

State = dict[str, float]


class Strength:
    """The probability of each transform, steered by how sure the discriminator is of real images.

    It stays on the device: only `state` waits for it. Every process has the same strength, for it goes by the
    signs that all of them have found.

    Args:
        config: of the augmentation.
        engine: whose processes hear of the same batches.
    """

    def __init__(self, config: AugmentConfig, engine: Engine) -> None:
        self.config = config
        self.engine = engine
        self.restore({})

    def restore(self, state: State) -> None:
        """Go on from what `state` gave; of a new run it is empty."""
        values = {"probability": self.config.strength, "signs": 0.0, "images": 0.0, "steps": 0.0} | state
        self.probability = torch.tensor(values["probability"], device=self.engine.device)
        self._signs = torch.tensor(values["signs"], device=self.engine.device)
        self._images, self._steps = int(values["images"]), int(values["steps"])

    def state(self) -> State:
        """Give all that a checkpoint must hold; empty unless the strength is adaptive."""
        if self.config.kind != "ada":
            return {}
        signs = {"signs": float(self._signs), "images": float(self._images), "steps": float(self._steps)}
        return {"probability": float(self.probability)} | signs

    def hear(self, signs: Tensor, batch_size: int) -> None:
        """Take in the sum of the signs of this process's logits on real images, of a batch over all."""
        if self.config.kind != "ada":
            return
        self._signs = self._signs + self.engine.sum(signs)
        self._images += batch_size
        self._steps += 1
        if self._steps == self.config.interval:
            self._adapt()

    def _adapt(self) -> None:
        """Move the strength by as much as these images count for."""
        speed = self.config.speed_kimg * 1000
        if speed:
            mean = self._signs / self._images
            self.probability = adapted(self.probability, mean, self.config.target, self._images / speed)
        self._signs, self._images, self._steps = torch.zeros_like(self._signs), 0, 0
