//! Faults of the login and of the lists behind it.

use super::row::Row;
use super::stage::{Stage, lasting, pass, seconds};
use crate::supervisor::fake::{Peer, Sent};

/// Plays a fault behind the greeting, again and again.
async fn greeted(fault: &'static str, after: u64, play: impl AsyncFn(&mut Peer) -> Keep) -> Row {
    lasting(fault, Stage::start().await, async |stage| {
        let mut peer = stage.accept().await;
        peer.send("Asterisk Call Manager/11.0.0\n").await;
        let kept = play(&mut peer).await;
        match kept {
            Keep::Open => stage.notices_after(seconds(after)).await,
            Keep::Closed => {
                drop(peer);
                stage.notices_after(seconds(after)).await
            }
        }
    })
    .await
}

/// What the PBX does then.
enum Keep {
    /// Nothing more.
    Open,
    /// It closes.
    Closed,
}

async fn challenged(peer: &mut Peer) -> Sent {
    let challenge = peer.expect("Challenge").await;
    peer.grant(&challenge, "Challenge: 840415273\n").await;
    peer.expect("Login").await
}

async fn logged_in(peer: &mut Peer) {
    let login = challenged(peer).await;
    peer.grant(&login, "Message: Authentication accepted\n").await;
}

/// The questions of a snapshot, as they come at once.
struct Lists {
    channels: Sent,
    queues: Sent,
    ping: Sent,
}

async fn listed(peer: &mut Peer) -> Lists {
    logged_in(peer).await;
    let settings = peer.expect("CoreSettings").await;
    peer.grant(&settings, "AsteriskVersion: 22.10.0\n").await;
    peer.expect("Events").await;
    Lists {
        channels: peer.expect("CoreShowChannels").await,
        queues: peer.expect("QueueStatus").await,
        ping: peer.expect("Ping").await,
    }
}

async fn give_channels(peer: &mut Peer, lists: &Lists) {
    peer.give_list(&lists.channels, "CoreShowChannelsComplete", "").await;
}

async fn give_queues(peer: &mut Peer, lists: &Lists) {
    let queue = "Event: QueueParams\nQueue: support\n";
    peer.give_list(&lists.queues, "QueueStatusComplete", queue).await;
}

async fn pong(peer: &mut Peer, ping: &Sent) {
    peer.grant(ping, "Ping: Pong\n").await;
}

/// Both Pings of the barrier.
async fn barrier(peer: &mut Peer, lists: &Lists) {
    pong(peer, &lists.ping).await;
    let second = peer.expect("Ping").await;
    pong(peer, &second).await;
}

pub(super) async fn challenge_black_hole() -> Row {
    greeted("the challenge is never answered", 15, async |peer| {
        peer.expect("Challenge").await;
        Keep::Open
    })
    .await
}

pub(super) async fn challenge_refused() -> Row {
    greeted("no MD5 challenge, and `plain_login` is off", 0, async |peer| {
        let challenge = peer.expect("Challenge").await;
        peer.refuse(&challenge, "Must specify AuthType").await;
        Keep::Open
    })
    .await
}

pub(super) async fn closed_in_the_login() -> Row {
    greeted("the PBX closes when the login comes", 0, async |peer| {
        challenged(peer).await;
        Keep::Closed
    })
    .await
}

pub(super) async fn login_black_hole() -> Row {
    greeted("the login is never answered", 15, async |peer| {
        challenged(peer).await;
        Keep::Open
    })
    .await
}

pub(super) async fn wrong_secret() -> Row {
    greeted("the secret or the user is wrong, or `permit` excludes the exporter", 0, async |peer| {
        let login = challenged(peer).await;
        peer.refuse(&login, "Authentication failed").await;
        Keep::Open
    })
    .await
}

