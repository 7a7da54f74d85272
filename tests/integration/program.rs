//! The program as a user meets it: commands, messages, exit codes, and the demo under load.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use support::program::{Running, command, demo, get, run, wait_until};
use support::{Numbers, fixture};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A file for this test alone.
fn scratch(name: &str, content: &[u8]) -> PathBuf {
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    std::fs::write(&path, content).expect("a scratch file");
    path
}

fn as_str(path: &std::path::Path) -> &str {
    path.to_str().expect("a plain path")
}

const SEED: &str = "fixtures/seed-1-inbound-answered/events.ami";

#[test]
fn replay_prints_the_exposition_in_both_formats() {
    let open = run(&["replay", SEED]);
    assert!(open.status.success(), "{}", text(&open.stderr));
    assert!(text(&open.stdout).ends_with("# EOF\n"));
    let classic = run(&["replay", "--format", "text", SEED]);
    let classic = text(&classic.stdout);

    assert!(
        classic.contains("# TYPE asterisk_queue_entries_total counter\n")
            && !classic.contains("# EOF")
    );
    assert_eq!(
        Numbers::read(&classic)
            .sum("asterisk_queue_entries_total", &[("pbx", "replay"), ("queue", "test")]),
        1.0
    );
}

#[test]
fn replay_takes_name_and_patterns_from_a_configuration_without_secrets() {
    let config = scratch(
        "replay.yml",
        b"pbx:\n  - name: hq\n    trunks: ['^SIP/channel2-']\nservice_level: {default: 4}\n",
    );
    let played = run(&[
        "replay",
        "--format",
        "text",
        "--config",
        as_str(&config),
        "fixtures/seed-1-inbound-answered/events.ami",
    ]);
    let numbers = Numbers::read(&text(&played.stdout));
    let inbound = [
        ("pbx", "hq"),
        ("direction", "inbound"),
        ("agent", "SIP/201"),
        ("trunk", "SIP/channel2"),
        ("result", "answered"),
    ];
    assert_eq!(numbers.sum("asterisk_calls_total", &inbound), 1.0);
    assert_eq!(numbers.sum("asterisk_queue_answered_in_target_total", &[("queue", "test")]), 1.0);
    assert_eq!(
        numbers.sum("asterisk_queue_service_level_target_seconds", &[("queue", "test")]),
        4.0
    );
}

#[test]
fn a_cut_capture_is_played_up_to_its_cut_and_no_capture_is_an_error() {
    let whole = std::fs::read(fixture("captures/16/01-answered-caller-hangs-up.ami.gz"))
        .expect("a capture");
    let cut = scratch("cut.ami.gz", &whole[..whole.len() / 2]);
    let played = run(&["replay", "--format", "text", as_str(&cut)]);
    assert!(played.status.success(), "{}", text(&played.stderr));
    assert_eq!(Numbers::read(&text(&played.stdout)).sum("asterisk_queue_entries_total", &[]), 1.0);
    assert!(text(&played.stderr).contains(": cut after "), "{}", text(&played.stderr));
    let nonsense = scratch("photo.jpg", b"\xff\xd8\xff\xe0JFIF");
    let missing = PathBuf::from("fixtures/nothing.ami");

    for (path, message) in [
        (&nonsense, "photo.jpg: not a capture of a manager interface: no event in 8 bytes"),
        (&missing, "fixtures/nothing.ami: cannot be read: No such file or directory"),
    ] {
        let failed = run(&["replay", as_str(path)]);
        assert_eq!(failed.status.code(), Some(1));
        assert!(text(&failed.stderr).contains(message), "{}", text(&failed.stderr));
        assert!(failed.stdout.is_empty());
    }
}

const WHY: &str = "Asterisk 11 or older is not supported: its queue events lack what the exporter needs; record a PBX with 12 or newer";

#[test]
fn a_capture_of_asterisk_11_is_refused_with_file_and_place() {
    let newchannel =
        "Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/trunk-1\r\nUniqueid: 1.1\r\n\r\n";
    let join = "Event: Join\r\nPrivilege: call,all\r\nChannel: SIP/trunk-1\r\nQueue: q\r\nPosition: 1\r\nCount: 1\r\n\
        Uniqueid: 1.1\r\n\r\n";
    let greeted = scratch(
        "greeted.ami",
        format!("Asterisk Call Manager/1.3\r\n{newchannel}{join}").as_bytes(),
    );

    let bare = scratch("bare.ami", format!("{newchannel}{join}").as_bytes());
    let log = scratch("queue_log", b"1795445526|1.1|q|NONE|ENTERQUEUE||5|1\n");

    for (path, place) in [(&greeted, "AMI 1.3 at byte 0"), (&bare, "event Join at byte 79")] {
        let message = format!("asterisk_exporter: {}: {place}: {WHY}\n", path.display());
        let played = run(&["replay", as_str(path)]);
        assert_eq!((played.status.code(), text(&played.stderr)), (Some(1), message.clone()));
        assert!(played.stdout.is_empty());
        let audited = run(&["audit", "--queue-log", as_str(&log), "--recording", as_str(path)]);
        assert_eq!((audited.status.code(), text(&audited.stderr)), (Some(2), message));
        assert!(audited.stdout.is_empty());
    }
}

