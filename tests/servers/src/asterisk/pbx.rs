//! A real Asterisk in a root of its own, on addresses of its own on loopback, with the
//! configuration a test needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use support::program;

use super::ami::Ami;
use super::configuration::{self, SECRET};
use super::hang;

/// A version that is installed for the tests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    /// 16.28 of Debian bullseye, with chan_sip.
    V16,
    /// 22.x of Debian sid, with PJSIP.
    V22,
}

/// What a test configures beside what every server here has.
#[derive(Default)]
pub(crate) struct Plan {
    /// Sections of queues.conf.
    pub(crate) queues: String,
    /// Contexts of extensions.conf.
    pub(crate) dialplan: String,
    /// Phones: device and the port that plays it; 0 for one that never registered.
    pub(crate) phones: Vec<(String, u16)>,
    /// More of sip.conf or pjsip.conf, behind what every server has.
    pub(crate) sip: String,
    /// More sections of manager.conf; `@NET@` is the server's network, `@ETC@` its folder of
    /// configuration files.
    pub(crate) accounts: String,
    /// More files of that folder: their names and what is in them.
    pub(crate) files: Vec<(String, String)>,
}

/// A running Asterisk.
pub(crate) struct Pbx {
    pub(crate) version: Version,
    /// The first three parts of its addresses: `.1` is the server, `.2` callers, `.3` phones, `.4`
    /// the carrier.
    pub(crate) net: String,
    /// Its own files, inside the root.
    place: PathBuf,
    pub(super) child: Mutex<Child>,
    ctl: Mutex<Ami>,
}

impl Version {
    pub(crate) const fn number(self) -> &'static str {
        match self {
            Self::V16 => "16",
            Self::V22 => "22",
        }
    }

    /// What its SIP devices are called.
    pub(crate) const fn tech(self) -> &'static str {
        match self {
            Self::V16 => "SIP",
            Self::V22 => "PJSIP",
        }
    }

    /// What separates AGI and Gosub in the arguments of Queue: 21 took the macro out of the
    /// middle.
    pub(crate) const fn gosub(self) -> &'static str {
        match self {
            Self::V16 => ",,",
            Self::V22 => ",",
        }
    }

    /// The first three parts of the addresses of a server in that slot.  Two runs on one machine must not
    /// meet: the process decides the third one.
    pub(crate) fn net(self, slot: u8) -> String {
        format!("127.{}.{}", self.number(), 1 + (std::process::id() * 4 + u32::from(slot)) % 250)
    }

    pub(super) fn root(self) -> PathBuf {
        support::root("target/asterisk").join(self.number())
    }

    /// As the program prints it: `16.28.0`.
    pub(crate) fn full(self) -> String {
        let text = fs::read_to_string(self.root().join("installed")).expect("the version");
        let word = text.split_whitespace().nth(1).expect("Asterisk and a version");
        word.split(|c: char| !c.is_ascii_digit() && c != '.').next().expect("a version").to_owned()
    }

    /// Whether the tests can run here; where they cannot, prints why.  In CI they must, with 16.
    pub(crate) fn is_installed(self) -> bool {
        let succeeds = |program: &str, args: &[&str]| {
            let done = Command::new(program)
                .args(args)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            done.is_ok_and(|status| status.success())
        };
        let missing = if !self.root().join("installed").exists() {
            "it is not installed: see what `make test` printed of it"
        } else if !succeeds("chroot", &["/", "true"]) {
            "only root can start it"
        } else if !succeeds("sh", &["-c", "command -v sipp"]) {
            "sipp is not installed"
        } else {
            return true;
        };

        let required = std::env::var_os("CI").is_some() && self == Self::V16;
        assert!(
            !required,
            "no tests beside Asterisk {}, and CI must not go without: {missing}",
            self.number()
        );

        println!("skipped: the tests beside Asterisk {}: {missing}", self.number());
        false
    }
}

impl Pbx {
    /// Starts a server for a test of that name and waits until it is ready for calls.
    pub(crate) fn start(version: Version, name: &str, slot: u8, plan: &Plan) -> Self {
        let net = version.net(slot);
        let place = PathBuf::from("/srv").join(format!("{name}-{}", net.replace('.', "-")));
        let outside = version.root().join(place.strip_prefix("/").expect("an absolute path"));
        let _ = fs::remove_dir_all(&outside);
        for folder in ["etc", "run", "log/cdr-csv", "spool/monitor", "lib", "db"] {
            fs::create_dir_all(outside.join(folder)).expect("a folder of the server");
        }
        configuration::write(version, &net, &place, &outside.join("etc"), plan);
        let child = launch(version, &place, &outside);
        let ctl = log_in(&net);
        Self { version, net, place, child: Mutex::new(child), ctl: Mutex::new(ctl) }
    }

