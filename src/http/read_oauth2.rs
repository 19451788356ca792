//! `oauth2` from YAML.

use crate::http::read::{read_proxy, read_secret, text};
use crate::http::{OAuth2Config, parse_url, read_tls};
use crate::model::Secret;
use crate::yaml::{Node, Reader};

/// What newer versions of Prometheus can do beside the client credentials grant.
const OTHER_GRANTS: [&str; 8] = [
    "client_certificate_key_id",
    "client_certificate_key",
    "client_certificate_key_file",
    "client_certificate_key_ref",
    "signature_algorithm",
    "iss",
    "audience",
    "claims",
];

/// Reads an `oauth2`. `None` where it is no mapping, or lacks what it needs.
pub(super) fn read_oauth2(reader: &mut Reader, node: &Node) -> Option<OAuth2Config> {
    let mut fields = reader.mapping(node, "`oauth2`")?;
    let client_id = fields.require_string(reader, "client_id");
    let client_secret = read_secret(reader, &mut fields, "client_secret", "client_secret_file");
    fields.unsupported(reader, "client_secret_ref", "");
    let grant = fields.get("grant_type");
    if let (Some(node), Some(grant)) = (grant, text(reader, &mut fields, "grant_type"))
        && grant != "client_credentials"
    {
        reader.wrong_value(node, "`grant_type`", "only client_credentials is supported");
    }
    for key in OTHER_GRANTS {
        fields.unsupported(reader, key, "it belongs to other grants than client_credentials");
    }
    let scopes = fields.strings(reader, "scopes").unwrap_or_default();
    let url_node = fields.require(reader, "token_url");
    let token_url = text(reader, &mut fields, "token_url");
    if let (Some(node), Some(Err(error))) = (url_node, token_url.map(parse_url)) {
        reader.wrong_value(node, "`token_url`", error);
    }
    let params = fields.string_map(reader, "endpoint_params").unwrap_or_default();
    let config = OAuth2Config {
        client_id: client_id?.to_string(),
        client_secret,
        scopes: scopes.into_iter().map(str::to_string).collect(),
        token_url: Secret::new(token_url?),
        endpoint_params: params
            .into_iter()
            .filter_map(|(name, value)| {
                let value = value.as_scalar().filter(|value| !value.is_null());
                Some((name.text().to_string(), Secret::new(value?.text())))
            })
            .collect(),
        tls: fields.get("tls_config").and_then(|n| read_tls(reader, n)).unwrap_or_default(),
        proxy: read_proxy(reader, &mut fields),
    };
    fields.finish(reader);
    Some(config)
}
