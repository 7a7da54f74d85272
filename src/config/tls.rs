//! The keys of `tls` of a `pbx`.

use super::Purpose;
use super::checks::Address;
use super::credentials::warn_of_readers;
use super::section::Section;
use crate::tls::{
    Client, FileError, Fingerprint, Identity, Key, MinVersion, ServerName, Settings, Trust,
};

/// Reads the keys, and the files that they name: `None` if there is a mistake, and `Some(None)` for
/// a replay, which connects to nothing.
pub(super) fn read(
    section: Section<'_>,
    address: Option<&Address>,
    purpose: Purpose,
) -> Option<Option<Client>> {
    // Also for a replay, so that no key is unknown there.
    let settings = settings(&section, address, purpose);
    let client = match purpose {
        Purpose::Replay => Some(None),
        Purpose::Run => settings.and_then(|settings| load(&section, settings)).map(Some),
    };
    section.finish();
    client
}

fn settings(
    section: &Section<'_>,
    address: Option<&Address>,
    purpose: Purpose,
) -> Option<Settings> {
    // Every key is read before the first mistake ends it, so that one run shows all mistakes.
    let server_name = server_name(section, address, purpose);
    let trust = trust(section);
    let identity = identity(section);
    let min_version = min_version(section);

    Some(Settings {
        server_name: server_name?,
        trust: trust?,
        identity: identity?,
        min_version: min_version?,
    })
}

fn load(section: &Section<'_>, settings: Settings) -> Option<Client> {
    if let Some(identity) = &settings.identity {
        let key = if section.has("key_file") { "key_file" } else { "cert_file" };
        warn_of_readers(section, key, &identity.key.path);
    }
    Client::load(settings).map_err(|error| note(section, &error)).ok()
}

fn note(section: &Section<'_>, error: &FileError) {
    let text = error.to_string();
    match error.key {
        Key::System => section.missing("ca_file", text),
        Key::Ca => section.mistake("ca_file", text),
        // A file with both is named once.
        Key::PrivateKey if section.has("key_file") => section.mistake("key_file", text),
        Key::Certificate | Key::PrivateKey => section.mistake("cert_file", text),
    }
}

/// The name that the certificate must have: that of the address, unless another is given.
fn server_name(
    section: &Section<'_>,
    address: Option<&Address>,
    purpose: Purpose,
) -> Option<ServerName<'static>> {
    if section.has("server_name") {
        return section.read("server_name", |text| {
            ServerName::try_from(text.to_owned())
                .map_err(|_| format!("{text} is not a host name or an IP address"))
        });
    }

    let host = &address?.host;
    let name = ServerName::try_from(host.clone()).ok();
    if name.is_none() && purpose == Purpose::Run {
        section.missing("server_name", format!("missing: no certificate can be for {host}"));
    }
    name
}

fn trust(section: &Section<'_>) -> Option<Trust> {
    let pinned = section.list("fingerprint", Fingerprint::parse);
    let ca = section.path("ca_file");
    match (section.has("ca_file"), section.has("fingerprint")) {
        (true, true) => {
            section.mistake(
                "fingerprint",
                "cannot be combined with ca_file: a pinned certificate needs no CA",
            );
            None
        }
        (true, false) => ca.map(Trust::Ca),
        (false, true) => {
            let pinned = pinned?;
            if pinned.is_empty() {
                section.mistake("fingerprint", "is empty: leave it out, or name a certificate");
                return None;
            }
            Some(Trust::Pinned(pinned))
        }
        (false, false) => Some(Trust::System),
    }
}

/// `Some(None)` without a certificate of our own.
fn identity(section: &Section<'_>) -> Option<Option<Identity>> {
    let certificate = section.path("cert_file");
    let key = section.path("key_file");
    match (section.has("cert_file"), section.has("key_file")) {
        (false, false) => Some(None),
        (false, true) => {
            section.missing("cert_file", "missing: key_file is of no use without it");
            None
        }
        // Asterisk's own files have both.
        (true, false) => {
            let certificate = certificate?;
            Some(Some(Identity { key: certificate.clone(), certificate }))
        }
        (true, true) => Some(Some(Identity { certificate: certificate?, key: key? })),
    }
}