    /// A file of the server, from outside.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.version.root().join(self.place.strip_prefix("/").expect("an absolute path")).join(name)
    }

    /// The same as the server itself names it.
    pub(super) fn inside(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    pub(crate) fn queue_log(&self) -> PathBuf {
        self.file("log/queue_log")
    }

    pub(crate) fn cdrs(&self) -> String {
        fs::read_to_string(self.file("log/cdr-csv/Master.csv")).unwrap_or_default()
    }

    /// The address of its manager interface.
    pub(crate) fn manager(&self) -> String {
        format!("{}.1:5038", self.net)
    }

    /// Runs a command of its own command line.
    pub(crate) fn cli(&self, command: &str) -> String {
        self.ctl().act("Command", &[("Command", command)]).remove("Output").unwrap_or_default()
    }

    /// What its own console answers to a command, line by line; the manager interface repeats a header
    /// instead.
    pub(crate) fn console(&self, command: &str) -> String {
        self.on_console(&mut Command::new("chroot"), command)
    }

    /// The same, by a program that runs the rest of its arguments in the server's root.
    pub(super) fn on_console(&self, chroot: &mut Command, command: &str) -> String {
        let conf = self.inside("etc/asterisk.conf");
        let output = chroot
            .arg(self.version.root())
            .args(["/usr/sbin/asterisk", "-C"])
            .arg(conf)
            .args(["-rx", command]);
        String::from_utf8_lossy(&output.output().expect("chroot, as root").stdout).into_owned()
    }

    /// Waits until no channel is up; hangs up those that stay and returns their names.
    pub(crate) fn settle(&self) -> Vec<String> {
        for _ in 0..300 {
            if self.channels().is_empty() {
                return Vec::new();
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let left = self.channels();
        self.cli("channel request hangup all");
        program::wait_until("all channels to end", || self.channels().is_empty().then_some(()));
        left
    }

    /// Names of the channels that are up.
    pub(crate) fn channels(&self) -> Vec<String> {
        let ctl = self.ctl();
        let from = ctl.here();
        let id = ctl.send("CoreShowChannels", &[]);
        let is_end = |m: &super::ami::Message| {
            m["Event"] == "CoreShowChannelsComplete" && m.get("ActionID") == Some(&id)
        };
        ctl.wait_for("the list of channels", from, is_end);
        let listed = ctl.since(from);
        let mine = listed
            .iter()
            .filter(|m| m["Event"] == "CoreShowChannel" && m.get("ActionID") == Some(&id));
        mine.filter_map(|m| m.get("Channel").cloned()).collect()
    }

    /// The session of the test, which is another after a restart.
    pub(crate) fn ctl(&self) -> Ami {
        self.ctl.lock().expect("the session").clone()
    }

    /// Lets the server restart itself at once, and waits until it is back.
    pub(crate) fn restart(&self) {
        let ctl = self.ctl();
        ctl.send("Command", &[("Command", "core restart now")]);
        ctl.wait_closed();
        *self.ctl.lock().expect("the session") = log_in(&self.net);
    }

    /// The machine fails: from now on the server is gone.
    pub(crate) fn crash(&self) {
        let mut child = self.child.lock().expect("the server");
        child.kill().expect("a running server");
        child.wait().expect("its end");
    }

    /// Starts a server that crashed.
    pub(crate) fn start_again(&self) {
        *self.child.lock().expect("the server") = launch(self.version, &self.place, &self.file(""));
        *self.ctl.lock().expect("the session") = log_in(&self.net);
    }

    pub(crate) fn answers_sip(&self) -> bool {
        hang::answers_sip(&self.net)
    }

    /// Whether the process is there.
    pub(crate) fn is_running(&self) -> bool {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(child.try_wait(), Ok(None))
    }

    /// Stops every thread of the process, as a debugger does; `run_on` undoes it.
    pub(crate) fn stop(&self) {
        let pid = self.signal("STOP");
        // One thread takes the signal and then stops the others: until it has run, they go on.
        let tasks = format!("/proc/{pid}/task");
        program::wait_until("all threads to stop", || {
            fs::read_dir(&tasks).ok()?.flatten().all(|task| is_stopped(&task.path())).then_some(())
        });
    }

    pub(crate) fn run_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) -> u32 {
        let pid = self.child.lock().expect("the server").id();
        let done = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
        assert!(done.is_ok_and(|status| status.success()), "kill -s {name}");
        pid
    }
}

/// Whether the thread of that folder of `/proc` is stopped; its state follows its name in brackets.
fn is_stopped(task: &Path) -> bool {
    let stat = fs::read_to_string(task.join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

impl Drop for Pbx {
    fn drop(&mut self) {
        // Before the server is ended, as it says nothing after.
        if std::thread::panicking() {
            eprintln!("{}", self.diagnosis());
        }

        if std::thread::panicking() && self.is_running() && !self.answers_sip() {
            hang::note_lock_up();
        }
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }

        if std::thread::panicking() {
            eprintln!(
                "the files of Asterisk {} are kept in {}",
                self.version.number(),
                self.file("").display()
            );
        } else {
            let _ = fs::remove_dir_all(self.file(""));
        }
    }
}

fn launch(version: Version, place: &Path, outside: &Path) -> Child {
    let log = fs::File::create(outside.join("log/console")).expect("a log");
    Command::new("chroot")
        .arg(version.root())
        .args(["/usr/sbin/asterisk", "-f", "-C"])
        .arg(place.join("etc/asterisk.conf"))
        .stdin(Stdio::null())
        .stderr(log.try_clone().expect("a log"))
        .stdout(log)
        .spawn()
        .expect("chroot, as root")
}

/// The manager interface opens before the queues are there: FullyBooted comes when they are.
fn log_in(net: &str) -> Ami {
    let ctl = program::wait_until("the manager interface", || {
        Ami::open(&format!("{net}.1:5038"), "ctl", SECRET).ok()
    });
    ctl.wait(0, "FullyBooted", &[]);
    ctl
}
