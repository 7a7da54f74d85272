//! `setup` as a new user meets it: through a pipe, by flags, on a terminal, and where it must refuse.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use support::Folder;
use support::program::{Running, command, run, tool, wait_until};

/// Runs it with these answers on standard input.
fn through_pipe(args: &[&str], answers: &str) -> Output {
    with_input(command(&[&["setup"], args].concat()), answers)
}

fn with_input(mut command: Command, answers: &str) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // It may have ended before it read all of them.
    let _ = child.stdin.take().expect("a pipe").write_all(answers.as_bytes());
    child.wait_with_output().expect("its end")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn as_str(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}

fn is_unseen(secret: &str, output: &Output) -> bool {
    ![&output.stdout, &output.stderr].iter().any(|printed| text(printed).contains(secret))
}

#[test]
fn answers_through_a_pipe_become_files() {
    let folder = Folder::new("setup");
    let out = folder.path("new/out");
    let answers = "127.0.0.1:5138\nhq\n20.11\n^PJSIP/carrier ^SIP/o'b\n30s\n127.0.0.1:9\n";
    let done = through_pipe(&["--out", as_str(&out), "--asterisk-etc", "/nowhere"], answers);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));

    assert_eq!(names(&out), NAMES);
    let config = read(&out.join("config.yml"));
    let lines: Vec<_> = config.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    assert_eq!(
        lines.join("\n"),
        "\nweb:\n  listen_address: '127.0.0.1:9'\n\npbx:\n  - # The label `pbx` of all metrics.\n    name: 'hq'\n    \
         address: '127.0.0.1:5138'\n    username: 'exporter'\n    secret_file: secret\n    \
         trunks: ['^PJSIP/carrier', '^SIP/o''b']\n\nservice_level:\n  default: '30s'"
    );

    // The secret is in two files, which only their owner reads, and nowhere else.
    let secret = read(&out.join("secret"));
    let secret = secret.strip_suffix('\n').expect("a line");
    assert_eq!(secret.len(), 26);
    assert!(read(&out.join("manager_account.conf")).contains(&format!("\nsecret = {secret}\n")));
    assert!(is_unseen(secret, &done));
    let mode = |name| fs::metadata(out.join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!(NAMES.map(mode), [0o644, 0o600, 0o644, 0o600]);

    let config = out.join("config.yml");
    let checked = run(&["check-config", "--config", as_str(&config)]);
    let fine = format!("{}: fine; 1 pbx: hq (127.0.0.1:5138)\n", config.display());
    assert_eq!((text(&checked.stdout), text(&checked.stderr)), (fine, String::new()));

    // Nobody has said that the account is loaded.
    let later = "  asterisk_exporter doctor --config ";
    let printed = text(&done.stdout);
    let end = format!("When the PBX knows the account:\n{later}{}\n", config.display());
    assert!(printed.ends_with(&end), "{printed}");
}

#[test]
fn in_a_folder_of_a_service_its_group_reads_the_secret() {
    // As a package makes it; with others in it, the group has no meaning.
    for (folder_mode, secret) in [(0o2750, 0o640), (0o2755, 0o600), (0o750, 0o600)] {
        let folder = Folder::new("setup");
        let out = folder.path("out");
        fs::create_dir(&out).expect("a folder");
        fs::set_permissions(&out, fs::Permissions::from_mode(folder_mode)).expect("its mode");
        let args =
            ["--defaults", "--asterisk", "22.1", "--no-doctor", "--asterisk-etc", "/nowhere"];
        let done = run(&[&["setup", "--out", as_str(&out)][..], &args].concat());
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));

        let mode =
            |name| fs::metadata(out.join(name)).expect("a file").permissions().mode() & 0o777;
        assert_eq!(NAMES.map(mode), [0o644, secret, 0o644, secret], "{folder_mode:o}");
    }
}

