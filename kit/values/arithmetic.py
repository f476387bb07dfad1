"""A calculator for number fields: `40*1.05`, `(12+3)/4`. Numbers and the four operations, nothing else."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from decimal import Decimal

_OPERATIONS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def calculate(text: str) -> Decimal:
    """The exact value of an arithmetic expression; raises ValueError for anything else."""
    if len(text) > 100:
        raise ValueError(text)
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError:
        raise ValueError(text) from None
    try:
        return _value(tree.body, text)
    except ArithmeticError:
        raise ValueError(text) from None


def _value(node: ast.expr, text: str) -> Decimal:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        return _OPERATIONS[type(node.op)](_value(node.left, text), _value(node.right, text))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, text)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return Decimal(ast.get_source_segment(text, node) or "0")
    raise ValueError(text)
