//! What Handlebars would find out only when a message is rendered: names that do not exist, and
//! partials that call each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use handlebars::Handlebars;
use handlebars::template::{
    DecoratorTemplate, HelperTemplate, Parameter, Template, TemplateElement,
};

use super::{MessageError, error, helpers};
use crate::diag::nearest;

/// How deep blocks and parentheses may nest; both are parsed and rendered by recursion.
const MAX_NESTING: usize = 40;

/// Handlebars' own helpers.
const OWN: [&str; 17] = [
    "if", "unless", "each", "with", "lookup", "raw", "eq", "ne", "gt", "gte", "lt", "lte", "and",
    "or", "not", "len", "else",
];

/// Handlebars' own helpers that take a block.
const BLOCKS: [&str; 5] = ["if", "unless", "each", "with", "raw"];

/// Refuses a text that nests too deep, before it is parsed. Each `else if` is a level too.
pub(super) fn nesting(text: &str) -> Result<(), String> {
    let too_deep = || format!("nested more than {MAX_NESTING} deep");
    // The levels that each open block has made, itself and its `else if`s.
    let mut blocks: Vec<usize> = Vec::new();
    let mut depth = 0;
    for part in text.split("{{").skip(1) {
        let (inside, _) = part.split_once("}}").unwrap_or((part, ""));
        let word = inside.trim_start_matches(['{', '~', ' ']);
        if word.starts_with(['#', '^']) {
            blocks.push(1);
            depth += 1;
        } else if word.starts_with("else ") {
            blocks.iter_mut().next_back().into_iter().for_each(|levels| *levels += 1);
            depth += usize::from(!blocks.is_empty());
        } else if word.starts_with('/') {
            depth -= blocks.pop().unwrap_or(0);
        }
        let mut brackets = 0usize;
        for c in inside.chars() {
            match c {
                '(' | '[' | '{' => brackets += 1,
                ')' | ']' | '}' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            if brackets > MAX_NESTING {
                return Err(too_deep());
            }
        }
        if depth > MAX_NESTING {
            return Err(too_deep());
        }
    }
    Ok(())
}

/// The mistakes of the templates of one registry, the first of each.
pub(super) fn check(registry: &Handlebars<'_>) -> Vec<MessageError> {
    let mut errors = Vec::new();
    let mut calls: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let templates: BTreeMap<&String, &Template> = registry.get_templates().iter().collect();
    for (name, template) in templates {
        let mut walk = Walk { registry, partials: BTreeSet::new(), inline: inline(template) };
        if let Err((place, message)) = walk.template(template) {
            let (line, column) = place.unwrap_or((0, 0));
            errors.push(MessageError { line, column, ..error(name, message) });
        }
        calls.insert(name, walk.partials);
    }
    errors.extend(circles(&calls));
    errors
}

/// Templates that call themselves, through whatever number of others.
fn circles(calls: &BTreeMap<&str, BTreeSet<String>>) -> Vec<MessageError> {
    let reaches_itself = |start: &&&str| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = vec![start];
        while let Some(name) = open.pop() {
            for next in calls.get(name).into_iter().flatten() {
                if next == **start {
                    return true;
                }
                if seen.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        false
    };
    let circular = calls.keys().filter(reaches_itself);
    circular.map(|name| error(name, "it calls itself as a partial")).collect()
}

/// A place and what is wrong there.
type Refusal = (Option<(usize, usize)>, String);

struct Walk<'a> {
    registry: &'a Handlebars<'a>,
    partials: BTreeSet<String>,
    inline: BTreeSet<String>,
}

/// The names that `{{#*inline "name"}}` defines anywhere in a template.
fn inline(template: &Template) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect_inline(template, &mut names);
    names
}

fn collect_inline(template: &Template, names: &mut BTreeSet<String>) {
    for element in &template.elements {
        match element {
            TemplateElement::DecoratorBlock(d) | TemplateElement::PartialBlock(d) => {
                if let (true, Some(Parameter::Literal(name))) =
                    (plain(&d.name) == Some("inline"), d.params.first())
                {
                    names.extend(name.as_str().map(str::to_string));
                }
                d.template.iter().for_each(|t| collect_inline(t, names));
            }
            TemplateElement::HelperBlock(h) => {
                h.template.iter().chain(&h.inverse).for_each(|t| collect_inline(t, names));
            }
            _ => {}
        }
    }
}

