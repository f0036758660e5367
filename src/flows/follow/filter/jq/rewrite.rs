//! An expression before it is compiled, with jq's behaviour where the interpreter's own operators
//! differ: keys of objects are strings, interpolation formats numbers as output does, a division by
//! zero is an error, `$ENV` exists.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};

type Expression<'s> = Term<&'s str>;

/// Rewrites an expression and all that it contains.
pub(super) fn rewrite(term: Expression<'_>) -> Expression<'_> {
    match term {
        Term::Var("$ENV") => Term::Call("env", Vec::new()),
        Term::Str(format, parts) => rewrite_string(format, parts),
        Term::Arr(items) => Term::Arr(items.map(|items| Box::new(rewrite(*items)))),
        Term::Obj(pairs) => Term::Obj(pairs.into_iter().map(rewrite_pair).collect()),
        Term::Neg(inner) => Term::Neg(Box::new(rewrite(*inner))),
        Term::BinOp(left, operator, right) => rewrite_operation(*left, operator, *right),
        Term::Label(name, inner) => Term::Label(name, Box::new(rewrite(*inner))),
        Term::Fold(name, source, pattern, parts) => {
            Term::Fold(name, Box::new(rewrite(*source)), pattern, rewrite_all(parts))
        }
        Term::TryCatch(body, handler) => Term::TryCatch(
            Box::new(rewrite(*body)),
            handler.map(|handler| Box::new(rewrite(*handler))),
        ),
        Term::IfThenElse(branches, last) => Term::IfThenElse(
            branches.into_iter().map(|(test, then)| (rewrite(test), rewrite(then))).collect(),
            last.map(|last| Box::new(rewrite(*last))),
        ),
        Term::Def(defs, inner) => {
            Term::Def(defs.into_iter().map(rewrite_definition).collect(), Box::new(rewrite(*inner)))
        }
        Term::Call(name, arguments) => Term::Call(name, rewrite_all(arguments)),
        Term::Path(start, path) => Term::Path(Box::new(rewrite(*start)), rewrite_path(path)),
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => term,
    }
}

fn rewrite_all(terms: Vec<Expression<'_>>) -> Vec<Expression<'_>> {
    terms.into_iter().map(rewrite).collect()
}

fn rewrite_definition(def: Def<&str>) -> Def<&str> {
    Def { body: rewrite(def.body), ..def }
}

/// Interpolated values go through `@text` unless the string names a format.
fn rewrite_string<'s>(
    format: Option<&'s str>,
    parts: Vec<StrPart<&'s str, Expression<'s>>>,
) -> Expression<'s> {
    let has_values = parts.iter().any(|part| matches!(part, StrPart::Term(_)));
    let parts = parts.into_iter().map(|part| match part {
        StrPart::Term(term) => StrPart::Term(rewrite(term)),
        other => other,
    });
    Term::Str(format.or_else(|| has_values.then_some("@text")), parts.collect())
}

/// A key that is computed must be a string; `{a}` and `{a: 1}` have a key that is one.
fn rewrite_pair<'s>(
    (key, value): (Expression<'s>, Option<Expression<'s>>),
) -> (Expression<'s>, Option<Expression<'s>>) {
    let key = rewrite(key);
    match value {
        Some(value) if !matches!(key, Term::Str(..)) => {
            (pipe_into(key, "_object_key"), Some(rewrite(value)))
        }
        value => (key, value.map(rewrite)),
    }
}

fn rewrite_operation<'s>(
    left: Expression<'s>,
    operator: BinaryOp<&'s str>,
    right: Expression<'s>,
) -> Expression<'s> {
    let (left, mut right) = (rewrite(left), rewrite(right));
    if matches!(operator, BinaryOp::Math(Math::Div) | BinaryOp::UpdateMath(Math::Div)) {
        right = pipe_into(right, "_divisor");
    }
    Term::BinOp(Box::new(left), operator, Box::new(right))
}

fn rewrite_path(path: Path<Expression<'_>>) -> Path<Expression<'_>> {
    let parts = path.0.into_iter().map(|(part, opt)| {
        let part = match part {
            Part::Index(index) => Part::Index(rewrite(index)),
            Part::Range(from, to) => Part::Range(from.map(rewrite), to.map(rewrite)),
        };
        (part, opt)
    });
    Path(parts.collect())
}

fn pipe_into<'s>(term: Expression<'s>, filter: &'s str) -> Expression<'s> {
    let call = Term::Call(filter, Vec::new());
    Term::BinOp(Box::new(term), BinaryOp::Pipe(None), Box::new(call))
}
