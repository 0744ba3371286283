"""`SwappingAutoencoder`: encode, decode, swap, mix; from a folder and to a folder (paper §3).

The model knows images, codes and weights. It knows no trainer, no command line and no discriminator.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import index
from pathlib import Path
from typing import Any, Self, Unpack

import torch
from PIL import Image
from torch import Tensor, nn

from swapae import config as configs
from swapae import images as pictures
from swapae import sharing
from swapae.codes import Codes, blend, check_weights, common_batch
from swapae.devices import choose_device
from swapae.errors import UserError
from swapae.files import check_free
from swapae.hub import Download, Push
from swapae.locate import find_weights
from swapae.networks import Encoder, Generator, random_noise
from swapae.networks import ModelConfig as ModelConfig
from swapae.runtime.backends import Backend, BackendName, make_backend
from swapae.runtime.codes_cache import HALVES, CodesCache, Half, autocast_type, cached_encode
from swapae.runtime.weights_key import weights_key
from swapae.weights import NothingDrawn, load_strict, load_tensors, refuse_later, save_tensors

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
FORMAT = "swapae.model/1"

NoiseLike = int | Sequence[Tensor | None] | None
Picture = pictures.Picture


class SwappingAutoencoder(nn.Module):
    """Split images into structure and texture, and make images of any such pair.

    Images are float `[B, 3, H, W]` in [-1, 1], of any size. The same input gives the same output: noise is
    added only where it is given. Gradients do not flow through these methods; `encoder` and `generator` have
    them.

    Images on the CPU that were encoded before are not encoded again while the weights are the same: their
    codes are kept in `codes_cache`, which may be shared or replaced, or be None for no such cache.

    Example:
        >>> model = SwappingAutoencoder(ModelConfig(encoder_capacity=0.1, generator_capacity=0.1))
        >>> codes = model.encode(torch.zeros(2, 3, 128, 200))
        >>> model.decode(codes).shape
        torch.Size([2, 3, 128, 200])
    """

    def __init__(self, config: ModelConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ModelConfig()
        self.encoder = Encoder(config.encoder())
        self.generator = Generator(config.generator())
        self.codes_cache: CodesCache | None = CodesCache()
        self.loaded_from: Path | None = None  # the weights' file; `swapae.hub.commit_of` tells its revision
        self._backend_name = "torch"
        self._backend: Backend | None = None
        self._backend_of: tuple[Encoder, Generator] | None = None  # what it was made of

    def use_backend(self, name: BackendName) -> Self:
        """Choose what runs the model: "torch" (as at first), "compile", "onnx" or "auto"; see `make_backend`.

        Raises:
            UserError: there is no such backend, or what it needs is not installed.
        """
        self._backend_of = self.encoder, self.generator
        self._backend = make_backend(name, *self._backend_of)
        self._backend_name = name
        return self

    @property
    def backend(self) -> str:
        """What runs the model, as `use_backend` was told."""
        return self._backend_name

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.generator.to_rgb.bias.device

    def encode(self, images: Tensor) -> Codes:
        """Encode images `[B, 3, H, W]` in [-1, 1] of any size.

        Right and bottom are padded by repeated reflection, to multiples of the stride and to the shortest
        side the encoder takes; the codes know the images' own size.
        """
        structure, texture = self._encode(images, "structure", "texture")
        return Codes(structure, texture, (images.shape[2], images.shape[3]))

    @torch.no_grad()
    def decode(self, codes: Codes, noise: NoiseLike = None) -> Tensor:
        """Decode to images `[B, 3, H, W]` of the codes' size, about [-1, 1] (not clamped).

        Args:
            codes: structure `[B, Cs, h, w]`, texture `[B, Ct]` or a map `[B, Ct, h', w']`.
            noise: None for none; a seed; or one map `[B or 1, 1, h, w]` a layer, in layer order.
        """
        self._check(codes)
        structure = self._taken(codes.structure)
        maps = self._noise(noise, structure.shape)
        return self._runner().decode(structure, self._taken(codes.texture), maps, codes.size)

    def swap(
        self, structure_images: Tensor, texture_images: Tensor, strength: float = 1.0, noise: NoiseLike = None
    ) -> Tensor:
        """Give the first images the texture of the second.

        Args:
            structure_images: `[B, 3, H, W]`; the output has their size.
            texture_images: `[B, 3, H', W']`; either batch may be 1.
            strength: 0 keeps the own texture (a reconstruction), 1 takes the other's; in between they are
                interpolated, beyond extrapolated (model-spec §11.1).
            noise: as for `decode`.
        """
        return self.mix(structure_images, [structure_images, texture_images], [1 - strength, strength], noise)

    def mix(
        self,
        structure_images: Tensor,
        texture_images: Sequence[Tensor],
        weights: Sequence[float],
        noise: NoiseLike = None,
    ) -> Tensor:
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
        has_own = any(images is structure_images for images, _ in used)
        structure, *own = self._encode(structure_images, *HALVES[: 2 if has_own else 1])
        textures = [
            own[0] if images is structure_images else self._encode(images, "texture")[0] for images, _ in used
        ]
        mixed = blend(textures, [weight for _, weight in used]).expand(batch, -1)
        size = structure_images.shape[2], structure_images.shape[3]
        return self.decode(Codes(structure.expand(batch, -1, -1, -1), mixed, size), noise)

    def grid(
        self,
        structures: Iterable[Tensor | Codes],
        textures: Iterable[Tensor | Codes],
        noise: NoiseLike = None,
        batch_size: int = 1,
    ) -> Iterator[Tensor]:
        """Give every structure every texture: N + M images are encoded, N·M decoded.

        A row is computed when it is asked for. With the codes cache on, an image among both is encoded once.

        Args:
            structures: images `[B, 3, H, W]` or codes, of any sizes; N in all.
            textures: images or codes; M in all.
            noise: as for `decode`; maps have a batch of 1.
            batch_size: images decoded at a time.

        Yields:
            the hybrids of one structure, `[M, 3, H, W]`.
        """
        # In full: the structure costs next to nothing beside, and the image may come again as a structure.
        taken = [one.texture if isinstance(one, Codes) else self.encode(one).texture for one in textures]
        if not taken or batch_size < 1:
            raise ValueError(f"a grid needs a texture and batch_size ≥ 1, not {len(taken)} and {batch_size}.")
        every = torch.cat(taken)
        parts = [every[i : i + batch_size] for i in range(0, len(every), batch_size)]
        for one in structures:
            given = one.structure if isinstance(one, Codes) else self._encode(one, "structure")[0]
            size = one.size if isinstance(one, Codes) else (one.shape[2], one.shape[3])
            for own in (given[i : i + 1] for i in range(len(given))):
                pairs = (Codes(own.expand(len(part), -1, -1, -1), part, size) for part in parts)
                yield torch.cat([self.decode(pair, noise) for pair in pairs])

    # ---- photographs in, photographs out

    def encode_image(self, image: Picture) -> Codes:
        """Encode one picture, taken as it is, or one file, brought upright and to sRGB by `open_image`."""
        return self.encode(_as_batch(pictures.picture_of(image)))

    def decode_image(self, codes: Codes, noise: NoiseLike = None) -> Image.Image:
        """Decode codes of one image to a picture."""
        if len(codes) != 1:
            raise ValueError(f"these are codes of {len(codes)} images, not of 1; take codes[0], codes[1], …")
        return pictures.to_pil(self.decode(codes, noise)[0].float().cpu().numpy())

    def swap_images(
        self,
        structure: Picture,
        texture: Picture,
        strength: float = 1.0,
        noise: NoiseLike = None,
    ) -> Image.Image:
        """Give one picture or file the texture of another, at its own size, its alpha kept.

        Args:
            structure: a picture or the path of one: what is where.
            texture: another: what it looks like.
            strength: as for `swap`.
            noise: as for `decode`.

        Raises:
            UserError: when a file is no readable picture.

        Example:
            >>> hybrid = model.swap_images("church.jpg", "sunset.jpg", strength=0.8)  # doctest: +SKIP
        """
        color, alpha = pictures.split_alpha(pictures.picture_of(structure))
        hybrid = self.swap(_as_batch(color), _as_batch(pictures.picture_of(texture)), strength, noise)
        return pictures.put_alpha(pictures.to_pil(hybrid[0].float().cpu().numpy()), alpha)

    # ---- folders

    def save_pretrained(
        self,
        folder: str | Path,
        *,
        force: bool = False,
        card: bool = True,
        push_to_hub: bool = False,
        repo_id: str | None = None,
        **options: Unpack[Push],
    ) -> str | None:
        """Write `config.json` and `model.safetensors`, or refuse where they are, unless `force`.

        Args:
            folder: is made if need be.
            force: replace a model that is there.
            card: write `card.json` too, and `README.md` where there is none by another hand.
            push_to_hub: upload it as well; the address of the commit is returned.
            repo_id: of the repository; the folder's name where none is given.
            options: as `push_to_hub` takes them.
        """
        folder = Path(folder)
        for name in (WEIGHTS_FILE, CONFIG_FILE):
            check_free(folder / name, force)
        known = sharing.known_of(self.loaded_from, self.state_dict(), folder.absolute()) if card else {}
        metadata = {"format": FORMAT, "config": json.dumps(configs.to_dict(self.config))}
        save_tensors(folder / WEIGHTS_FILE, self.state_dict(), metadata, force=force)
        configs.save(self.config, folder / CONFIG_FILE)
        if card:
            sharing.put_card(folder, known, name=folder.absolute().name)
        return self.push_to_hub(repo_id or folder.absolute().name, **options) if push_to_hub else None

    def push_to_hub(self, repo_id: str, **options: Unpack[Push]) -> str:
        """Upload the model to the hub, with its card, in one commit, and return the address of that.

        A model as it was loaded takes along what lies beside its weights: directions, gallery, picture,
        card. One that has changed takes along where it comes from, and on what terms.

        Args:
            repo_id: of the repository, `user/name`; it is made if need be.
            options: private, token, branch, commit_message, create_pr, …, as `swapae.hub.Push` has them.

        Raises:
            UserError: there is no login or no right, or the network failed.
        """
        return sharing.upload(self.loaded_from, self.state_dict(), self.save_pretrained, repo_id, **options)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        device: str | torch.device = "auto",
        backend: BackendName = "torch",
        **options: Unpack[Download],
    ) -> Self:
        """Load a model.

        Args:
            name: a folder or run directory that `save_pretrained` or training wrote, the name of a model
                in the box (`swapae models`), or a hub id `user/name`.
            device: "auto", "cpu", "cuda", "mps" or any torch device.
            backend: what runs it, as `use_backend` takes it.
            options: of the hub: revision (branch, tag or commit), cache_dir, token, local_files_only,
                force_download, as `swapae.hub.Download` has them.

        Raises:
            UserError: when there is no such model or backend, or its files are damaged or do not fit.
        """
        where = choose_device(device)
        weights = find_weights(name, WEIGHTS_FILE, **options)
        tensors, metadata = load_tensors(weights)
        config = config_in(metadata, weights)
        with NothingDrawn():
            model = cls(config)
        load_strict(model, tensors, str(weights))
        model.loaded_from = weights.absolute()
        return model.to(where).eval().use_backend(backend)

    # ---- inside

    @torch.no_grad()
    def _encode(self, images: Tensor, *wanted: Half) -> list[Tensor]:
        """Give the codes wanted of images of any size, from the cache where they are there."""
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise ValueError(
                f"images must be floats [B, 3, H, W] in [-1, 1], not {images.dtype} {list(images.shape)}."
            )
        weights = None
        if self.codes_cache is not None:
            weights = weights_key(self.encoder), autocast_type(self.device), self._backend_name
        return cached_encode(self.codes_cache, weights, images, wanted, self._encode_missing)

    def _encode_missing(
        self, images: Tensor, structure: bool, texture: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Compute the codes asked for, None in place of others."""
        return self._runner().encode(self._padded(self._taken(images)), structure, texture)

    def _runner(self) -> Backend:
        """Give the backend; a copy of a model makes its own."""
        networks = self.encoder, self.generator
        if self._backend is None or self._backend_of != networks:
            self._backend = make_backend(self._backend_name, *networks)
            self._backend_of = networks
        return self._backend

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_backend": None, "_backend_of": None}

    def _taken(self, tensor: Tensor) -> Tensor:
        """Bring a tensor to where, and to the numbers in which, the weights are."""
        return tensor.to(self.generator.to_rgb.bias)

    def _padded(self, images: Tensor) -> Tensor:
        height, width = (self._padded_side(side) for side in images.shape[2:])
        if (height, width) == tuple(images.shape[2:]):
            return images
        rows = torch.from_numpy(pictures.reflect_indices(images.shape[2], height)).to(images.device)
        columns = torch.from_numpy(pictures.reflect_indices(images.shape[3], width)).to(images.device)
        return images.index_select(2, rows).index_select(3, columns)

    def _padded_side(self, side: int) -> int:
        return max(-(-side // self.config.stride) * self.config.stride, self.config.min_side)

    def _check(self, codes: Codes) -> None:
        """Refuse codes of another model, and codes that do not cover their image."""
        have = codes.structure.shape[1], codes.texture.shape[1]
        want = self.config.structure_channels, self.config.texture_channels
        if have != want:
            raise ValueError(
                f"these codes have {have[0]} structure and {have[1]} texture channels; this model has "
                f"{want[0]} and {want[1]}."
            )
        height, width = (side * self.config.stride for side in codes.structure.shape[2:])
        if codes.size[0] > height or codes.size[1] > width:
            raise ValueError(
                f"codes of a {codes.size[0]}×{codes.size[1]} image must not decode to {height}×{width}."
            )

    def _noise(self, noise: NoiseLike, structure: Sequence[int]) -> Sequence[Tensor | None] | None:
        """Turn a seed into maps for a code `[B, C, h, w]`, drawn on the CPU: the same for every device."""
        if noise is None:
            return None
        if isinstance(noise, Sequence):
            return [None if one is None else self._taken(one) for one in noise]
        shapes = self.generator.noise_shapes(structure[2], structure[3])
        maps = random_noise(shapes, torch.Generator().manual_seed(index(noise)))
        return [self._taken(one) for one in maps]


def config_in(metadata: Mapping[str, str], source: Path) -> ModelConfig:
    """Read the config that travels inside a weights file."""
    refuse_later(metadata.get("format"), FORMAT, source)
    if metadata.get("format") != FORMAT:
        raise UserError(
            f"{source} is no model of this program ({FORMAT}); `swapae convert` reads published checkpoints."
        )
    try:
        data = json.loads(metadata["config"])
    except (KeyError, ValueError, RecursionError) as error:
        raise UserError(f"{source} holds no readable config; save the model again.") from error
    return configs.from_dict(ModelConfig, data)


def _as_batch(image: Image.Image) -> Tensor:
    return torch.from_numpy(pictures.seen(image))[None]
