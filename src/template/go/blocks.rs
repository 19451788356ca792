//! Blocks: what opens must close, what is named must be known.

use gotmpl::parse::{
    ActionNode, BranchNode, CommandNode, Expr, ListNode, Node, Number, PipeNode, SmolStr,
    TemplateNode,
};

use super::TemplateError;
use super::lexer::Kind;
use super::parser::{Parser, Stop};
use crate::diag::Span;

/// How many links of a chain may hang on each other in the tree.
const MAX_LINKS: usize = 40;
/// Which link of a long chain is taken. No variable of a text has such a name.
const CHOICE: &str = "$\0";

impl Parser<'_> {
    /// `if`, `with` or `range` behind the keyword, up to and with its `end`.
    pub(super) fn branch(&mut self, word: &str, span: Span) -> Result<Node, TemplateError> {
        self.enter(span)?;
        let scope = self.variables.len();
        let (first, mut stop) = self.link(word, span)?;
        let mut links = Vec::new();
        let otherwise = loop {
            match stop {
                Stop::End(_) => break None,
                Stop::Text => return Err(never_closed(word, span)),
                Stop::Else(_) => {}
            }
            let Some(at) = self.chained(word) else { break Some(self.otherwise(word, span)?) };
            let (link, next) = self.link(word, at)?;
            links.push(link);
            stop = next;
        };
        // Go knows the body's variables in the `else` too, where they fail when they are read.
        self.variables.truncate(scope);
        self.leave();
        if links.len() <= MAX_LINKS {
            return Ok(nested(word, first, links, otherwise));
        }
        if word == "if" {
            links.insert(0, first);
            return Ok(self.choice(links, otherwise, span));
        }
        Err(TemplateError::new(span, format!("a chain of more than {MAX_LINKS} `{word}`")))
    }

    /// What is asked and what is done then: a part of a chain, without what comes else.
    fn link(&mut self, word: &str, span: Span) -> Result<(BranchNode, Stop), TemplateError> {
        let outer = self.dot_is_data;
        let mut pipe = self.pipeline(Kind::Close, word == "range")?;
        if word == "range" {
            self.hidden(&mut pipe, "__iter");
            self.loops += 1;
        }
        self.dot_is_data = outer && word == "if";
        let (body, stop) = self.list()?;
        if word == "range" {
            self.loops -= 1;
        }
        self.dot_is_data = outer;
        Ok((BranchNode { pos: self.pos(span), pipe, body, else_body: None }, stop))
    }

    /// The place of the keyword if this is `else if` of an `if`, or `else with` of a `with`.
    fn chained(&mut self, word: &str) -> Option<Span> {
        let next = self.peek();
        let is_link = word != "range" && next.kind == Kind::Word && self.word(next.span) == word;
        self.at += usize::from(is_link);
        is_link.then_some(next.span)
    }

    /// What stands behind a last `else`.
    fn otherwise(&mut self, word: &str, span: Span) -> Result<ListNode, TemplateError> {
        self.close()?;
        match self.list()? {
            (body, Stop::End(_)) => Ok(body),
            (_, Stop::Text) => Err(never_closed(word, span)),
            (_, Stop::Else(second)) => {
                Err(TemplateError::new(second, format!("a second `else` of one `{word}`")))
            }
        }
    }

    /// A long chain of `else if`, flat because gotmpl goes only so deep: which condition is the first to
    /// hold, found by `or`, which asks no further, and then the body of that number.
    fn choice(&mut self, links: Vec<BranchNode>, otherwise: Option<ListNode>, at: Span) -> Node {
        let pos = self.pos(at);
        self.used.insert("eq".to_string());
        let number = |n: usize| Expr::Number(pos, Number::Int(i64::try_from(n).unwrap_or(0)));
        let pipe = |args: Vec<Expr>| {
            let commands = vec![CommandNode { pos, args }];
            PipeNode { pos, decl: Vec::new(), commands, is_assign: false }
        };
        let function = |name: &'static str| Expr::Identifier(pos, SmolStr::from(name));
        let branch = |pipe, body| Node::If(BranchNode { pos, pipe, body, else_body: None });
        let mut which = vec![function("or")];
        let mut bodies: Vec<(usize, ListNode)> = Vec::with_capacity(links.len() + 1);
        for (number_of, link) in (1..).zip(links) {
            let condition = vec![function("and"), Expr::Pipe(pos, link.pipe), number(number_of)];
            which.push(Expr::Pipe(pos, pipe(condition)));
            bodies.push((number_of, link.body));
        }
        which.push(number(0));
        bodies.extend(otherwise.map(|body| (0, body)));
        let mut which = pipe(which);
        which.decl.push(CHOICE.into());
        let mut nodes = vec![Node::Action(ActionNode { pos, pipe: which })];
        nodes.extend(bodies.into_iter().map(|(number_of, body)| {
            let chosen = Expr::Variable(pos, CHOICE.into(), Vec::new());
            branch(pipe(vec![function("eq"), chosen, number(number_of)]), body)
        }));
        // In a block of its own, where its variables end.
        branch(pipe(vec![Expr::Bool(pos, true)]), ListNode { pos, nodes })
    }

    fn name(&mut self, of: &str) -> Result<(String, Span), TemplateError> {
        let token = self.next();
        match token.kind {
            Kind::Str(name) => Ok((name, token.span)),
            _ => self.unexpected(&token, &format!("the name of the {of} in quotes")),
        }
    }

    pub(super) fn define(&mut self, span: Span) -> Result<(), TemplateError> {
        self.at += 1;
        if self.depth > 0 {
            return Err(TemplateError::new(span, "`define` must stand outside of other blocks"));
        }
        let (name, at) = self.name("template")?;
        self.close()?;
        let body = self.body("define", span)?;
        self.add_define(name, body, at)
    }

    fn add_define(&mut self, name: String, body: ListNode, at: Span) -> Result<(), TemplateError> {
        let known = self.defines.iter().position(|(n, b, _)| *n == name && !b.is_empty_tree());
        match known {
            Some(_) if !body.is_empty_tree() => {
                let message = format!("template {name:?} is defined twice");
                return Err(TemplateError::new(at, message));
            }
            // An empty one replaces none.
            Some(_) => {}
            None => self.defines.push((name, body, at)),
        }
        Ok(())
    }

    /// The body of a named template: it sees no variable but `$`.
    fn body(&mut self, word: &str, span: Span) -> Result<ListNode, TemplateError> {
        self.enter(span)?;
        let variables = std::mem::replace(&mut self.variables, vec!["$".to_string()]);
        let outer = (self.dot_is_data, self.in_define, self.loops);
        (self.dot_is_data, self.in_define, self.loops) = (false, true, 0);
        let (body, stop) = self.list()?;
        (self.dot_is_data, self.in_define, self.loops) = outer;
        self.variables = variables;
        self.leave();
        match stop {
            Stop::End(_) => Ok(body),
            Stop::Text => Err(never_closed(word, span)),
            Stop::Else(at) => Err(TemplateError::new(at, format!("`{word}` takes no `else`"))),
        }
    }

    pub(super) fn block(&mut self, span: Span) -> Result<Node, TemplateError> {
        self.at += 1;
        let (name, at) = self.name("block")?;
        let pipe = self.argument()?;
        let body = self.body("block", span)?;
        self.add_define(name.clone(), body, at)?;
        let (pos, pipe) = (self.pos(span), Some(pipe));
        Ok(Node::Template(TemplateNode { pos, name: name.into(), pipe }))
    }

    pub(super) fn template(&mut self, span: Span) -> Result<Node, TemplateError> {
        self.at += 1;
        let (name, at) = self.name("template")?;
        // Without an argument it is nil: gotmpl would pass dot on, Go does not.
        let pipe = if self.peek().kind == Kind::Close {
            self.at += 1;
            let nil = Expr::Nil(self.pos(span));
            self.call("__enter", vec![nil], span)
        } else {
            self.argument()?
        };
        self.calls.push((name.clone(), at));
        let (pos, pipe) = (self.pos(span), Some(pipe));
        Ok(Node::Template(TemplateNode { pos, name: name.into(), pipe }))
    }

    /// The argument of a template.
    fn argument(&mut self) -> Result<PipeNode, TemplateError> {
        let mut pipe = self.pipeline(Kind::Close, false)?;
        self.hidden(&mut pipe, "__enter");
        Ok(pipe)
    }
}

/// A chain as a tree: each link is what the one before it does else.
fn nested(
    word: &str,
    first: BranchNode,
    links: Vec<BranchNode>,
    otherwise: Option<ListNode>,
) -> Node {
    let node = |branch: BranchNode| match word {
        "if" => Node::If(branch),
        "with" => Node::With(branch),
        _ => Node::Range(branch),
    };
    let else_body = links.into_iter().rev().fold(otherwise, |else_body, link| {
        let pos = link.pos;
        Some(ListNode { pos, nodes: vec![node(BranchNode { else_body, ..link })] })
    });
    node(BranchNode { else_body, ..first })
}

fn never_closed(word: &str, span: Span) -> TemplateError {
    TemplateError::new(span, format!("this `{word}` is never closed: `{{{{ end }}}}` is missing"))
}
