//! Faults of the lists of trunks and phones: none of them costs more than those lists.

use std::time::Duration;

use super::row::Row;
use super::stage::{PBX, Stage, pass, seconds};
use crate::supervisor::fake::{ENDPOINT_LISTS, Peer};

/// A carrier that is registered and can be reached.
const LISTED: [(&str, &str, &str); 4] = [
    (
        "SIPpeers",
        "PeerlistComplete",
        "Event: PeerEntry\nChanneltype: SIP\nObjectName: carrier\nIPaddress: 192.0.2.1\nDynamic: no\nStatus: OK (12 ms)\n",
    ),
    (
        "DeviceStateList",
        "DeviceStateListComplete",
        "Event: DeviceStateChange\nDevice: PJSIP/carrier\nState: NOT_INUSE\n",
    ),
    (
        "SIPshowregistry",
        "RegistrationsComplete",
        "Event: RegistryEntry\nHost: carrier\nUsername: office\nState: Registered\n",
    ),
    (
        "PJSIPShowRegistrationsOutbound",
        "OutboundRegistrationDetailComplete",
        "Event: OutboundRegistrationDetail\nObjectName: carrier\nClientUri: sip:u@h\nServerUri: sip:h\nStatus: Registered\n",
    ),
];

async fn stage() -> Stage {
    let mut stage = Stage::start().await;
    stage.fake.refuses_endpoint_lists = false;
    stage
}

/// Answers the next list, which must be this.
async fn give(peer: &mut Peer, action: &str) {
    let (_, done, item) = LISTED.iter().find(|(name, ..)| *name == action).expect("a list");
    let asked = peer.expect(action).await;
    peer.give_list(&asked, done, item).await;
}

/// Waits until everything that the peer has sent is handled.
async fn caught_up(stage: &Stage, peer: &mut Peer) {
    // The ends of lists are counted as the marker is.
    stage.is_read().await;
    stage.exporter.caught_up(peer, PBX).await;
}

/// What is registered, and what can be reached.
fn shown(stage: &Stage) -> [Option<f64>; 3] {
    let of =
        |name, trunk: &str| stage.exporter.sample(name, &[&*format!("trunk=\"{trunk}/carrier\"")]);
    [
        of("asterisk_trunk_registered", "SIP"),
        of("asterisk_trunk_registered", "PJSIP"),
        of("asterisk_endpoint_reachable", "PJSIP"),
    ]
}

const NOTHING: [Option<f64>; 3] = [None; 3];
const ALL: [Option<f64>; 3] = [Some(1.0); 3];

pub(super) async fn endpoint_lists_refused() -> Row {
    let mut stage = stage().await;
    let mut peer = stage.accept_up().await;
    for list in ENDPOINT_LISTS {
        let asked = peer.expect(list).await;
        peer.refuse(&asked, "Invalid/unknown command").await;
    }
    caught_up(&stage, &mut peer).await;
    assert_eq!(shown(&stage), NOTHING);

    // The PBX was still starting: they are asked for once more, and then no more, however long the
    // session lasts.
    peer.send(BOOTED).await;
    for list in ENDPOINT_LISTS {
        let asked = peer.expect(list).await;
        peer.refuse(&asked, "Invalid/unknown command").await;
    }
    let asked = goes_on(&stage, &mut peer, seconds(900)).await;
    assert!(
        asked.iter().all(|action| ["Ping", "QueueStatus"].contains(&action.as_str())),
        "{asked:?}"
    );
    stage.counts_exactly(&mut peer).await;
    stage.row(
        "all lists of trunks and phones are refused (chan_sip is not loaded, no `write=reporting`)",
    )
}

pub(super) async fn endpoint_list_without_end() -> Row {
    let mut stage = stage().await;
    let mut peer = stage.accept_up().await;
    give(&mut peer, "SIPpeers").await;
    let devices = peer.expect("DeviceStateList").await;
    let id = &devices["ActionID"];
    peer.grant(&devices, "EventList: start\n").await;
    let item = LISTED[1].2;
    peer.send(&format!("{item}ActionID: {id}\n\n")).await;
    caught_up(&stage, &mut peer).await;
    assert_eq!(shown(&stage), NOTHING);

    // The others come a minute later, and calls are counted all the time.
    stage.counts_exactly(&mut peer).await;
    let lists = |asked: Vec<String>| {
        asked
            .into_iter()
            .filter(|action| ENDPOINT_LISTS.contains(&action.as_str()))
            .collect::<Vec<_>>()
    };
    assert_eq!(lists(goes_on(&stage, &mut peer, seconds(50)).await), Vec::<String>::new());
    assert_eq!(lists(goes_on(&stage, &mut peer, seconds(10)).await), ENDPOINT_LISTS[2..]);
    caught_up(&stage, &mut peer).await;
    assert_eq!(shown(&stage), [Some(1.0), Some(1.0), None]);
    stage.counts_exactly(&mut peer).await;
    stage.row("DeviceStateList has no end: of other technologies than chan_sip nobody is known to be reachable")
}

