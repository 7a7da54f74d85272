//! Faults of a session that is synchronised, with a caller who waits and one who talks.

use super::calls::{abandoned, connected, joined};
use super::row::{Row, counted, lost_words, shown};
use super::stage::{PBX, Stage, answer_ping, lasting, pass, seconds};
use crate::supervisor::fake::{Peer, Sent};

/// Plays a fault that ends each session.
async fn ends(fault: &'static str, play: impl AsyncFn(&mut Stage, Peer) -> String) -> Row {
    lasting(fault, Stage::start().await, async |stage| {
        let peer = stage.accept_busy().await;
        play(stage, peer).await
    })
    .await
}

pub(super) async fn session_black_hole() -> Row {
    ends("the PBX hangs, or packets vanish", async |stage, _peer| {
        // The snapshot was 3 s ago.
        stage.notices_after(seconds(22)).await;
        "25 s".to_owned()
    })
    .await
}

pub(super) async fn black_hole_in_a_frame() -> Row {
    ends("an event stops in its middle", async |stage, mut peer| {
        peer.send("Event: QueueCallerAbandon\nQueue: supp").await;
        stage.notices_after(seconds(22)).await;
        "25 s".to_owned()
    })
    .await
}

pub(super) async fn events_without_answers() -> Row {
    ends("events come, and Pings are not answered", async |stage, mut peer| {
        for _ in 0..21 {
            pass(seconds(1)).await;
            stage.sends(&mut peer, "Event: DialState\n\n").await;
        }
        stage.notices_after(seconds(1)).await;
        "25 s".to_owned()
    })
    .await
}

