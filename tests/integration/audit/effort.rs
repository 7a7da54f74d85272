//! How much memory and time a long log takes.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use asterisk_exporter::calendar::utc;
use asterisk_exporter::clock::Moment;
use support::program::{Running, command};

use super::{BULK, LATER, audit, bulk, place, printed, scratch};

/// The log comes through a pipe; the most memory it took is read before the pipe's end.
#[test]
fn a_long_log_needs_no_more_memory_than_a_short_one() {
    let most_memory = |bytes: usize| -> u64 {
        let pipe = place(&format!("pipe-{bytes}"));
        let _ = std::fs::remove_file(&pipe);
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        let name = pipe.to_str().expect("a plain path");
        let mut child = command(&[
            "audit",
            "--queue-log",
            name,
            "--capture",
            BULK,
            "--since",
            "0",
            "--until",
            LATER,
        ]);
        let mut child = Running(child.stdout(Stdio::null()).spawn().expect("the program starts"));
        let mut log = std::fs::OpenOptions::new().write(true).open(&pipe).expect("a reader");
        let mut block = String::new();
        let mut written = 0;
        let mut call = 0;
        while written < bytes {
            block.clear();
            // Every call another one, verbs and queues without end.
            for _ in 0..1000 {
                call += 1;
                block += &format!(
                    "1795474{:03}|1795474000.{call}|bulk-fpbx|NONE|ENTERQUEUE||0301234567|1\n",
                    call % 1000
                );
                block += &format!(
                    "1795474{:03}|1795474000.{call}|garbage{call}|NONE|ABANDON|1|1|1\n",
                    call % 1000
                );
                block += &format!("1795474{:03}|NONE|NONE|NONE|VERB{call}|\n", call % 1000);
            }
            log.write_all(block.as_bytes()).expect("a reader");
            written += block.len();
        }
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", child.0.id())).expect("a process");
        drop(log);
        assert_eq!(child.0.wait().expect("a child").code(), Some(1));
        std::fs::remove_file(&pipe).expect("the pipe");
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        most.trim().trim_end_matches(" kB").parse().expect("a number of kB")
    };
    let short = most_memory(4 * MB);
    let long = most_memory(100 * MB);
    assert!(long < short + 8 * 1024, "{short} kB for 4 MB of log, {long} kB for 100 MB");
}

/// A year of a database's local times in central Europe, calls of each hour, with the random ones
/// in their place.
fn year(days: u64, calls_an_hour: u64) -> String {
    // Summer time is from the last Sunday of March to that of October, at 01:00 UTC.
    let summer = 1_774_746_000;
    let winter = 1_792_890_000;
    let local = |at: u64| {
        let hours = if (summer..winter).contains(&at) { 2 } else { 1 };
        utc(Moment::from_secs(at + hours * 3600)).replace('T', " ").replace('Z', ".250000")
    };
    let bars = |line: &str| {
        let (at, rest) = line.split_once('|').expect("a line");
        let mut fields: Vec<_> = rest.splitn(5, '|').collect();
        fields.resize(5, "");
        format!("{},{}\n", local(at.parse().expect("seconds")), fields.join(","))
    };

    let mut csv = "time,callid,queuename,agent,event,data\n".to_owned();
    let mut bulk: Option<String> = Some(bulk().lines().map(bars).collect());
    let first = 1_798_761_600 - days * 86_400;

    for hour in 0..days * 24 {
        let begins = first + hour * 3600;
        if begins > 1_795_474_000
            && let Some(bulk) = bulk.take()
        {
            csv += &bulk;
        }
        for call in 0..calls_an_hour {
            let at = begins + call * 3600 / calls_an_hour;
            let spacing = 3600 / calls_an_hour;
            let id = format!("{}.{}", at - spacing.min(40), hour * 1000 + call);
            csv += &format!("{},{id},bulk-fpbx,NONE,ENTERQUEUE,|2025550100|1\n", local(at));
            csv += &format!("{},{id},bulk-fpbx,Ann,CONNECT,5|{at}.7|4\n", local(at + 5));
            csv += &format!("{},{id},bulk-fpbx,Ann,COMPLETEAGENT,5|60|1\n", local(at + 65));
        }
    }

    csv
}

/// Memory in kB and time of the processor in hundredths of a second that an audit took at most.
fn effort(args: &[&str]) -> (u64, u64) {
    let mut child =
        Running(command(args).stdout(Stdio::null()).spawn().expect("the program starts"));
    let mut memory = 0;
    let mut time = 0;

    while child.0.try_wait().expect("a child").is_none() {
        let of = |file: &str| {
            std::fs::read_to_string(format!("/proc/{}/{file}", child.0.id())).unwrap_or_default()
        };
        let number =
            |text: &str| text.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default();
        memory = of("status")
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .map_or(memory, number);
        // User time is the 14th field; the name in brackets before it has no space.
        time = time.max(of("stat").split(' ').nth(13).map_or(0, number));
        std::thread::yield_now();
    }

    (memory, time)
}

#[test]
fn a_year_of_a_database_is_read_in_its_own_zones_and_little_memory() {
    let log = scratch("year.csv", year(365, 4).as_bytes());
    let shown = printed(&audit(&[&log], &["--capture", BULK]), 0);
    let zones = "year.csv: its local times are UTC+01:00, then UTC+02:00, then UTC+01:00, according to its Uniqueids\n";
    assert!(shown.contains(zones), "{shown}");
    assert!(shown.contains("\n50 figures are equal"), "{shown}");

    // Compared from beginning to end, twelve times as much takes as much memory, and time in
    // proportion.
    let month = scratch("month.csv", year(31, 4).as_bytes());
    let whole = |log: &Path| {
        let name = log.to_str().expect("a plain path");
        effort(&["audit", "--queue-log", name, "--capture", BULK, "--since", "0", "--until", LATER])
    };
    let month = whole(&month);
    let year = whole(&log);
    assert!(year.0 < month.0 + 16 * 1024, "{} kB for a month, {} kB for a year", month.0, year.0);
    assert!(
        year.1 < 12 * 3 * month.1.max(10),
        "{} for a month, {} for a year, in 1/100 s",
        month.1,
        year.1
    );
    println!(
        "a month: {} kB, {} ms; a year: {} kB, {} ms",
        month.0,
        10 * month.1,
        year.0,
        10 * year.1
    );
}

const MB: usize = 1_000_000;
