//! What this machine shows: its Asterisk, the greeting of another, its own address.

use std::fs;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tokio::time::timeout;

use crate::ami::connection::{Connection, Endpoint};
use crate::ami::frame::{Decoder, Item, Limits, quoted};
use crate::app::Failure;
use crate::app::runtime::on_runtime;
use crate::clock::Clock;
use crate::config::Address;
use crate::version::Version;

/// The version of the Asterisk on this machine: the one that runs, or else the one that is installed.
pub(super) fn version() -> Option<String> {
    let asked = [&["-rx", "core show version"][..], &["-V"]];
    let version = |args| asterisk(args)?.parse::<Version>().ok();
    asked.into_iter().find_map(version).map(|version| version.to_string())
}

/// What Asterisk's own program prints; `None` if it is not there, fails or hangs.
pub(super) fn asterisk(args: &[&str]) -> Option<String> {
    // Only root has /usr/sbin in its path everywhere.
    PROGRAMS.iter().find_map(|program| output(Command::new(program).args(args)))
}

fn output(command: &mut Command) -> Option<String> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut stdout = child.stdout.take()?;
    let (done, read) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.read_to_string(&mut text);
        let _ = done.send(text);
    });

    let text = read.recv_timeout(PATIENCE).ok();
    // An Asterisk that hangs answers nobody.
    if text.is_none() {
        let _ = child.kill();
    }
    let succeeded = child.wait().is_ok_and(|status| status.success());
    text.filter(|_| succeeded)
}

/// The oldest version that greets as this PBX does.
pub(super) fn version_of_greeting(pbx: &Address) -> Option<String> {
    let mut version = None;
    // What keeps it from greeting is asked by the doctor again, who says it.
    on_runtime(async {
        version = timeout(PATIENCE, greeting(pbx)).await.ok().transpose()?.flatten();
        Ok(())
    })
    .ok()?;
    version
}

async fn greeting(pbx: &Address) -> Result<Option<String>, Failure> {
    let clock = Clock::start();
    let endpoint = Endpoint { host: &pbx.host, port: pbx.port, tls: None };
    let mut connection = Connection::open(endpoint, PATIENCE, &clock).await?;
    let mut decoder = Decoder::new(Limits::default());
    while let Some(chunk) = connection.receive().await? {
        decoder.feed(&chunk.bytes);
        match decoder.next_item() {
            Some(Item::Banner(ami)) => {
                let version = Version::of_ami(&quoted(ami.trim_ascii()));
                return Ok(version.map(|version| version.to_string()));
            }
            Some(Item::Frame(_) | Item::Rejected(_)) => break,
            None => {}
        }
    }
    Ok(None)
}

/// The address that this machine connects from.
pub(super) fn own_address(pbx: &Address) -> Option<IpAddr> {
    // A datagram socket only chooses the way: nothing is sent.
    addresses(pbx).find_map(|to| {
        let any: SocketAddr =
            if to.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(to).ok()?;
        Some(socket.local_addr().ok()?.ip())
    })
}

fn addresses(pbx: &Address) -> impl Iterator<Item = SocketAddr> {
    (pbx.host.as_str(), pbx.port).to_socket_addrs().ok().into_iter().flatten()
}

pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}

/// Whether systemd knows our unit, by a package or by hand.
pub(super) fn has_service() -> bool {
    UNITS.iter().any(|folder| Path::new(folder).join("asterisk_exporter.service").exists())
}

const UNITS: [&str; 3] = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
const PROGRAMS: [&str; 2] = ["asterisk", "/usr/sbin/asterisk"];
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_greeting_of_a_pbx_tells_its_branch() {
        for (greeting, version) in [
            ("Asterisk Call Manager/7.0.3\r\n", Some("18.3.0")),
            ("SSH-2.0-OpenSSH_9.2\r\n", None),
            ("", None),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = listener.local_addr().expect("its address").port();
            let pbx = Address { host: "127.0.0.1".to_owned(), port };
            let asking = std::thread::spawn(move || version_of_greeting(&pbx));
            let (mut stream, _) = listener.accept().expect("a connection");
            stream.write_all(greeting.as_bytes()).expect("a greeting");
            drop(stream);
            assert_eq!(asking.join().expect("an end").as_deref(), version, "{greeting}");
        }
    }

    #[test]
    fn the_address_towards_this_machine_is_its_own() {
        let pbx = Address { host: "127.0.0.1".to_owned(), port: 5038 };
        assert_eq!(own_address(&pbx), Some([127, 0, 0, 1].into()));
    }

    #[test]
    fn a_program_that_fails_has_printed_nothing() {
        let shell = |script| output(Command::new("sh").args(["-c", script]));
        assert_eq!(shell("echo yes"), Some("yes\n".to_owned()));
        assert_eq!(shell("echo no; exit 1"), None);
        assert_eq!(output(&mut Command::new("/nowhere/asterisk")), None);
    }
}