pub(super) async fn dribble() -> Row {
    let mut stage = Stage::start().await;
    let mut peer = stage.accept_up().await;
    let text = [joined(1), joined(2), abandoned(1)].concat().replace('\n', "\r\n");
    for byte in text.as_bytes() {
        peer.send_bytes(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    stage.exporter.caught_up(&mut peer, PBX).await;
    assert_eq!(stage.open(), (1.0, 0.0));
    stage.counts_exactly(&mut peer).await;
    stage.row("events come byte by byte")
}

pub(super) async fn closed() -> Row {
    ends("the PBX closes the session", async |stage, peer| {
        drop(peer);
        stage.notices_after(seconds(0)).await
    })
    .await
}

pub(super) async fn reset() -> Row {
    ends("the connection is reset", async |stage, peer| {
        peer.reset();
        stage.notices_after(seconds(0)).await
    })
    .await
}

pub(super) async fn closed_in_a_frame() -> Row {
    ends("the PBX closes in the middle of an event", async |stage, mut peer| {
        peer.send("Event: QueueCallerAbandon\nQueue: supp").await;
        drop(peer);
        stage.notices_after(seconds(0)).await
    })
    .await
}

pub(super) async fn stopped() -> Row {
    ends("the PBX is stopped, as its Shutdown says", async |stage, mut peer| {
        stage.sends(&mut peer, "Event: Shutdown\nShutdown: Cleanly\nRestart: True\n\n").await;
        drop(peer);
        stage.notices_after(seconds(0)).await
    })
    .await
}

/// Only the next session shows that the PBX was another one.
pub(super) async fn restarted() -> Row {
    let mut stage = Stage::start().await;
    let peer = stage.accept_busy().await;
    drop(peer);
    stage.exporter.down(0).await;
    let numbers = stage.numbers();
    let all: Vec<_> = counted(&numbers, PBX).iter().map(shown).collect();

    // Uniqueids begin anew: the first call has that of the caller who waited.
    let mut peer = stage.accept().await;
    peer.log_in("22.10.0").await;
    peer.send("Event: FullyBooted\nUptime: 1\nLastReload: 1\nStatus: Fully Booted\n\n").await;
    peer.give_snapshot("").await;
    stage.exporter.up(0).await;
    pass(seconds(3)).await;
    stage.sends(&mut peer, &joined(10)).await;
    let numbers = stage.numbers();
    let lost = super::row::lost(&numbers, PBX);
    assert_eq!((numbers.sum("asterisk_queue_entries_total", &[]), stage.open()), (3.0, (1.0, 0.0)));
    stage.sends(&mut peer, &abandoned(10)).await;
    stage.counts_exactly(&mut peer).await;
    Row {
        fault: "the PBX crashes and is back, with the same Uniqueids for other calls",
        noticed: "at once".to_owned(),
        counted: all,
        lost: lost_words(lost),
        back: "1 to 2 s".to_owned(),
        log: stage.words(),
    }
}

/// Calls that go on over a gap are not lost.
pub(super) async fn gap_that_hides_nothing() -> Row {
    let mut stage = Stage::start().await;
    let mut peer = stage.accept_up().await;
    stage.sends(&mut peer, &[joined(1), joined(2), abandoned(2)].concat()).await;
    drop(peer);
    stage.exporter.down(0).await;
    let mut peer = stage.accept().await;
    peer.log_in("22.10.0").await;
    let caller = "Channel: PJSIP/carrier-1\nUniqueid: 100.1\nLinkedid: 100.1\n";
    let entry = format!("Event: QueueEntry\nQueue: support\nPosition: 1\n{caller}Wait: 9\n");
    let channel = format!("Event: CoreShowChannel\n{caller}ChannelState: 6\nApplication: Queue\n");
    peer.give_snapshot_of(&channel, &entry).await;
    stage.exporter.up(0).await;
    pass(seconds(3)).await;
    assert_eq!(stage.open(), (1.0, 0.0));
    stage.sends(&mut peer, &abandoned(1)).await;
    assert_eq!(stage.numbers().sum("asterisk_queue_exits_total", &[("outcome", "abandoned")]), 2.0);
    let row = stage.row("the session breaks, and the caller who waited still waits");
    Row { noticed: "at once".to_owned(), back: "1 to 2 s".to_owned(), ..row }
}

/// Plays a fault that a session survives.
async fn survives(fault: &'static str, play: impl AsyncFnOnce(&mut Stage, &mut Peer)) -> Row {
    let mut stage = Stage::start_with(|pbx| asterisk_exporter::config::Pbx {
        max_line: 1024,
        max_frame: 4096,
        ..pbx
    })
    .await;
    let mut peer = stage.accept_busy().await;
    play(&mut stage, &mut peer).await;
    stage.counts_exactly(&mut peer).await;
    let numbers = stage.numbers();
    assert_eq!(numbers.sum("asterisk_exporter_connects_total", &[]), 1.0);
    stage.row(fault)
}

pub(super) async fn noise_between_events() -> Row {
    survives("noise between two events", async |stage, peer| {
        peer.send_bytes(b"\x00\xff: \xfe\r\n\r\n\x80\x81\r\n\r\n").await;
        stage.exporter.caught_up(peer, PBX).await;
    })
    .await
}

pub(super) async fn second_greeting() -> Row {
    survives("a greeting in the middle of a session", async |stage, peer| {
        stage.sends(peer, "Asterisk Call Manager/1.3\n").await;
    })
    .await
}

pub(super) async fn long_line() -> Row {
    survives("a line of 2 MB", async |stage, peer| {
        stage.sends(peer, &format!("Event: Hangup\nChannel: {}\n\n", "x".repeat(2_000_000))).await;
    })
    .await
}

pub(super) async fn long_frame() -> Row {
    survives("an event with 100,000 headers", async |stage, peer| {
        stage.sends(peer, &format!("Event: Hangup\n{}\n", "Key: value\n".repeat(100_000))).await;
    })
    .await
}

pub(super) async fn event_without_what_it_needs() -> Row {
    survives("an event without the headers that it needs", async |stage, peer| {
        stage.sends(peer, "Event: QueueCallerJoin\nQueue: support\n\n").await;
    })
    .await
}

pub(super) async fn foreign_answers() -> Row {
    survives("answers to actions that were never sent", async |stage, peer| {
        let text = "Response: Success\nActionID: ae-77-Ping\nPing: Pong\n\n\
                    Response: Error\nMessage: No\n\n\
                    Response: Success\nActionID: ae-78-QueueStatus\nEventList: start\n\n\
                    Event: QueueEntry\nQueue: support\nUniqueid: 7.7\nChannel: x\nActionID: ae-79\n\n";
        stage.sends(peer, text).await;
    })
    .await
}

pub(super) async fn events_twice() -> Row {
    survives("each event comes twice", async |stage, peer| {
        let events = [joined(51), abandoned(51)].concat();
        let twice: String =
            events.split_inclusive("\n\n").flat_map(|event| [event, event]).collect();
        stage.sends(peer, &twice).await;
        pass(seconds(5)).await;
        let numbers = stage.numbers();
        assert_eq!(numbers.sum("asterisk_queue_entries_total", &[]), 3.0);
        let abandoned = [("outcome", "abandoned")];
        assert_eq!(numbers.sum("asterisk_queue_exits_total", &abandoned), 1.0);
    })
    .await
}

pub(super) async fn events_in_another_order() -> Row {
    survives("the events of a call come in reverse order", async |stage, peer| {
        let events = [joined(51), connected(51)].concat();
        let mut events: Vec<_> = events.split_inclusive("\n\n").collect();
        events.reverse();
        stage.sends(peer, &events.concat()).await;
        stage.sends(peer, &abandoned(51)).await;
        pass(seconds(6)).await;
    })
    .await
}

pub(super) async fn unknown_events() -> Row {
    survives("10,000 events that nobody knows", async |stage, peer| {
        let events = "asterisk_exporter_events_total";
        let before = stage.numbers().sum(events, &[("event", "other")]);
        peer.send(&"Event: Nonsense\nX: y\n\n".repeat(10_000)).await;
        stage.exporter.counted(events, &["event=\"other\""], before + 10_000.0).await;
    })
    .await
}

pub(super) async fn clock_of_the_pbx_ahead() -> Row {
    clock(
        "the clock of the PBX jumps ahead by an hour: a call in progress is an hour longer",
        3600.0,
        3606.0,
    )
    .await
}

pub(super) async fn clock_of_the_pbx_back() -> Row {
    clock(
        "the clock of the PBX is set back by an hour: a call in progress took no time",
        -3600.0,
        0.0,
    )
    .await
}

/// A wait of 6 s, in whose middle the clock of the PBX jumps.
async fn clock(fault: &'static str, jump: f64, hold: f64) -> Row {
    survives(fault, async |stage, peer| {
        stage.sends(peer, &joined(51)).await;
        pass(seconds(6)).await;
        stage.ahead += jump;
        stage.sends(peer, &abandoned(51)).await;
        let held = [("outcome", "abandoned")];
        let held = stage.numbers().sum("asterisk_queue_hold_seconds_sum", &held);
        assert_eq!(held, hold);
    })
    .await
}

pub(super) async fn list_refused_in_mid_session() -> Row {
    list_in_mid_session(
        "QueueStatus is refused in the middle of a session",
        async |peer, queues| {
            peer.refuse(queues, "Permission denied").await;
        },
    )
    .await
}

pub(super) async fn list_without_end_in_mid_session() -> Row {
    list_in_mid_session(
        "QueueStatus has no end in the middle of a session",
        async |peer, queues| {
            peer.grant(queues, "EventList: start\n").await;
        },
    )
    .await
}

pub(super) async fn list_unanswered_in_mid_session() -> Row {
    let fault = "QueueStatus alone is not answered in the middle of a session";
    list_in_mid_session(fault, async |_, _| {}).await
}

/// The list that is asked for after a minute.
async fn list_in_mid_session(
    fault: &'static str,
    answer: impl AsyncFnOnce(&mut Peer, &Sent),
) -> Row {
    let mut stage = Stage::start().await;
    let mut peer = stage.accept_busy().await;
    pass(seconds(7)).await;
    answer_ping(&mut peer).await;
    for _ in 0..5 {
        pass(seconds(10)).await;
        answer_ping(&mut peer).await;
    }
    let queues = peer.expect("QueueStatus").await;
    answer(&mut peer, &queues).await;
    answer_ping(&mut peer).await;

    // Nobody is lost by a list that did not come.
    pass(seconds(3)).await;
    assert_eq!(stage.open(), (1.0, 1.0));
    stage.counts_exactly(&mut peer).await;
    stage.row(fault)
}