#[test]
fn flags_alone_are_enough_and_the_job_is_one_for_prometheus() {
    let folder = Folder::new("setup");
    let out = folder.path("out");
    let args = [
        "setup",
        "--defaults",
        "--name",
        "branch",
        "--address",
        "10.255.255.1",
        "--asterisk",
        "22.1",
        "--permit",
        "10.0.0.9",
        "--username",
        "metrics",
        "--trunks",
        "^SIP/a",
        "--trunks",
        "^SIP/b",
        "--service-level",
        "15",
        "--web.listen-address",
        ":9100",
        "--out",
        as_str(&out),
    ];
    let done = command(&args).stdin(Stdio::null()).output().expect("the program starts");
    let printed = text(&done.stdout);
    assert_eq!((done.status.code(), text(&done.stderr)), (Some(0), String::new()), "{printed}");
    assert!(printed.contains("The PBX at 10.255.255.1:5038 does not know the account yet."));
    assert!(printed.contains("encrypt the connection: docs/tls.md"), "{printed}");

    let config = read(&out.join("config.yml"));
    assert!(config.contains("trunks: ['^SIP/a', '^SIP/b']\n"), "{config}");
    let account = read(&out.join("manager_account.conf"));
    assert!(account.contains("\n[metrics]\n") && account.contains("\npermit = 10.0.0.9/32\n"));

    let Some(promtool) = tool("promtool") else { return };
    let job = out.join("scrape_job.yml");
    let checked = Command::new(promtool).args(["check", "config"]).arg(&job).output();
    let checked = checked.expect("promtool starts");
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    assert!(read(&job).contains("- targets: ['localhost:9100']\n"));
}

#[test]
fn nothing_is_replaced_unless_it_is_asked_for() {
    let folder = Folder::new("setup");
    let args = |more: &[&'static str]| {
        let out = folder.path("out");
        let args = ["--defaults", "--asterisk", "22", "--asterisk-etc", "/nowhere", "--out"];
        let mut all: Vec<String> = args.map(str::to_owned).to_vec();
        all.push(as_str(&out).to_owned());
        all.extend(more.iter().map(|&arg| arg.to_owned()));
        all
    };
    let set_up = |more: &[&'static str]| {
        let args = args(more);
        through_pipe(&args.iter().map(String::as_str).collect::<Vec<_>>(), "")
    };

    // The last of them is there, even as a link that leads nowhere: then none is written.
    let out = folder.path("out");
    fs::create_dir_all(&out).expect("a folder");
    symlink("/nowhere/else", out.join("scrape_job.yml")).expect("a link");
    let refused = set_up(&[]);
    let message = format!(
        "asterisk_exporter: {}: exists already; --force replaces it\n",
        out.join("scrape_job.yml").display()
    );
    assert_eq!((refused.status.code(), text(&refused.stderr)), (Some(1), message));
    assert_eq!(names(&out), ["scrape_job.yml"]);

    assert_eq!(set_up(&["--force"]).status.code(), Some(0));
    assert_eq!(names(&out), NAMES);
    let first = read(&out.join("secret"));
    assert_eq!(set_up(&[]).status.code(), Some(1));
    assert_eq!(read(&out.join("secret")), first);
    assert_eq!(set_up(&["--force"]).status.code(), Some(0));
    assert_ne!(read(&out.join("secret")), first);
}

#[test]
fn wrong_and_missing_answers_write_nothing() {
    let folder = Folder::new("setup");
    let out = folder.path("out");
    let flags = ["--out", as_str(&out), "--asterisk-etc", "/nowhere"];
    let missing =
        "no answer, nothing was written; --service-level gives it, --defaults asks nothing";
    for (more, answers, message) in [
        (&[][..], "pbx:70000\n", "70000 is not a port; nothing was written"),
        (&[], "\n\nnew\n", "new is not an Asterisk version such as 18.9; nothing was written"),
        (
            &[],
            "\n\n22\n(SIP\n",
            "(SIP is not a regular expression: unclosed group; nothing was written",
        ),
        (&[], "\n\n22\n\n", missing),
        (&["--name", ""], "", "--name: is empty"),
        (
            &["--service-level", "x"],
            "\n\n22\n\n",
            "--service-level: x is not a duration such as 20s, 1m or 500ms",
        ),
    ] {
        let refused = through_pipe(&[&flags, more].concat(), answers);
        let printed = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{printed}");
        assert!(printed.ends_with(&format!("asterisk_exporter: {message}\n")), "{printed}");
        assert!(!out.exists(), "{message}");
    }
}

