//! Callers, phones and the carrier, played by sipp.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use support::program;

use super::sip_script;

/// How a phone behaves; each kind is one sipp that plays all phones of the kind, distinguished by its
/// port.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Phone {
    /// Rings a second, answers, and never hangs up.
    Answers,
    /// Rings a second, answers, and hangs up after three.
    HangsUp,
    /// Rings for ever.
    Rings,
    /// Answers at once with 486.
    Busy,
    /// Answers at once with 480.
    Unavailable,
    /// Answers, then presses `#1` and the number of a colleague.
    BlindTransfers,
    /// Answers, then presses `*2` and the number of a colleague, and hangs up when the colleague
    /// has answered.
    AttendedTransfers,
    /// Answers, puts the caller on hold for two seconds, then talks on.
    Holds,
    /// Answers at once with 302: all its calls are to go to the colleague.
    Forwards,
    /// Of all kinds, by chance: see `sip_script`.
    Random,
    /// Played by [`super::phone`].
    Desk,
    /// Was never registered.
    Unreachable,
}

impl Phone {
    /// The port of the sipp that plays it.
    pub(crate) const fn port(self) -> u16 {
        match self {
            Self::Answers => 4001,
            Self::HangsUp => 4002,
            Self::Rings => 4003,
            Self::Busy => 4004,
            Self::Unavailable => 4005,
            Self::BlindTransfers => 4006,
            Self::AttendedTransfers => 4007,
            Self::Holds => 4008,
            Self::Random => 4009,
            Self::Forwards => 4010,
            // Each has a port of its own.
            Self::Desk | Self::Unreachable => 0,
        }
    }
}

/// A call that somebody makes.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The number dialled.
    pub(crate) to: String,
    /// Milliseconds from the answer until the caller hangs up.
    pub(crate) hold: u32,
    /// Milliseconds before the answer after which the caller gives up.
    pub(crate) cancel: Option<u32>,
    /// A key, and the milliseconds after the answer at which it is pressed.
    pub(crate) keys: Vec<(u32, char)>,
    /// The agent's device that calls, else somebody outside.
    pub(crate) device: Option<String>,
    /// The number of somebody outside.
    pub(crate) number: String,
}

/// The far end of all SIP on one server's addresses.
pub(crate) struct Phones {
    net: String,
    folder: PathBuf,
    kinds: Vec<Sipp>,
}

/// A sipp that runs; killed when dropped.
pub(crate) struct Sipp {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Phones {
    /// Starts all kinds of phones and the carrier.
    pub(crate) fn start(net: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sipp-{net}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for sipp");
        let mut phones = Self { net: net.to_owned(), folder, kinds: Vec::new() };

        for kind in KINDS {
            let scenario = sip_script::of_phone(kind).expect("a phone that sipp plays");
            let sipp = phones.sipp(&format!("{kind:?}"), &scenario, 3, kind.port(), &[]);
            phones.kinds.push(sipp);
        }

        let carrier = phones.sipp("carrier", &sip_script::carrier(), 4, 5070, &[]);
        phones.kinds.push(carrier);

        // Sipp opens its socket late: whoever asks is answered when it is there.
        for kind in &mut phones.kinds {
            kind.wait_open();
        }

        phones
    }

    /// Makes a call.
    pub(crate) fn call(&self, caller: &Caller) -> Sipp {
        let host = if caller.device.is_some() { 3 } else { 2 };
        let port = 10_000 + next();
        let from = caller.device.as_deref().unwrap_or(&caller.number);
        let to = format!("{}.1:5060", self.net);
        let mut args =
            vec![&*to, "-s", &caller.to, "-m", "1", "-timeout", "100", "-recv_timeout", "40000"];

        // A slow machine repeats itself: an INVITE that is sent twice is answered twice.
        args.extend(["-default_behaviors", "all,-abortunexp"]);
        self.sipp(
            &format!("{}-{port}", caller.to),
            &sip_script::calling(caller, from),
            host,
            port,
            &args,
        )
    }

    fn sipp(&self, name: &str, scenario: &str, host: u8, port: u16, args: &[&str]) -> Sipp {
        let file = self.folder.join(format!("{name}.xml"));

        // A called sipp does not know where calls come from.
        let scenario = scenario.replace("@PBX@", &format!("{}.1:5060", self.net));
        fs::write(&file, scenario).expect("a scenario");
        let log = self.folder.join(format!("{name}.log"));
        let out = fs::File::create(&log).expect("a log");

        // Of its own, or those of a hundred others are in the way.
        let spare = next();
        let control = (15_000 + spare).to_string();
        // Above Asterisk's own, and below those the system gives to any socket that asks for none.
        let media = (24_000 + 4 * (spare % 2_190)).to_string();
        let child = Command::new("sipp")
            .args(args)
            .arg("-sf")
            .arg(&file)
            .args(["-i", &format!("{}.{host}", self.net), "-p", &port.to_string(), "-nostdin"])
            .args(["-cp", &control, "-mp", &media])
            .current_dir(&self.folder)
            .env("TERM", "dumb")
            .stdin(Stdio::null())
            .stderr(out.try_clone().expect("a log"))
            .stdout(out)
            .spawn()
            .expect("sipp is installed");
        Sipp { child, name: format!("{name} on {}.{host}:{port}", self.net), log }
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        self.kinds.clear();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Sipp {
    /// Waits until the call is over; whether it went as the scenario has it.
    pub(crate) fn wait(&mut self) -> bool {
        let status = program::wait_until(&format!("the end of {}", self.name), || {
            self.child.try_wait().expect("sipp")
        });
        if !status.success() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(12).collect();
            println!(
                "sipp {} ended with {status}: {}",
                self.name,
                tail.into_iter().rev().collect::<Vec<_>>().join(" / ")
            );
        }

        status.success()
    }

    /// Waits until the call is over, however it went.
    pub(crate) fn wait_quietly(&mut self) {
        program::wait_until(&format!("the end of {}", self.name), || {
            self.child.try_wait().expect("sipp")
        });
    }

    fn wait_open(&mut self) {
        let pid = self.child.id();
        program::wait_until(&format!("the socket of {}", self.name), || {
            assert!(
                self.child.try_wait().expect("sipp").is_none(),
                "{} ended: {:?}",
                self.name,
                fs::read_to_string(&self.log)
            );
            let sockets = fs::read_dir(format!("/proc/{pid}/fd"))
                .ok()?
                .filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
            // One is its control socket, one is SIP.
            (sockets.filter(|link| link.to_string_lossy().starts_with("socket:")).count() >= 2)
                .then_some(())
        });
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A number for ports, below 5000; two test runs on one machine begin elsewhere.
fn next() -> u16 {
    let first = u16::try_from(std::process::id() % 5000).expect("below 5000");
    (first + NEXT.fetch_add(1, Ordering::Relaxed) % 5000) % 5000
}

static NEXT: AtomicU16 = AtomicU16::new(0);

const KINDS: [Phone; 10] = [
    Phone::Answers,
    Phone::HangsUp,
    Phone::Rings,
    Phone::Busy,
    Phone::Unavailable,
    Phone::BlindTransfers,
    Phone::AttendedTransfers,
    Phone::Holds,
    Phone::Forwards,
    Phone::Random,
];
