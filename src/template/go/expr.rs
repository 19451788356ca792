//! Pipelines, commands and operands. Field access and printing become calls of our own functions.

use std::sync::Arc;

use gotmpl::parse::{CommandNode, Expr, Number, PipeNode, SmolStr};

use super::TemplateError;
use super::lexer::{Kind, Token};
use super::number::Literal;
use super::parser::{Parser, did_you_mean};
use crate::diag::{Span, nearest};

/// Words that are no function.
const KEYWORDS: [&str; 10] =
    ["if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"];

/// An operand as written: a base and the fields behind it.
struct Operand {
    base: Expr,
    path: Vec<String>,
    span: Span,
    /// Whether it is a literal or dot.
    is_constant: bool,
}

impl Parser<'_> {
    /// A pipeline up to and with `end`.
    pub(super) fn pipeline(
        &mut self,
        end: Kind,
        in_range: bool,
    ) -> Result<PipeNode, TemplateError> {
        let start = self.peek().span;
        let (decl, is_assign) = self.declarations(in_range)?;
        let mut commands = Vec::new();
        loop {
            let (command, stop) = self.command(&end, !commands.is_empty())?;
            commands.push(command);
            if stop.kind == end {
                break;
            }
            // Go takes a `|` behind which nothing comes.
            if self.peek().kind == end {
                self.at += 1;
                break;
            }
        }
        let mut pipe = PipeNode { pos: self.pos(start), decl, commands, is_assign };
        if is_assign {
            self.set(&mut pipe);
        }
        Ok(pipe)
    }

    /// `$a :=`, `$a =` or, in a `range`, `$a, $b :=`. A variable is known from here on, even to the
    /// value that it is to get and where it was never declared: that fails when it runs.
    fn declarations(&mut self, in_range: bool) -> Result<(Vec<SmolStr>, bool), TemplateError> {
        let mut names: Vec<SmolStr> = Vec::new();
        while self.peek().kind == Kind::Variable {
            let name = self.word(self.peek().span);
            let sign = self.tokens.get(self.at + 1).cloned();
            let Some(sign) = sign else { break };
            if !matches!(sign.kind, Kind::Declare | Kind::Assign | Kind::Comma) {
                // `range $a, $b` has one variable and goes over the other.
                break;
            }
            self.at += 2;
            names.push(name.into());
            self.variables.push(name.to_string());
            if sign.kind != Kind::Comma {
                return Ok((names, sign.kind == Kind::Assign));
            }
            let goes_on = matches!(self.peek().kind, Kind::Variable | Kind::Close);
            if !in_range || names.len() > 1 || !goes_on {
                return Err(TemplateError::new(sign.span, "no variable can be set like this here"));
            }
        }
        Ok((names, false))
    }

    /// Lets an assignment fail for a variable that does not exist; gotmpl would declare it.
    fn set(&mut self, pipe: &mut PipeNode) {
        self.hidden(pipe, "__set");
        let names = pipe.decl.clone();
        for name in &names {
            self.predeclare(name);
        }
        let variables = names.into_iter().map(|name| Expr::Variable(pipe.pos, name, Vec::new()));
        if let Some(command) = pipe.commands.last_mut() {
            command.args.extend(variables);
        }
    }

    /// One command and the token that ended it: `|` or `end`.
    fn command(&mut self, end: &Kind, piped: bool) -> Result<(CommandNode, Token), TemplateError> {
        let mut operands: Vec<Operand> = Vec::new();
        let stop = loop {
            let token = self.peek();
            if token.kind == Kind::Pipe || token.kind == *end {
                break self.next();
            }
            if operands.last().is_some_and(|o| o.span.end == token.span.start) {
                return self.unexpected(&token, "a space between two operands");
            }
            operands.push(self.operand(&token)?);
        };
        if operands.is_empty() {
            return self.unexpected(&stop, "a value");
        }
        // Of what else is no function Go says so when it runs.
        if let (true, Some(first)) = (piped, operands.first())
            && first.is_constant
        {
            let message = "what is piped must go into a function";
            return Err(TemplateError::new(first.span, message));
        }
        self.note_index(&operands);
        Ok((self.built(operands), stop))
    }

    /// The command of some operands: a chain in front takes the others as its arguments.
    fn built(&mut self, operands: Vec<Operand>) -> CommandNode {
        let mut operands = operands.into_iter();
        let Some(first) = operands.next() else {
            return CommandNode { pos: self.pos(Span::at(0)), args: Vec::new() };
        };
        let rest: Vec<Expr> = operands.map(|o| self.value(o)).collect();
        if first.path.is_empty() {
            let pos = first.base.pos();
            let args = std::iter::once(first.base).chain(rest).collect();
            return CommandNode { pos, args };
        }
        let mut pipe = self.field(first.base, &first.path.join("."), rest, first.span);
        let pos = pipe.pos;
        pipe.commands.pop().unwrap_or(CommandNode { pos, args: Vec::new() })
    }

    fn value(&mut self, operand: Operand) -> Expr {
        if operand.path.is_empty() {
            return operand.base;
        }
        let pos = operand.base.pos();
        let path = operand.path.join(".");
        Expr::Pipe(pos, self.field(operand.base, &path, Vec::new(), operand.span))
    }

    /// Reads `path` of `base`; `args` go to the last name in it, if that is a method.
    pub(super) fn field(
        &mut self,
        base: Expr,
        path: &str,
        args: Vec<Expr>,
        span: Span,
    ) -> PipeNode {
        let path = Expr::String(self.pos(span), Arc::from(path));
        let args = [base, path].into_iter().chain(args).collect();
        self.call("__get", args, span)
    }

    /// A pipeline of one call of a hidden function.
    pub(super) fn call(&mut self, name: &str, args: Vec<Expr>, span: Span) -> PipeNode {
        self.used.insert(name.to_string());
        let pos = self.pos(span);
        let args = std::iter::once(Expr::Identifier(pos, name.into())).chain(args).collect();
        let commands = vec![CommandNode { pos, args }];
        PipeNode { pos, decl: Vec::new(), commands, is_assign: false }
    }

    /// Sends a pipeline's value through a hidden function.
    pub(super) fn hidden(&mut self, pipe: &mut PipeNode, name: &str) {
        self.used.insert(name.to_string());
        let args = vec![Expr::Identifier(pipe.pos, name.into())];
        pipe.commands.push(CommandNode { pos: pipe.pos, args });
    }

    /// Makes a pipeline print as Go does.
    pub(super) fn printed(&mut self, pipe: &mut PipeNode) {
        self.hidden(pipe, "__text");
    }

    fn operand(&mut self, token: &Token) -> Result<Operand, TemplateError> {
        let pos = self.pos(token.span);
        self.at += 1;
        let (base, may_have_fields) = match &token.kind {
            Kind::Dot => (Expr::Dot(pos), false),
            Kind::Field => {
                self.at -= 1;
                (Expr::Dot(pos), true)
            }
            Kind::Variable => {
                let name = self.word(token.span);
                self.known_variable(name, token.span)?;
                (Expr::Variable(pos, name.into(), Vec::new()), true)
            }
            Kind::Str(text) => (Expr::String(pos, Arc::from(text.as_str())), false),
            Kind::Number(Literal::Real(number)) => (Expr::Number(pos, *number), false),
            Kind::Number(Literal::Complex(real, imaginary)) => {
                let parts = [real, imaginary].map(|part| Expr::Number(pos, Number::Float(*part)));
                (Expr::Pipe(pos, self.call("__complex", parts.to_vec(), token.span)), false)
            }
            Kind::Word => {
                let base = self.function(token.span)?;
                let is_function = matches!(base, Expr::Identifier(..));
                (base, is_function)
            }
            Kind::LeftParen => {
                self.enter(token.span)?;
                let pipe = self.pipeline(Kind::RightParen, false)?;
                self.leave();
                (Expr::Pipe(pos, pipe), true)
            }
            Kind::Close => return self.unexpected(token, "`)`"),
            _ => return self.unexpected(token, "a value"),
        };
        let last = self.tokens.get(self.at.saturating_sub(1)).map_or(token.span, |t| t.span);
        let from_dot = token.kind == Kind::Field;
        let mut span = if from_dot { Span::at(token.span.start) } else { token.span.to(last) };
        let mut path = Vec::new();
        let mut name_span = span;
        while self.peek().kind == Kind::Field && self.peek().span.start == span.end {
            let field = self.next();
            if !may_have_fields {
                return self.unexpected(&field, "a space in front of it");
            }
            name_span = Span::new(field.span.start + 1, field.span.end);
            path.push(self.word(name_span).to_string());
            span = span.to(field.span);
        }
        self.note_field(token, &path, name_span, span);
        let is_constant = !may_have_fields;
        Ok(Operand { base, path, span, is_constant })
    }

    fn function(&mut self, span: Span) -> Result<Expr, TemplateError> {
        let pos = self.pos(span);
        let name = self.word(span);
        match name {
            "true" => return Ok(Expr::Bool(pos, true)),
            "false" => return Ok(Expr::Bool(pos, false)),
            "nil" => return Ok(Expr::Nil(pos)),
            _ if KEYWORDS.contains(&name) => {
                return Err(TemplateError::new(span, format!("unexpected `{name}` in a pipeline")));
            }
            _ if (self.language.functions)(name) => {}
            _ => {
                let near = nearest(name, (self.language.function_names)());
                let message = format!("unknown function `{name}`{}", did_you_mean(near));
                return Err(TemplateError::new(span, message));
            }
        }
        // gotmpl's HTML mode treats these two by name and trips over them in a loop. Ours make
        // values that are known to be escaped already.
        let name = match name {
            "html" => "__html",
            "urlquery" => "__urlquery",
            other => other,
        };
        self.used.insert(name.to_string());
        Ok(Expr::Identifier(pos, name.into()))
    }

    fn known_variable(&mut self, name: &str, span: Span) -> Result<(), TemplateError> {
        // First, as one in `$labels := $labels` is meant.
        if self.predeclare(name) || self.variables.iter().any(|v| v == name) {
            return Ok(());
        }
        let predeclared = self.language.variables.iter().map(|(name, _)| *name);
        let known = self.variables.iter().map(String::as_str);
        let near = if self.in_define {
            nearest(name, known)
        } else {
            nearest(name, known.chain(predeclared))
        };
        let message = format!("unknown variable `{name}`{}", did_you_mean(near));
        Err(TemplateError::new(span, message))
    }

    /// Sees to it that a variable that exists from the start is there; whether it is one.
    fn predeclare(&mut self, name: &str) -> bool {
        let is_one = !self.in_define && self.language.variables.iter().any(|(v, _)| *v == name);
        if is_one {
            self.predeclared.insert(name.to_string());
        }
        is_one
    }

    /// Remembers `$labels.x`, `.Labels.x` and `$.Labels.x`.
    fn note_field(&mut self, token: &Token, path: &[String], name_span: Span, span: Span) {
        let label = match (self.base_of(token), path) {
            (Base::Labels, [label, ..]) => label,
            (Base::Data, [field, label, ..]) if field == "Labels" => label,
            _ => return,
        };
        // Only the last name's place is at hand, and labels have no fields of their own.
        let place = if path.last() == Some(label) { name_span } else { span };
        self.label_uses.push((label.clone(), place));
    }

    /// Remembers `index $labels "x"`.
    fn note_index(&mut self, operands: &[Operand]) {
        let [function, set, key, ..] = operands else { return };
        let is_index = matches!(&function.base, Expr::Identifier(_, n) if n == "index");
        let Expr::String(_, label) = &key.base else { return };
        let of_labels = match &set.base {
            Expr::Variable(_, name, _) if name == "$labels" => set.path.is_empty(),
            Expr::Variable(_, name, _) if name == "$" => !self.in_define && set.path == ["Labels"],
            Expr::Dot(_) => self.dot_is_data && set.path == ["Labels"],
            _ => false,
        };
        if is_index && of_labels {
            self.label_uses.push((label.to_string(), key.span));
        }
    }

    fn base_of(&self, token: &Token) -> Base {
        match token.kind {
            Kind::Field if self.dot_is_data => Base::Data,
            Kind::Variable if self.word(token.span) == "$labels" => Base::Labels,
            Kind::Variable if self.word(token.span) == "$" && !self.in_define => Base::Data,
            _ => Base::Other,
        }
    }
}

/// What fields are read from.
enum Base {
    Data,
    Labels,
    Other,
}
