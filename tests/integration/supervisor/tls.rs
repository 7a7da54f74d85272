//! Sessions over TLS: with whom, and the words for each reason not to.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use asterisk_exporter::ami::action::challenge_key;
use asterisk_exporter::config::{Config, Document, Pbx, Purpose, Sources};
use asterisk_exporter::tls::{Client, MinVersion, Settings, Trust};
use rcgen::date_time_ymd;
use support::program::{Running, command};
use support::{Numbers, fixture};
use tokio::io::AsyncWriteExt;
use tokio::task::spawn_blocking;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use super::certificates::{Authority, BOTH, Pair, file, settings};
use super::fake::{Exporter, Fake, Peer, skip};

fn with_tls(fake: &Fake, settings: Settings) -> Pbx {
    Pbx { tls: Some(Client::load(settings).unwrap()), ..fake.pbx("hq") }
}

/// Nobody waits for these 100 ms in vain: what is waited for never comes.
fn impatient(pbx: Pbx) -> Pbx {
    Pbx { connect_timeout: Duration::from_millis(100), ..pbx }
}

#[tokio::test]
async fn a_pbx_with_the_certificate_of_a_private_ca_is_followed_in_both_versions_of_tls() {
    let authority = Authority::new("Our CA");
    for (name, versions) in [("1.2", &[&TLS12][..]), ("1.3", &[&TLS13][..])] {
        let fake = Fake::start_with_tls(authority.sign(&["localhost"]).server(versions)).await;
        let trust = Trust::Ca(authority.file(&format!("followed-{name}.crt")));
        let exporter = Exporter::start(vec![with_tls(&fake, settings(trust))]);
        let mut peer = fake.accept_up().await;
        exporter.up(0).await;

        // More than one read of the socket, one record of TLS and one chunk hold.
        peer.send(&"Event: DialState\n\n".repeat(10_000)).await;
        exporter.counted("asterisk_exporter_events_total", &["event=\"DialState\""], 1e4).await;

        // A PBX that is gone says no goodbye.
        drop(peer);
        assert_eq!(exporter.down(0).await, "closed by the pbx", "{name}");
        let closed = ["reason=\"closed\""];
        assert_eq!(exporter.sample("asterisk_exporter_disconnects_total", &closed), Some(1.0));
    }
}

#[tokio::test]
async fn a_pinned_certificate_of_any_kind_is_followed_in_both_versions_of_tls() {
    let authority = Authority::new("Nobody's CA");
    let expired =
        authority.sign_with(&["x"], |params| params.not_after = date_time_ymd(2020, 2, 29));
    let pairs = [
        Pair::version_1(),
        expired,
        authority.itself(),
        authority.sign_kind(&rcgen::PKCS_ECDSA_P384_SHA384),
        authority.sign_kind(&rcgen::PKCS_ED25519),
    ];
    for pair in pairs {
        for versions in [&[&TLS12][..], &[&TLS13][..]] {
            let fake = Fake::start_with_tls(pair.server(versions)).await;
            // The first is that of a certificate to come.
            let next = authority.sign(&["x"]).fingerprint();
            let trust = Trust::Pinned(vec![next, pair.fingerprint()]);
            let exporter = Exporter::start(vec![with_tls(&fake, settings(trust))]);
            let _peer = fake.accept_up().await;
            exporter.up(0).await;
        }
    }
}

/// A reason not to trust a PBX.
struct Distrust {
    name: &'static str,
    shown: Pair,
    trust: Trust,
    message: String,
}

