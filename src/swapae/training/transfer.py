"""Starting from another run's weights: what fits is taken, and a report says what was not, and why.

Networks are compared part by part: a part is a block or a head, and it has a place: so many halvings below
the image, so many doublings above the structure code, at maps of so many pixels. A part is taken if the other
has one at the same place with the same tensors in the same shapes, whole or not at all. Nothing is padded,
cut, or moved to another place. So an image discriminator for larger images gets a new first level and keeps
those below it (model-spec §5, §8.2), while encoder, generator and patch discriminator go over as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from swapae.errors import UserError
from swapae.files import shown
from swapae.networks import Discriminator, Encoder, Generator, PatchDiscriminator
from swapae.training.checkpoint import Learner
from swapae.training.config import TrainConfig
from swapae.training.objective import Networks
from swapae.training.origin import (
    AVERAGED,
    Origin,
    folder_of,
    init_file,
    read_origin,
    read_record,
    unseen_settings,
)
from swapae.training.places import parts
from swapae.training.retention import checkpoints_in
from swapae.training.run import RunFolder, write_json
from swapae.weights import NothingDrawn, listed, report

NO_OPTIMIZER = "the optimizers start anew, and so do the counters: neither travels"


@dataclass(frozen=True)
class Fit:
    """What of one network can be taken.

    Attributes:
        taken: parts, each with pairs of names: the tensor's here, and there.
        new: parts that keep their new weights, and why.
        left: parts of the other network for which there is no place here.
        num_taken: parameters in `taken`.
        num_parameters: in all.
    """

    taken: dict[str, list[tuple[str, str]]]
    new: dict[str, str]
    left: list[str]
    num_taken: int
    num_parameters: int

    @property
    def is_whole(self) -> bool:
        return not self.new


@dataclass(frozen=True)
class Transfer:
    """What was taken of every network; `notes` are differences that no shape shows."""

    origin: Origin
    fits: dict[str, Fit]
    notes: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether the model, encoder and generator, was taken to the last tensor."""
        return all(self.fits[network].is_whole for network in AVERAGED)

    def lines(self) -> list[str]:
        """Say it for the screen."""
        origin = self.origin
        seen = "" if origin.images_seen is None else f", after {origin.images_seen:,} images"
        lines = [f"weights from {shown(origin.place)}{seen}:"]
        for network, fit in self.fits.items():
            what = "all" if fit.is_whole else "part" if fit.taken else "nothing"
            share = f"{fit.num_taken:,} of {fit.num_parameters:,} parameters"
            lines.append(f"  {network}: {what} taken, {share}")
            lines += [
                f"    new: {listed([part for part in fit.new if fit.new[part] == reason])}; {reason}"
                for reason in dict.fromkeys(fit.new.values())
            ]
            lines += [f"    not used of the other: {listed(fit.left)}"] if fit.left else []
        return [*lines, *(f"  note: {note}" for note in self.notes), f"  {NO_OPTIMIZER}"]


def begin(
    name: str | None, run: RunFolder, learner: Learner, config: TrainConfig, tell: Callable[[str], None]
) -> Transfer | None:
    """Give a learner the weights its run begins with, unless it went on from a checkpoint of its own.

    Args:
        name: what `check_origin` gave.
        run: its record is read, not yet written.
        learner: as its checkpoint left it, or new.
        config: of the run.
        tell: hears what is taken, and what is not.

    Raises:
        UserError: the weights cannot be read, or nothing of them fits.
    """
    if checkpoints_in(run.checkpoints):
        record = read_record(run)
        learner.ema.is_ramped = record is None or not record["is_whole"]
        return None
    if name is None:
        return None
    transfer = start_from(read_origin(name, tell), learner, config)
    learner.ema.is_ramped = not transfer.is_whole
    tell("\n".join(transfer.lines()))
    return transfer


def start_from(origin: Origin, learner: Learner, config: TrainConfig) -> Transfer:
    """Give a learner another's weights and averages, as far as they fit.

    Raises:
        UserError: nothing of encoder and generator fits; then nothing was changed.
    """
    named = learner.networks.named()
    transfer = compare(origin, named, config)
    fits = transfer.fits
    for network, module in named.items():
        _copy(fits[network], origin.weights.get(network, {}), module)
    if learner.ema.half_life:
        averages = learner.ema.model
        for network, module in (("encoder", averages.encoder), ("generator", averages.generator)):
            # What is new has as its average what it is.
            module.load_state_dict(named[network].state_dict())
            _copy(fits[network], origin.averages.get(network, {}), module)
    return transfer