pub(super) async fn answers_to_others() -> Row {
    lasting(
        "only answers to other actions come, one every 10 s",
        Stage::start().await,
        async |stage| {
            let mut peer = stage.accept().await;
            peer.send("Asterisk Call Manager/11.0.0\n").await;
            peer.expect("Challenge").await;
            for _ in 0..11 {
                pass(seconds(10)).await;
                let answer = "Response: Success\nActionID: ae-77-Challenge\nChallenge: 1\n\n";
                stage.sends(&mut peer, answer).await;
            }
            // A login has an end of its own.
            stage.notices_after(seconds(10)).await;
            "120 s".to_owned()
        },
    )
    .await
}

pub(super) async fn version_black_hole() -> Row {
    greeted("CoreSettings is never answered", 15, async |peer| {
        logged_in(peer).await;
        peer.expect("CoreSettings").await;
        Keep::Open
    })
    .await
}

pub(super) async fn closed_after_the_login() -> Row {
    greeted("the PBX closes after the login", 0, async |peer| {
        logged_in(peer).await;
        peer.expect("CoreSettings").await;
        Keep::Closed
    })
    .await
}

pub(super) async fn closed_before_the_lists() -> Row {
    greeted("the PBX closes before it lists anything", 0, async |peer| {
        logged_in(peer).await;
        let settings = peer.expect("CoreSettings").await;
        peer.grant(&settings, "AsteriskVersion: 22.10.0\n").await;
        Keep::Closed
    })
    .await
}

pub(super) async fn list_of_channels_black_hole() -> Row {
    greeted("CoreShowChannels is never answered, nor what comes behind", 15, async |peer| {
        listed(peer).await;
        Keep::Open
    })
    .await
}

pub(super) async fn list_of_queues_black_hole() -> Row {
    greeted("QueueStatus is never answered, nor what comes behind", 15, async |peer| {
        let lists = listed(peer).await;
        give_channels(peer, &lists).await;
        Keep::Open
    })
    .await
}

pub(super) async fn closed_in_a_list() -> Row {
    greeted("the PBX closes in the middle of a list", 0, async |peer| {
        let lists = listed(peer).await;
        peer.grant(&lists.channels, "EventList: start\n").await;
        peer.send("Event: CoreShowChannel\nChannel: PJSIP/ca").await;
        Keep::Closed
    })
    .await
}

pub(super) async fn black_hole_in_a_list() -> Row {
    greeted("a list stops in the middle of an item", 15, async |peer| {
        let lists = listed(peer).await;
        peer.grant(&lists.channels, "EventList: start\n").await;
        peer.send("Event: CoreShowChannel\nChannel: PJSIP/ca").await;
        Keep::Open
    })
    .await
}

pub(super) async fn list_without_end() -> Row {
    greeted("QueueStatus has a beginning and no end", 0, async |peer| {
        let lists = listed(peer).await;
        give_channels(peer, &lists).await;
        peer.grant(&lists.queues, "EventList: start\n").await;
        barrier(peer, &lists).await;
        Keep::Open
    })
    .await
}

pub(super) async fn list_skipped() -> Row {
    greeted("CoreShowChannels is skipped, and what comes behind is answered", 0, async |peer| {
        let lists = listed(peer).await;
        give_queues(peer, &lists).await;
        barrier(peer, &lists).await;
        Keep::Open
    })
    .await
}

pub(super) async fn list_with_another_id() -> Row {
    greeted("a list is answered with the id of another action", 0, async |peer| {
        let lists = listed(peer).await;
        give_queues(peer, &lists).await;
        peer.send("Response: Success\nActionID: ae-99-CoreShowChannel\nEventList: start\n\n").await;
        peer.send("Event: CoreShowChannelsComplete\nActionID: ae-99-CoreShowChannel\n\n").await;
        barrier(peer, &lists).await;
        Keep::Open
    })
    .await
}

