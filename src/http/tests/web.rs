//! The web configuration file over real sockets: TLS, clients' certificates, passwords, the limit of
//! requests, and what happens as it changes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use support::Folder;
use support::certificates::{Authority, Identity};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{
    ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

/// A folder with a server's certificate, a web configuration file, and pages that follow it.
struct Protected {
    folder: Folder,
    ca: Authority,
    site: Site,
}

/// How a client opens its connection.
struct Client<'a> {
    ca: &'a Authority,
    identity: Option<&'a Identity>,
    versions: Vec<&'static SupportedProtocolVersion>,
    alpn: &'static [&'static str],
}

const TLS: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

/// A user whose password is `s3cret`.
fn ann() -> String {
    let hash = bcrypt::hash_with_salt("s3cret", 4, [7; 16]).unwrap();
    format!("basic_auth_users:\n  ann: {}\n", hash.format_for_version(bcrypt::Version::TwoY))
}

const LOGIN: &str = "Authorization: Basic YW5uOnMzY3JldA==";

fn page(exposition: Exposition, _: &Part) -> Vec<u8> {
    match exposition {
        Exposition::Text(_) => b"up 1\n".to_vec(),
        Exposition::Protobuf => vec![0xff],
    }
}

impl Protected {
    async fn new(file: &str) -> Self {
        let (folder, ca) = (Folder::new("web"), Authority::new("ours"));
        let server = ca.issue(&["localhost", "127.0.0.1"]);
        folder.write("server.crt", &server.certificate);
        folder.write("server.key", &server.key);
        folder.write("ca.crt", &ca.pem());
        let path = folder.write("web.yml", file);
        let (web, warnings) = WebConfig::open(&path, Clock::start()).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let site = Site::protected(Scraper::DEFAULT_LIMIT, Box::new(page), Some(web)).await;
        Self { folder, ca, site }
    }

    fn client(&self) -> Client<'_> {
        Client {
            ca: &self.ca,
            identity: None,
            versions: vec![&version::TLS13, &version::TLS12],
            alpn: &[],
        }
    }

    async fn ask(&self, client: Client<'_>, request: &str) -> std::io::Result<Reply> {
        let mut stream = client.connect(self.site.address).await?;
        ask_on(&mut stream, request).await
    }

    fn change(&self, file: &str) {
        self.folder.write("web.yml", file);
    }
}

impl<'a> Client<'a> {
    fn with(self, identity: &'a Identity) -> Self {
        Self { identity: Some(identity), ..self }
    }

