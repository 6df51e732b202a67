"""Every small change of a formula: a sign, a term or a factor dropped, a number, an axis, a sum for a mean."""

import ast
import inspect
import textwrap

SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
TOTALS = {"sum_over": "mean_over", "mean_over": "sum_over"}


def mutants(formula):
    """Pairs (what it now says, the changed function)."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(formula)))
    function = tree.body[0]
    function.decorator_list = []
    body = function.body[-1].value
    negated = [ast.UnaryOp(ast.USub(), body)] if isinstance(body, ast.Name) else []  # nothing else of a name can be changed
    for changed in (*negated, *changes_of(body)):
        function.body[-1].value = changed
        text = ast.unparse(changed)
        names = {}
        exec(compile(ast.parse(ast.unparse(tree)), formula.__code__.co_filename, "exec"), dict(formula.__globals__), names)
        yield text, names[formula.__name__]
    function.body[-1].value = body


def changes_of(e):
    """Every expression that differs from `e` in one place."""
    yield from changed_here(e)
    for name, value in ast.iter_fields(e):
        if isinstance(value, ast.expr):
            for new in changes_of(value):
                yield type(e)(**{**dict(ast.iter_fields(e)), name: new})
        elif name in ("args", "comparators"):
            for i, argument in enumerate(value):
                for new in changes_of(argument):
                    yield type(e)(**{**dict(ast.iter_fields(e)), name: [*value[:i], new, *value[i + 1 :]]})


def changed_here(e):
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
        case ast.Name(id="axes"):  # the other dimensions of a matrix
            yield ast.parse("tuple({0, 1} - set(axes))", mode="eval").body
