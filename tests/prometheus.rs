//! Real Prometheus reads what we write.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::program::{Running, demo, free_port, get, run, tool, wait_until};

#[test]
fn promtool_finds_nothing_to_mend() {
    let Some(promtool) = tool("promtool") else { return };
    let played = run(&["replay", "--format", "text", "fixtures/captures/16/bulk.ami.gz"]);
    assert!(played.status.success());
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool");
    check.stdin.take().expect("a pipe").write_all(&played.stdout).expect("promtool reads");
    let checked = check.wait_with_output().expect("promtool ends");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert_eq!(String::from_utf8_lossy(&checked.stderr), "");
}

/// The value of an instant query that gives one number; `None` while there is none.
fn ask(port: u16, query: &str) -> Option<f64> {
    let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let (_, body) = get(port, &format!("/api/v1/query?query={query}"), "*/*").ok()?;
    // {"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1.7e9,"42"]}]}}
    let value = body.split("\"value\":[").nth(1)?.split('"').nth(1)?;
    value.parse().ok()
}

#[test]
fn a_real_prometheus_scrapes_a_consistent_cut() {
    let Some(prometheus) = tool("prometheus") else { return };
    let (_demo, port) = demo(&["--speed", "60"]);
    let folder =
        std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("prometheus-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let config = folder.join("prometheus.yml");
    let scrape = format!(
        "scrape_configs:\n  - job_name: asterisk\n    scrape_interval: 250ms\n    scrape_timeout: 250ms\n    static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
    );
    std::fs::write(&config, scrape).expect("a configuration");
    let own = free_port();
    let child = Command::new(prometheus)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{own}"))
        .arg("--log.level=warn")
        .spawn()
        .expect("prometheus starts");
    let _running = Running(child);
    let law = "sum(asterisk_queue_entries_total) + sum(asterisk_queue_adopted_total{phase=\"waiting\"}) \
               - sum(asterisk_queue_exits_total) - sum(asterisk_queue_callers_waiting)";
    let mut asked = 0;
    wait_until("100 callers in Prometheus", || {
        if let Some(rest) = ask(own, law) {
            assert_eq!(rest, 0.0, "waits are not conserved");
            asked += 1;
        }
        ask(own, "sum(asterisk_queue_entries_total)").filter(|entered| *entered >= 100.0)
    });
    assert!(asked > 3, "asked {asked} times only");
    assert_eq!(ask(own, "min(up)"), Some(1.0));
    assert_eq!(ask(own, "sum(asterisk_up)"), Some(1.0));
    drop(_running);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}