#[tokio::test]
async fn each_reason_to_distrust_a_certificate_has_words_that_help() {
    let authority = Authority::new("Our CA");
    let ours = |name: &str| Trust::Ca(authority.file(&format!("distrust-{name}.crt")));
    let v1 = Pair::version_1();
    let nameless = authority.sign(&[]);
    let foreign = Authority::new("Their\nCA").sign(&["localhost"]);
    let pinned = authority.sign(&["localhost"]);
    let is_ca = Authority::new("A CA");
    let cases = [
        Distrust {
            name: "expired",
            shown: authority.sign_with(&["localhost"], |params| {
                params.not_after = date_time_ymd(2020, 2, 29);
            }),
            trust: ours("expired"),
            message: "its certificate expired on 2020-02-29T00:00:00Z: renew it, or correct the clock of this machine"
                .to_owned(),
        },
        Distrust {
            name: "not yet valid",
            shown: authority.sign_with(&["localhost"], |params| {
                params.not_before = date_time_ymd(2999, 1, 1);
                params.not_after = date_time_ymd(3000, 1, 1);
            }),
            trust: ours("early"),
            message: "its certificate is not valid before 2999-01-01T00:00:00Z: is the clock of this machine right?"
                .to_owned(),
        },
        Distrust {
            name: "another name",
            shown: authority.sign(&["pbx.example", "10.0.0.5", "::1"]),
            trust: ours("name"),
            message: "its certificate is not for localhost, only for pbx.example, 10.0.0.5, ::1: set tls.server_name to one \
                      of these if that is this pbx"
                .to_owned(),
        },
        Distrust {
            name: "no name",
            trust: ours("nameless"),
            message: format!(
                "its certificate is for no name, since a common name does not count: make one with the subjectAltName \
                 localhost (docs/tls.md), or pin this one with tls.fingerprint: {}",
                nameless.fingerprint()
            ),
            shown: nameless,
        },
        Distrust {
            name: "unknown CA",
            trust: ours("foreign"),
            message: format!(
                "its certificate is signed by an unknown CA, CN=Their\\0aCA: set tls.ca_file to the certificate of that CA, \
                 or pin this one with tls.fingerprint: {}",
                foreign.fingerprint()
            ),
            shown: foreign,
        },
        Distrust {
            name: "version 1, with its own CA",
            trust: Trust::Ca(file(
                "v1-ca.crt",
                &std::fs::read_to_string(fixture("tls/v1-ca.crt")).unwrap(),
            )),
            message: format!(
                "its certificate is of X.509 version 1, as ast_tls_cert makes it, which no CA can vouch for: make one of \
                 version 3 (docs/tls.md), or pin this one with tls.fingerprint: {}",
                v1.fingerprint()
            ),
            shown: v1,
        },
        Distrust {
            name: "the certificate of a CA itself",
            trust: Trust::Ca(is_ca.file("distrust-ca.crt")),
            message: format!(
                "its certificate is that of a CA, which no pbx may show: make one for it (docs/tls.md), or pin this one \
                 with tls.fingerprint: {}",
                is_ca.itself().fingerprint()
            ),
            shown: is_ca.itself(),
        },
        Distrust {
            name: "another certificate than the pinned one",
            shown: pinned,
            trust: Trust::Pinned(vec![Pair::version_1().fingerprint()]),
            message: String::new(),
        },
    ];

    for Distrust { name, shown, trust, message } in cases {
        let message = if message.is_empty() {
            let seen = shown.fingerprint();
            format!("its certificate is not the pinned one: its fingerprint is {seen}")
        } else {
            message
        };
        let fake = Fake::start_with_tls(shown.server(BOTH)).await;
        let address = format!("127.0.0.1:{}", fake.port());
        let exporter = Exporter::start(vec![with_tls(&fake, settings(trust))]);
        fake.accept_refusal().await;
        assert_eq!(exporter.down(0).await, format!("TLS with {address}: {message}"), "{name}");

        // A refusal is counted even though no session began, like that of a login.
        let tls = ["reason=\"tls\""];
        exporter.counted("asterisk_exporter_disconnects_total", &tls, 1.0).await;
        assert_eq!(exporter.sample("asterisk_exporter_connects_total", &[]), Some(0.0), "{name}");
    }
}

#[tokio::test]
async fn a_pinned_certificate_without_its_key_is_refused() {
    let pair = Pair::version_1();
    let trust = Trust::Pinned(vec![pair.fingerprint()]);
    let stolen = pair.with_another_key();
    for versions in [&[&TLS12][..], &[&TLS13][..]] {
        let fake = Fake::start_with_tls(stolen.server(versions)).await;
        let exporter = Exporter::start(vec![with_tls(&fake, settings(trust.clone()))]);
        fake.accept_refusal().await;
        assert_eq!(
            exporter.down(0).await,
            format!(
                "TLS with 127.0.0.1:{}: the handshake is not signed by the key of its certificate, or that is an RSA key of \
                 less than 2048 bits",
                fake.port()
            )
        );
    }
}

#[tokio::test]
async fn a_pbx_with_an_older_tls_than_is_asked_for_is_refused() {
    let pair = Pair::version_1();
    let fake = Fake::start_with_tls(pair.server(&[&TLS12])).await;
    let trust = Trust::Pinned(vec![pair.fingerprint()]);
    let newer = Settings { min_version: MinVersion::Tls13, ..settings(trust) };
    let exporter = Exporter::start(vec![with_tls(&fake, newer)]);
    fake.accept_refusal().await;
    let why = format!(
        "TLS with 127.0.0.1:{}: the pbx speaks no TLS as new as tls.min_version",
        fake.port()
    );
    assert_eq!(exporter.down(0).await, why);
}

