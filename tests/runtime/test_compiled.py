import shutil

import pytest
import torch
from torch import nn

from swapae.errors import UserError
from swapae.runtime.compiled import compiled, has_compiler


def test_without_a_compiler_the_sentence_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not has_compiler()
    with pytest.raises(UserError, match=r"needs a C\+\+ compiler"):
        compiled(nn.Identity())


def test_the_compiler_is_the_one_named_or_a_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name == "clang++" else None)
    monkeypatch.delenv("CXX", raising=False)
    assert has_compiler()
    monkeypatch.setenv("CXX", "g++-99")
    assert not has_compiler()


def test_the_module_is_handed_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[nn.Module] = []
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(torch, "compile", lambda module: seen.append(module) or module)
    module = nn.Identity()
    assert compiled(module) is module
    assert seen == [module]
