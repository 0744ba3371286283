import subprocess
import sys
from pathlib import Path

import swapae
import swapae_onnx

ROOT = Path(__file__).parents[1]
PACKAGES = [Path(package.__file__).parent for package in (swapae, swapae_onnx)]
SOURCES = [path for package in PACKAGES for path in package.rglob("*.py")]
HEAVY = {"torch", "numpy", "PIL", "safetensors", "yaml", "tyro", "rich", "huggingface_hub"}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)


def test_imports_only_go_down() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = python("-c", code)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_import_swapae_imports_nothing_else() -> None:
    done = python(
        "-c", "import sys; before = set(sys.modules); import swapae; print(*set(sys.modules) - before)"
    )
    new = {name.split(".")[0] for name in done.stdout.split()}
    assert "swapae" in new
    assert not new & HEAVY
    assert done.stderr == ""


def test_import_swapae_onnx_imports_nothing_else_and_runs_models_without_torch() -> None:
    shown = "print(*set(sys.modules) - before)"
    bare = python("-c", f"import sys; before = set(sys.modules); import swapae_onnx; {shown}")
    assert not {name.split(".")[0] for name in bare.stdout.split()} & (HEAVY | {"swapae", "onnxruntime"})
    full = python("-c", f"import sys; before = set(sys.modules); import swapae.onnx; {shown}")
    loaded = {name.split(".")[0] for name in full.stdout.split()}
    assert not loaded & (HEAVY - {"numpy", "PIL"})
    assert {"swapae", "swapae_onnx", "numpy", "PIL"} <= loaded
    assert bare.stderr == full.stderr == ""


def test_every_module_can_be_imported_silently() -> None:
    files = [path for path in SOURCES if path.name != "__main__.py"]
    names = [".".join(path.relative_to(PACKAGES[0].parent).with_suffix("").parts) for path in files]
    names = sorted(name.removesuffix(".__init__") for name in names)
    assert "swapae.cli.main" in names
    done = python("-W", "error", "-c", "\n".join(f"import {name}" for name in names))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_file_has_outgrown_a_reader() -> None:
    long = {p.name: n for p in SOURCES if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert long == {}