/// The PBX answers everything for so long; what it was asked for.
async fn goes_on(stage: &Stage, peer: &mut Peer, time: Duration) -> Vec<String> {
    let mut asked = Vec::new();
    let answering = async {
        loop {
            let sent = peer.next_action("an action").await;
            match LISTED.iter().find(|(name, ..)| *name == &sent["Action"]) {
                Some((_, done, item)) => peer.give_list(&sent, done, item).await,
                None if &sent["Action"] == "Ping" => peer.grant(&sent, "Ping: Pong\n").await,
                None => peer.give_list(&sent, "QueueStatusComplete", QUEUE).await,
            }
            asked.push(sent["Action"].to_owned());
        }
    };
    let passing = async {
        for _ in 0..time.as_secs() {
            pass(seconds(1)).await;
            // What is asked then is answered, and the answers are read.
            for _ in 0..3 {
                stage.is_read().await;
            }
        }
    };
    tokio::select! {
        () = answering => {}
        () = passing => {}
    }
    asked
}

/// Without it class system would be missing.
const BOOTED: &str = "Event: FullyBooted\nStatus: Fully Booted\nUptime: 100\n\n";
const QUEUE: &str = "Event: QueueParams\nQueue: support\n";

pub(super) async fn endpoint_list_that_hangs() -> Row {
    let mut stage = stage().await;
    let mut peer = stage.accept_busy().await;
    // PJSIP waits for a name, say, and the session of the manager with it.
    give(&mut peer, "SIPpeers").await;
    give(&mut peer, "DeviceStateList").await;
    give(&mut peer, "SIPshowregistry").await;
    peer.expect("PJSIPShowRegistrationsOutbound").await;
    stage.is_read().await;
    // The snapshot was 3 s ago.
    stage.notices_after(seconds(22)).await;
    drop(peer);

    // The next session goes on without it.
    let mut peer = stage.accept_up().await;
    for list in &ENDPOINT_LISTS[..3] {
        give(&mut peer, list).await;
    }
    caught_up(&stage, &mut peer).await;
    assert_eq!(shown(&stage), [Some(1.0), None, Some(1.0)]);
    stage.sends(&mut peer, BOOTED).await;
    let asked = goes_on(&stage, &mut peer, seconds(560)).await;
    assert!(!asked.iter().any(|action| action == ENDPOINT_LISTS[3]), "{asked:?}");
    let asked = goes_on(&stage, &mut peer, seconds(60)).await;
    assert!(asked.iter().any(|action| action == ENDPOINT_LISTS[3]), "{asked:?}");
    assert_eq!(shown(&stage), ALL);
    stage.counts_exactly(&mut peer).await;
    let row = stage.row("the PBX hangs in PJSIPShowRegistrationsOutbound: from the next session on it is left alone for 10 minutes");
    Row { noticed: "25 s".to_owned(), back: "1 to 2 s".to_owned(), ..row }
}

pub(super) async fn gap_hides_what_is_registered() -> Row {
    let mut stage = stage().await;
    let mut peer = stage.accept_up().await;
    for list in ENDPOINT_LISTS {
        give(&mut peer, list).await;
    }
    caught_up(&stage, &mut peer).await;
    assert_eq!(shown(&stage), ALL);
    drop(peer);
    stage.exporter.down(0).await;
    assert_eq!(shown(&stage), NOTHING);

    // Synchronised again, it is not known before it is listed, and what has changed is changed.
    let mut peer = stage.accept_up().await;
    caught_up(&stage, &mut peer).await;
    assert_eq!(shown(&stage), NOTHING);
    give(&mut peer, "SIPpeers").await;
    give(&mut peer, "DeviceStateList").await;
    let asked = peer.expect("SIPshowregistry").await;
    peer.give_list(&asked, LISTED[2].1, &LISTED[2].2.replace("Registered", "Failed")).await;
    give(&mut peer, "PJSIPShowRegistrationsOutbound").await;
    caught_up(&stage, &mut peer).await;
    assert_eq!(shown(&stage), [Some(0.0), Some(1.0), Some(1.0)]);
    stage.counts_exactly(&mut peer).await;
    stage
        .row("the PBX closes: what is registered and reachable is unknown until it is listed again")
}
