//! The real program as a process, and what it uses.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use memchr::memmem;

use super::Failure;
use super::stream::TRUNKS;

/// A process that is killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    /// CPU seconds of each thread when it was last looked at.
    threads: Mutex<HashMap<OsString, f64>>,
}

impl Process {
    /// Starts a program.
    pub(crate) fn start(command: &mut Command) -> std::io::Result<Self> {
        Ok(Self { child: command.spawn()?, threads: Mutex::default() })
    }

    /// CPU seconds that it has used so far.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        // The total of the process has hundredths of a second.  A thread's own is exact and goes
        // with the thread; those that end have been idle for some seconds.
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        for task in tasks.into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            if let Some(Ok(spent)) = text.split(' ').next().map(str::parse::<f64>) {
                threads.insert(task.file_name(), spent / 1e9);
            }
        }
        threads.values().sum()
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_default() << 10
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The exporter, following PBXs of ours.
pub(crate) struct Exporter {
    pub(crate) process: Process,
    config: PathBuf,
    /// Its own address.
    pub(crate) address: String,
}

impl Exporter {
    /// Starts `program` for PBXs on these ports of the loopback; `more` are lines of YAML for each.
    ///
    /// # Errors
    /// It does not start.
    pub(crate) fn start(program: &Path, ports: &[u16], more: &[&str]) -> Result<Self, Failure> {
        let config = std::env::temp_dir().join(format!(
            "asterisk-exporter-bench-{}-{}.yml",
            std::process::id(),
            ports[0]
        ));
        std::fs::write(&config, configuration(ports, more))?;
        let mut command = Command::new(program);
        command.arg("--config").arg(&config).stderr(Stdio::piped()).stdout(Stdio::null());
        // As our unit and image have it: pages are given back to the system at once.
        command.env("MALLOC_MMAP_THRESHOLD_", "1048576");
        let mut process = Process::start(&mut command)?;
        let log = process.child.stderr.take().ok_or("no standard error")?;
        let address = listening(log)?;
        Ok(Self { process, config, address })
    }

    /// The page of metrics.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) fn scrape(&self) -> Result<String, Failure> {
        self.get("/metrics")
    }

    /// A page.
    ///
    /// # Errors
    /// It does not answer, or with an error.
    pub(crate) fn get(&self, path: &str) -> Result<String, Failure> {
        Ok(String::from_utf8(self.fetch(path, "Accept: text/plain\r\n")?)?)
    }

    /// A page, asked for with these header lines.
    ///
    /// # Errors
    /// It does not answer, or with an error.
    pub(crate) fn fetch(&self, path: &str, headers: &str) -> Result<Vec<u8>, Failure> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        // HTTP/1.0 has no chunks.
        write!(stream, "GET {path} HTTP/1.0\r\n{headers}\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let end = memmem::find(&answer, b"\r\n\r\n").ok_or("no answer of HTTP")?;
        let head = String::from_utf8_lossy(&answer[..end]);
        if !head.contains(" 200 ") {
            return Err(head.lines().next().unwrap_or_default().to_owned().into());
        }
        Ok(answer.split_off(end + 4))
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// It ended with an error.
    pub(crate) fn end(mut self) -> Result<(), Failure> {
        let id = self.process.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let status = self.process.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("it ended with {status}").into()) }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.config);
    }
}

/// The sum of a metric's series that carry a label.
pub(crate) fn sum(page: &str, name: &str, label: &str) -> f64 {
    let series = page.lines().filter(|line| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && line.contains(label)
    });
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

fn configuration(ports: &[u16], more: &[&str]) -> String {
    let mut text = "web:\n  listen_address: '127.0.0.1:0'\npbx:\n".to_owned();
    for (at, port) in ports.iter().enumerate() {
        write!(
            text,
            "  - name: pbx{at}\n    address: '127.0.0.1:{port}'\n    username: exporter\n    \
             secret: lab\n    trunks: ['{TRUNKS}']\n"
        )
        .expect("text has room");
        for line in more {
            writeln!(text, "    {line}").expect("text has room");
        }
    }
    text
}

/// Where it listens, by its log; what it logs later is dropped.
fn listening(log: impl std::io::Read + Send + 'static) -> Result<String, Failure> {
    let (told, address) = mpsc::channel();
    let mut lines = BufReader::new(log).lines();
    std::thread::spawn(move || {
        let mut said = Vec::new();
        for line in lines.by_ref().map_while(Result::ok) {
            let found = line.contains("listening").then(|| {
                line.split_once("address=")?.1.split([' ', '"']).next().map(str::to_owned)
            });
            said.push(line);
            if let Some(address) = found.flatten() {
                let _ = told.send(Ok(address));
                break;
            }
        }
        let _ = told.send(Err(said.join("\n")));
        lines.for_each(drop);
    });
    Ok(address.recv_timeout(Duration::from_secs(30))??)
}
