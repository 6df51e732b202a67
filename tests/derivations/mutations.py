"""Every small change of a formula: a sign, a term or factor dropped, a number, an axis, a sum for a mean, another symbol."""

import ast
import inspect
import textwrap

SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
WITH_EQUALITY = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}
DIMENSIONS = {"axes", "rows", "positions"}  # the settings that say what a sum is over
TOTALS = {"sum_over": "mean_over", "mean_over": "sum_over"}


def mutants(formula):
    """Pairs (what it now says, the changed function)."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(formula)))
    function = tree.body[0]
    function.decorator_list = []
    body = function.body[-1].value
    negated = [ast.UnaryOp(ast.USub(), body)] if isinstance(body, ast.Name) else []  # nothing else of a name can be changed
    names = [argument.arg for argument in function.args.args]
    for changed in (*negated, *changes_of(body, names)):
        function.body[-1].value = changed
        text = ast.unparse(changed)
        made = {}
        exec(compile(ast.parse(ast.unparse(tree)), formula.__code__.co_filename, "exec"), dict(formula.__globals__), made)
        yield text, made[formula.__name__]
    function.body[-1].value = body


def changes_of(e, names):
    """Every expression that differs from `e` in one place. `names` are the symbols of the formula."""
    yield from changed_here(e, names)
    for name, value in ast.iter_fields(e):
        if isinstance(value, ast.expr):
            for new in changes_of(value, names):
                yield type(e)(**{**dict(ast.iter_fields(e)), name: new})
        elif name in ("args", "comparators", "elts"):
            for i, argument in enumerate(value):
                for new in changes_of(argument, names):
                    yield type(e)(**{**dict(ast.iter_fields(e)), name: [*value[:i], new, *value[i + 1 :]]})


def changed_here(e, names):
    if isinstance(e, ast.Name) and e.id in names:
        alike = [name for name in names if name != e.id and (name in DIMENSIONS) == (e.id in DIMENSIONS)]
        yield from (ast.Name(other, ast.Load()) for other in alike)
    match e:
        case ast.BinOp(left=a, op=op, right=b):
            if type(op) in SWAPPED:
                yield ast.BinOp(a, SWAPPED[type(op)](), b)
            yield a  # a term, a factor or a power dropped
            if not isinstance(op, ast.Pow):
                yield b
        case ast.UnaryOp(operand=a):
            yield a
        case ast.Constant(value=int() | float() as number):
            yield ast.Constant(number + 1)
        case ast.Call(func=ast.Name(id=name), args=[a, *rest]):
            yield a
            if name in TOTALS:
                yield ast.Call(ast.Name(TOTALS[name], ast.Load()), [a, *rest], [])
        case ast.Attribute(value=a, attr="T"):
            yield a
        case ast.Compare(left=a, ops=ops, comparators=[b]):
            yield ast.Compare(b, ops, [a])  # the other way round
            yield ast.Compare(a, [WITH_EQUALITY[type(ops[0])]()], [b])
        case ast.Name(id="axes"):  # the other dimensions of a matrix
            yield ast.parse("tuple({0, 1} - set(axes))", mode="eval").body
