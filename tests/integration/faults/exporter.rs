//! Faults on the exporter's own side, in simulated time.

use std::fs::File;
use std::process::Command;

use asterisk_exporter::config::{Config, Document, Pbx, Purpose, Sources};
use support::Folder;

use super::row::{NOTHING, Row, counted, lost, lost_words, shown};
use super::stage::{PBX, Stage, pass, seconds};
use crate::supervisor::fake::Fake;

/// A PBX whose secret is in a file.
async fn with_secret_file(folder: &Folder, secret: &str) -> Stage {
    let path = folder.write("secret", secret);
    let fake = Fake::start().await;
    let text = format!(
        "pbx: [{{name: hq, address: '127.0.0.1:{}', username: x, secret_file: '{}'}}]",
        fake.port(),
        path.display()
    );
    let document = Document::Text { name: "config.yml".to_owned(), text };
    let sources = Sources { document, ..Sources::default() };
    let config = Config::load(&sources, Purpose::Run).expect("a configuration").config;
    let secret = config.pbxs[0].secret.clone();
    let mut stage = Stage::start_beside(fake, |pbx| Pbx { secret, ..pbx });
    stage.hidden.push((path.display().to_string(), "/etc/asterisk_exporter/secret"));
    stage
}

/// Logs in with this secret.
async fn log_in_with(stage: &mut Stage, secret: &str) {
    let mut peer = stage.accept().await;
    peer.send("Asterisk Call Manager/11.0.0\n").await;
    let challenge = peer.expect("Challenge").await;
    peer.grant(&challenge, "Challenge: 840415273\n").await;
    let login = peer.expect("Login").await;
    let key = asterisk_exporter::ami::action::challenge_key(b"840415273", secret);
    assert_eq!(&login["Key"], key);
    drop(peer);
    stage.exporter.down(0).await;
}

pub(super) async fn secret_changes() -> Row {
    let folder = Folder::new("faults");
    let mut stage = with_secret_file(&folder, "first").await;
    log_in_with(&mut stage, "first").await;
    folder.write("secret", "second");
    log_in_with(&mut stage, "second").await;
    own("the file of the secret changes", "next login", &stage)
}

pub(super) async fn secret_file_is_gone() -> Row {
    let folder = Folder::new("faults");
    let mut stage = with_secret_file(&folder, "first").await;
    std::fs::remove_file(folder.path("secret")).expect("a file");
    for _ in 0..5 {
        log_in_with(&mut stage, "first").await;
    }
    own("the file of the secret is gone: the last one is used", "next login", &stage)
}

pub(super) async fn secret_file_hangs() -> Row {
    let folder = Folder::new("faults");
    let mut stage = with_secret_file(&folder, "first").await;
    let pipe = folder.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    // Reading it begins, and does not end as long as somebody may write it.
    let writer = File::options().read(true).write(true).open(&pipe).expect("a pipe");
    std::fs::rename(&pipe, folder.path("secret")).expect("its name");
    let mut peer = stage.accept().await;
    peer.send("Asterisk Call Manager/11.0.0\n").await;
    pass(seconds(11)).await;
    peer.expect("Challenge").await;
    drop(peer);
    stage.exporter.down(0).await;
    // Nobody waits for it a second time.
    log_in_with(&mut stage, "first").await;

    drop(writer);
    Row {
        noticed: "10 s".to_owned(),
        ..own("the disk with the secret hangs: the last one is used", "next login", &stage)
    }
}

fn own(fault: &'static str, back: &str, stage: &Stage) -> Row {
    let numbers = stage.numbers();
    Row {
        fault,
        noticed: NOTHING.to_owned(),
        counted: counted(&numbers, PBX).iter().map(shown).collect(),
        lost: lost_words(lost(&numbers, PBX)),
        back: back.to_owned(),
        // That our tests close the connection is no part of it.
        log: stage.words().into_iter().filter(|line| !line.starts_with("disconnected")).collect(),
    }
}

/// What the task writes to is taken away: nothing in the program panics on purpose.
pub(super) async fn task_panics() -> Row {
    let mut stage = Stage::start().await;
    let mut peer = stage.accept_busy().await;
    let shared = std::sync::Arc::clone(&stage.exporter.exporter);
    let monitor = shared.lock().expect("no panic").monitors.take(0).expect("one PBX");
    peer.send("Event: DialState\n\n").await;
    stage.exporter.down(0).await;
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner).monitors.put(0, monitor);
    shared.clear_poison();
    drop(peer);

    // A minute, and not less.
    pass(seconds(59)).await;
    assert!(!stage.fake.is_asked());
    pass(seconds(1)).await;
    stage.recovers().await;
    let numbers = stage.numbers();
    Row {
        fault: "an error of the exporter: the task of a PBX panics",
        noticed: "at once".to_owned(),
        counted: counted(&numbers, PBX).iter().map(shown).collect(),
        lost: lost_words(lost(&numbers, PBX)),
        back: "60 s".to_owned(),
        log: stage.words(),
    }
}

pub(super) async fn shutdown_of_a_hanging_pbx() -> Row {
    let mut stage = Stage::start().await;
    let mut peer = stage.accept_busy().await;
    stage.exporter.stop();
    peer.expect("Logoff").await;
    pass(seconds(2)).await;
    stage.exporter.until("the end", || stage.numbers().sum("asterisk_up", &[]) == 0.0).await;
    let row = stage.row("the exporter is stopped while a PBX hangs: it ends after 2 s");
    Row { noticed: "2 s".to_owned(), back: "with the next start".to_owned(), ..row }
}
