"""The commands by name, in the order in which `swapae --help` shows them."""

from collections.abc import Callable

from swapae.cli.batch import batch
from swapae.cli.blend import blend
from swapae.cli.card import card
from swapae.cli.codes import decode, encode
from swapae.cli.common import Report
from swapae.cli.completion import completion_of
from swapae.cli.convert import convert
from swapae.cli.data import data_check, data_prepare
from swapae.cli.demo import demo
from swapae.cli.directions import directions_apply, directions_fit, directions_list
from swapae.cli.doctor import doctor
from swapae.cli.edit import edit
from swapae.cli.eval import evaluate
from swapae.cli.export import export
from swapae.cli.grid import grid
from swapae.cli.info import info
from swapae.cli.metrics import metrics_fetch, metrics_list
from swapae.cli.mix import mix
from swapae.cli.models import models
from swapae.cli.paint import paint
from swapae.cli.pairs import pairs
from swapae.cli.presets import presets
from swapae.cli.push import push
from swapae.cli.refine import refine
from swapae.cli.render import render
from swapae.cli.studio import studio
from swapae.cli.swap import swap
from swapae.cli.train import train
from swapae.cli.video import video

COMMANDS: dict[str, Callable[..., Report]] = {
    "train": train,
    "studio": studio,
    "swap": swap,
    "grid": grid,
    "mix": mix,
    "pairs": pairs,
    "edit": edit,
    "directions fit": directions_fit,
    "directions list": directions_list,
    "directions apply": directions_apply,
    "paint": paint,
    "blend": blend,
    "refine": refine,
    "render": render,
    "video": video,
    "batch": batch,
    "encode": encode,
    "decode": decode,
    "models": models,
    "info": info,
    "convert": convert,
    "export": export,
    "card": card,
    "push": push,
    "data check": data_check,
    "data prepare": data_prepare,
    "eval": evaluate,
    "metrics list": metrics_list,
    "metrics fetch": metrics_fetch,
    "presets": presets,
    "demo": demo,
    "completion": completion_of(lambda: COMMANDS),
    "doctor": doctor,
}