/// A name that is written out.
fn plain(name: &Parameter) -> Option<&str> {
    match name {
        Parameter::Subexpression(_) => None,
        Parameter::Literal(literal) => literal.as_str(),
        other => other.as_name(),
    }
}

impl Walk<'_> {
    fn template(&mut self, template: &Template) -> Result<(), Refusal> {
        for (i, element) in template.elements.iter().enumerate() {
            let place = template.mapping.get(i).map(|m| (m.0, m.1));
            self.element(element).map_err(|(at, message)| (at.or(place), message))?;
        }
        Ok(())
    }

    fn element(&mut self, element: &TemplateElement) -> Result<(), Refusal> {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => Ok(()),
            TemplateElement::Expression(h) | TemplateElement::HtmlExpression(h) => {
                if !h.params.is_empty() || !h.hash.is_empty() {
                    self.helper(&h.name, false)?;
                }
                self.arguments(h)
            }
            TemplateElement::HelperBlock(h) => {
                self.helper(&h.name, true)?;
                self.arguments(h)?;
                h.template.iter().chain(&h.inverse).try_for_each(|t| self.template(t))
            }
            TemplateElement::DecoratorExpression(d) | TemplateElement::DecoratorBlock(d) => {
                if plain(&d.name) != Some("inline") {
                    return Err((None, "the only decorator is `inline`".to_string()));
                }
                d.template.iter().try_for_each(|t| self.template(t))
            }
            TemplateElement::PartialExpression(d) | TemplateElement::PartialBlock(d) => {
                self.partial(d)
            }
            _ => Err((None, "this kind of element is not known".to_string())),
        }
    }

    fn helper(&self, name: &Parameter, block: bool) -> Result<(), Refusal> {
        let Some(name) = plain(name) else {
            return Err((None, "a helper must be named outright".to_string()));
        };
        let known = if block {
            BLOCKS.contains(&name)
        } else {
            helpers::NAMES.contains(&name) || OWN.contains(&name)
        };
        if known {
            return Ok(());
        }
        let names = OWN.into_iter().chain(helpers::NAMES);
        let near = nearest(name, names).map(|n| format!(", did you mean `{n}`?"));
        let kind = if block { "block helper" } else { "helper" };
        Err((None, format!("unknown {kind} `{name}`{}", near.unwrap_or_default())))
    }

    fn arguments(&self, helper: &HelperTemplate) -> Result<(), Refusal> {
        self.parameters(helper.params.iter().chain(helper.hash.values()))
    }

    fn parameters<'p>(
        &self,
        parameters: impl Iterator<Item = &'p Parameter>,
    ) -> Result<(), Refusal> {
        for parameter in parameters {
            if let Parameter::Subexpression(sub) = parameter
                && let TemplateElement::Expression(h) = sub.as_element()
            {
                self.helper(&h.name, false)?;
                self.arguments(h)?;
            }
        }
        Ok(())
    }

    fn partial(&mut self, partial: &DecoratorTemplate) -> Result<(), Refusal> {
        self.parameters(partial.params.iter().chain(partial.hash.values()))?;
        let Some(name) = plain(&partial.name) else {
            return Err((None, "a partial must be named outright".to_string()));
        };
        if name == "@partial-block" {
            return Ok(());
        }
        if !self.inline.contains(name) {
            if !self.registry.has_template(name) {
                let names = self.registry.get_templates().keys().map(String::as_str);
                let near = nearest(name, names).map(|n| format!(", did you mean `{n}`?"));
                return Err((
                    None,
                    format!("unknown partial `{name}`{}", near.unwrap_or_default()),
                ));
            }
            self.partials.insert(name.to_string());
        }
        partial.template.iter().try_for_each(|t| self.template(t))
    }
}
