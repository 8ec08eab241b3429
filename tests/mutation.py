"""Mutation of the protocols: one comparison, number, code or condition at a time is changed, and a table must notice.

    python -m tests.mutation [module …]        (all of handlers/protocols without any)

Our own, because mutmut (3.8 was tried) changes the bodies of functions only, while most of a protocol is declarations:
thresholds, lists of codes and the conditions of rules. Every mutant is compiled in this process, put in the place of its
module, and held against the rows of the tables that it can reach (`protocol_tables`) and the lists of
`tests/protocols/lists` (`protocol_lists`). What nobody noticed is printed, unless `equivalent_mutants` says why nobody
can. Words (sentences, reasons, titles, sources) are not mutated: they are read by people, not by rules.
"""

from __future__ import annotations

import ast
import copy
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from handlers.decisions import Protocol
from tests import protocol_lists as lists
from tests import protocol_tables as tables
from tests.equivalent_mutants import ARGUED

FOLDER = Path(__file__).parent.parent / "handlers" / "protocols"
PACKAGE = "handlers.protocols"
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Add,
}  # fmt: skip
OPPOSITE = {"min": "max", "max": "min", "any": "all", "all": "any"}
WORDS = frozenset({"because", "say", "source", "certainty", "title", "version", "meaning", "unknown", "what", "value"})
"""Keyword arguments that hold words."""
SAYS = frozenset(
    {"emergency", "refer", "soon", "safety", "Setting", "Slot", "Disease", "Rule", "CountyInterval", "critical"}
)
"""Calls whose own strings are for people: ids, sentences, sources, certainties, and the words of settings."""
OTHER_WORDS = {"Series": 3, "Disease": 2}
"""Calls with other words for the same thing, and their place."""
METHODS = frozenset(
    {"complication_refers", "second_time", "first_time", "first_reaction", "too_young", "nothing_measured", "drug_without_value"}
)  # fmt: skip


Change = Callable[[Any], None]


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    module: str
    line: int
    what: str
    spot: int  # its place in the order of the tree
    change: Change

    def tree(self) -> ast.Module:
        """The module with the change made."""
        changed = copy.deepcopy(_TREES[self.module])
        self.change(_spots(changed)[self.spot])
        return ast.fix_missing_locations(changed)

    @property
    def text(self) -> str:
        """The line as it stands."""
        return _LINES[self.module][self.line - 1].strip()

    @property
    def argued(self) -> bool:
        return any(
            module == self.module and fragment in self.text and self.what in changes
            for module, fragment, changes, _ in ARGUED
        )


def modules() -> list[str]:
    """The protocols' modules."""
    return [path.stem for path in sorted(FOLDER.glob("*.py")) if path.stem != "__init__"]


