//! Text and actions. Builds gotmpl's tree.

use std::collections::BTreeSet;
use std::sync::Arc;

use gotmpl::parse::{ActionNode, Expr, ListNode, Node, Pos, TextNode};

use super::TemplateError;
use super::lexer::{Kind, Token, tokens};
use crate::diag::{Span, nearest};

/// How deep blocks and parentheses may nest. The parser recurses, at up to 10 KB for a level in a build
/// without optimization, and gotmpl executes 200 levels. A chain of `else if` is one level.
const MAX_DEPTH: usize = 100;

/// What a template may name.
pub(in crate::template) struct Language<'a> {
    /// Every function.
    pub functions: &'a dyn Fn(&str) -> bool,
    /// The functions' names, to find the nearest.
    pub function_names: &'a dyn Fn() -> Vec<&'static str>,
    /// Variables that exist from the start, and the field of the data that each stands for.
    pub variables: &'a [(&'a str, &'a str)],
    /// The most bytes that a text may have.
    pub max_bytes: usize,
}

/// A template that was understood.
#[derive(Clone, Debug)]
pub(in crate::template) struct Parsed {
    /// What stands outside of `define`.
    pub main: ListNode,
    /// Named templates.
    pub defines: Vec<(String, ListNode)>,
    /// The functions that are called, hidden ones among them.
    pub used: BTreeSet<String>,
    /// The templates that are called by name, with the place of the name.
    pub calls: Vec<(String, Span)>,
    /// The labels that are read by name, with the place of the name.
    pub label_uses: Vec<(String, Span)>,
}

/// Parses a template.
pub(in crate::template) fn parse(
    text: &str,
    language: &Language<'_>,
) -> Result<Parsed, TemplateError> {
    if text.len() > language.max_bytes {
        let message =
            format!("a template may have {} bytes, not {}", language.max_bytes, text.len());
        return Err(TemplateError::new(Span::at(0), message));
    }
    let mut parser = Parser::new(text, language)?;
    let (mut main, stop) = parser.list()?;
    match stop {
        Stop::Text => {}
        Stop::End(span) => return Err(TemplateError::new(span, "`end` closes nothing here")),
        Stop::Else(span) => return Err(TemplateError::new(span, "`else` belongs to nothing here")),
    }
    parser.declare_variables(&mut main);
    let Parser { defines, used, calls, label_uses, .. } = parser;
    let defines = defines.into_iter().map(|(name, body, _)| (name, body)).collect();
    Ok(Parsed { main, defines, used, calls, label_uses })
}

/// Refuses the first call of a template that nobody defines.
pub(in crate::template) fn check_calls<'n>(
    calls: &[(String, Span)],
    defined: impl Iterator<Item = &'n str> + Clone,
) -> Result<(), TemplateError> {
    for (name, span) in calls {
        if !defined.clone().any(|d| d == name) {
            let near = did_you_mean(nearest(name, defined));
            return Err(TemplateError::new(
                *span,
                format!("template {name:?} is not defined{near}"),
            ));
        }
    }
    Ok(())
}

