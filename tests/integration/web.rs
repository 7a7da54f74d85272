//! The web side of a real process: sockets of systemd, and the local health check.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use support::certificates::Authority;
use support::program::{Running, command, demo, free_port, get, run, wait_until};
use support::{Folder, root};

/// What systemd does for a socket unit: the process that opens the socket becomes the program, and is told
/// its own id.
const SYSTEMD: &str = "
import os, socket, sys
s = socket.create_server(('127.0.0.1', int(sys.argv[1])))
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')
os.execv(sys.argv[2], sys.argv[2:])
";

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_socket_of_systemd_is_listened_on_and_no_other() {
    let (port, other) = (free_port(), free_port());
    let program = command(&[]).get_program().to_owned();
    let child = Command::new("python3")
        .args(["-c", SYSTEMD, &port.to_string()])
        .arg(program)
        .args(["demo", "--web.systemd-socket", "--log.level", "warn", "--open-for", "0"])
        .args(["--web.listen-address", &format!("127.0.0.1:{other}")])
        .current_dir(root(""))
        .stdout(Stdio::null())
        .spawn()
        .expect("python3 starts");
    let mut running = Running(child);

    let page = wait_until("the page", || get(port, "/-/healthy", "*/*").ok());
    assert_eq!(page, (200, "healthy\n".to_owned()));
    assert!(get(other, "/-/healthy", "*/*").is_err());
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn without_a_socket_of_systemd_the_program_does_not_start() {
    let output = run(&["demo", "--web.systemd-socket", "--log.level", "off"]);
    let message = "asterisk_exporter: systemd has opened no socket: there must be a socket unit\n";
    assert_eq!(said(&output), (Some(1), String::new(), message.to_owned()));
}

#[test]
fn health_is_asked_for_on_this_machine_whatever_the_web_side_requires() {
    let (folder, ca) = (Folder::new("health"), Authority::new("ca"));
    let server = ca.issue(&["localhost"]);
    folder.write("server.crt", &server.certificate);
    folder.write("server.key", &server.key);
    folder.write("ca.crt", &ca.pem());
    let web = folder.write(
        "web.yml",
        "tls_server_config: {cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, \
         client_auth_type: RequireAndVerifyClientCert}\nbasic_auth_users:\n  \
         ann: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n",
    );
    let socket = folder.path("health.sock");
    let (web, path) = (web.display().to_string(), socket.display().to_string());
    let ask =
        |more: &[&str]| said(&run(&[&["health", "--web.health-socket", &path], more].concat()));

    let refused = format!("asterisk_exporter: {path}: No such file or directory (os error 2)\n");
    assert_eq!(ask(&[]), (Some(1), String::new(), refused));

    let (mut running, _) = demo(&["--web.config.file", &web, "--web.health-socket", &path]);
    wait_until("the socket", || socket.exists().then_some(()));
    assert_eq!(ask(&[]), (Some(0), "healthy\n".to_owned(), String::new()));
    let ready = wait_until("readiness", || Some(ask(&["--ready"])).filter(|it| it.0 == Some(0)));
    assert_eq!(ready.1, "ready\n");
    assert_eq!(fs::metadata(&socket).expect("a file").permissions().mode() & 0o777, 0o600);

    assert_eq!(running.stop(), Some(0));
    assert!(!socket.exists());
}

#[test]
fn health_says_what_is_not_ready() {
    let folder = Folder::new("health");
    let socket = folder.path("health.sock");
    let config = folder.write(
        "config.yml",
        "pbx: [{address: '127.0.0.1:1', username: exporter, secret: hush, reconnect_min: 1h, \
         reconnect_max: 1h}]\n",
    );
    let address = format!("127.0.0.1:{}", free_port());
    let child = command(&["--config", &config.display().to_string(), "--log.level", "off"])
        .args(["--web.listen-address", &address])
        .env("RUNTIME_DIRECTORY", socket.parent().expect("a folder"))
        .spawn()
        .expect("the program starts");
    let _running = Running(child);

    // Both find the socket where systemd has made a directory.
    let ask = || {
        let mut health = command(&["health", "--ready"]);
        said(
            &health
                .env("RUNTIME_DIRECTORY", socket.parent().expect("a folder"))
                .output()
                .expect("it runs"),
        )
    };
    let (code, text, error) =
        wait_until("the refusal", || Some(ask()).filter(|it| it.1.contains("refused")));
    assert_eq!((code, error.as_str()), (Some(1), ""));
    assert!(text.starts_with("not ready\n127.0.0.1: down for "), "{text}");
}