#[tokio::test]
async fn tls_on_a_plain_port_says_so() {
    let fake = Fake::start().await;
    let trust = Trust::Pinned(vec![Pair::version_1().fingerprint()]);
    let exporter = Exporter::start(vec![with_tls(&fake, settings(trust.clone()))]);
    let mut plain = fake.accept_bare().await;
    plain.write_all(b"Asterisk Call Manager/11.0.0\r\n").await.unwrap();
    let address = format!("127.0.0.1:{}", fake.port());
    assert_eq!(
        exporter.down(0).await,
        format!(
            "TLS with {address}: the pbx answered without TLS: is this the port of tlsbindaddr?"
        )
    );
    drop(exporter);

    let exporter = Exporter::start(vec![with_tls(&fake, settings(trust.clone()))]);
    drop(fake.accept_bare().await);
    let why = exporter.down(0).await;
    // A close with unread bytes is a reset.
    let closed = format!(
        "TLS with {address}: the pbx closed the connection in the handshake: is this the port of tlsbindaddr?"
    );
    let reset = format!("TLS with {address}: Connection reset by peer (os error 104)");
    assert!([closed, reset].contains(&why), "{why}");
    drop(exporter);

    let exporter = Exporter::start(vec![impatient(with_tls(&fake, settings(trust)))]);
    let _silent = fake.accept_bare().await;
    assert_eq!(
        exporter.down(0).await,
        format!("TLS with {address}: the handshake did not end within 100ms")
    );
}

#[tokio::test]
async fn a_plain_connection_to_a_port_of_tls_says_so() {
    let fake = Fake::start().await;
    let exporter = Exporter::start(vec![impatient(fake.pbx("hq"))]);
    // A server of TLS waits for the first word.
    let _silent = fake.accept_bare().await;
    assert_eq!(
        exporter.down(0).await,
        "no greeting of a manager interface within 100ms: is this the port of tlsbindaddr, which needs tls: true?"
    );
    drop(exporter);

    let exporter = Exporter::start(vec![fake.pbx("hq")]);
    let mut closing = fake.accept_bare().await;
    // A fatal alert of TLS 1.2: protocol_version.
    closing.write_all(&[0x15, 3, 3, 0, 2, 2, 70]).await.unwrap();
    assert_eq!(
        exporter.down(0).await,
        "the pbx answered with TLS: this port needs tls: true in the configuration"
    );
}

#[tokio::test]
async fn a_pbx_that_asks_for_our_certificate_gets_it() {
    let authority = Authority::new("Our CA");
    let clients = Authority::new("Clients");
    let server = authority.sign(&["localhost"]).server_for_clients_of(&clients);
    let fake = Fake::start_with_tls(server).await;
    let trusting = settings(Trust::Ca(authority.file("client.crt")));
    let identity = Some(clients.sign(&["exporter"]).identity("exporter"));
    let known = Settings { identity, ..trusting.clone() };
    let exporter = Exporter::start(vec![with_tls(&fake, known)]);
    let _peer = fake.accept_up().await;
    exporter.up(0).await;
    drop(exporter);

    // In TLS 1.3 the refusal comes after our side of the handshake is done.
    let exporter = Exporter::start(vec![with_tls(&fake, trusting)]);
    fake.accept_refusal().await;
    assert_eq!(
        exporter.down(0).await,
        "TLS broke: our certificate is not accepted (alert CertificateRequired): look at tls.cert_file, and at what is in \
         front of the pbx, since Asterisk asks for none"
    );
    let tls = ["reason=\"tls\""];
    exporter.counted("asterisk_exporter_disconnects_total", &tls, 1.0).await;
}

#[tokio::test]
async fn renewed_files_count_from_the_next_connection_and_removed_ones_go_on() {
    let [first, second] = ["Old", "New"].map(Authority::new);
    let file = first.file("renewed.crt");
    let fake = Fake::start_with_tls(first.sign(&["localhost"]).server(BOTH)).await;
    let exporter = Exporter::start(vec![with_tls(&fake, settings(Trust::Ca(file.clone())))]);
    let peer = fake.accept_up().await;
    exporter.up(0).await;

    assert_eq!(second.file("renewed.crt"), file);
    let fake = fake.now_with_tls(second.sign(&["localhost"]).server(BOTH));
    let peer = again(&exporter, &fake, peer).await;

    std::fs::remove_file(&file.path).unwrap();
    again(&exporter, &fake, peer).await;
}