_LINES = {name: (FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines() for name in modules()}


# --- what can be changed ---


def mutants(name: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    silent = {id(node) for node in _words(_TREES[name])}
    for number, spot in enumerate(_spots(_TREES[name])):
        if id(spot) not in silent:
            for what, change in _changes(spot):
                yield Mutant(name, spot.lineno, what, number, change)


def _spots(tree: ast.Module) -> list[Any]:
    return [node for node in ast.walk(tree) if hasattr(node, "lineno")]


def _words(tree: ast.Module) -> Iterator[ast.AST]:
    """What is for people: docstrings, sentences, reasons, titles, labels and the words of settings; and annotations."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.keyword) and node.arg in WORDS:
            yield from ast.walk(node.value)
        elif isinstance(node, ast.Call) and len(node.args) > OTHER_WORDS.get(_called(node), 9):
            yield from ast.walk(node.args[OTHER_WORDS[_called(node)]])
        if isinstance(node, ast.Call) and (_called(node) in SAYS or _called(node) in METHODS):
            yield from (a for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))
        elif isinstance(node, ast.Call) and _called(node) == "Protocol":
            yield from ast.walk(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.isascii():
            yield node
        elif isinstance(node, ast.JoinedStr):
            yield from ast.walk(node)
        elif isinstance(node, ast.AnnAssign):
            yield from ast.walk(node.annotation)
        elif isinstance(node, ast.arguments | ast.arg | ast.FunctionDef):
            for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
                if annotation is not None:
                    yield from ast.walk(annotation)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                yield from ast.walk(decorator)


def _called(node: ast.Call) -> str:
    return (
        node.func.id
        if isinstance(node.func, ast.Name)
        else node.func.attr
        if isinstance(node.func, ast.Attribute)
        else ""
    )


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            if other := COMPARED.get(type(operator)):
                yield (
                    f"{type(operator).__name__} -> {other.__name__}",
                    lambda n, place=place, other=other: n.ops.__setitem__(place, other()),
                )
    elif isinstance(node, ast.BoolOp):
        yield from _other_connectives(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not dropped", lambda n: setattr(n, "op", ast.UAdd()) or setattr(n, "operand", _truth(n.operand))
    elif isinstance(node, ast.BinOp) and type(node.op) in CALCULATED:
        calculated = CALCULATED[type(node.op)]
        yield f"{type(node.op).__name__} -> {calculated.__name__}", lambda n: setattr(n, "op", calculated())
    elif isinstance(node, ast.If | ast.IfExp):
        condition = ast.unparse(node.test)
        yield f"always {condition}", lambda n: setattr(n, "test", ast.Constant(True))
        yield f"never {condition}", lambda n: setattr(n, "test", ast.Constant(False))
    elif isinstance(node, ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp):
        for place, part in enumerate(node.generators):
            if part.ifs:
                yield "without its condition", lambda n, place=place: setattr(n.generators[place], "ifs", [])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in OPPOSITE:
        opposite = OPPOSITE[node.func.id]
        yield f"{node.func.id} -> {opposite}", lambda n: setattr(n.func, "id", opposite)
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node)


def _other_connectives(node: ast.BoolOp) -> Iterator[tuple[str, Change]]:
    """And for or, and each condition left out once."""
    other = ast.Or if isinstance(node.op, ast.And) else ast.And
    yield f"{type(node.op).__name__} -> {other.__name__}", lambda n: setattr(n, "op", other())
    for place, condition in enumerate(node.values):
        if isinstance(condition, ast.Constant):
            continue  # `or 0`
        neutral = isinstance(node.op, ast.And)
        yield (
            f"without {ast.unparse(condition)}",
            lambda n, place=place, neutral=neutral: n.values.__setitem__(place, ast.Constant(neutral)),
        )


def _truth(operand: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("bool", ast.Load()), [operand], [])


def _other_constants(node: ast.Constant) -> Iterator[tuple[str, Change]]:
    value = node.value
    if isinstance(value, bool):
        yield f"{value} -> {not value}", lambda n: setattr(n, "value", not value)
    elif isinstance(value, int | float):
        step = 1 if isinstance(value, int) else 0.1
        yield f"{value} -> {value + step:g}", lambda n: setattr(n, "value", value + step)
        yield f"{value} -> {value - step:g}", lambda n: setattr(n, "value", value - step)
    elif isinstance(value, str) and value:
        yield f"{value!r} -> other", lambda n: setattr(n, "value", f"{value}_")


# --- who notices ---


def noticed_by(mutant: Mutant | None) -> str:
    """Who notices the mutant, or "" """
    kept = {name: module for name, module in sys.modules.items() if name.startswith(f"{PACKAGE}.")}
    try:
        return _noticed_by(mutant)
    except Exception as error:  # a mutant that cannot even be imported, or that breaks a rule, is noticed
        return f"{type(error).__name__}: {error}"
    finally:
        sys.modules.update(kept)
        package = sys.modules[PACKAGE]
        for name, module in kept.items():
            setattr(package, name.rpartition(".")[2], module)
        tables.PROTOCOLS.update(_ORIGINALS)


_ORIGINALS = dict(tables.PROTOCOLS)
_CASES = {
    name: [(row, tables.findings(row)) for row in tables.rows(name)] for name in tables.PROTOCOLS
}  # read once; a mutant cannot change them


def _noticed_by(mutant: Mutant | None) -> str:
    reached = _reached(mutant)
    loaded = _load(mutant, reached)
    protocols = {
        name: module.protocol
        for name, module in loaded.items()
        if isinstance(getattr(module, "protocol", None), Protocol)
    }
    tables.PROTOCOLS.update({protocol.code: protocol for protocol in protocols.values()})
    if disagreeing := lists.disagree(reached):
        return disagreeing
    for name in sorted(protocols.keys() & reached, key=lambda name: len(_IMPORTS[name])):
        if disagreeing := " ".join([*tables.codes_disagree(name), *tables.unknown_words(name)]):
            return f"{name}: {disagreeing}"
        cases = _CASES[name]
        for place, (row, given) in enumerate(cases):
            if not tables.as_expected(name, row, given):
                cases.insert(0, cases.pop(place))  # whoever notices one, is likely to notice the next
                return f"{name}: {row['label']}"
    return ""


def _reached(mutant: Mutant | None) -> set[str]:
    """The modules whose behaviour the mutant may change: itself and whoever imports it, directly or not."""
    if mutant is None:
        return set(_IMPORTS)
    changed = {mutant.module}
    while more := {name for name in _IMPORTS if name not in changed and _IMPORTS[name] & changed}:
        changed |= more
    return changed


def _imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            found.add(str(node.module).rpartition(".")[2])
    return found


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


_TREES = {name: ast.parse("\n".join(lines)) for name, lines in _LINES.items()}
_IMPORTS = {name: _imports(tree) for name, tree in _TREES.items()}
_COMPILED: dict[str, CodeType] = {name: compile(tree, f"{name}.py", "exec") for name, tree in _TREES.items()}
_ORDER = _in_order()


def _load(mutant: Mutant | None, reached: set[str]) -> dict[str, ModuleType]:
    """The modules afresh where the mutant reaches, with the mutant in its place."""
    loaded: dict[str, ModuleType] = {}
    package = sys.modules[PACKAGE]
    for name in _ORDER:
        full = f"{PACKAGE}.{name}"
        if name not in reached:
            loaded[name] = sys.modules[full]
            continue
        changed = mutant is not None and mutant.module == name
        code = compile(mutant.tree(), f"{name}.py", "exec") if changed and mutant else _COMPILED[name]
        module = ModuleType(full)
        sys.modules[full] = module
        setattr(package, name, module)
        exec(code, module.__dict__)
        loaded[name] = module
    return loaded


def main(names: list[str]) -> int:
    """How many mutants survive that nobody has argued away."""
    assert not (noticed := noticed_by(None)), f"the tables fail without any mutant: {noticed}"
    total = killed = argued = 0
    unexplained: list[Mutant] = []
    for name in names or modules():
        began, made, survivors = time.perf_counter(), 0, []
        for mutant in mutants(name):
            made += 1
            if not noticed_by(mutant):
                survivors.append(mutant)
        open_ones = [mutant for mutant in survivors if not mutant.argued]
        total, killed, argued = total + made, killed + made - len(survivors), argued + len(survivors) - len(open_ones)
        unexplained += open_ones
        told = f"{made} mutants, {made - len(survivors)} noticed, {len(survivors) - len(open_ones)} argued"
        print(f"{name}: {told}, {len(open_ones)} open ({time.perf_counter() - began:.0f} s)", flush=True)
        for mutant in open_ones:
            print(f"  {mutant.line}: {mutant.what}    {mutant.text[:110]}", flush=True)
    print(f"{total} mutants, {killed} noticed, {argued} argued; {len(unexplained)} survivors not argued")
    return len(unexplained)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