    async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        self.connector().connect(localhost(), stream).await
    }

    /// It remembers sessions.
    fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&self.ca.pem())).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match self.identity {
            None => config.with_no_client_auth(),
            Some(Identity { certificate: pem, key }) => {
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                config.with_client_auth_cert(vec![certificate(pem)], key).unwrap()
            }
        };
        config.alpn_protocols = self.alpn.iter().map(|it| it.as_bytes().to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

#[tokio::test]
async fn pages_are_sent_by_tls_and_by_nothing_else() {
    let it = Protected::new(TLS).await;
    let reply = it.ask(it.client(), "GET /metrics").await.unwrap();
    assert_eq!((reply.status, reply.text()), (200, "up 1\n"));

    let plain = it.site.ask("GET /metrics").await;
    assert_eq!((plain.status, plain.text()), (400, "only https is spoken here\n"));
}

#[tokio::test]
async fn the_versions_are_those_of_the_file() {
    for (lines, tls12, tls13) in [
        ("", true, true),
        ("  min_version: TLS13\n", false, true),
        ("  max_version: TLS12\n", true, false),
    ] {
        let it = Protected::new(&format!("{TLS}{lines}")).await;
        for (version, spoken) in [(&version::TLS12, tls12), (&version::TLS13, tls13)] {
            let client = Client { versions: vec![version], ..it.client() };
            assert_eq!(client.connect(it.site.address).await.is_ok(), spoken, "{lines}");
        }
    }
}

#[tokio::test]
async fn http_2_is_agreed_on_unless_the_file_switches_it_off() {
    for (lines, agreed) in [("", "h2"), ("http_server_config:\n  http2: false\n", "http/1.1")] {
        let it = Protected::new(&format!("{TLS}{lines}")).await;
        let client = Client { alpn: &["h2", "http/1.1"], ..it.client() };
        let stream = client.connect(it.site.address).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(agreed.as_bytes()));
        assert_eq!(stream.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    }
}

#[tokio::test]
async fn cipher_suites_and_curves_are_those_of_the_file() {
    let lines = "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n  \
                 curve_preferences: [CurveP384]\n";
    let it = Protected::new(&format!("{TLS}{lines}")).await;
    let stream = it.client().connect(it.site.address).await.unwrap();
    let suite = stream.get_ref().1.negotiated_cipher_suite().unwrap();
    assert_eq!(format!("{:?}", suite.suite()), "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(format!("{:?}", group.name()), "secp384r1");
}

#[tokio::test]
async fn each_policy_takes_the_clients_that_go_takes() {
    let (stranger, alone) =
        (Authority::new("theirs").issue(&["client"]), Identity::self_signed(&["alone"]));
    // Nobody; one of our CA; one of another; one that is itself among the CAs.
    for (policy, taken) in [
        ("NoClientCert", [true, true, true, true]),
        ("RequestClientCert", [true, true, true, true]),
        ("RequireAnyClientCert", [false, true, true, true]),
        ("RequireClientCert", [false, true, true, true]),
        ("VerifyClientCertIfGiven", [true, true, false, true]),
        ("RequireAndVerifyClientCert", [false, true, false, true]),
    ] {
        let it = Protected::new(TLS).await;
        let ours = it.ca.issue(&["client"]);
        it.folder.write("clients.crt", &format!("{}{}", it.ca.pem(), alone.certificate));
        let ca = if policy == "NoClientCert" { "" } else { "  client_ca_file: clients.crt\n" };
        it.change(&format!("{TLS}  client_auth_type: {policy}\n{ca}"));

        let clients = [None, Some(&ours), Some(&stranger), Some(&alone)];
        for (identity, taken) in clients.into_iter().zip(taken) {
            let client = Client { identity, ..it.client() };
            // With TLS 1.3 a client learns of the refusal only as it reads.
            let reply = it.ask(client, "GET /-/healthy").await;
            assert_eq!(reply.is_ok_and(|it| it.status == 200), taken, "{policy}");
        }
    }
}

#[tokio::test]
async fn a_certificate_among_the_cas_that_is_none_vouches_for_itself_only() {
    let lines = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n";
    let it = Protected::new(TLS).await;
    let (listed, forged) = Identity::leaf_and_forgery(&["prometheus"]);
    for cas in [listed.certificate.clone(), format!("{}{}", it.ca.pem(), listed.certificate)] {
        it.folder.write("clients.crt", &cas);
        it.change(&format!("{TLS}{lines}"));
        assert_eq!(it.ask(it.client().with(&listed), "GET /").await.unwrap().status, 200);
        assert!(it.ask(it.client().with(&forged), "GET /").await.is_err());
    }
}

#[tokio::test]
async fn a_connection_that_another_policy_let_in_is_over() {
    let lines = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n";
    let it = Protected::new(TLS).await;
    let ours = it.ca.issue(&["client"]);
    let mut stranger = it.client().connect(it.site.address).await.unwrap();
    assert_eq!(ask_keeping(&mut stranger, "GET /").await.status, 200);

    it.change(&format!("{TLS}{lines}"));
    let reply = ask_on(&mut stranger, "GET /").await.unwrap();
    assert_eq!((reply.status, reply.text()), (421, "connect again\n"));
    let mut known = it.client().with(&ours).connect(it.site.address).await.unwrap();
    assert_eq!(ask_keeping(&mut known, "GET /").await.status, 200);

    it.change(&format!("{TLS}{lines}  client_allowed_sans: [other]\n"));
    assert_eq!(ask_on(&mut known, "GET /").await.unwrap().status, 421);
}

#[tokio::test]
async fn a_session_is_not_resumed_where_certificates_are_asked_for() {
    let lines = "  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n";
    let modes = [("", HandshakeKind::Resumed), (lines, HandshakeKind::Full)];
    for ((lines, second), version) in
        modes.into_iter().flat_map(|mode| [&version::TLS12, &version::TLS13].map(|it| (mode, it)))
    {
        let it = Protected::new(&format!("{TLS}{lines}")).await;
        let client = Client { versions: vec![version], ..it.client() };
        let connector = client.connector();
        // A new file is read for each connection, and another configuration resumes nothing.
        let (web, _) = WebConfig::open(&it.folder.path("web.yml"), Clock::start()).unwrap();
        let acceptor =
            TlsAcceptor::from(Arc::new(web).access().await.unwrap().tls.clone().unwrap());

        let mut kinds = Vec::new();
        for _ in 0..2 {
            let (ours, theirs) = tokio::io::duplex(65_536);
            let (client, server) =
                tokio::join!(connector.connect(localhost(), ours), acceptor.accept(theirs));
            let (mut client, mut server) = (client.unwrap(), server.unwrap());
            // What a session is resumed by comes before the first byte.
            server.write_all(b"x").await.unwrap();
            server.flush().await.unwrap();
            assert_eq!(client.read_u8().await.unwrap(), b'x');
            kinds.push(client.get_ref().1.handshake_kind().unwrap());
        }
        assert_eq!(kinds, [HandshakeKind::Full, second], "{version:?} {lines}");
    }
}

#[tokio::test]
async fn who_may_not_scrape_may_not_reload() {
    let folder = Folder::new("web-reload");
    let path = folder.write("web.yml", &ann());
    let (web, _) = WebConfig::open(&path, Clock::start()).unwrap();
    let (lifecycle, mut requests) = Lifecycle::channel();
    let site = Site::reloadable(1, Box::new(page), Some(web), Some(lifecycle)).await;

    let post = "POST /-/reload\nContent-Length: 0";
    assert_eq!(site.ask(post).await.status, 401);
    assert!(requests.try_recv().is_err(), "nobody is asked");

    let with_password = format!("{post}\n{LOGIN}");
    let (reply, ()) = tokio::join!(site.ask(&with_password), async {
        requests.recv().await.unwrap().send(Ok("reloaded\n".to_owned())).unwrap();
    });
    assert_eq!((reply.status, reply.text()), (200, "reloaded\n"));
}

#[tokio::test]
async fn without_a_ca_no_certificate_is_valid() {
    let it = Protected::new(TLS).await;
    it.change(&format!("{TLS}  client_auth_type: VerifyClientCertIfGiven\n"));
    let ours = it.ca.issue(&["client"]);
    assert_eq!(it.ask(it.client(), "GET /").await.unwrap().status, 200);
    assert!(it.ask(it.client().with(&ours), "GET /").await.is_err());
}

#[tokio::test]
async fn only_a_client_with_an_allowed_name_is_taken() {
    let lines = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  \
                 client_allowed_sans: [prometheus, 192.0.2.7, ops@example.org, 'spiffe://x/prometheus']\n";
    let it = Protected::new(&format!("{TLS}{lines}")).await;
    for (names, taken) in [
        (&["prometheus"] as &[&str], true),
        (&["other", "192.0.2.7"], true),
        (&["ops@example.org"], true),
        (&["spiffe://x/prometheus"], true),
        (&["Prometheus", "prometheus.example", "*"], false),
        (&[], false),
    ] {
        let identity = it.ca.issue(names);
        let reply = it.ask(it.client().with(&identity), "GET /-/healthy").await;
        assert_eq!(reply.is_ok(), taken, "{names:?}");
    }
}

#[tokio::test]
async fn whoever_has_no_password_gets_no_page_and_no_hint() {
    let it = Protected::new(&ann()).await;
    for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/nowhere"] {
        let wrong = format!("Authorization: Basic {}", STANDARD.encode("ann:wrong"));
        let unknown = format!("Authorization: Basic {}", STANDARD.encode("bob:s3cret"));
        for header in ["Accept: */*", &wrong, &unknown, "Authorization: Bearer s3cret"] {
            let reply = it.site.ask(&format!("GET {path}\n{header}")).await;
            assert_eq!((reply.status, reply.text()), (401, "unauthorized\n"), "{path} {header}");
            assert_eq!(reply.header("www-authenticate"), Some("Basic"));
        }
        let expected = if path == "/nowhere" { 404 } else { 200 };
        let expected = if path == "/-/ready" { 503 } else { expected };
        assert_eq!(it.site.ask(&format!("GET {path}\n{LOGIN}")).await.status, expected, "{path}");
    }
}

#[tokio::test]
async fn a_certificate_and_a_password_may_both_be_required() {
    let lines = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n";
    let it = Protected::new(&format!("{TLS}{lines}{}", ann())).await;
    let ours = it.ca.issue(&["client"]);
    let asked = format!("GET /metrics\n{LOGIN}");
    assert!(it.ask(it.client(), &asked).await.is_err());
    assert_eq!(it.ask(it.client().with(&ours), "GET /metrics").await.unwrap().status, 401);
    let reply = it.ask(it.client().with(&ours), &asked).await.unwrap();
    assert_eq!((reply.status, reply.text()), (200, "up 1\n"));
}

#[tokio::test]
async fn headers_of_the_file_are_sent_and_are_stronger_than_ours() {
    let lines = "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    \
                 Content-Security-Policy: default-src 'self'\n    X-XSS-Protection: 1\n";
    let it = Protected::new(&format!("{lines}{}", ann())).await;
    for login in ["", LOGIN] {
        let reply = it.site.ask(&format!("GET /\nAccept: */*\r\n{login}")).await;
        assert_eq!(reply.header("x-frame-options"), Some("deny"));
        assert_eq!(reply.header("x-xss-protection"), Some("1"));
        assert_eq!(reply.header("content-security-policy"), Some("default-src 'self'"));
    }
}

#[tokio::test]
async fn requests_beyond_the_limit_are_refused_before_any_password_is_checked() {
    let limit = "rate_limit:\n  interval: 1h\n  burst: 2\n";
    let it = Protected::new(&format!("{limit}{}", ann())).await;
    let statuses = [it.site.ask("GET /").await, it.site.ask(&format!("GET /\n{LOGIN}")).await];
    assert_eq!(statuses.map(|it| it.status), [401, 200]);
    let reply = it.site.ask(&format!("GET /-/healthy\n{LOGIN}")).await;
    assert_eq!((reply.status, reply.text()), (429, "too many requests\n"));
}

#[tokio::test]
async fn a_changed_file_holds_from_the_next_request_on() {
    let it = Protected::new(TLS).await;
    let mut kept = it.client().connect(it.site.address).await.unwrap();
    assert_eq!(ask_keeping(&mut kept, "GET /-/healthy").await.status, 200);

    // Also on a connection that is already open.
    it.change(&format!("{TLS}{}", ann()));
    assert_eq!(ask_keeping(&mut kept, "GET /-/healthy").await.status, 401);
    assert_eq!(ask_keeping(&mut kept, &format!("GET /-/healthy\n{LOGIN}")).await.status, 200);

    // A new certificate, of another CA, for new connections.
    let other = Authority::new("other");
    let server = other.issue(&["localhost"]);
    it.folder.write("server.crt", &server.certificate);
    it.folder.write("server.key", &server.key);
    assert!(it.client().connect(it.site.address).await.is_err());
    let client = Client { ca: &other, ..it.client() };
    assert!(client.connect(it.site.address).await.is_ok());
}

#[tokio::test]
async fn a_file_that_is_wrong_or_less_refuses_everybody_until_it_is_right() {
    let right = format!("{TLS}{}", ann());
    let it = Protected::new(&right).await;
    let asked = format!("GET /-/healthy\n{LOGIN}");
    let mut kept = it.client().connect(it.site.address).await.unwrap();
    assert_eq!(ask_keeping(&mut kept, &asked).await.status, 200);

    for wrong in [":", "", TLS, &ann(), "tls_server_config:\n  cert_file: none\n  key_file: none\n"]
    {
        it.change(wrong);
        let reply = ask_keeping(&mut kept, &asked).await;
        let text = "the web configuration is wrong; the log says why\n";
        assert_eq!((reply.status, reply.text()), (500, text), "{wrong}");
        assert!(it.client().connect(it.site.address).await.is_err(), "{wrong}");

        it.change(&right);
        assert_eq!(ask_keeping(&mut kept, &asked).await.status, 200, "{wrong}");
    }
}

#[tokio::test]
async fn a_file_that_no_longer_asks_for_certificates_or_names_refuses_everybody() {
    let ca = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n";
    let names = "  client_allowed_sans: [client]\n";
    let it = Protected::new(&format!("{TLS}{ca}{names}")).await;
    let ours = it.ca.issue(&["client"]);
    assert_eq!(it.ask(it.client().with(&ours), "GET /").await.unwrap().status, 200);

    for less in [TLS.to_owned(), format!("{TLS}{ca}")] {
        it.change(&less);
        assert!(it.ask(it.client().with(&ours), "GET /").await.is_err(), "{less}");
        assert!(it.ask(it.client(), "GET /").await.is_err(), "{less}");
    }
    it.change(&format!("{TLS}{ca}{names}"));
    assert_eq!(it.ask(it.client().with(&ours), "GET /").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_login_that_was_wrong_before_there_was_such_a_user_is_right_now() {
    let it = Protected::new(&ann().replace("ann", "bob")).await;
    let asked = format!("GET /\n{LOGIN}");
    assert_eq!(it.site.ask(&asked).await.status, 401);
    it.change(&ann());
    assert_eq!(it.site.ask(&asked).await.status, 200);
}

#[tokio::test]
async fn a_file_that_gains_tls_serves_nothing_without_it() {
    let it = Protected::new("").await;
    let mut kept = TcpStream::connect(it.site.address).await.unwrap();
    assert_eq!(ask_keeping(&mut kept, "GET /-/healthy").await.status, 200);
    it.change(TLS);
    let reply = ask_on(&mut kept, "GET /-/healthy").await.unwrap();
    assert_eq!((reply.status, reply.text()), (421, "only https is spoken here now\n"));
    assert_eq!(it.ask(it.client(), "GET /-/healthy").await.unwrap().status, 200);
}

#[tokio::test]
async fn what_is_refused_is_counted_by_its_reason() {
    let lines = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n";
    let limit = "rate_limit:\n  interval: 1h\n  burst: 3\n";
    let it = Protected::new(&format!("{TLS}{lines}{limit}{}", ann())).await;
    let ours = it.ca.issue(&["client"]);

    assert!(it.ask(it.client(), "GET /").await.is_err());
    assert_eq!(it.site.ask("GET /").await.status, 400);
    let asked = format!("GET /\n{LOGIN}");
    let mut statuses = Vec::new();
    for request in ["GET /", "GET /", &asked, &asked] {
        statuses.push(it.ask(it.client().with(&ours), request).await.unwrap().status);
    }
    assert_eq!(statuses, [401, 401, 200, 429]);
    it.change("");
    assert!(it.ask(it.client().with(&ours), "GET /").await.is_err());

    let refusals = &it.site.refusals;
    for (refusal, count) in [
        (HttpRefusal::Tls, 2),
        (HttpRefusal::Password, 2),
        (HttpRefusal::RateLimit, 1),
        (HttpRefusal::WebConfig, 1),
        (HttpRefusal::Timeout, 0),
    ] {
        assert_eq!(refusals.counted(refusal), count, "{refusal:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_ends_its_handshake_is_hung_up_on() {
    let it = Protected::new(TLS).await;
    let mut slow = TcpStream::connect(it.site.address).await.unwrap();
    slow.write_all(&[22, 3]).await.unwrap();
    let mut nothing = Vec::new();
    let _ = slow.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_handshake() {
    let mut it = Protected::new(TLS).await;
    let mut slow = TcpStream::connect(it.site.address).await.unwrap();
    slow.write_all(&[22, 3]).await.unwrap();
    // It is accepted before this one.
    assert_eq!(it.ask(it.client(), "GET /-/healthy").await.unwrap().status, 200);

    let clock = Clock::start();
    let before = clock.now();
    it.site.stop.send(true).unwrap();
    it.site.tasks.join_next().await.unwrap().unwrap();
    assert!(clock.now().since(before) < GRACE);
}