#[test]
fn the_account_is_installed_where_manager_conf_includes_it() {
    for (include, before, after) in [
        ("#include \"manager.d/*.conf\" ", None, "manager.d/asterisk_exporter.conf"),
        ("#include vitalpbx/manager__*.conf", None, "vitalpbx/manager__60-exporter.conf"),
        ("#include manager_custom.conf", Some("[other]\nsecret = x"), "manager_custom.conf"),
    ] {
        let pbx = FakePbx::new(include);
        fs::create_dir_all(pbx.etc("vitalpbx")).expect("a folder");
        if let Some(before) = before {
            fs::write(pbx.etc(after), before).expect("a file");
            fs::set_permissions(pbx.etc(after), fs::Permissions::from_mode(0o660)).expect("a mode");
        }
        let done = pbx.set_up(&["--install"]);

        // The doctor has looked, and nothing listens there.
        let printed = text(&done.stdout);
        assert_eq!(done.status.code(), Some(1), "{printed}{}", text(&done.stderr));
        assert!(printed.contains("\npbx pbx (127.0.0.1:1)\n  problem  login: "), "{printed}");
        let asked = ["-rx core show version\n", "-rx manager reload\n"].concat();
        assert_eq!(read(&pbx.0.path("asked")), asked);

        let stanza = read(&pbx.0.path("out/manager_account.conf"));
        assert!(stanza.starts_with("; For Asterisk 18.9.0: "), "{stanza}");
        let expected = before.map_or(stanza.clone(), |text| format!("{text}\n\n{stanza}"));
        assert_eq!(read(&pbx.etc(after)), expected);
        let mode = fs::metadata(pbx.etc(after)).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, if before.is_some() { 0o660 } else { 0o640 });
        assert_eq!(read(&pbx.etc("manager.conf")), format!("[general]\n{include}\n"));

        // A second time it is there already.
        let again = pbx.set_up(&["--install", "--force"]);
        let refusal = format!(
            "asterisk_exporter: {}: has a section [exporter]: remove it first\n",
            pbx.etc(after).display()
        );
        let refused = before.is_some();
        assert_eq!(text(&again.stderr) == refusal, refused, "{}", text(&again.stderr));
    }
}

#[test]
fn a_manager_conf_that_includes_nothing_is_left_to_its_administrator() {
    let pbx = FakePbx::new("");
    let refused = pbx.set_up(&["--install"]);
    let message = format!(
        "asterisk_exporter: --install: {} includes no file for accounts, such as manager.d/*.conf or manager_custom.conf: \
         append the account by hand\n",
        pbx.etc("manager.conf").display()
    );
    assert_eq!((refused.status.code(), text(&refused.stderr)), (Some(1), message));
    assert!(!pbx.0.path("out").exists());

    let done = pbx.set_up(&[]);
    let command = format!(
        "As root:\n  cat {} >> {}\n  asterisk -rx 'manager reload'\n",
        pbx.0.path("out/manager_account.conf").display(),
        pbx.etc("manager.conf").display()
    );
    let printed = text(&done.stdout);
    assert!(printed.contains(&command), "{printed}");
    assert_eq!(read(&pbx.etc("manager.conf")), "[general]\n\n");
}

#[test]
fn a_pbx_elsewhere_is_not_installed_to() {
    let pbx = FakePbx::new("#include \"manager.d/*.conf\"");
    let refused = pbx.set_up(&["--install", "--address", "10.255.255.1:9", "--asterisk", "22"]);
    let message =
        "asterisk_exporter: --install: the PBX at 10.255.255.1:9 is not on this machine\n";
    assert_eq!((refused.status.code(), text(&refused.stderr)), (Some(1), message.to_owned()));
}

/// A PBX whose console is a script, and whose manager interface is closed.
struct FakePbx(Folder);

impl FakePbx {
    fn new(include: &str) -> Self {
        let folder = Folder::new("setup-pbx");
        fs::create_dir_all(folder.path("etc/manager.d")).expect("a folder");
        fs::create_dir_all(folder.path("bin")).expect("a folder");
        let pbx = Self(folder);
        let main = pbx.etc("manager.conf");
        fs::write(&main, format!("[general]\n{include}\n")).expect("a file");
        fs::set_permissions(&main, fs::Permissions::from_mode(0o640)).expect("a mode");
        let console =
            "#!/bin/sh\necho \"$@\" >> \"${0%/bin/*}/asked\"\necho Asterisk 18.9.0 built by x\n";
        let program = pbx.0.path("bin/asterisk");
        fs::write(&program, console).expect("a script");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
        pbx
    }

    fn etc(&self, name: &str) -> PathBuf {
        self.0.path("etc").join(name)
    }

    fn set_up(&self, more: &[&str]) -> Output {
        let (out, etc) = (self.0.path("out"), self.0.path("etc"));
        let mut args =
            vec!["setup", "--defaults", "--out", as_str(&out), "--asterisk-etc", as_str(&etc)];
        if !more.contains(&"--address") {
            args.extend(["--address", "127.0.0.1:1"]);
        }
        args.extend(more);
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = command(&args);
        command.env("PATH", format!("{}:{path}", self.0.path("bin").display()));
        with_input(command, "")
    }
}