pub(super) async fn list_that_never_comes_to_its_end() -> Row {
    lasting("a list with an item every 10 s, for ever", Stage::start().await, async |stage| {
        let mut peer = stage.accept().await;
        peer.send("Asterisk Call Manager/11.0.0\n").await;
        let lists = listed(&mut peer).await;
        give_channels(&mut peer, &lists).await;
        peer.grant(&lists.queues, "EventList: start\n").await;
        for queue in 0..11 {
            pass(seconds(10)).await;
            let id = &lists.queues["ActionID"];
            let item = format!("Event: QueueParams\nQueue: q{queue}\nActionID: {id}\n\n");
            peer.send(&item).await;
            stage.is_read().await;
        }
        stage.notices_after(seconds(10)).await;
        "120 s".to_owned()
    })
    .await
}

pub(super) async fn barrier_black_hole() -> Row {
    greeted("the lists come, and the second Ping is never answered", 15, async |peer| {
        let lists = listed(peer).await;
        give_channels(peer, &lists).await;
        give_queues(peer, &lists).await;
        pong(peer, &lists.ping).await;
        peer.expect("Ping").await;
        Keep::Open
    })
    .await
}

pub(super) async fn restart_in_the_login() -> Row {
    greeted("the PBX is stopped in the login, as its Shutdown says", 0, async |peer| {
        listed(peer).await;
        peer.send("Event: Shutdown\nShutdown: Cleanly\nRestart: True\n\n").await;
        Keep::Closed
    })
    .await
}

/// Plays a fault of the lists that the session survives: whatever the PBX answers, both Pings come back.
async fn survived(fault: &'static str, play: impl AsyncFnOnce(&mut Peer, &Lists)) -> Row {
    let mut stage = Stage::start().await;
    let mut peer = stage.accept().await;
    peer.send("Asterisk Call Manager/11.0.0\n").await;
    let lists = listed(&mut peer).await;
    play(&mut peer, &lists).await;
    barrier(&mut peer, &lists).await;
    stage.exporter.up(0).await;
    stage.counts_exactly(&mut peer).await;
    stage.row(fault)
}

pub(super) async fn list_of_channels_refused() -> Row {
    survived("CoreShowChannels is refused (no `write=reporting`)", async |peer, lists| {
        peer.refuse(&lists.channels, "Permission denied").await;
        give_queues(peer, lists).await;
    })
    .await
}

pub(super) async fn list_of_queues_refused() -> Row {
    survived("QueueStatus is refused (app_queue is not loaded)", async |peer, lists| {
        give_channels(peer, lists).await;
        peer.refuse(&lists.queues, "Invalid/unknown command").await;
    })
    .await
}

pub(super) async fn list_answered_twice() -> Row {
    survived("a list is answered twice", async |peer, lists| {
        for _ in 0..2 {
            give_channels(peer, lists).await;
            give_queues(peer, lists).await;
        }
    })
    .await
}

pub(super) async fn lists_out_of_order() -> Row {
    survived("the lists are answered in the wrong order", async |peer, lists| {
        give_queues(peer, lists).await;
        give_channels(peer, lists).await;
    })
    .await
}

pub(super) async fn items_with_another_id() -> Row {
    survived("a list has items of another one", async |peer, lists| {
        peer.grant(&lists.channels, "EventList: start\n").await;
        peer.send("Event: CoreShowChannel\nChannel: PJSIP/x-1\nUniqueid: 5.5\nActionID: 99\n\n")
            .await;
        let id = &lists.channels["ActionID"];
        peer.send(&format!("Event: CoreShowChannelsComplete\nActionID: {id}\n\n")).await;
        give_queues(peer, lists).await;
    })
    .await
}

pub(super) async fn events_in_the_login() -> Row {
    survived("thousands of events come in the login", async |peer, lists| {
        for _ in 0..20 {
            peer.send(
                &"Event: QueueMemberStatus\nQueue: support\nInterface: PJSIP/9\nStatus: 1\n\n"
                    .repeat(200),
            )
            .await;
        }
        give_channels(peer, lists).await;
        give_queues(peer, lists).await;
    })
    .await
}
