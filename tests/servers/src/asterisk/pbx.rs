//! A real Asterisk in a root of its own, on addresses of its own on loopback, with the
//! configuration a test needs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use support::program;

use super::ami::Ami;
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
    /// More sections of manager.conf.
    pub(crate) accounts: String,
}

/// A running Asterisk.
pub(crate) struct Pbx {
    pub(crate) version: Version,
    /// The first three parts of its addresses: `.1` is the server, `.2` callers, `.3` phones, `.4`
    /// the carrier.
    pub(crate) net: String,
    /// Its own files, inside the root.
    place: PathBuf,
    child: Mutex<Child>,
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

    /// What stands between AGI and Gosub in the arguments of Queue: 21 took the macro out of the
    /// middle.
    pub(crate) const fn gosub(self) -> &'static str {
        match self {
            Self::V16 => ",,",
            Self::V22 => ",",
        }
    }

    fn root(self) -> PathBuf {
        support::root("target/asterisk").join(self.number())
    }

    /// As the program says it: `16.28.0`.
    pub(crate) fn full(self) -> String {
        let text = fs::read_to_string(self.root().join("installed")).expect("the version");
        let word = text.split_whitespace().nth(1).expect("Asterisk and a version");
        word.split(|c: char| !c.is_ascii_digit() && c != '.').next().expect("a version").to_owned()
    }

    /// Whether the tests can run here; where they cannot, says why.  In CI they must, with 16.
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
            "it is not installed: see what `make test` said of it"
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
        // two runs on one machine must not meet: the process decides the third part of the address
        let net = format!(
            "127.{}.{}",
            version.number(),
            1 + (std::process::id() * 4 + u32::from(slot)) % 250
        );
        let place = PathBuf::from("/srv").join(format!("{name}-{}", net.replace('.', "-")));
        let outside = version.root().join(place.strip_prefix("/").expect("an absolute path"));
        let _ = fs::remove_dir_all(&outside);
        for folder in ["etc", "run", "log/cdr-csv", "spool/monitor", "lib", "db"] {
            fs::create_dir_all(outside.join(folder)).expect("a folder of the server");
        }
        write_configuration(version, &net, &place, &outside.join("etc"), plan);
        let child = launch(version, &place, &outside);
        let ctl = log_in(&net);
        Self { version, net, place, child: Mutex::new(child), ctl: Mutex::new(ctl) }
    }

    /// A file of the server, from outside.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.version.root().join(self.place.strip_prefix("/").expect("an absolute path")).join(name)
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

    /// What its own console says to a command, line by line; the manager interface repeats a header
    /// instead.
    pub(crate) fn console(&self, command: &str) -> String {
        self.on_console(&mut Command::new("chroot"), command)
    }

    /// The same, by a program that runs the rest of its arguments in the server's root.
    fn on_console(&self, chroot: &mut Command, command: &str) -> String {
        let conf = self.place.join("etc/asterisk.conf");
        let output = chroot
            .arg(self.version.root())
            .args(["/usr/sbin/asterisk", "-C"])
            .arg(conf)
            .args(["-rx", command]);
        String::from_utf8_lossy(&output.output().expect("chroot, as root").stdout).into_owned()
    }

    /// Waits until no channel is up; hangs up those that stay and tells their names.
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
}

impl Pbx {
    pub(crate) fn answers_sip(&self) -> bool {
        hang::answers_sip(&self.net)
    }

    /// Whether the process is there.
    pub(crate) fn is_running(&self) -> bool {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(child.try_wait(), Ok(None))
    }