#[test]
fn check_config_prints_every_mistake() {
    let fine = run(&["check-config", "--config", "asterisk_exporter.example.yml"]);
    assert!(fine.status.success(), "{}", text(&fine.stderr));
    let config = scratch(
        "bad.yml",
        b"pbx:\n  - address: 127.0.0.1:70000\n    username: x\n    secret: y\n    trunk: z\nshort_abandon: soon\n",
    );
    let bad = run(&["check-config", "--config", as_str(&config)]);
    assert_eq!(bad.status.code(), Some(1));
    let printed = text(&bad.stderr);
    for message in ["70000 is not a port", "pbx[0].trunk", "short_abandon"] {
        assert!(printed.contains(message), "{message} is not in {printed}");
    }
}

#[test]
fn manager_conf_goes_by_the_version() {
    let new = run(&["manager-conf", "--asterisk", "22.10"]);
    assert!(text(&new.stdout).contains("eventfilter(action(include),name(QueueCallerJoin)) ="));
    let old = run(&["manager-conf", "--asterisk", "16.28", "--username", "prom"]);

    assert!(
        text(&old.stdout).contains("\n[prom]\n")
            && text(&old.stdout).contains("eventfilter = ^Event: ")
    );

    for version in ["11", "11.25.3", "1.8.32"] {
        let ancient = run(&["manager-conf", "--asterisk", version]);
        let message = format!("Asterisk {version}");
        let printed = text(&ancient.stderr);
        assert_eq!((ancient.status.code(), ancient.stdout.len()), (Some(1), 0));
        assert!(
            printed.contains(&message)
                && printed.contains(" is not supported: its queue events lack"),
            "{printed}"
        );
        assert!(printed.ends_with("update it to 12 or newer\n"), "{printed}");
    }
}

#[test]
fn a_start_that_fails_says_by_its_exit_code_whether_another_may_work() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let config = "pbx:\n  - address: 127.0.0.1:1\n    username: x\n    secret: y\n";
    let config = scratch("run.yml", config.as_bytes());
    let busy = run(&["--config", as_str(&config), "--web.listen-address", &address]);
    assert_eq!(busy.status.code(), Some(1));

    assert!(
        text(&busy.stderr).contains(&format!("{address}: address in use")),
        "{}",
        text(&busy.stderr)
    );

    let config = scratch(
        "secret.yml",
        b"pbx:\n  - address: 127.0.0.1\n    username: x\n    secret_file: /no/such/file\n",
    );
    let web = scratch("web.yml", b"basic_auth_users: 7\n");
    let fine = b"pbx:\n  - address: 127.0.0.1:1\n    username: x\n    secret: y\n";
    let fine = scratch("fine.yml", fine);
    let [config, web, fine] = [&config, &web, &fine].map(|path| as_str(path));
    let listen = ["--web.listen-address", "127.0.0.1:0"];
    for (arguments, code, named) in [
        (&["--config", config][..], 78, "/no/such/file"),
        (&["--config", fine, "--web.config.file", web], 78, "web.yml:1:19: basic_auth_users"),
        (&[], 78, "give --config FILE"),
        // They may be there at the next start.
        (&["--config", "/no/such/file"], 1, "/no/such/file"),
        (&["--config", fine, "--web.config.file", "/no/such/file"], 1, "/no/such/file"),
    ] {
        let never = run(&[arguments, &listen].concat());
        assert_eq!(never.status.code(), Some(code), "{arguments:?}");
        assert!(text(&never.stderr).contains(named), "{}", text(&never.stderr));
    }
    assert_eq!(run(&["--no-such-flag"]).status.code(), Some(2));

    let unit = include_str!("../../contrib/asterisk_exporter.service");
    assert!(unit.contains("\nRestartPreventExitStatus=2 78\n"));
}

