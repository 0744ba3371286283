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
        self._heard = torch.zeros_like(self._signs)
        self._images, self._steps = int(values["images"]), int(values["steps"])

    def state(self) -> State:
        """Give all that a checkpoint must hold; empty unless the strength is adaptive."""
        if self.config.kind != "ada":
            return {}
        signs = {"signs": float(self._signs), "images": float(self._images), "steps": float(self._steps)}
        return {"probability": float(self.probability)} | signs

    def hear(self, logits: Tensor) -> None:
        """Take in the logits on some of a batch's real images; one that is not a number says nothing."""
        if self.config.kind == "ada":
            self._heard = self._heard + torch.sign(logits).nan_to_num().sum().float()

    def adapt(self, batch_size: int) -> dict[str, Tensor]:
        """End a step on a batch over all processes; every so many steps, move the strength.

        Returns:
            for the log: the strength that the step had, and the mean sign it found.
        """
        if self.config.kind != "ada":
            return {}
        signs, self._heard = self.engine.sum(self._heard), torch.zeros_like(self._heard)
        readings = {"augment_strength": self.probability, "D_sign": signs / batch_size}
        self._signs = self._signs + signs
        self._images += batch_size
        self._steps += 1
        if self._steps == self.config.interval:
            self._move()
        return readings

    def _move(self) -> None:
        """Move by as much as the images heard of count for."""
        speed = self.config.speed_kimg * 1000
        if speed:
            mean = self._signs / self._images
            self.probability = adapted(self.probability, mean, self.config.target, self._images / speed)
        self._signs, self._images, self._steps = torch.zeros_like(self._signs), 0, 0
