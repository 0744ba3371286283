"""Networks compiled by `torch.compile`, where there is a C++ compiler for it."""

import os
import shutil
from typing import TypeVar, cast

import torch
from torch import nn

from swapae.errors import UserError

COMPILERS = ("g++", "clang++", "cl", "icpx")

Module = TypeVar("Module", bound=nn.Module)


def has_compiler() -> bool:
    """Tell whether a C++ compiler is found: the one that the environment's `CXX` names, or a usual one."""
    named = os.environ.get("CXX")
    return any(shutil.which(name) for name in ((named,) if named else COMPILERS))


def compiled(module: Module) -> Module:
    """Wrap a network so that it is compiled when it is first called, and again for other sizes.

    The first call takes a minute or more, every later one in the same process none of it.

    Raises:
        UserError: there is no C++ compiler.
    """
    if not has_compiler():
        raise UserError("torch.compile needs a C++ compiler, and none was found: install g++, or set CXX.")
    return cast(Module, torch.compile(module))
