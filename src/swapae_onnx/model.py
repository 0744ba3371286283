"""`SwappingAutoencoder` under ONNX Runtime: encode, decode, swap, mix and grid, on numpy arrays.

It does what `swapae.SwappingAutoencoder` does, under the same names and with the same defaults, without
PyTorch. Nothing is remembered between calls: who needs codes twice keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import index
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from swapae_onnx import images as pictures
from swapae_onnx.batches import check_weights, common_batch
from swapae_onnx.codes import Array, Codes, batched, blend
from swapae_onnx.folder import Folder, read_folder
from swapae_onnx.images import Picture
from swapae_onnx.noise import noise_maps
from swapae_onnx.sessions import Floats, Sessions

NoiseLike = int | Sequence[Array | None] | None
CPU = ("CPUExecutionProvider",)


class SwappingAutoencoder:
    """Split images into structure and texture, and make images of any such pair.

    Images are float `[B, 3, H, W]` in [-1, 1], of any size. The same input gives the same output: noise is
    added only where it is given.

    Args:
        folder: an exported model, as `read_folder` gives it; `from_pretrained` takes its path.
        threads: that an operation may use; None leaves it to ONNX Runtime, which takes a core each.
        providers: of ONNX Runtime, in the order in which they are tried.

    Raises:
        UserError: onnxruntime is not installed, or has none of these providers.

    Example:
        >>> model = SwappingAutoencoder.from_pretrained("exported")  # doctest: +SKIP
        >>> model.swap_images("church.jpg", "sunset.jpg").save("hybrid.png")  # doctest: +SKIP
    """

    def __init__(self, folder: Folder, *, threads: int | None = None, providers: Sequence[str] = CPU) -> None:
        self.folder = folder
        self._sessions = Sessions(folder.files, threads, providers)

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *, threads: int | None = None, providers: Sequence[str] = CPU
    ) -> Self:
        """Load a model from a folder that `swapae export MODEL --onnx DIR` wrote.

        Raises:
            UserError: there is no such folder, its files are damaged or of another format, or as above.
        """
        return cls(read_folder(folder), threads=threads, providers=providers)

    def encode(self, images: Array) -> Codes:
        """Encode images `[B, 3, H, W]` in [-1, 1] of any size.

        Right and bottom are padded by repeated reflection, to multiples of the stride and to the shortest
        side the encoder takes; the codes know the images' own size.
        """
        structure, texture = self._encode(images, "structure", "texture")
        return Codes(structure, texture, (images.shape[2], images.shape[3]))

    def decode(self, codes: Codes, noise: NoiseLike = None) -> Floats:
        """Decode to images `[B, 3, H, W]` of the codes' size, about [-1, 1] (not clamped).

        Args:
            codes: structure `[B, Cs, h, w]`, texture `[B, Ct]` or a map `[B, Ct, h', w']`.
            noise: None for none; a seed, which draws what it draws in torch; or one map `[B or 1, 1, h, w]`
                (or None) a layer, in layer order.
        """
        self._check(codes)
        texture = codes.texture if codes.texture.ndim == 4 else codes.texture[:, :, None, None]
        inputs = {"structure": codes.structure, "texture": texture}
        name = "generator"
        if noise is not None:
            name, inputs = "noisy_generator", inputs | self._noise(noise, codes)
        [images] = self._sessions.run(name, ["images"], inputs)
        return np.ascontiguousarray(images[:, :, : codes.size[0], : codes.size[1]])

    def swap(
        self, structure_images: Array, texture_images: Array, strength: float = 1.0, noise: NoiseLike = None
    ) -> Floats:
        """Give the first images the texture of the second.

        Args:
            structure_images: `[B, 3, H, W]`; the output has their size.
            texture_images: `[B, 3, H', W']`; either batch may be 1.
            strength: 0 keeps the own texture (a reconstruction), 1 takes the other's; in between they are
                interpolated, beyond extrapolated.
            noise: as for `decode`.
        """
        return self.mix(structure_images, [structure_images, texture_images], [1 - strength, strength], noise)

    def mix(
        self,
        structure_images: Array,
        texture_images: Sequence[Array],
        weights: Sequence[float],
        noise: NoiseLike = None,
    ) -> Floats:
        """Give images a blend of several textures, `Σ wᵢ · textureᵢ` (the generator normalises it).

        Args:
            structure_images: `[B, 3, H, W]`.
            texture_images: batches `[B or 1, 3, Hᵢ, Wᵢ]`.
            weights: a weight for each of them.
            noise: as for `decode`.

        Raises:
            ValueError: when batches are neither equal nor 1, or weights are missing or all 0.
        """
        batch = common_batch(len(structure_images), *map(len, texture_images))
        check_weights(len(texture_images), weights)
        used = [pair for pair in zip(texture_images, weights, strict=True) if pair[1] != 0]
        own = self.encode(structure_images)
        textures = [
            own.texture if images is structure_images else self._encode(images, "texture")[0]
            for images, _ in used
        ]
        mixed = batched(blend(textures, [weight for _, weight in used]), batch)
        return self.decode(Codes(batched(own.structure, batch), mixed, own.size), noise)

    def grid(
        self,
        structures: Iterable[Array | Codes],
        textures: Iterable[Array | Codes],
        noise: NoiseLike = None,
        batch_size: int = 1,
    ) -> Iterator[Floats]:
        """Give every structure every texture: N + M images are encoded, N·M decoded.

        A row is computed when it is asked for.

        Args:
            structures: images `[B, 3, H, W]` or codes, of any sizes; N in all.
            textures: images or codes; M in all.
            noise: as for `decode`; maps have a batch of 1.
            batch_size: images decoded at a time.

        Yields:
            the hybrids of one structure, `[M, 3, H, W]`.
        """
        taken = [one.texture if isinstance(one, Codes) else self.encode(one).texture for one in textures]
        if not taken or batch_size < 1:
            raise ValueError(f"a grid needs a texture and batch_size ≥ 1, not {len(taken)} and {batch_size}.")
        every = np.concatenate(taken)
        parts = [every[i : i + batch_size] for i in range(0, len(every), batch_size)]
        for one in structures:
            codes = one if isinstance(one, Codes) else self.encode(one)
            for own in (codes.structure[i : i + 1] for i in range(len(codes))):
                pairs = (Codes(batched(own, len(part)), part, codes.size) for part in parts)
                yield np.concatenate([self.decode(pair, noise) for pair in pairs])

    # ---- photographs in, photographs out

    def encode_image(self, image: Picture) -> Codes:
        """Encode one picture, taken as it is, or one file, brought upright and to sRGB by `open_image`."""
        return self.encode(pictures.seen(pictures.picture_of(image))[None])

    def decode_image(self, codes: Codes, noise: NoiseLike = None) -> Image.Image:
        """Decode codes of one image to a picture."""
        if len(codes) != 1:
            raise ValueError(f"these are codes of {len(codes)} images, not of 1; take codes[0], codes[1], …")
        return pictures.to_pil(self.decode(codes, noise)[0])

    def swap_images(
        self, structure: Picture, texture: Picture, strength: float = 1.0, noise: NoiseLike = None
    ) -> Image.Image:
        """Give one picture or file the texture of another, at its own size, its alpha kept.

        Args:
            structure: a picture or the path of one: what is where.
            texture: another: what it looks like.
            strength: as for `swap`.
            noise: as for `decode`.

        Raises:
            UserError: when a file is no readable picture.
        """
        color, alpha = pictures.split_alpha(pictures.picture_of(structure))
        other = pictures.seen(pictures.picture_of(texture))[None]
        hybrid = self.swap(pictures.to_array(color)[None], other, strength, noise)
        return pictures.put_alpha(pictures.to_pil(hybrid[0]), alpha)

    # ---- inside

    def _encode(self, images: Array, *wanted: str) -> list[Floats]:
        if images.ndim != 4 or images.shape[1] != 3 or not np.issubdtype(images.dtype, np.floating):
            raise ValueError(
                f"images must be floats [B, 3, H, W] in [-1, 1], not {images.dtype} {list(images.shape)}."
            )
        return self._sessions.run("encoder", list(wanted), {"images": self._padded(images)})

    def _padded(self, images: Array) -> Array:
        rows, columns = (pictures.reflect_indices(side, self._padded_side(side)) for side in images.shape[2:])
        return images[:, :, rows[:, None], columns]

    def _padded_side(self, side: int) -> int:
        stride = self.folder.stride
        return max(-(-side // stride) * stride, self.folder.min_side)

    def _check(self, codes: Codes) -> None:
        """Refuse codes of another model, and codes that do not cover their image."""
        have = codes.structure.shape[1], codes.texture.shape[1]
        want = self.folder.structure_channels, self.folder.texture_channels
        if have != want:
            raise ValueError(
                f"these codes have {have[0]} structure and {have[1]} texture channels; this model has "
                f"{want[0]} and {want[1]}."
            )
        height, width = (side * self.folder.stride for side in codes.structure.shape[2:])
        if codes.size[0] > height or codes.size[1] > width:
            raise ValueError(
                f"codes of a {codes.size[0]}×{codes.size[1]} image must not decode to {height}×{width}."
            )

    def _noise(self, noise: int | Sequence[Array | None], codes: Codes) -> dict[str, NDArray[Any]]:
        """Turn a seed or maps into inputs of the graph, at each layer's size; a zero stands for no noise."""
        scales, (height, width) = self.folder.noise, codes.structure.shape[2:]
        maps = noise if isinstance(noise, Sequence) else noise_maps(index(noise), scales, height, width)
        if len(maps) != len(scales):
            raise ValueError(f"{len(maps)} noise maps were given; this generator takes {len(scales)}.")
        none = np.zeros((1, 1, 1, 1), np.float32)
        return {
            f"noise_{i}": none if one is None else _nearest(one, height * scale, width * scale)
            for i, (one, scale) in enumerate(zip(maps, scales, strict=True))
        }


def _nearest(noise: Array, height: int, width: int) -> Array:
    """Bring maps `[B, 1, h, w]` to another size by nearest neighbour, as torch's "nearest" mode does."""
    if noise.shape[2:] == (height, width):
        return noise
    rows, columns = (
        np.minimum((np.arange(n, dtype=np.float32) * np.float32(have / n)).astype(np.int64), have - 1)
        for n, have in zip((height, width), noise.shape[2:], strict=True)
    )
    return noise[:, :, rows[:, None], columns]