#[test]
fn an_unreachable_pbx_is_reported_down_while_the_pages_work() {
    let nobody = support::program::free_port();
    let port = support::program::free_port();
    let config = format!(
        "pbx:\n  - name: hq\n    address: 127.0.0.1:{nobody}\n    username: x\n    secret: hush-hush\n"
    );
    let config = scratch("down.yml", config.as_bytes());
    let listen = format!("127.0.0.1:{port}");
    let child = command(&["--config", as_str(&config), "--web.listen-address", &listen])
        .spawn()
        .expect("a start");
    let mut running = Running(child);
    let down = wait_until("a page", || {
        get(port, "/-/ready", "*/*").ok().filter(|(_, body)| body.contains("refused"))
    });
    assert_eq!(down.0, 503);
    assert!(down.1.contains("hq") && !down.1.contains("hush-hush"), "{}", down.1);
    let (_, metrics) = get(port, "/metrics", "*/*").expect("the metrics");

    assert!(metrics.contains("asterisk_up{pbx=\"hq\"} 0\n"));
    assert_eq!(get(port, "/-/healthy", "*/*").expect("a page").0, 200);
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn systemd_is_told_when_the_pages_are_served_and_that_the_program_lives() {
    let socket = scratch("notify", b"");
    std::fs::remove_file(&socket).expect("a free name");
    let systemd = UnixDatagram::bind(&socket).expect("a socket");
    let told = || {
        let mut buffer = [0; 64];
        let length = systemd.recv(&mut buffer).expect("a message");
        text(&buffer[..length])
    };
    let port = support::program::free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut start = command(&["demo", "--web.listen-address", &listen]);
    start.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "200000");
    let mut running = Running(start.spawn().expect("a start"));

    assert_eq!(told(), "READY=1\n");
    assert_eq!(get(port, "/-/healthy", "*/*").expect("a page").0, 200);
    assert_eq!([told(), told()], ["WATCHDOG=1\n", "WATCHDOG=1\n"]);

    let stopped = std::thread::spawn(move || running.stop());
    let last = std::iter::repeat_with(told).find(|told| told != "WATCHDOG=1\n");
    assert_eq!(last.as_deref(), Some("STOPPING=1\n"));
    assert_eq!(stopped.join().expect("an end"), Some(0));
    std::fs::remove_file(&socket).expect("its own socket");
}

#[test]
fn systemd_is_told_when_the_configuration_is_read_again() {
    let socket = scratch("notify-reload", b"");
    std::fs::remove_file(&socket).expect("a free name");
    let systemd = UnixDatagram::bind(&socket).expect("a socket");
    let told = || {
        let mut buffer = [0; 128];
        let length = systemd.recv(&mut buffer).expect("a message");
        text(&buffer[..length])
    };
    let config = scratch(
        "notify.yml",
        b"pbx: [{address: '127.0.0.1:1', username: x, secret: y, reconnect_min: 1h, reconnect_max: 1h}]\n",
    );
    let listen = format!("127.0.0.1:{}", support::program::free_port());
    let mut start = command(&["--config", as_str(&config), "--web.listen-address", &listen]);
    let child = start.env("NOTIFY_SOCKET", &socket).env_remove("WATCHDOG_USEC").spawn();
    let mut running = Running(child.expect("a start"));
    assert_eq!(told(), "READY=1\n");

    let pid = running.0.id().to_string();
    let hang_up = || {
        let kill = std::process::Command::new("kill").args(["-HUP", &pid]).status();
        assert!(kill.expect("kill").success());
    };
    // Whether it succeeds or not.
    for config_text in [&b"pbx: []\n"[..], b"pbx: [{address: a, username: x, secret: y}]\n"] {
        std::fs::write(&config, config_text).expect("a file");
        hang_up();
        let reloading = told();
        let (state, moment) = reloading.split_once("\nMONOTONIC_USEC=").expect("two lines");
        assert_eq!(state, "RELOADING=1");
        assert!(moment.trim_end().parse::<u64>().is_ok_and(|moment| moment > 0), "{reloading}");
        assert_eq!(told(), "READY=1\n");
    }
    assert_eq!(running.stop(), Some(0));
    std::fs::remove_file(&socket).expect("its own socket");
}

#[test]
fn every_scrape_of_a_busy_pbx_is_a_consistent_cut() {
    let (mut running, port) = demo(&["--speed", "60"]);
    wait_until("a synchronised session", || {
        get(port, "/-/ready", "*/*").ok().filter(|(status, _)| *status == 200)
    });
    let mut scrapes = 0;
    let entered = wait_until("200 callers", || {
        let (status, body) = get(port, "/metrics", "text/plain;version=0.0.4").expect("a scrape");
        assert_eq!(status, 200);
        let numbers = Numbers::read(&body);
        numbers.assert_conserved(&format!("scrape {scrapes}"));
        assert_eq!(numbers.sum("asterisk_up", &[]), 1.0);
        scrapes += 1;
        Some(numbers.sum("asterisk_queue_entries_total", &[])).filter(|entered| *entered >= 200.0)
    });
    assert!(entered >= 200.0 && scrapes > 10, "{entered} callers in {scrapes} scrapes");
    let (_, open) =
        get(port, "/metrics", "application/openmetrics-text;version=1.0.0").expect("a scrape");

    assert!(open.ends_with("# EOF\n"));
    assert!(get(port, "/", "text/html").expect("the landing page").1.contains("demo"));
    assert_eq!(running.stop(), Some(0));
}
