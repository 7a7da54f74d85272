//! Faults before the greeting, and of the greeting.

use asterisk_exporter::config::{Address, Pbx};
use asterisk_exporter::tls::{Client, Trust};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};

use super::row::{NOTHING, Row, lost, lost_words};
use super::stage::{LONG, PBX, Stage, lasting, lasting_until_mended, pass, seconds};
use crate::supervisor::certificates::{Authority, BOTH, Pair, settings};
use crate::supervisor::fake::Fake;

pub(super) async fn nothing_listens() -> Row {
    let port = Fake::start().await.port();
    let stage = Stage::start_beside(Fake::start().await, |pbx| at("127.0.0.1", port, pbx));
    unreachable("nothing listens on the port", stage, port).await
}

pub(super) async fn name_without_address() -> Row {
    // An empty label: no server has to be asked to know that.
    let host = "pbx..example.com";
    let mut stage = Stage::start_with(|pbx| at(host, 5038, pbx)).await;
    stage.hidden.push((host.to_owned(), "pbx.example.com"));
    unreachable("the name of the PBX has no address", stage, 0).await
}

/// Attempts that nobody sees, for a long time.  Then somebody listens on `port`, unless that is 0.
async fn unreachable(fault: &'static str, mut stage: Stage, port: u16) -> Row {
    stage.hidden.push((format!("127.0.0.1:{port}"), "10.0.0.5:5038"));
    for _ in 0..LONG.as_secs() {
        // Names are looked up on the time of the machine.
        stage.exporter.down(0).await;
        pass(seconds(1)).await;
    }
    stage.exporter.down(0).await;
    stage.log.assert_quiet();
    let log = stage.words();
    let disconnects = stage.numbers().sum("asterisk_exporter_disconnects_total", &[]);
    assert_eq!(disconnects, 0.0, "an attempt is no session");

    if port != 0 {
        stage.fake = Fake::start_at(port).await;
        stage.recovers().await;
    }
    Row {
        fault,
        noticed: "at once".to_owned(),
        counted: Vec::new(),
        lost: lost_words(lost(&stage.numbers(), PBX)),
        back: "1 to 2 s".to_owned(),
        log,
    }
}

pub(super) async fn connection_black_hole() -> Row {
    // Linux drops what asks for a connection while the queue of those that nobody accepted is full.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listener = socket.listen(1).expect("a queue of two");
    let address = listener.local_addr().expect("an address");
    let _queue = [
        TcpStream::connect(address).await.expect("the first"),
        TcpStream::connect(address).await.expect("the second"),
    ];

    let mut stage = Stage::start_beside(Fake::over(listener), |pbx| pbx);
    let noticed = stage.notices_after(seconds(10)).await;
    let log = stage.words();
    pass(LONG).await;
    stage.log.assert_quiet();

    drop(stage.fake.accept_bare().await);
    drop(stage.fake.accept_bare().await);
    stage.recovers().await;
    Row {
        fault: "packets to the PBX vanish (firewall, power)",
        noticed,
        counted: Vec::new(),
        lost: NOTHING.to_owned(),
        back: "1 to 2 s".to_owned(),
        log,
    }
}

fn at(host: &str, port: u16, pbx: Pbx) -> Pbx {
    Pbx { address: Address { host: host.to_owned(), port }, ..pbx }
}

pub(super) async fn no_greeting() -> Row {
    lasting("the greeting never comes", Stage::start().await, async |stage| {
        let _peer = stage.accept().await;
        stage.notices_after(seconds(10)).await
    })
    .await
}

pub(super) async fn greeting_byte_by_byte() -> Row {
    lasting("the greeting comes byte by byte, one a second", Stage::start().await, async |stage| {
        let mut peer = stage.accept().await;
        for byte in b"Asterisk " {
            peer.send_bytes(&[*byte]).await;
            pass(seconds(1)).await;
        }
        stage.notices_after(seconds(1)).await;
        "10 s".to_owned()
    })
    .await
}

pub(super) async fn closed_before_the_greeting() -> Row {
    lasting("the PBX closes before the greeting", Stage::start().await, async |stage| {
        drop(stage.accept().await);
        stage.notices_after(seconds(0)).await
    })
    .await
}

pub(super) async fn reset_before_the_greeting() -> Row {
    lasting("the connection is reset before the greeting", Stage::start().await, async |stage| {
        stage.accept_silent().await.set_zero_linger().expect("a socket");
        stage.notices_after(seconds(0)).await
    })
    .await
}