fn min_version(section: &Section<'_>) -> Option<MinVersion> {
    if !section.has("min_version") {
        return Some(MinVersion::default());
    }
    section.read("min_version", |text| match text {
        "1.2" => Ok(MinVersion::Tls12),
        "1.3" => Ok(MinVersion::Tls13),
        _ => Err(format!("{text} is not 1.2 or 1.3")),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Document, Pbx, Sources};
    use super::*;

    const PIN: &str = "84:EC:76:1E:21:EC:44:D0:C7:99:1F:C5:EE:A9:CD:A9:26:E4:BA:8C:D8:55:FB:8E:76:81:44:C0:1B:D8:0D:E4";

    fn load(keys: &str, variables: &[(&str, &str)], purpose: Purpose) -> Result<Pbx, String> {
        let text = format!("pbx:\n  - username: x\n    secret: hush\n{keys}");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tls");
        let keys = text.replace("@", path);
        let sources = Sources {
            document: Document::Text { name: "config.yml".to_owned(), text: keys },
            environment: variables
                .iter()
                .map(|&(name, value)| (name.into(), value.into()))
                .collect(),
            ..Sources::default()
        };
        let loaded = Config::load(&sources, purpose).map_err(|error| error.to_string())?;
        Ok(loaded.config.pbxs[0].clone())
    }

    fn run(keys: &str) -> Pbx {
        load(keys, &[], Purpose::Run).unwrap()
    }

    fn settings(pbx: &Pbx) -> &Settings {
        pbx.tls.as_ref().unwrap().settings()
    }

    #[test]
    fn with_tls_the_port_is_another_and_the_name_is_the_host() {
        let pbx = run(&format!("    address: pbx.example\n    tls: {{fingerprint: '{PIN}'}}\n"));
        assert_eq!(pbx.address.to_string(), "pbx.example:5039");
        let pin = Fingerprint::parse(PIN).unwrap();
        let expected = Settings {
            server_name: ServerName::try_from("pbx.example").unwrap(),
            trust: Trust::Pinned(vec![pin]),
            identity: None,
            min_version: MinVersion::Tls12,
        };
        assert_eq!(settings(&pbx), &expected);

        let keys = format!(
            "    address: '[::1]:77'\n    tls:\n      fingerprint: [{PIN}, {PIN}]\n      server_name: 10.0.0.5\n      \
             min_version: 1.3\n"
        );
        let pbx = run(&keys);
        assert_eq!(pbx.address.to_string(), "[::1]:77");
        assert_eq!(settings(&pbx).server_name, ServerName::try_from("10.0.0.5").unwrap());
        assert_eq!(settings(&pbx).trust, Trust::Pinned(vec![pin, pin]));
        assert_eq!(settings(&pbx).min_version, MinVersion::Tls13);
    }

    #[test]
    fn without_tls_nothing_changes() {
        for off in ["", "    tls: false\n"] {
            let pbx = run(&format!("    address: pbx.example\n{off}"));
            assert_eq!((pbx.address.port, pbx.tls.is_none()), (5038, true));
        }
    }

    #[test]
    fn a_variable_sets_one_key_and_makes_details_of_a_switch() {
        let variables = [("ASTERISK_EXPORTER_PBX__0__TLS__FINGERPRINT", PIN)];
        let pbx = load("    address: pbx.example\n    tls: false\n", &variables, Purpose::Run);
        let pin = Fingerprint::parse(PIN).unwrap();
        assert_eq!(settings(&pbx.unwrap()).trust, Trust::Pinned(vec![pin]));
        let off = [("ASTERISK_EXPORTER_PBX__0__TLS", "false")];
        let keys = format!("    address: pbx.example\n    tls: {{fingerprint: '{PIN}'}}\n");
        assert!(load(&keys, &off, Purpose::Run).unwrap().tls.is_none());
    }

    #[test]
    fn a_file_may_hold_certificate_and_key() {
        let keys =
            "    address: pbx.example\n    tls: {ca_file: @/client.crt, cert_file: @/client.pem}\n";
        let pbx = run(keys);
        let identity = settings(&pbx).identity.clone().unwrap();
        assert_eq!(identity.key, identity.certificate);
        assert!(!format!("{pbx:?}").contains("PRIVATE"), "{pbx:?}");
    }

    #[test]
    fn a_replay_looks_at_no_file_and_knows_every_key() {
        let keys = "    tls: {ca_file: no, server_name: a, cert_file: no, key_file: no, min_version: '1.2'}\n";
        assert!(load(keys, &[], Purpose::Replay).unwrap().tls.is_none());
        assert!(load("    tls: true\n", &[], Purpose::Replay).unwrap().tls.is_none());
    }

    #[test]
    fn a_host_that_no_certificate_can_be_for_needs_a_name() {
        let keys = format!("    address: fe80::1%eth0\n    tls: {{fingerprint: '{PIN}'}}\n");
        assert_eq!(
            load(&keys, &[], Purpose::Run).unwrap_err(),
            "config.yml:5:5: pbx[0].tls.server_name: missing: no certificate can be for fe80::1%eth0"
        );
    }
}
