//! The wallboard of a real process: off by configuration, and in a real browser, where there is one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use asterisk_exporter::demo::{DemoPbx, Options, configuration};
use support::program::{Running, command, demo, free_port, get, wait_until};
use support::{Folder, root};

/// The accessibility rules, from npm when the test runs; nothing of them is kept in this project.
const AXE: &str = "axe-core@4.11.0";

/// Whether a program can be started at all.
fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The file of the rules, if npm reaches its registry.
fn axe(folder: &Folder) -> Option<PathBuf> {
    let at = folder.write("package.json", "{}");
    let install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", AXE];
    let done = Command::new("npm").args(install).current_dir(at.parent()?).output();
    if !done.is_ok_and(|output| output.status.success()) {
        println!("skipped: accessibility rules, since npm does not reach its registry");
        return None;
    }
    Some(folder.path("node_modules/axe-core/axe.js"))
}

/// A simulated PBX, and an exporter that looks for it behind another port.
struct BehindAPort {
    pages: u16,
    port: u16,
    pbx: u16,
    _exporter: Running,
    /// What the PBX runs on; it ends with it.
    _pbx: tokio::runtime::Runtime,
}

impl BehindAPort {
    fn new(folder: &Folder) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let (username, secret) = ("exporter".to_owned(), "demo".to_owned());
        let options = Options {
            seed: 1,
            speed: 1.0,
            username: username.clone(),
            secret: secret.clone(),
            busy: 1.0,
            open_for: Duration::ZERO,
        };
        let pbx = runtime.block_on(DemoPbx::bind(options)).expect("a free port");
        let (port, pages) = (free_port(), free_port());
        let behind = SocketAddr::from(([127, 0, 0, 1], port));
        let config = folder.write("behind.yml", &configuration(behind, &username, &secret));
        let address = pbx.address();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        runtime.spawn(async move {
            pbx.serve(stopped).await;
            drop(stop);
        });

        let exporter = command(&["--config", &config.display().to_string(), "--log.level", "off"])
            .args(["--web.listen-address", &format!("127.0.0.1:{pages}")])
            .args(["--web.health-socket", ""])
            .spawn()
            .expect("the program starts");
        let (_exporter, pbx) = (Running(exporter), address.port());
        wait_until("the page", || get(pages, "/wallboard", "*/*").ok());
        Self { pages, port, pbx, _exporter, _pbx: runtime }
    }
}

/// An exporter whose PBX cannot be reached; `web` is more of its configuration.
fn disconnected(folder: &Folder, port: u16, web: &str) -> Child {
    let pbx = "pbx: [{name: gone, address: '127.0.0.1:1', username: exporter, secret: hush}]\n";
    let config = folder.write("config.yml", &format!("{pbx}{web}"));
    command(&["--config", &config.display().to_string(), "--log.level", "off"])
        .args(["--web.listen-address", &format!("127.0.0.1:{port}"), "--web.health-socket", ""])
        .spawn()
        .expect("the program starts")
}

#[test]
fn the_configuration_switches_it_off() {
    for (web, status) in [("", 200), ("web: {wallboard: false}\n", 404)] {
        let (folder, port) = (Folder::new("wallboard"), free_port());
        let _exporter = Running(disconnected(&folder, port, web));
        let page = wait_until("the page", || get(port, "/wallboard", "*/*").ok());
        assert_eq!(page.0, status, "{web}");
    }
}

#[test]
fn a_browser_shows_the_numbers_of_metrics_at_every_width_and_says_what_is_lost() {
    if !is_there("chromium") || !is_there("node") {
        println!("skipped: the wallboard in a browser, since there is no chromium or no node");
        return;
    }
    let folder = Folder::new("wallboard");
    let (live, port) = demo(&["--open-for", "1h"]);
    let other = free_port();
    let _down = Running(disconnected(&folder, other, ""));
    let behind = BehindAPort::new(&folder);

    let pictures = folder.path("pictures");
    std::fs::create_dir(&pictures).expect("a folder");
    let mut browser = Command::new("node");
    browser
        .arg(root("tests/integration/wallboard/browser.cjs"))
        .args(["chromium", &format!("http://127.0.0.1:{port}"), &live.0.id().to_string()])
        .arg(format!("http://127.0.0.1:{other}"))
        .arg(format!("http://127.0.0.1:{}", behind.pages))
        .arg(format!("{},{}", behind.port, behind.pbx))
        .arg(pictures)
        .args(axe(&folder));
    let output = browser.output().expect("node runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
