//! The built program as a process, and plain HTTP to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use serde_json::Value;

use crate::{output, root, scratch};

/// The program with these arguments, and nothing of this machine's environment that could configure
/// it.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(exporter());
    command.args(args).current_dir(root(""));
    // What a program leaves behind that is killed goes with the target folder.
    command.env("TMPDIR", scratch());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ASTERISK_EXPORTER_") {
            command.env_remove(name);
        }
    }
    command
}

/// The exporter's executable, as new as its source.
fn exporter() -> &'static Path {
    static EXPORTER: OnceLock<PathBuf> = OnceLock::new();
    EXPORTER.get_or_init(|| {
        // Cargo builds the program for the tests of its own package, and for no others.
        if std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == PACKAGE) {
            return output().join(format!("{PACKAGE}{}", std::env::consts::EXE_SUFFIX));
        }
        build()
    })
}

/// Has Cargo build the exporter as this test was built: with its profile, in its target folder.
///
/// All packages and a test are named beside the program, so that dependencies have the same
/// features as in `cargo test --workspace` and nothing is compiled a second time.
fn build() -> PathBuf {
    let output = output();
    let profile = output.file_name().expect("a folder of a profile").to_string_lossy();
    let profile = if profile == "debug" { "dev".into() } else { profile };
    let target = output.parent().expect("a target folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--workspace", "--bin", PACKAGE, "--test", "integration"])
        .args(["--message-format", "json"])
        .args(["--profile", &profile, "--target-dir"])
        .arg(target)
        .current_dir(root(""))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(built.status.success(), "the exporter does not build");

    let messages = String::from_utf8_lossy(&built.stdout);
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let ours = message["target"]["name"] == PACKAGE;
        message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
    };
    messages.lines().find_map(executable).expect("cargo names the executable")
}

/// Runs the program to its end.
pub fn run(args: &[&str]) -> Output {
    command(args).output().expect("the program starts")
}

/// A process that is killed when the test is over, however it ends.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Asks it to end, and waits: `None` if it does not within ten seconds.
    pub fn stop(&mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        wait_until("the end of the program", || self.0.try_wait().expect("a child")).code()
    }
}

/// The demo on a free port, with the port; it opens as it starts unless the arguments say
/// otherwise.
pub fn demo(args: &[&str]) -> (Running, u16) {
    let mut all = vec!["demo", "--web.listen-address", "127.0.0.1:0", "--log.level", "warn"];
    all.extend(args);
    if !args.contains(&"--open-for") {
        all.extend(["--open-for", "0"]);
    }
    let mut child = command(&all).stdout(Stdio::piped()).spawn().expect("the program starts");
    let (told, port) = mpsc::channel();
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once("://localhost:") {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                let _ = told.send(digits.parse::<u16>().expect("a port"));
            }
        }
    });

    let running = Running(child);
    let port = port.recv_timeout(PATIENCE).expect("the demo says where to look");
    (running, port)
}

/// Status and body of a GET.
pub fn get(port: u16, path: &str, accept: &str) -> std::io::Result<(u16, String)> {
    get_at(&format!("127.0.0.1:{port}"), path, accept)
}

/// The same of any address.
pub fn get_at(address: &str, path: &str, accept: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    )?;

    // A chunk may end within a letter.
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let body = answer.get(end + 4..).unwrap_or_default();

    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let is_chunked = head.contains("transfer-encoding: chunked");
    let body = if is_chunked { unchunk(body) } else { body.to_owned() };
    let body = String::from_utf8(body).map_err(std::io::Error::other)?;
    Ok((status, body))
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|bytes| bytes == b"\r\n") {
        let size = String::from_utf8_lossy(&body[..end]);
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk's size");
        if size == 0 {
            break;
        }
        let data = &body[end + 2..];
        whole.extend_from_slice(&data[..size]);
        body = data[size..].strip_prefix(b"\r\n").unwrap_or_default();
    }
    whole
}

/// Asks again and again until there is an answer.
pub fn wait_until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(STEP);
    }
    panic!("waited in vain for {what}");
}

/// A program of Debian's servers, such as promtool: installed, or where `make test` unpacks it.
///
/// Without one, CI fails and other machines print what is skipped.
pub fn tool(name: &str) -> Option<PathBuf> {
    let unpacked = root("target/tools/usr/bin").join(name);
    let found =
        [unpacked, PathBuf::from("/usr/bin").join(name)].into_iter().find(|path| path.exists());
    assert!(
        found.is_some() || std::env::var_os("CI").is_none(),
        "{name} is missing, and CI must not go without"
    );
    if found.is_none() {
        println!("skipped: {name} is not installed; `make test` fetches it where it can");
    }
    found
}

/// A program of Debian sid's servers, such as promtool: the newest that Debian has.
///
/// Sid moves, so no test may need one: without it, or if it does not start on this machine, what is
/// skipped is printed.
pub fn newest(name: &str) -> Option<PathBuf> {
    let found = root("target/tools/sid/usr/bin").join(name);
    // All of them know this option. One that sid built for a newer machine does not start here.
    let starts = says(&found, "--help").is_some();
    if !starts {
        println!("skipped: no {name} of Debian sid runs here; `make test` fetches it where it can");
    }
    starts.then_some(found)
}

/// The Prometheus 3 of Debian sid.
pub fn prometheus_3() -> Option<PathBuf> {
    newest("prometheus").filter(|found| {
        let is_3 = says(found, "--version").is_some_and(|said| said.contains("version 3."));
        if !is_3 {
            println!("skipped: the Prometheus of Debian sid is no version 3");
        }
        is_3
    })
}

fn says(program: &Path, option: &str) -> Option<String> {
    let output = Command::new(program).arg(option).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Far more than anything takes, even on a slow machine: only a hang reaches it.
pub const PATIENCE: Duration = Duration::from_secs(120);
const PACKAGE: &str = "asterisk_exporter";
const STEP: Duration = Duration::from_millis(50);
