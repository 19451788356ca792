//! Templates without blocks, executed here.
//!
//! Nearly every label and annotation is a text with some values in it. gotmpl would copy its table
//! of functions for each execution and wants all of the data in values of its own. What does more than call
//! functions on fields of the data is left to it.

use std::fmt::Write;
use std::sync::Arc;

use gotmpl::Value;
use gotmpl::parse::{ActionNode, CommandNode, Expr, ListNode, Node, Number, PipeNode};

use super::run::{Capped, Dialect, Function, Run, cost};

/// A template without blocks.
pub(in crate::template) struct Straight(Vec<Part>);

/// What the data of a template consists of.
pub(in crate::template) struct Shape {
    /// Variables that exist from the start, and the field of the data that each stands for.
    pub variables: &'static [(&'static str, &'static str)],
    /// Fields that are one value.
    pub values: &'static [&'static str],
    /// Fields that are maps; an entry that is missing is an empty text.
    pub maps: &'static [&'static str],
}

/// A value in the data: a field, or an entry of one that is a map.
#[derive(Debug, PartialEq)]
pub(in crate::template) struct Place {
    pub field: &'static str,
    pub entry: Option<Box<str>>,
}

enum Part {
    Text(Arc<str>),
    Printed(Pipeline),
}

/// Commands, the value of each of which is the last argument of the next.
struct Pipeline(Vec<Command>);

enum Command {
    Value(Operand),
    Call(Call),
}

struct Call {
    name: String,
    function: Function,
    args: Vec<Operand>,
}

enum Operand {
    Constant(Value),
    Place(Place),
    Pipeline(Pipeline),
}

impl Straight {
    /// The template of a tree that [`super::parse`] has built, if it is one without blocks, variables
    /// of its own and uses of the data as a whole.
    pub fn new(tree: &ListNode, dialect: &Dialect, shape: &Shape) -> Option<Self> {
        let builder = Builder { dialect, shape };
        let nodes = tree.nodes.iter().filter(|node| !builder.declares(node));
        nodes.map(|node| builder.part(node)).collect::<Option<_>>().map(Self)
    }

    /// Writes the text. `read` gives what stands at a place of the data.
    pub fn write(
        &self,
        run: &Run,
        read: &dyn Fn(&Place) -> Value,
        out: &mut Capped,
    ) -> Result<(), Stop> {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.write_str(text)?,
                Part::Printed(pipeline) => match pipeline.value(run, read)? {
                    Value::String(s) => out.write_str(&s)?,
                    other => write!(out, "{other}")?,
                },
            }
        }
        Ok(())
    }
}

/// Why there is no text.
pub(in crate::template) enum Stop {
    /// It would be too long.
    Full,
    /// A function failed.
    Failed(String),
}

impl From<std::fmt::Error> for Stop {
    fn from(_: std::fmt::Error) -> Self {
        Self::Full
    }
}

impl Pipeline {
    fn value(&self, run: &Run, read: &dyn Fn(&Place) -> Value) -> Result<Value, Stop> {
        let mut piped = None;
        for command in &self.0 {
            piped = Some(match command {
                Command::Value(operand) => operand.value(run, read)?,
                Command::Call(call) => {
                    let args = call.args.iter().map(|arg| arg.value(run, read));
                    let mut args = args.collect::<Result<Vec<_>, Stop>>()?;
                    args.extend(piped);
                    run.call(&call.name, call.function, &args).map_err(Stop::Failed)?
                }
            });
        }
        Ok(piped.unwrap_or(Value::Nil))
    }
}

impl Operand {
    fn value(&self, run: &Run, read: &dyn Fn(&Place) -> Value) -> Result<Value, Stop> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Place(place) => {
                let value = read(place);
                run.spend(1 + cost(&value)).map_err(Stop::Failed)?;
                Ok(value)
            }
            Self::Pipeline(pipeline) => pipeline.value(run, read),
        }
    }
}

struct Builder<'a> {
    dialect: &'a Dialect,
    shape: &'a Shape,
}

