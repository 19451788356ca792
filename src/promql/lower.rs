//! promql-parser's tree made into our own.
//!
//! promql-parser sees the structure only (`structure.rs`): literals are looked up again by their number
//! and selectors by their place.

use std::time::{Duration, SystemTime};

use promql_parser::parser::{
    self as upstream, AtModifier, BinModifier, Expr as Ast, LabelModifier, Offset,
    VectorMatchCardinality,
};

use crate::diag::Span;
use crate::model::Timestamp;
use crate::promql::SyntaxError;
use crate::promql::expr::{
    Aggregate, At, Binary, Call, Cardinality, Expr, ExprKind, Grouping, MatrixSelector, Subquery,
    VectorMatching,
};
use crate::promql::function::function;
use crate::promql::literal::{seconds_to_millis, time_to_millis};
use crate::promql::op::{AggregateOp, BinaryOp};
use crate::promql::outline::Place;
use crate::promql::selector::{LabelMatcher, VectorSelector};
use crate::promql::structure::{Structure, structure};
use crate::promql::token::{Token, TokenKind};

/// The tree of a text whose places have been found.
pub(super) fn lower(text: &str, tokens: &[Token], places: Vec<Place>) -> Result<Expr, SyntaxError> {
    let whole = places.last().map_or(Span::at(0), |place| place.span);
    let Structure { ast, literals } = structure(text, tokens, &places)
        .map_err(|reason| SyntaxError::new(whole, format!("not understood: {reason}")))?;
    let mut lowering = Lowering { text, tokens, literals, places: places.into_iter(), whole };
    let expr = lowering.expr(&ast)?;
    if lowering.places.next().is_some() {
        return Err(lowering.ambiguous());
    }
    Ok(expr)
}

struct Lowering<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// The token of each number.
    literals: Vec<usize>,
    places: std::vec::IntoIter<Place>,
    whole: Span,
}

