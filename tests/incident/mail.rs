//! Real mail servers, and what they have taken.

use std::path::{Path, PathBuf};

use crate::site::Site;
use crate::support::{Part, Peer, certs, require, wait_until};

/// A mail server with TLS and AUTH.
pub struct MailServer {
    pub peer: Peer,
    ca: PathBuf,
    folder: PathBuf,
}

/// A mail as it arrived.
#[derive(Debug)]
pub struct Mail {
    head: String,
    /// The parts, as they were encoded.
    pub body: String,
}

impl MailServer {
    /// aiosmtpd with STARTTLS, or nothing where it is missing.
    pub fn smtp(site: &Site, password: &str) -> Option<Self> {
        let part = require(Part::Smtp)?;
        let folder = site.dir.path().join("certs");
        certs(&folder);
        let (cert, key) = (site.dir.join("certs/server.pem"), site.dir.join("certs/server.key"));
        let mails = site.dir.join("mails");
        let options =
            ["--dir", &mails, "--tls-cert", &cert, "--tls-key", &key, "--password", password];
        Some(Self { peer: part.start(&options), ca: folder.join("ca.pem"), folder: mails.into() })
    }

    /// Postfix with Dovecot, or nothing where they are missing.
    pub fn postfix(site: &Site) -> Option<Self> {
        let peer = require(Part::Postfix)?.start(&["--dir", &site.dir.join("postfix")]);
        let (ca, folder) = (peer.path("ca"), peer.path("maildir").join("new"));
        Some(Self { peer, ca, folder })
    }

    /// An email item without a password, to be ended by the caller: `{…, key: value}`.
    pub fn item(&self, port: u16, more: &str) -> String {
        format!(
            "{{to: oncall@example.test, from: watchbell@example.test, \
             smarthost: 'localhost:{port}', auth_username: alerts, send_resolved: true, \
             tls_config: {{ca_file: '{}'}}, {more}}}",
            self.ca.display()
        )
    }

    /// The mails so far, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        let Ok(folder) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let paths = folder.map(|entry| entry.unwrap().path());
        let whole = |path: &Path| path.extension().is_none_or(|extension| extension != "part");
        let mut files: Vec<PathBuf> = paths.filter(|path| whole(path)).collect();
        files.sort_by_key(|file| (file.metadata().unwrap().modified().unwrap(), file.clone()));
        files.iter().map(|file| Mail::read(&std::fs::read_to_string(file).unwrap())).collect()
    }

    pub fn wait_for_mails(&self, count: usize) -> Vec<Mail> {
        wait_until(&format!("{count} mails"), || {
            Some(self.mails()).filter(|mails| mails.len() >= count)
        })
    }
}

impl Mail {
    fn read(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").expect("a head and a body");
        // A long header goes on in lines that begin with a space.
        let head = head.replace("\n ", " ").replace("\n\t", " ");
        Self { head, body: body.to_owned() }
    }

    /// The value of a header; empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        let found = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut values = found.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.next().map_or("", |(_, value)| value.trim())
    }
}
