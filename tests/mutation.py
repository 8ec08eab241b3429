"""Mutation of the protocols: one comparison, number, code or connective at a time is changed, and a table must notice.

    python -m tests.mutation [module …]        (all of handlers/protocols without any)

Every mutant is compiled in this process, put in the place of its module, and held against the rows of the tables and
the small tests of `tests/test_protocols.py` that look at the same functions. What nobody noticed is printed.
Words (sentences, reasons, titles, sources) are not mutated: they are read by people, not by rules.
"""

from __future__ import annotations

import ast
import copy
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from handlers.decisions import Protocol
from tests import test_protocols as tables

FOLDER = Path(__file__).parent.parent / "handlers" / "protocols"
PACKAGE = "handlers.protocols"
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Add,
}  # fmt: skip
WORDS = frozenset({"because", "say", "source", "certainty", "title", "version", "meaning"})
"""Keyword arguments that hold words."""
SAYS = frozenset({"emergency", "refer", "soon", "safety", "Setting", "Slot", "Disease"})
"""Calls whose first words are for people, or a setting's."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    module: str
    line: int
    what: str
    tree: ast.Module


def modules() -> list[str]:
    """The protocols' modules, those that others import first."""
    names = [path.stem for path in sorted(FOLDER.glob("*.py")) if path.stem != "__init__"]
    first = ["findings", "common", "lungs", "tb", "diabetes", "hypertension"]
    return [*(name for name in first if name in names), *(name for name in names if name not in first)]


# --- what can be changed ---


