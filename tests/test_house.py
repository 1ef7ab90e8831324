"""The rules of the house that no linter sees."""

import ast
import statistics
from pathlib import Path

import pytest

ROOMS = ("features", "models", "pipelines")


def _modules(root: Path) -> list[Path]:
    return [path for room in ROOMS for path in sorted((root / room).rglob("*.py"))]


def test_nobody_imports_a_room_by_its_bare_folder_name(project_root: Path) -> None:
    bare = [
        f"{path.relative_to(project_root)}:{node.lineno}"
        for path in [*_modules(project_root), *sorted((project_root / "tests").rglob("*.py"))]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
        if name.split(".")[0] in ROOMS
    ]
    assert bare == []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        return [node.module]
    return []


def test_rooms_stay_small(project_root: Path) -> None:
    lines = {
        str(path.relative_to(project_root)): len(path.read_text(encoding="utf-8").splitlines())
        for path in _modules(project_root)
    }
    assert {name: size for name, size in lines.items() if size > 500} == {}
    assert statistics.median(size for size in lines.values() if size > 5) <= 200


@pytest.mark.parametrize("module", ["pickle", "cloudpickle", "dill"])
def test_nothing_loads_a_pickle(project_root: Path, module: str) -> None:
    importers = [
        str(path.relative_to(project_root))
        for path in _modules(project_root)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if module in [name.split(".")[0] for name in _imported(node)]
    ]
    assert importers == []


def test_joblib_runs_fits_in_parallel_and_writes_or_reads_no_file(project_root: Path) -> None:
    allowed = {"Parallel", "delayed"}
    others = [
        f"{path.relative_to(project_root)}:{node.lineno}"
        for path in _modules(project_root)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("joblib"))
        or (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "joblib"
            and node.attr not in allowed
        )
    ]
    assert others == []