/// What ended a list.
pub(super) enum Stop {
    Text,
    End(Span),
    Else(Span),
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    pub(super) language: &'a Language<'a>,
    /// Variables in scope; predeclared ones are not among them.
    pub(super) variables: Vec<String>,
    pub(super) predeclared: BTreeSet<String>,
    pub(super) used: BTreeSet<String>,
    pub(super) label_uses: Vec<(String, Span)>,
    /// Whether dot is the data itself.
    pub(super) dot_is_data: bool,
    /// Whether this is inside of a `define`, where `$` is that template's argument.
    pub(super) in_define: bool,
    pub(super) depth: usize,
    pub(super) loops: usize,
    lines: Vec<usize>,
    pub(super) defines: Vec<(String, ListNode, Span)>,
    pub(super) calls: Vec<(String, Span)>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, language: &'a Language<'a>) -> Result<Self, TemplateError> {
        Ok(Self {
            text,
            tokens: tokens(text)?,
            at: 0,
            language,
            variables: vec!["$".to_string()],
            predeclared: BTreeSet::new(),
            used: BTreeSet::new(),
            label_uses: Vec::new(),
            dot_is_data: true,
            in_define: false,
            depth: 0,
            loops: 0,
            lines: text.match_indices('\n').map(|(at, _)| at).collect(),
            defines: Vec::new(),
            calls: Vec::new(),
        })
    }

    pub(super) fn peek(&self) -> Token {
        let end = Span::at(self.text.len());
        self.tokens.get(self.at).cloned().unwrap_or(Token { kind: Kind::End, span: end })
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub(super) fn word(&self, span: Span) -> &'a str {
        self.text.get(span.range()).unwrap_or("")
    }

    pub(super) fn pos(&self, span: Span) -> Pos {
        Pos::new(span.start, 1 + self.lines.partition_point(|at| *at < span.start))
    }

    pub(super) fn unexpected<T>(&self, token: &Token, wanted: &str) -> Result<T, TemplateError> {
        let found = match token.kind {
            Kind::End => "the end of the text".to_string(),
            _ => format!("`{}`", self.word(token.span)),
        };
        Err(TemplateError::new(token.span, format!("unexpected {found}, expected {wanted}")))
    }

    /// Enters one level deeper.
    pub(super) fn enter(&mut self, span: Span) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} deep");
            return Err(TemplateError::new(span, message));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub(super) fn close(&mut self) -> Result<(), TemplateError> {
        let token = self.next();
        if token.kind == Kind::Close { Ok(()) } else { self.unexpected(&token, "`}}`") }
    }

    pub(super) fn list(&mut self) -> Result<(ListNode, Stop), TemplateError> {
        let pos = self.pos(self.peek().span);
        let mut nodes = Vec::new();
        loop {
            let token = self.next();
            match token.kind {
                Kind::Text => nodes.push(Node::Text(TextNode {
                    pos: self.pos(token.span),
                    text: Arc::from(self.word(token.span)),
                })),
                Kind::Open => {
                    let first = self.peek();
                    let word = if first.kind == Kind::Word { self.word(first.span) } else { "" };
                    match word {
                        "end" => {
                            self.at += 1;
                            self.close()?;
                            return Ok((ListNode { pos, nodes }, Stop::End(first.span)));
                        }
                        "else" => {
                            self.at += 1;
                            return Ok((ListNode { pos, nodes }, Stop::Else(first.span)));
                        }
                        _ => nodes.extend(self.action(word, first.span)?),
                    }
                }
                _ => return Ok((ListNode { pos, nodes }, Stop::Text)),
            }
        }
    }

    fn action(&mut self, word: &str, span: Span) -> Result<Option<Node>, TemplateError> {
        match word {
            "if" | "with" | "range" => {
                self.at += 1;
                self.branch(word, span).map(Some)
            }
            "define" => self.define(span).map(|()| None),
            "block" => self.block(span).map(Some),
            "template" => self.template(span).map(Some),
            "break" | "continue" => {
                self.at += 1;
                if self.loops == 0 {
                    let message = format!("`{word}` stands outside of a `range`");
                    return Err(TemplateError::new(span, message));
                }
                self.close()?;
                let pos = self.pos(span);
                Ok(Some(if word == "break" { Node::Break(pos) } else { Node::Continue(pos) }))
            }
            _ => {
                let mut pipe = self.pipeline(Kind::Close, false)?;
                if pipe.decl.is_empty() {
                    self.printed(&mut pipe);
                }
                Ok(Some(Node::Action(ActionNode { pos: pipe.pos, pipe })))
            }
        }
    }

    /// Declares the predeclared variables that are used, in front of everything.
    fn declare_variables(&mut self, main: &mut ListNode) {
        let span = Span::at(0);
        let used = std::mem::take(&mut self.predeclared);
        let declared: Vec<Node> = self
            .language
            .variables
            .iter()
            .filter(|(name, _)| used.contains(*name))
            .map(|(name, field)| {
                let mut pipe = self.field(Expr::Dot(self.pos(span)), field, Vec::new(), span);
                pipe.decl.push((*name).into());
                Node::Action(ActionNode { pos: pipe.pos, pipe })
            })
            .collect();
        main.nodes.splice(0..0, declared);
    }
}

/// `, did you mean …?` or nothing.
pub(super) fn did_you_mean(name: Option<&str>) -> String {
    name.map(|n| format!(", did you mean `{n}`?")).unwrap_or_default()
}
