//! The call centre of deploy/compose: the dialplan and the queues that its image has, in a real Asterisk.

use std::fs::read_to_string;

use support::program::wait_until;
use support::root;

use super::exporter::Exporter;
use super::hang::retry_if_locked_up;
use super::pbx::{Pbx, Plan, Version};

#[test]
fn callers_of_the_compose_file_are_answered_on_22() {
    retry_if_locked_up(callers_are_answered);
}

fn callers_are_answered() {
    if !Version::V22.is_installed() {
        return;
    }
    let plan = Plan {
        queues: without_general("queues.conf"),
        dialplan: without_general("extensions.conf"),
        ..Plan::default()
    };
    let pbx = Pbx::start(Version::V22, "compose", 15, &plan);
    let exporter = Exporter::start(&pbx.net, &pbx.manager());

    // As `calls` does, which is what the container runs.
    let calls = read_to_string(root("deploy/compose/asterisk/calls")).expect("the file");
    let line = calls.lines().find_map(|line| line.split_once("asterisk -rx \"channel originate"));
    let command = line.and_then(|(_, rest)| rest.split('"').next()).expect("what calls a queue");
    for queue in ["sales", "support"] {
        pbx.cli(&format!("channel originate{}", command.replace("$queue", queue)));
    }

    // An agent in eight lets it ring until the queue calls the next one.
    let answered = |queue: &str| {
        let labels = [("queue", queue), ("outcome", "answered")];
        exporter.numbers().sum("asterisk_queue_exits_total", &labels)
    };
    wait_until("both callers to be answered", || {
        (answered("sales") == 1.0 && answered("support") == 1.0).then_some(())
    });
    let inside = exporter.numbers();
    let talking = |queue| inside.sum("asterisk_queue_entries_total", &[("queue", queue)]);
    assert_eq!([talking("sales"), talking("support")], [1.0, 1.0]);
}

/// The rest of a file, whose [general] the test has of its own.
fn without_general(file: &str) -> String {
    let text = read_to_string(root("deploy/compose/asterisk").join(file)).expect("the file");
    let (_, rest) = text.split_once("\n\n").expect("sections");
    rest.to_owned()
}