#[test]
fn a_terminal_asks_again_and_never_shows_the_secret() {
    let folder = Folder::new("setup");
    let out = folder.path("out");
    let Some(mut terminal) = Terminal::open(&out) else { return };
    terminal.answer("host or host:port [127.0.0.1:5038]: ", "127.0.0.1:70000");
    terminal.answer("70000 is not a port\r\n", "");
    terminal.answer("host or host:port [127.0.0.1:5038]: ", "127.0.0.1:1");
    terminal.answer("Name of the PBX, for the label `pbx` [pbx]: ", "hq");
    terminal.answer("Version of Asterisk, as `core show version` prints it: ", "22.1");
    terminal.answer("or none [^(PJSIP|SIP|IAX2|DAHDI)/[^0-9]]: ", "");
    terminal.answer("caller be answered? [20s]: ", "20000");
    terminal.answer("a number without a unit is seconds\r\n", "");
    terminal.answer("every interface [:15038]: ", "");
    terminal.answer("for `doctor`; n leaves it out: ", "");
    terminal.answer("pbx hq (127.0.0.1:1)\r\n  problem  login: ", "");
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(1), "{seen}");
    let secret = read(&out.join("secret"));
    assert!(!seen.contains(secret.trim()));
    assert_eq!(names(&out), NAMES);
}

#[test]
fn control_c_and_the_end_of_a_terminal_s_input_write_nothing() {
    for (key, status) in [("\u{3}", None), ("\u{4}", Some(2))] {
        let folder = Folder::new("setup");
        let out = folder.path("out");
        let Some(mut terminal) = Terminal::open(&out) else { return };
        terminal.answer("host or host:port [127.0.0.1:5038]: ", "127.0.0.1:1");
        terminal.until("Name of the PBX");
        terminal.press(key);
        let (code, seen) = terminal.end();
        // What `script` has for a program that a signal has ended is above 128.
        assert_eq!(code.filter(|code| *code <= 128), status, "{seen}");
        assert!(!out.exists());
    }
}

/// The program on a terminal of `script`, which util-linux has.
struct Terminal {
    running: Running,
    seen: Vec<u8>,
    /// How much of it was waited for.
    past: usize,
}

impl Terminal {
    fn open(out: &Path) -> Option<Self> {
        let found = Command::new("script").arg("--version").output().is_ok();
        assert!(found || std::env::var_os("CI").is_none(), "script is missing");
        if !found {
            println!("skipped: script is not installed");
            return None;
        }
        let program = command(&["setup"]);
        let program = program.get_program().to_str().expect("a plain path").to_owned();
        // Whoever runs the tests in the background may have SIGINT ignored, which is inherited.
        let line = format!(
            "env --default-signal=INT {program} setup --watch 0s --asterisk-etc /nowhere --out {}",
            out.display()
        );
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child: Child = command.spawn().expect("script starts");
        Some(Self { running: Running(child), seen: Vec::new(), past: 0 })
    }

    /// Waits for a text, and types an answer unless it is the text of no question.
    fn answer(&mut self, question: &str, answer: &str) {
        self.until(question);
        if !question.ends_with('\n') && !question.ends_with("login: ") {
            self.press(&format!("{answer}\r"));
        }
    }

    fn until(&mut self, wanted: &str) {
        let stdout = self.running.0.stdout.as_mut().expect("a pipe");
        let mut bytes = [0; 1024];
        loop {
            let text = text(&self.seen[self.past..]);
            if let Some(at) = text.find(wanted) {
                self.past += at + wanted.len();
                return;
            }
            let read = stdout.read(&mut bytes).expect("output");
            assert!(read > 0, "no {wanted:?} in: {text}");
            self.seen.extend(&bytes[..read]);
        }
    }

    fn press(&mut self, keys: &str) {
        let stdin = self.running.0.stdin.as_mut().expect("a pipe");
        stdin.write_all(keys.as_bytes()).expect("a key");
        stdin.flush().expect("a key");
    }

    /// Its exit code, and all that was on the screen.
    fn end(mut self) -> (Option<i32>, String) {
        let stdout = self.running.0.stdout.as_mut().expect("a pipe");
        stdout.read_to_end(&mut self.seen).expect("output");
        let status = wait_until("script", || self.running.0.try_wait().expect("a child"));
        (status.code(), text(&self.seen))
    }
}

const NAMES: [&str; 4] = ["config.yml", "manager_account.conf", "scrape_job.yml", "secret"];