/// Ends a session, and waits for the next.
async fn again(exporter: &Exporter, fake: &Fake, peer: Peer) -> Peer {
    drop(peer);
    exporter.down(0).await;
    // Lists are asked for no sooner than 30 s after the last ones.
    skip(60).await;
    let peer = fake.accept_up().await;
    exporter.up(0).await;
    peer
}

#[tokio::test]
async fn a_secret_in_a_file_is_read_again_at_each_login() {
    let fake = Fake::start().await;
    let secret = file("secret", "first\n");
    let config = format!(
        "pbx: [{{name: hq, address: '127.0.0.1:{}', username: exporter, secret_file: '{}'}}]",
        fake.port(),
        secret.path.display()
    );
    let document = Document::Text { name: "config.yml".to_owned(), text: config };
    let sources = Sources { document, ..Sources::default() };
    let config = Config::load(&sources, Purpose::Run).unwrap().config;

    let exporter = Exporter::start(config.pbxs);
    refuse_login(&exporter, &fake, "first").await;
    std::fs::write(&secret.path, "second\n").unwrap();
    refuse_login(&exporter, &fake, "second").await;
    // The last one that could be read is more likely right than none.
    std::fs::remove_file(&secret.path).unwrap();
    refuse_login(&exporter, &fake, "second").await;
}

/// Takes a login, which must be with this secret, and refuses it.
async fn refuse_login(exporter: &Exporter, fake: &Fake, secret: &str) {
    let mut peer = fake.accept().await;
    peer.send("Asterisk Call Manager/11.0.0\n").await;
    let challenge = peer.expect("Challenge").await;
    peer.grant(&challenge, "Challenge: 1\n").await;
    let login = peer.expect("Login").await;
    assert_eq!(login["Key"], challenge_key(b"1", secret));
    peer.refuse(&login, "Authentication failed").await;
    peer.expect_close().await;
    exporter.down(0).await;
    skip(300).await;
}

#[tokio::test]
async fn record_is_encrypted_too_and_trusts_the_cas_of_the_system() {
    let authority = Authority::new("A CA that is installed");
    let fake = Fake::start_with_tls(authority.sign(&["localhost"]).server(BOTH)).await;
    let config = file(
        "record.yml",
        &format!(
            "pbx: [{{address: 'localhost:{}', username: exporter, secret: lab, tls: true}}]",
            fake.port()
        ),
    );
    let capture = file("record.ami.gz", "");
    let [config, capture] = [&config, &capture].map(|file| file.path.to_str().unwrap());
    let mut record = command(&["record", "--config", config, "--out", capture, "--force"]);
    record.env("SSL_CERT_FILE", authority.file("installed.crt").path).env_remove("SSL_CERT_DIR");
    let mut record = Running(record.stderr(Stdio::piped()).spawn().unwrap());

    let mut peer = fake.accept().await;
    peer.log_in("22.10.0").await;
    peer.give_snapshot("Event: DialState\n\n").await;
    let (code, log) = spawn_blocking(move || {
        let mut log = String::new();
        let mut lines = BufReader::new(record.0.stderr.take().unwrap());
        while !log.contains("synchronised") {
            assert!(lines.read_line(&mut log).unwrap() > 0, "{log}");
        }
        let code = record.stop();
        lines.read_to_string(&mut log).unwrap();
        (code, log)
    })
    .await
    .unwrap();
    assert_eq!(code, Some(0), "{log}");

    let played = support::program::run(&["replay", "--format", "text", capture]);
    let played = String::from_utf8(played.stdout).unwrap();
    let numbers = Numbers::read(&played);
    let seen = numbers.sum("asterisk_exporter_events_total", &[("event", "DialState")]);
    assert_eq!(seen, 1.0, "{log}");
}

#[test]
fn a_system_without_any_ca_is_named_by_check_config() {
    let config = file("system.yml", "pbx: [{address: pbx, username: x, secret: lab, tls: true}]\n");
    let path = config.path.to_str().unwrap();
    let mut check = command(&["check-config", "--config", path]);
    let checked =
        check.env("SSL_CERT_FILE", "/nowhere").env_remove("SSL_CERT_DIR").output().unwrap();
    let wanted = format!(
        "{path}:1:53: pbx[0].tls.ca_file: this system has no certificate of a CA: install ca-certificates, or set ca_file \
         or fingerprint\n"
    );
    assert_eq!(String::from_utf8(checked.stderr).unwrap(), wanted);
    assert_eq!(checked.status.code(), Some(1));
}