impl Lowering<'_> {
    /// The two readings of the text differ. No text is known that does this; better to refuse it
    /// than to evaluate what was not meant.
    fn ambiguous(&self) -> SyntaxError {
        SyntaxError::new(self.whole, "the expression can be read in two ways")
            .help("add parentheses")
    }

    fn place(&mut self) -> Result<Place, SyntaxError> {
        self.places.next().ok_or_else(|| self.ambiguous())
    }

    /// The token with a number.
    fn token(&self, number: u64) -> Result<&Token, SyntaxError> {
        let place = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        let index = place.and_then(|place| self.literals.get(place));
        index.and_then(|index| self.tokens.get(*index)).ok_or_else(|| self.ambiguous())
    }

    /// The literal with a number.
    fn literal(&self, number: u64) -> Result<&TokenKind, SyntaxError> {
        Ok(&self.token(number)?.kind)
    }

    /// Chains of operators lean to the left: they are followed without recursion.
    fn expr(&mut self, mut ast: &Ast) -> Result<Expr, SyntaxError> {
        let mut chain = Vec::new();
        while let Ast::Binary(binary) = ast {
            chain.push(binary);
            ast = &binary.lhs;
        }
        let mut lhs = self.operand(ast)?;
        while let Some(binary) = chain.pop() {
            let rhs = self.expr(&binary.rhs)?;
            lhs = self.binary(lhs, &binary.op.to_string(), binary.modifier.as_ref(), rhs)?;
        }
        Ok(lhs)
    }

    fn operand(&mut self, ast: &Ast) -> Result<Expr, SyntaxError> {
        match ast {
            Ast::NumberLiteral(number) => self.number(number.val),
            Ast::StringLiteral(string) => self.string(&string.val),
            Ast::VectorSelector(selector) => self.vector(selector),
            Ast::MatrixSelector(matrix) => self.matrix(matrix),
            Ast::Subquery(subquery) => self.subquery(subquery),
            Ast::Unary(unary) => {
                let inner = Box::new(self.expr(&unary.expr)?);
                Ok(Expr { kind: ExprKind::Unary(inner), span: self.place()?.span })
            }
            Ast::Paren(paren) => {
                let inner = Box::new(self.expr(&paren.expr)?);
                Ok(Expr { kind: ExprKind::Paren(inner), span: self.place()?.span })
            }
            Ast::Aggregate(aggregate) => self.aggregate(aggregate),
            Ast::Call(call) => self.call(call),
            // `expr` takes the chains, and the parser makes no extensions.
            Ast::Binary(_) | Ast::Extension(_) => Err(self.ambiguous()),
        }
    }

    fn number(&mut self, signed: f64) -> Result<Expr, SyntaxError> {
        // A float holds every token's number exactly.
        let value = match *self.literal(signed.abs() as u64)? {
            TokenKind::Number(value) => value,
            TokenKind::Duration(millis) => millis as f64 / 1000.0,
            _ => return Err(self.ambiguous()),
        };
        let value = if signed < 0.0 { -value } else { value };
        Ok(Expr { kind: ExprKind::NumberLiteral(value), span: self.place()?.span })
    }

    fn string(&mut self, number: &str) -> Result<Expr, SyntaxError> {
        let value = self.text(number)?;
        Ok(Expr { kind: ExprKind::StringLiteral(value), span: self.place()?.span })
    }

    /// The string, or the handed over word, with a number.
    fn text(&self, number: &str) -> Result<String, SyntaxError> {
        let number = number.parse().map_err(|_| self.ambiguous())?;
        let token = self.token(number)?;
        match &token.kind {
            TokenKind::String(text) => Ok(text.clone()),
            TokenKind::Word => Ok(self.text.get(token.span.range()).unwrap_or_default().into()),
            _ => Err(self.ambiguous()),
        }
    }

    fn vector(&mut self, ast: &upstream::VectorSelector) -> Result<Expr, SyntaxError> {
        let place = self.place()?;
        let selector = self.selector(place.selector, ast.offset.as_ref(), ast.at.as_ref())?;
        Ok(Expr { kind: ExprKind::VectorSelector(Box::new(selector)), span: place.span })
    }

    fn matrix(&mut self, ast: &upstream::MatrixSelector) -> Result<Expr, SyntaxError> {
        let place = self.place()?;
        let selector = self.selector(place.selector, ast.vs.offset.as_ref(), ast.vs.at.as_ref())?;
        let range = self.duration(ast.range)?;
        let matrix = MatrixSelector { selector, selector_span: place.detail, range };
        Ok(Expr { kind: ExprKind::MatrixSelector(Box::new(matrix)), span: place.span })
    }

    fn selector(
        &self,
        found: Option<(Option<String>, Vec<LabelMatcher>)>,
        offset: Option<&Offset>,
        at: Option<&AtModifier>,
    ) -> Result<VectorSelector, SyntaxError> {
        let (name, matchers) = found.ok_or_else(|| self.ambiguous())?;
        let (offset_ms, at) = (self.offset(offset)?, self.at(at)?);
        Ok(VectorSelector { name, matchers, offset_ms, at })
    }

    fn subquery(&mut self, ast: &upstream::SubqueryExpr) -> Result<Expr, SyntaxError> {
        let expr = self.expr(&ast.expr)?;
        let range = self.duration(ast.range)?;
        let step = ast.step.map(|step| self.duration(step)).transpose()?;
        let (offset_ms, at) = (self.offset(ast.offset.as_ref())?, self.at(ast.at.as_ref())?);
        let subquery = Subquery { expr, range, step, offset_ms, at };
        Ok(Expr { kind: ExprKind::Subquery(Box::new(subquery)), span: self.place()?.span })
    }

    /// The milliseconds of the literal that a duration or a time stands for; `read` takes seconds.
    fn millis_by(
        &self,
        number: Duration,
        read: fn(f64) -> Option<i64>,
    ) -> Result<i64, SyntaxError> {
        let millis = match *self.literal(number.as_secs())? {
            TokenKind::Duration(millis) => i64::try_from(millis).ok(),
            TokenKind::Number(seconds) => read(seconds),
            _ => None,
        };
        millis.ok_or_else(|| self.ambiguous())
    }

    fn millis(&self, number: Duration) -> Result<i64, SyntaxError> {
        self.millis_by(number, seconds_to_millis)
    }

    fn time(&self, number: Duration) -> Result<i64, SyntaxError> {
        self.millis_by(number, time_to_millis)
    }

    fn duration(&self, number: Duration) -> Result<Duration, SyntaxError> {
        let millis = u64::try_from(self.millis(number)?).map_err(|_| self.ambiguous())?;
        Ok(Duration::from_millis(millis))
    }

    fn offset(&self, offset: Option<&Offset>) -> Result<i64, SyntaxError> {
        match offset {
            None => Ok(0),
            Some(Offset::Pos(number)) => self.millis(*number),
            Some(Offset::Neg(number)) => Ok(-self.millis(*number)?),
        }
    }

    fn at(&self, at: Option<&AtModifier>) -> Result<Option<At>, SyntaxError> {
        let millis = match at {
            None => return Ok(None),
            Some(AtModifier::Start) => return Ok(Some(At::Start)),
            Some(AtModifier::End) => return Ok(Some(At::End)),
            Some(AtModifier::At(time)) => match time.duration_since(SystemTime::UNIX_EPOCH) {
                Ok(number) => self.time(number)?,
                Err(before) => -self.time(before.duration())?,
            },
        };
        Ok(Some(At::Time(Timestamp::from_millis(millis))))
    }

    fn aggregate(&mut self, ast: &upstream::AggregateExpr) -> Result<Expr, SyntaxError> {
        let param = ast.param.as_ref().map(|param| self.expr(param)).transpose()?;
        let expr = self.expr(&ast.expr)?;
        let place = self.place()?;
        let op = AggregateOp::from_text(&ast.op.to_string()).ok_or_else(|| self.ambiguous())?;
        let grouping = match &ast.modifier {
            None => Grouping::By(Vec::new()),
            Some(LabelModifier::Include(labels)) => Grouping::By(self.labels(&labels.labels)?),
            Some(LabelModifier::Exclude(labels)) => Grouping::Without(self.labels(&labels.labels)?),
        };
        let aggregate = Aggregate { op, grouping, param, expr, op_span: place.detail };
        Ok(Expr { kind: ExprKind::Aggregate(Box::new(aggregate)), span: place.span })
    }

    fn call(&mut self, ast: &upstream::Call) -> Result<Expr, SyntaxError> {
        let args = ast.args.args.iter().map(|arg| self.expr(arg));
        let args = args.collect::<Result<Vec<_>, _>>()?;
        let place = self.place()?;
        let function = function(ast.func.name).ok_or_else(|| self.ambiguous())?;
        let call = Call { function, args, name_span: place.detail };
        Ok(Expr { kind: ExprKind::Call(call), span: place.span })
    }

    fn binary(
        &mut self,
        lhs: Expr,
        op: &str,
        modifier: Option<&BinModifier>,
        rhs: Expr,
    ) -> Result<Expr, SyntaxError> {
        let place = self.place()?;
        let op = BinaryOp::from_text(op).ok_or_else(|| self.ambiguous())?;
        let return_bool = modifier.is_some_and(|modifier| modifier.return_bool);
        let matching = match modifier {
            Some(modifier) => self.matching(modifier)?,
            None => self.matching(&BinModifier::default())?,
        };
        let binary = Binary { op, lhs, rhs, matching, return_bool, op_span: place.detail };
        Ok(Expr { kind: ExprKind::Binary(Box::new(binary)), span: place.span })
    }

    fn matching(&self, modifier: &BinModifier) -> Result<VectorMatching, SyntaxError> {
        let (on, labels) = match &modifier.matching {
            None => (false, Vec::new()),
            Some(LabelModifier::Include(labels)) => (true, self.labels(&labels.labels)?),
            Some(LabelModifier::Exclude(labels)) => (false, self.labels(&labels.labels)?),
        };
        let (cardinality, include) = match &modifier.card {
            VectorMatchCardinality::OneToOne => (Cardinality::OneToOne, Vec::new()),
            VectorMatchCardinality::ManyToMany => (Cardinality::ManyToMany, Vec::new()),
            VectorMatchCardinality::ManyToOne(labels) => {
                (Cardinality::ManyToOne, self.labels(&labels.labels)?)
            }
            VectorMatchCardinality::OneToMany(labels) => {
                (Cardinality::OneToMany, self.labels(&labels.labels)?)
            }
        };
        let fill_left = modifier.fill_values.lhs.map(|n| self.fill(n)).transpose()?;
        let fill_right = modifier.fill_values.rhs.map(|n| self.fill(n)).transpose()?;
        Ok(VectorMatching { on, labels, cardinality, include, fill_left, fill_right })
    }

    fn fill(&self, signed: f64) -> Result<f64, SyntaxError> {
        match *self.literal(signed.abs() as u64)? {
            TokenKind::Number(value) if signed < 0.0 => Ok(-value),
            TokenKind::Number(value) => Ok(value),
            _ => Err(self.ambiguous()),
        }
    }

    /// Names of labels; one that begins with a digit stands for a quoted one.
    fn labels(&self, names: &[String]) -> Result<Vec<String>, SyntaxError> {
        let name = |name: &String| match name.starts_with(|c: char| c.is_ascii_digit()) {
            true => self.text(name),
            false => Ok(name.clone()),
        };
        names.iter().map(name).collect()
    }
}