pub(super) async fn another_protocol() -> Row {
    says("another server answers, such as ssh", b"SSH-2.0-OpenSSH_9.2p1\r\n").await
}

pub(super) async fn http_server() -> Row {
    says("a web server answers", b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n").await
}

pub(super) async fn binary_noise() -> Row {
    says("noise instead of a greeting", &[0, 255, 1, 13, 10, 0x80, 0xc0, 7]).await
}

pub(super) async fn noise_that_differs() -> Row {
    lasting("noise that differs each time", Stage::start().await, async |stage| {
        let mut peer = stage.accept().await;
        let noise = fastrand::u64(..).to_be_bytes();
        peer.send_bytes(&[&[0xff][..], &noise].concat()).await;
        let noticed = stage.notices_after(seconds(0)).await;
        // The first stands for all.
        let shown = stage.words()[0].split_once("server: ").expect("what came").1.to_owned();
        stage.hidden.push((shown, "…"));
        noticed
    })
    .await
}

pub(super) async fn greeting_without_end() -> Row {
    let mut long = b"Asterisk Call Manager/".to_vec();
    long.resize(1 << 20, b'5');
    let mut row = says("a greeting without an end", &long).await;
    row.log[0] = row.log[0].replace("5555", "5");
    row
}

pub(super) async fn asterisk_11() -> Row {
    says("an Asterisk 11 or older", b"Asterisk Call Manager/1.3\r\n").await
}

async fn says(fault: &'static str, greeting: &[u8]) -> Row {
    lasting(fault, Stage::start().await, async |stage| {
        let mut peer = stage.accept().await;
        peer.send_what_is_taken(greeting).await;
        stage.notices_after(seconds(0)).await
    })
    .await
}

pub(super) async fn plain_on_a_port_of_tls() -> Row {
    let fake = Fake::start_with_tls(Authority::new("ca").sign(&["127.0.0.1"]).server(BOTH)).await;
    let stage = Stage::start_beside(fake, |pbx| pbx);
    let attempt = async |stage: &mut Stage| {
        let _silent = stage.accept_silent().await;
        stage.notices_after(seconds(10)).await
    };
    lasting_until_mended("the port needs TLS, and `tls` is off", stage, attempt, Fake::now_plain)
        .await
}

pub(super) async fn tls_on_a_plain_port() -> Row {
    pinned("the port is plain, and `tls` is on", async |stage| {
        let mut bare = stage.accept_silent().await;
        bare.write_all(b"Asterisk Call Manager/11.0.0\r\n").await.expect("a connection");
        stage.notices_after(seconds(0)).await
    })
    .await
}

pub(super) async fn certificate_of_another_ca() -> Row {
    let theirs = Authority::new("theirs").sign(&["localhost"]);
    let fake = Fake::start_with_tls(theirs.server(BOTH)).await;
    let ours = Authority::new("ours");
    let trust = Trust::Ca(ours.file("faults-ca.pem"));
    let mut stage = Stage::start_beside(fake, |pbx| with_tls(pbx, trust));
    stage.hidden.push((theirs.fingerprint().to_string(), "80:FC:56:46:…"));
    let attempt = async |stage: &mut Stage| {
        stage.accept_refusal().await;
        stage.notices_after(seconds(0)).await
    };
    let mend = |fake: Fake| fake.now_with_tls(ours.sign(&["localhost"]).server(BOTH));
    lasting_until_mended("the certificate is of another CA", stage, attempt, mend).await
}

pub(super) async fn handshake_black_hole() -> Row {
    pinned("the handshake of TLS never ends", async |stage| {
        let _silent = stage.accept_silent().await;
        stage.notices_after(seconds(10)).await
    })
    .await
}

/// A PBX that is recognised by its fingerprint, once it speaks TLS.
async fn pinned(fault: &'static str, attempt: impl AsyncFn(&mut Stage) -> String) -> Row {
    let trust = Trust::Pinned(vec![Pair::version_1().fingerprint()]);
    let stage = Stage::start_with(|pbx| with_tls(pbx, trust)).await;
    let mend = |fake: Fake| fake.now_with_tls(Pair::version_1().server(BOTH));
    lasting_until_mended(fault, stage, attempt, mend).await
}

fn with_tls(pbx: Pbx, trust: Trust) -> Pbx {
    Pbx { tls: Some(Client::load(settings(trust)).expect("certificates")), ..pbx }
}
