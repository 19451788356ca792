//! Users, tokens and certificates with their roles, from YAML.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, nearest};
use crate::web::read::{read_role, warning};
use crate::web::{Bearer, PasswordHash, Role, TokenDigest, TokenSource, User};
use crate::yaml::{Fields, Node, Reader};

/// `basic_auth_users`, and `user_roles` beside it. A user without a role there may write, as users
/// of the exporter toolkit may do everything.
pub(super) fn read_users(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<User> {
    let mut users = Vec::new();
    let mut names = BTreeSet::new();
    for (key, node) in fields.string_map(reader, "basic_auth_users").unwrap_or_default() {
        let name = key.text();
        names.insert(name);
        let what = format!("the password of `{name}`");
        if name.contains(':') {
            reader.error("yaml/value", key.span(), "a user's name cannot hold a colon");
        }
        let text = reader.string(node, &what).unwrap_or_default();
        let hash = match PasswordHash::parse(text) {
            Ok(hash) => hash,
            Err(reason) => {
                reader.wrong_value(node, &what, reason);
                continue;
            }
        };
        if hash.is_slow() {
            let message = format!("{what} has a cost of {}", hash.cost());
            let finding = warning(reader, node.span, message).caret("each login takes seconds");
            reader.report(finding);
        }
        users.push(User { name: name.to_string(), hash, role: Role::Write });
    }
    for (name, role) in read_roles(reader, fields, "user_roles") {
        match users.iter_mut().find(|user| user.name == name.0) {
            Some(user) => user.role = role,
            // The user has a mistake, which has been told of.
            None if names.contains(name.0.as_str()) => {}
            None => {
                let message = format!("`basic_auth_users` has no user `{}`", name.0);
                let mut finding = Diagnostic::error("yaml/value", reader.source(), name.1, message);
                if let Some(near) = nearest(&name.0, names.iter().copied()) {
                    finding = finding.help(format!("did you mean `{near}`?"));
                }
                reader.report(finding);
            }
        }
    }
    users
}

/// `client_certificate_roles`.
pub(super) fn read_certificate_roles(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
) -> Vec<(String, Role)> {
    let roles = read_roles(reader, fields, "client_certificate_roles");
    roles.into_iter().map(|(name, role)| (name.0, role)).collect()
}

/// `bearer_auth`.
pub(super) fn read_bearers(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<Bearer> {
    let items = fields.list(reader, "bearer_auth").unwrap_or_default();
    let mut names = BTreeSet::new();
    let mut bearers = Vec::new();
    for item in items {
        let Some(bearer) = read_bearer(reader, item) else { continue };
        if !names.insert(bearer.name.clone()) {
            let message = format!("`bearer_auth` has `{}` twice", bearer.name);
            reader.error("yaml/value", item.span, message);
        }
        bearers.push(bearer);
    }
    bearers
}

fn read_bearer(reader: &mut Reader, node: &Node) -> Option<Bearer> {
    let mut fields = reader.mapping(node, "an item of `bearer_auth`")?;
    let name = fields.require_string(reader, "name");
    let role = fields.require(reader, "role");
    let role = role.and_then(|node| read_role(reader, node, "`role`"));
    let digest = fields.get("token_sha256");
    let file = fields.get("token_file");
    let token = match (digest, file) {
        (Some(node), None) => {
            let digest = TokenDigest::parse(reader.string(node, "`token_sha256`")?);
            if digest.is_none() {
                let reason = "must be the 64 hexadecimal digits that `sha256sum` writes";
                reader.wrong_value(node, "`token_sha256`", reason);
            }
            digest.map(TokenSource::Digest)
        }
        (None, Some(node)) => {
            let path = reader.string(node, "`token_file`")?;
            Some(TokenSource::File(path.into(), node.span))
        }
        (Some(_), Some(_)) | (None, None) => {
            let message = "an item of `bearer_auth` needs `token_sha256` or `token_file`";
            reader.error("yaml/value", node.span, message);
            None
        }
    };
    fields.finish(reader);
    Some(Bearer { name: name?.to_string(), token: token?, role: role? })
}

type Named = (String, crate::diag::Span);

/// A mapping from names to roles.
fn read_roles(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Vec<(Named, Role)> {
    let mut roles = Vec::new();
    for (name, node) in fields.string_map(reader, key).unwrap_or_default() {
        let what = format!("the role of `{}`", name.text());
        if let Some(role) = read_role(reader, node, &what) {
            roles.push(((name.text().to_string(), name.span()), role));
        }
    }
    roles
}
