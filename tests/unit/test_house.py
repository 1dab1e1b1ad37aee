"""The house stands as docs/architecture.md draws it: imports point one way, and tasks do not know each other."""

from __future__ import annotations

import ast
import re

import pytest

from support import ROOT

SOURCE = ROOT / "src" / "cineloop"
BASE = {"runs", "plugins", "named", "registry", "schema", "files", "identity", "seeds"}
BASE |= {"progress", "errors", "_version"}


def order():
    text = (ROOT / "docs" / "architecture.md").read_text()
    line = re.search(r"^`(cli > .*)`$", text, re.MULTILINE)[1]
    return [name.strip() for group in line.split(">") for name in group.split(",")]


def layer(module):
    """Return the package (or base module) that a dotted module of ours belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "cineloop"


def imports(path):
    """Yield (imported module, line, whether it is for types only) of a file, imports inside functions included."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node.lineno, id(node) in typing_only
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "cineloop":
                for name in node.names:
                    yield f"cineloop.{name.name}", node.lineno, id(node) in typing_only
            else:
                yield node.module, node.lineno, id(node) in typing_only


def modules():
    for path in sorted(SOURCE.rglob("*.py")):
        relative = path.relative_to(SOURCE.parent).with_suffix("")
        parts = relative.parts[:-1] if relative.name == "__init__" else relative.parts
        yield ".".join(parts), path


def test_every_package_has_a_place():
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"} - {"recipes"}
    files = {path.stem for path in SOURCE.glob("*.py")} - {"__init__", "__main__", "testing"}
    assert rooms - set(order()) == set()
    assert files - BASE - set(order()) == set()


def test_imports_point_one_way():
    rank = {name: number for number, name in enumerate(order())}
    rank |= dict.fromkeys(BASE, len(rank))
    wrong = []
    for module, path in modules():
        here = layer(module)
        if here not in rank:
            continue
        for imported, line, typing_only in imports(path):
            there = layer(imported)
            if not imported.startswith("cineloop.") or there == here or typing_only:
                continue
            if there in rank and rank[there] < rank[here]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {imported}")
    assert not wrong, "\n".join(wrong)


def test_tasks_do_not_know_each_other():
    wrong = []
    for module, path in modules():
        parts = module.split(".")
        if parts[1:2] != ["tasks"] or len(parts) < 3 or not (SOURCE / "tasks" / parts[2]).is_dir():
            continue
        for imported, line, _ in imports(path):
            other = imported.split(".")
            is_task = other[:2] == ["cineloop", "tasks"] and len(other) > 2 and (SOURCE / "tasks" / other[2]).is_dir()
            if is_task and other[2] != parts[2]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {imported}")
    assert not wrong, "\n".join(wrong)


def test_fabric_is_imported_in_one_file():
    found = {
        str(path.relative_to(SOURCE))
        for _, path in modules()
        for imported, _, _ in imports(path)
        if imported.split(".")[0] in ("lightning", "lightning_fabric")
    }
    assert found == {"training/runtime.py"}


@pytest.mark.parametrize("heavy", ["torch", "polars", "numpy", "pydantic", "av"])
def test_verbs_import_nothing_heavy_at_their_top(heavy):
    for path in (SOURCE / "cli").glob("*.py"):
        tree = ast.parse(path.read_text())
        for node in tree.body:
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert all(name.split(".")[0] != heavy for name in names), path


def test_files_stay_readable():
    long = {
        str(path.relative_to(ROOT)): count
        for _, path in modules()
        if (count := len(path.read_text().splitlines())) > 450
    }
    assert not long