def mutants(name: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    spots = [spot for spot in ast.walk(tree) if hasattr(spot, "lineno")]
    silent = {id(node) for node in _words(tree)}
    for number, spot in enumerate(spots):
        if id(spot) in silent:
            continue
        for what, change in _changes(spot):
            changed = copy.deepcopy(tree)
            same = [node for node in ast.walk(changed) if hasattr(node, "lineno")][number]
            change(same)
            yield Mutant(name, spot.lineno, what, ast.fix_missing_locations(changed))


def _words(tree: ast.Module) -> Iterator[ast.AST]:
    """Strings that people read: docstrings, sentences, reasons, titles, labels and the words of settings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.keyword) and node.arg in WORDS:
            yield from ast.walk(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYS:
            for argument in node.args:
                yield from (c for c in ast.walk(argument) if isinstance(c, ast.Constant) and isinstance(c.value, str))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.isascii():
            yield node
        elif isinstance(node, ast.JoinedStr):
            yield from ast.walk(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rule":
            if node.args:
                yield node.args[0]  # its id
        elif isinstance(node, ast.AnnAssign):
            yield from ast.walk(node.annotation)
        elif isinstance(node, ast.arguments | ast.arg | ast.FunctionDef):
            for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
                if annotation is not None:
                    yield from ast.walk(annotation)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARED:
        other = COMPARED[type(node.ops[0])]
        yield f"{type(node.ops[0]).__name__} -> {other.__name__}", lambda n: n.ops.__setitem__(0, other())
    if isinstance(node, ast.Compare) and len(node.ops) == 2:
        for place, operator in enumerate(node.ops):
            other = COMPARED[type(operator)]
            yield (
                f"{type(operator).__name__} -> {other.__name__}",
                lambda n, place=place, other=other: n.ops.__setitem__(place, other()),
            )
    if isinstance(node, ast.BoolOp):
        other_bool = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{type(node.op).__name__} -> {other_bool.__name__}", lambda n: setattr(n, "op", other_bool())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not dropped", lambda n: setattr(n, "op", ast.UAdd()) or setattr(n, "operand", _truth(n.operand))
    if isinstance(node, ast.BinOp) and type(node.op) in CALCULATED:
        calculated = CALCULATED[type(node.op)]
        yield f"{type(node.op).__name__} -> {calculated.__name__}", lambda n: setattr(n, "op", calculated())
    if isinstance(node, ast.Constant):
        yield from _other_constants(node)


def _truth(operand: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("bool", ast.Load()), [operand], [])


def _other_constants(node: ast.Constant) -> Iterator[tuple[str, Callable[[Any], None]]]:
    value = node.value
    if isinstance(value, bool):
        yield f"{value} -> {not value}", lambda n: setattr(n, "value", not value)
    elif isinstance(value, int | float):
        step = 1 if isinstance(value, int) else 0.1
        yield f"{value} -> {value + step}", lambda n: setattr(n, "value", value + step)
        yield f"{value} -> {value - step}", lambda n: setattr(n, "value", value - step)
    elif isinstance(value, str) and value:
        yield f"{value!r} -> other", lambda n: setattr(n, "value", f"{value}_")


# --- who notices ---


def test(mutant: Mutant | None) -> str:
    """Who notices the mutant, or "" """
    kept = {name: module for name, module in sys.modules.items() if name.startswith(f"{PACKAGE}.")}
    try:
        return _noticed_by(mutant)
    except Exception as error:  # a mutant that cannot even be imported, or that breaks a rule, is noticed
        return f"{type(error).__name__}"
    finally:
        sys.modules.update(kept)
        package = sys.modules[PACKAGE]
        for name, module in kept.items():
            setattr(package, name.rpartition(".")[2], module)
        tables.hypertension, tables.diabetes = kept[f"{PACKAGE}.hypertension"], kept[f"{PACKAGE}.diabetes"]
        tables.MODULES.update(hypertension=tables.hypertension, diabetes=tables.diabetes)
        tables.PROTOCOLS.update(_ORIGINALS)


_ORIGINALS = dict(tables.PROTOCOLS)
_CASES = {
    name: [(row, tables.findings(row)) for row in tables.rows(name)] for name in tables.PROTOCOLS
}  # read once; a mutant cannot change them


def _noticed_by(mutant: Mutant | None) -> str:
    loaded = _load(mutant)
    protocols = {
        m.protocol.code: m.protocol for m in loaded.values() if isinstance(getattr(m, "protocol", None), Protocol)
    }
    tables.PROTOCOLS.update(protocols)
    tables.hypertension, tables.diabetes = loaded["hypertension"], loaded["diabetes"]
    tables.MODULES.update(hypertension=tables.hypertension, diabetes=tables.diabetes)
    affected = _affected(mutant)
    for code, protocol in protocols.items():
        module = next(name for name, m in loaded.items() if getattr(m, "protocol", None) is protocol)
        if module in affected:
            if disagreeing := tables.codes_disagree(code, loaded[module]):
                return f"{code}: {disagreeing}"
            for row, given in _CASES[code]:
                if not tables.as_expected(protocol, row, given, loaded[module]):
                    return f"{code}: {row['label']}"
    if affected & {"hypertension", "diabetes"}:
        tables.test_danger_question()
        tables.test_gap_is_told()
    return ""


def _affected(mutant: Mutant | None) -> set[str]:
    """The modules whose behaviour the mutant may change: itself and whoever imports it, directly or not."""
    if mutant is None:
        return set(modules())
    changed = {mutant.module}
    while more := {name for name in modules() if name not in changed and _IMPORTS[name] & changed}:
        changed |= more
    return changed


def _imports(name: str) -> set[str]:
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            found.add(str(node.module).rpartition(".")[2])
    return found


_IMPORTS = {name: _imports(name) for name in modules()}


def _load(mutant: Mutant | None) -> dict[str, ModuleType]:
    """The modules afresh where the mutant reaches, with the mutant in its place."""
    affected = _affected(mutant)
    loaded: dict[str, ModuleType] = {}
    package = sys.modules[PACKAGE]
    for name in _in_order():
        full = f"{PACKAGE}.{name}"
        if name not in affected:
            loaded[name] = sys.modules.get(full) or importlib.import_module(full)
            continue
        tree = mutant.tree if mutant and mutant.module == name else _PLAIN[name]
        module = ModuleType(full)
        module.__file__ = str(FOLDER / f"{name}.py")
        sys.modules[full] = module
        setattr(package, name, module)
        exec(compile(tree, module.__file__, "exec"), module.__dict__)
        loaded[name] = module
    return loaded


_PLAIN = {name: ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8")) for name in modules()}


def _in_order() -> list[str]:
    """Whoever is imported comes before whoever imports."""
    order: list[str] = []
    left = modules()
    while left:
        ready = [name for name in left if not (_IMPORTS[name] & set(left))]
        assert ready, f"the protocols import each other in a circle: {left}"
        order += ready
        left = [name for name in left if name not in ready]
    return order


def main(names: list[str]) -> None:
    assert not (noticed := test(None)), f"the tables fail without any mutant: {noticed}"
    for name in names or modules():
        began, survivors, number = time.perf_counter(), [], 0
        for mutant in mutants(name):
            number += 1
            if not test(mutant):
                survivors.append(mutant)
        print(f"{name}: {number} mutants, {len(survivors)} survive ({time.perf_counter() - began:.0f} s)", flush=True)
        lines = (FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()
        for mutant in survivors:
            print(f"  {mutant.line}: {mutant.what}    {lines[mutant.line - 1].strip()[:110]}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