impl Builder<'_> {
    /// Whether this is what the parser puts in front: a variable that stands for a field.
    fn declares(&self, node: &Node) -> bool {
        let Node::Action(ActionNode { pipe, .. }) = node else { return false };
        let ([name], [command], false) = (&*pipe.decl, &*pipe.commands, pipe.is_assign) else {
            return false;
        };
        let [Expr::Identifier(_, get), Expr::Dot(_), Expr::String(_, path)] = &*command.args else {
            return false;
        };
        get == "__get" && self.shape.variables.contains(&(name.as_str(), &**path))
    }

    fn part(&self, node: &Node) -> Option<Part> {
        match node {
            Node::Text(text) => Some(Part::Text(Arc::clone(&text.text))),
            Node::Action(action) => self.pipeline(&action.pipe).map(Part::Printed),
            _ => None,
        }
    }

    fn pipeline(&self, pipe: &PipeNode) -> Option<Pipeline> {
        if !pipe.decl.is_empty() {
            return None;
        }
        let commands = pipe.commands.iter().enumerate();
        commands.map(|(index, c)| self.command(c, index > 0)).collect::<Option<_>>().map(Pipeline)
    }

    fn command(&self, command: &CommandNode, is_piped: bool) -> Option<Command> {
        let (first, args) = command.args.split_first()?;
        let Expr::Identifier(_, name) = first else {
            // gotmpl says what is wrong with the others.
            let is_value = !is_piped && args.is_empty() && !matches!(first, Expr::Nil(_));
            return is_value.then(|| self.operand(first)).flatten().map(Command::Value);
        };
        if name == "__get"
            && !is_piped
            && let [base, Expr::String(_, path)] = args
            && let Some(place) = self.place(base, path)
        {
            return Some(Command::Value(Operand::Place(place)));
        }
        // `and` and `or` look at no more arguments than they need: they are gotmpl's.
        let function = self.dialect.function(name)?;
        let args = args.iter().map(|arg| self.operand(arg)).collect::<Option<_>>()?;
        Some(Command::Call(Call { name: name.to_string(), function, args }))
    }

    fn operand(&self, expr: &Expr) -> Option<Operand> {
        Some(match expr {
            Expr::String(_, text) => Operand::Constant(Value::String(Arc::clone(text))),
            Expr::Number(_, Number::Int(n)) => Operand::Constant(Value::Int(*n)),
            Expr::Number(_, Number::Float(n)) => Operand::Constant(Value::Float(*n)),
            Expr::Bool(_, bool) => Operand::Constant(Value::Bool(*bool)),
            Expr::Nil(_) => Operand::Constant(Value::Nil),
            Expr::Variable(_, name, fields) if fields.is_empty() => {
                Operand::Place(self.known(self.variable(name)?, None)?)
            }
            Expr::Identifier(_, name) => {
                let function = self.dialect.function(name)?;
                let call = Call { name: name.to_string(), function, args: Vec::new() };
                Operand::Pipeline(Pipeline(vec![Command::Call(call)]))
            }
            Expr::Pipe(_, pipe) => Operand::Pipeline(self.pipeline(pipe)?),
            _ => return None,
        })
    }

    /// What `path` of `base` names, if that is the data or a variable for a part of it.
    fn place(&self, base: &Expr, path: &str) -> Option<Place> {
        match base {
            Expr::Variable(_, name, fields) if fields.is_empty() && name != "$" => {
                self.known(self.variable(name)?, Some(path))
            }
            Expr::Variable(_, _, fields) if !fields.is_empty() => None,
            Expr::Dot(_) | Expr::Variable(..) => match path.split_once('.') {
                Some((field, entry)) => self.known(field, Some(entry)),
                None => self.known(path, None),
            },
            _ => None,
        }
    }

    fn variable(&self, name: &str) -> Option<&'static str> {
        self.shape.variables.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    fn known(&self, field: &str, entry: Option<&str>) -> Option<Place> {
        let fields = if entry.is_some() { self.shape.maps } else { self.shape.values };
        let field = fields.iter().copied().find(|known| *known == field)?;
        let is_one = entry.is_none_or(|entry| !entry.contains('.'));
        is_one.then(|| Place { field, entry: entry.map(Box::from) })
    }
}