    /// Sends the process a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.lock().expect("the server").id();
        let done = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
        assert!(done.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    /// What a server shows that may have stopped to answer: the end of its log, tasks that wait in
    /// its queues, and what its threads do.
    ///
    /// Nothing here waits for the server for longer than a few seconds.
    pub(crate) fn diagnosis(&self) -> String {
        let log = fs::read_to_string(self.file("log/messages")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let log = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n    ");

        // The control socket has a thread of its own: it may answer where SIP and the manager
        // interface do not. PJSIP drops requests while a queue is over its high water mark.
        let mut console = Command::new("timeout");
        let console = self.on_console(console.args(["5", "chroot"]), "core show taskprocessors");
        let queues: Vec<_> = console.lines().filter(|line| has_waiting_tasks(line)).collect();
        let queues = match (console.is_empty(), queues.is_empty()) {
            (true, _) => "    its control socket does not answer".to_owned(),
            (false, true) => "    no task waits".to_owned(),
            (false, false) => format!("    {}", queues.join("\n    ")),
        };

        format!(
            "Asterisk {} on {}: the end of its log\n    {log}\ntask processors\n{queues}\n\
             threads by where the kernel has them\n{}",
            self.version.full(),
            self.net,
            self.threads()
        )
    }

    /// How many threads are where: many in one lock are a deadlock.
    fn threads(&self) -> String {
        let Ok(child) = self.child.try_lock() else { return String::new() };
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let tasks = fs::read_dir(format!("/proc/{}/task", child.id()));
        for task in tasks.into_iter().flatten().flatten() {
            let read = |name| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let place = format!("{} in {}", read("comm").trim(), read("wchan").trim());
            *counts.entry(place).or_default() += 1;
        }
        counts.iter().map(|(place, count)| format!("    {count:3} {place}\n")).collect()
    }
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

/// Whether a line of `core show taskprocessors` is of a queue that is not empty: after the name come
/// how many tasks it has processed, and how many wait.
fn has_waiting_tasks(line: &str) -> bool {
    let waiting = line.split_whitespace().nth(2).and_then(|number| number.parse::<u64>().ok());
    waiting.is_some_and(|number| number > 0)
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

/// The manager interface opens before the queues are there: FullyBooted tells that they are.
fn log_in(net: &str) -> Ami {
    let ctl = program::wait_until("the manager interface", || {
        Ami::open(&format!("{net}.1:5038"), "ctl", SECRET).ok()
    });
    ctl.wait(0, "FullyBooted", &[]);
    ctl
}

fn write_configuration(version: Version, net: &str, place: &Path, etc: &Path, plan: &Plan) {
    let write =
        |file: &str, text: &str| fs::write(etc.join(file), text).expect("a configuration file");
    let at = place.display();
    let own = fs::read_to_string(version.root().join("etc/asterisk/asterisk.conf"))
        .expect("Debian's asterisk.conf");
    let kept = own.lines().filter(|line| {
        ["astmoddir", "astdatadir", "astagidir", "astsbindir"]
            .iter()
            .any(|key| line.starts_with(key))
    });
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    write(
        "asterisk.conf",
        &format!(
            "[directories]\nastetcdir => {at}/etc\nastrundir => {at}/run\nastlogdir => {at}/log\nastspooldir => \
             {at}/spool\nastvarlibdir => {at}/lib\nastkeydir => {at}/lib\nastdbdir => {at}/db\n{kept}[options]\nverbose = \
             0\ndebug = 0\n"
        ),
    );
    write("modules.conf", &modules(version));
    write(
        "logger.conf",
        "[general]\nqueue_log=yes\n[logfiles]\nmessages => notice,warning,error\n",
    );
    write(
        "cdr.conf",
        "[general]\nenable=yes\nunanswered=yes\n[csv]\nusegmtime=yes\nloguniqueid=yes\n",
    );
    write("rtp.conf", "[general]\nrtpstart=20000\nrtpend=29999\n");
    write(
        "features.conf",
        "[general]\ntransferdigittimeout=5\natxfernoanswertimeout=20\n[featuremap]\nblindxfer => #1\natxfer => *2\nparkcall => *3\n",
    );
    write(
        "agents.conf",
        "[general]\n[pooled]\nfullname=Pat Page\nackcall=no\n[starred]\nfullname=Star Page\nackcall=no\n\
         wrapuptime=0\n",
    );
    write("musiconhold.conf", "[general]\n");
    write("confbridge.conf", "[general]\n");
    write(
        "res_parking.conf",
        "[general]\n[default]\nparkext => 650\nparkpos => 651-698\ncontext => parkedcalls\nparkingtime => 4\n\
         comebacktoorigin => yes\ncomebackdialtime => 20\n",
    );
    write(
        "queues.conf",
        &format!(
            "[general]\npersistentmembers=no\nautofill=yes\nmonitor-type=MixMonitor\nshared_lastcall=yes\n\
             log_unpause_on_reason_change=yes\n{}",
            plan.queues
        ),
    );
    write(
        "extensions.conf",
        &format!("[general]\nstatic=yes\nwriteprotect=yes\n{}", plan.dialplan),
    );
    write("manager.conf", &format!("{}{}", accounts(version, net), plan.accounts));
    match version {
        Version::V16 => write("sip.conf", &chan_sip(net, &plan.phones)),
        Version::V22 => write("pjsip.conf", &pjsip(net, &plan.phones)),
    }
}

/// The exporter's account is the one that `manager-conf` prints, with every step of the dialplan to
/// see.  It also opens the interface, which is closed as in Asterisk's own example, and turns the
/// time stamps on.
fn accounts(version: Version, net: &str) -> String {
    let permit = "127.0.0.0/255.0.0.0";
    let printed =
        program::run(&["manager-conf", "--asterisk", &version.full(), "--permit", permit]);
    assert!(printed.status.success(), "manager-conf: {printed:?}");
    let printed = String::from_utf8(printed.stdout).expect("text");
    let mut account = String::new();
    for line in printed.lines() {
        if line.starts_with("secret = ") {
            account.push_str(&format!("secret = {SECRET}\n"));
            continue;
        }
        // the commented choice of the filter: all of Newexten, so that redirected callers are told
        let chosen = line.strip_prefix(";eventfilter").map(|rest| format!("eventfilter{rest}"));
        account.push_str(&format!("{}\n", chosen.as_deref().unwrap_or(line)));
    }
    format!(
        "[general]\nenabled=no\nport=5038\nbindaddr={net}.1\n{account}\n[ctl]\nsecret={SECRET}\n\
         permit={permit}\nread=all\nwrite=all\nwritetimeout=60000\n"
    )
}

/// Nothing that opens a socket of its own, and nothing the tests do not use.
fn modules(version: Version) -> String {
    let mut text = String::from("[modules]\nautoload=yes\n");
    let unused = [
        "chan_iax2",
        "chan_unistim",
        "chan_mgcp",
        "chan_skinny",
        "chan_alsa",
        "chan_oss",
        "chan_console",
        "chan_motif",
        "chan_audiosocket",
        "chan_websocket",
        "chan_dahdi",
        "pbx_dundi",
        "res_snmp",
        "res_xmpp",
        "res_corosync",
        "res_phoneprov",
        "res_calendar",
        "res_timing_pthread",
        "res_resolver_unbound",
        "res_prometheus",
        "res_http_websocket_client",
    ];
    for module in unused {
        text.push_str(&format!("noload = {module}.so\n"));
    }
    if version == Version::V16 {
        let folder = version.root().join("usr/lib/asterisk/modules");
        for entry in fs::read_dir(folder).expect("the modules") {
            let name = entry.expect("a module").file_name().to_string_lossy().into_owned();
            if name.contains("pjsip") {
                text.push_str(&format!("noload = {name}\n"));
            }
        }
    }
    text
}

fn chan_sip(net: &str, phones: &[(String, u16)]) -> String {
    let mut text = format!(
        "[general]\nudpbindaddr={net}.1:5060\ntcpenable=no\nallowguest=no\ncontext=default\ndirectmedia=no\ndisallow=all\n\
         allow=ulaw\ndtmfmode=info\nsrvlookup=no\nsession-timers=refuse\n"
    );
    for (name, host) in [("trunk", 2), ("carrier", 4)] {
        text.push_str(&format!(
            "[{name}]\ntype=peer\nhost={net}.{host}\nport=5070\ninsecure=port,invite\ncontext=from-trunk\n"
        ));
    }
    for (device, port) in phones {
        let host = if *port == 0 { "dynamic".to_owned() } else { format!("{net}.3\nport={port}") };
        text.push_str(&format!(
            "[{device}]\ntype=friend\nhost={host}\ninsecure=port,invite\ncontext=from-agents\ncallcounter=yes\n"
        ));
    }
    text
}

fn pjsip(net: &str, phones: &[(String, u16)]) -> String {
    let mut text = format!(
        "[global]\ntype=global\nendpoint_identifier_order=ip,username\n[lo]\ntype=transport\nprotocol=udp\n\
         bind={net}.1:5060\n[common](!)\ntype=endpoint\ntransport=lo\ndisallow=all\nallow=ulaw\ndtmf_mode=info\n\
         direct_media=no\nmedia_address={net}.1\nbind_rtp_to_media_address=yes\n[trunk](common)\ncontext=from-trunk\n\
         aors=trunk\n[trunk]\ntype=aor\ncontact=sip:{net}.2:5070\n[trunk]\ntype=identify\nendpoint=trunk\n\
         match={net}.2\n[carrier](common)\ncontext=from-trunk\naors=carrier\n[carrier]\ntype=aor\n\
         contact=sip:{net}.4:5070\n"
    );
    for (device, port) in phones {
        let contact = if *port == 0 {
            String::new()
        } else {
            format!("contact=sip:{device}@{net}.3:{port}\n")
        };
        text.push_str(&format!(
            "[{device}](common)\ncontext=from-agents\naors={device}\ndevice_state_busy_at=1\n[{device}]\ntype=aor\n{contact}"
        ));
    }
    text
}

/// Lines of the log that a diagnosis shows.
const LAST_LINES: usize = 40;

/// Of every account here.
pub(crate) const SECRET: &str = "loopback";