def compare(origin: Origin, named: Mapping[str, nn.Module], config: TrainConfig) -> Transfer:
    """Find out what of another's weights fits networks, of which only names and shapes count.

    Raises:
        UserError: nothing of encoder and generator.
    """
    fits = {network: fit(network, named[network], origin.weights.get(network, {})) for network in named}
    if not any(fits[network].taken for network in AVERAGED):
        misfits = (
            f"{network}, {part}: {why}" for network in AVERAGED for part, why in fits[network].new.items()
        )
        sentence = f"nothing of encoder and generator in {shown(origin.place)} fits this config"
        raise UserError(report(sentence, misfits))
    return Transfer(origin, fits, _notes(origin, config))


def check_fit(origin: Origin, config: TrainConfig) -> Transfer:
    """Say what would be taken, without taking it.

    Raises:
        UserError: as `compare`.
    """
    with NothingDrawn():
        networks = Networks(
            Encoder(config.model.encoder()),
            Generator(config.model.generator()),
            Discriminator(config.discriminator),
            PatchDiscriminator(config.patch_discriminator),
        )
    return compare(origin, networks.named(), config)


def fit(network: str, module: nn.Module, theirs: Mapping[str, Tensor]) -> Fit:
    """Compare a network with another's tensors, part by part."""
    mine = module.state_dict()
    here, there = parts(network, mine), parts(network, theirs)
    taken: dict[str, list[tuple[str, str]]] = {}
    new: dict[str, str] = {}
    for part, names in here.items():
        others = there.get(part, {})
        reason = _reason(names, others, mine, theirs) if others else _absence(theirs)
        if reason:
            new[part] = reason
        else:
            taken[part] = [(name, others[inner]) for inner, name in names.items()]
    num_taken = sum(mine[name].numel() for pairs in taken.values() for name, _ in pairs)
    left = [part for part in there if part not in here]
    return Fit(taken, new, left, num_taken, sum(tensor.numel() for tensor in mine.values()))


def _absence(theirs: Mapping[str, Tensor]) -> str:
    return "the other has no such part" if theirs else "the other has no such network"


def _reason(
    mine_by: Mapping[str, str],
    theirs_by: Mapping[str, str],
    mine: Mapping[str, Tensor],
    theirs: Mapping[str, Tensor],
) -> str | None:
    """Say why a part does not fit, tensors by their names within it; None if it fits."""
    missing = [inner for inner in mine_by if inner not in theirs_by]
    extra = [inner for inner in theirs_by if inner not in mine_by]
    shapes = [
        f"{inner} is {list(theirs[theirs_by[inner]].shape)} there, {list(mine[name].shape)} here"
        for inner, name in mine_by.items()
        if inner in theirs_by and theirs[theirs_by[inner]].shape != mine[name].shape
    ]
    kinds = [
        f"{inner} is {theirs[theirs_by[inner]].dtype} there"
        for inner in mine_by
        if inner in theirs_by and not theirs[theirs_by[inner]].is_floating_point()
    ]
    reasons = [f"other shape ({listed(shapes, 1)})"] if shapes else []
    reasons += [f"other kind of number ({listed(kinds, 1)})"] if kinds else []
    reasons += [f"missing there ({listed(missing, 2)})"] if missing else []
    reasons += [f"only there ({listed(extra, 2)})"] if extra else []
    return "; ".join(reasons) or None


@torch.no_grad()
def _copy(one: Fit, theirs: Mapping[str, Tensor], module: nn.Module) -> None:
    """Copy in place: optimizers and averages hold on to the parameters they know."""
    mine = module.state_dict()
    for pairs in one.taken.values():
        for name, other in pairs:
            mine[name].copy_(theirs[other])


def _notes(origin: Origin, config: TrainConfig) -> list[str]:
    here = unseen_settings(config)
    return [
        f"{name} was {str(value).lower()} there and is {str(here[name]).lower()} here: these weights were "
        "learnt with the other"
        for name, value in origin.settings.items()
        if here[name] != value
    ]


# ── the record ───────────────────────────────────────────────────────────────────────────────────


def write_record(run: RunFolder, transfer: Transfer) -> None:
    """Write init.json: what the run began with."""
    origin = transfer.origin
    networks = {
        network: {
            "parameters": fit.num_parameters,
            "parameters_taken": fit.num_taken,
            "taken": list(fit.taken),
            "new": fit.new,
            "not_used_of_the_other": fit.left,
        }
        for network, fit in transfer.fits.items()
    }
    write_json(
        init_file(run),
        {
            "init_from": origin.name,
            "folder": folder_of(origin.name),
            "place": str(origin.place),
            "images_seen_there": origin.images_seen,
            "is_whole": transfer.is_whole,
            "networks": networks,
            "notes": [*transfer.notes, NO_OPTIMIZER],
        },
    )
