//! Which trunks are registered, and which trunks and agents' phones can be reached.

use super::*;
use crate::event::Listed;

use EndpointList as L;

/// A PBX whose trunks begin with `trunk` or `carrier`, and Ann's phone is 201.
fn stage() -> Stage {
    let trunks = Patterns::new(["^(SIP|PJSIP)/(trunk|carrier)"]).unwrap();
    let trunk_aliases = [("sip.example.com", "SIP/carrier"), ("branch@192.0.2.9", "SIP/branch")];
    let trunk_aliases = trunk_aliases.map(|(host, trunk)| (host.to_owned(), trunk.to_owned()));
    let rules = Rules { trunks, trunk_aliases: trunk_aliases.into(), ..Rules::default() };
    let mut stage = Stage::live();
    stage.correlator = Correlator::new(rules, Timing::Live);
    stage.resync(&["QueueParams Queue=q"]);
    for tech in ["SIP", "PJSIP"] {
        stage.event(&format!(
            "QueueMemberAdded Queue=q MemberName=Ann Interface={tech}/201 Status=1"
        ));
    }
    stage
}

impl Stage {
    /// Gives a list.
    fn give(&mut self, list: EndpointList, items: &[&str]) -> &mut Self {
        self.correlator.begin_endpoint_list(list);
        self.items(list, items);
        self.correlator.end_endpoint_list(list);
        self
    }

    fn items(&mut self, list: EndpointList, items: &[&str]) {
        for item in items {
            with_event(item, |event| {
                let Kind::Listed { item, .. } = event.kind else { panic!("no item: {event:?}") };
                self.correlator.list_endpoint(list, &item);
            });
        }
    }

    fn registered(&self) -> Vec<String> {
        let state = self.correlator.state(self.now);
        let names = self.correlator.names();
        let shown = |&(trunk, is_registered): &(TrunkId, bool)| {
            format!("{} {}", names.trunks.name(trunk), u8::from(is_registered))
        };
        sorted(state.registered.iter().map(shown))
    }

    fn reachable(&self) -> Vec<String> {
        let state = self.correlator.state(self.now);
        let names = self.correlator.names();
        let shown = |reachable: &Reachable| {
            let name = match reachable.of {
                EndpointOf::Trunk(trunk) => names.trunks.name(trunk),
                EndpointOf::Agent(agent) => names.agents.name(agent),
            };
            let took = reachable.round_trip.map(|took| format!(" {took:?}")).unwrap_or_default();
            format!("{name} {}{took}", u8::from(reachable.is_reachable))
        };
        sorted(state.reachable.iter().map(shown))
    }
}

fn sorted(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<_> = all.collect();
    all.sort();
    all
}

fn peer(name: &str, address: &str, dynamic: &str, status: &str) -> String {
    format!("PeerEntry ObjectName={name} IPaddress={address} Dynamic={dynamic} Status={status}")
}

const NONE: [&str; 0] = [];

#[test]
fn a_peer_is_reachable_if_it_has_an_address_and_answers_in_time() {
    for (address, status, expected) in [
        ("192.0.2.7", "OK~(12~ms)", "Ann 1 12ms"),
        ("192.0.2.7", "LAGGED~(3012~ms)", "Ann 0"),
        ("192.0.2.7", "UNREACHABLE", "Ann 0"),
        ("192.0.2.7", "UNKNOWN", "Ann 1"),
        ("192.0.2.7", "Unmonitored", "Ann 1"),
        ("-none-", "Unmonitored", "Ann 0"),
        ("-none-", "UNKNOWN", "Ann 0"),
    ] {
        let item = peer("201", address, "yes", status);
        assert_eq!(stage().give(L::Peers, &[&item]).reachable(), [expected], "{item}");
    }
}

#[test]
fn events_of_chan_sip_change_what_its_list_said() {
    let mut stage = stage();
    stage.give(L::Peers, &[&peer("201", "192.0.2.7", "yes", "OK~(12~ms)")]);
    for (change, expected) in [
        ("Unreachable", "Ann 0"),
        // It registers again, and is still not known to answer.
        ("Registered", "Ann 0"),
        ("Reachable", "Ann 1"),
        ("Lagged", "Ann 0"),
        ("Reachable", "Ann 1"),
        ("Unregistered", "Ann 0"),
        ("Registered", "Ann 1"),
    ] {
        stage.event(&format!("PeerStatus ChannelType=SIP Peer=SIP/201 PeerStatus={change}"));
        assert_eq!(stage.reachable(), [expected], "{change}");
    }
}

#[test]
fn devices_are_reachable_by_their_state_and_events_know_better_than_a_call() {
    let list = |stage: &mut Stage, state: &str| {
        let item = format!("DeviceStateChange ActionID=ae-1-x Device=PJSIP/201 State={state}");
        stage.give(L::Devices, &[&item]).reachable()
    };
    for state in ["NOT_INUSE", "INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD"] {
        assert_eq!(list(&mut stage(), state), ["Ann 1"], "{state}");
    }
    assert_eq!(list(&mut stage(), "UNAVAILABLE"), ["Ann 0"]);
    for state in ["INVALID", "UNKNOWN"] {
        assert_eq!(list(&mut stage(), state), NONE, "{state}");
    }

    // A phone that is gone in the middle of a call is in use until the call ends.
    let mut stage = stage();
    list(&mut stage, "INUSE");
    stage.event("PeerStatus ChannelType=PJSIP Peer=PJSIP/201 PeerStatus=Unreachable");
    assert_eq!(list(&mut stage, "INUSE"), ["Ann 0"]);
    assert_eq!(list(&mut stage, "UNAVAILABLE"), ["Ann 0"]);
    stage.event("PeerStatus ChannelType=PJSIP Peer=PJSIP/201 PeerStatus=Reachable");
    assert_eq!(list(&mut stage, "INUSE"), ["Ann 1"]);
}

#[test]
fn a_contact_that_answers_has_a_round_trip_until_the_endpoint_cannot_be_reached() {
    let contact = |status: &str, micros: u32| {
        format!(
            "ContactStatus EndpointName=carrier AOR=carrier ContactStatus={status} RoundtripUsec={micros}"
        )
    };
    let mut stage = stage();
    stage
        .give(L::Devices, &["DeviceStateChange ActionID=1 Device=PJSIP/carrier State=UNAVAILABLE"]);
    stage.event(&contact("Unreachable", 0));
    assert_eq!(stage.reachable(), ["PJSIP/carrier 0"]);
    stage.event(&contact("Reachable", 515));
    assert_eq!(stage.reachable(), ["PJSIP/carrier 1 515µs"]);
    // One of several contacts is gone.
    stage.event(&contact("Removed", 0));
    assert_eq!(stage.reachable(), ["PJSIP/carrier 1 515µs"]);
    stage.event("PeerStatus ChannelType=PJSIP Peer=PJSIP/carrier PeerStatus=Unreachable");
    assert_eq!(stage.reachable(), ["PJSIP/carrier 0"]);
    stage.event("PeerStatus ChannelType=PJSIP Peer=PJSIP/carrier PeerStatus=Reachable");
    assert_eq!(stage.reachable(), ["PJSIP/carrier 1"]);
}

#[test]
fn only_trunks_and_agents_phones_are_shown() {
    let mut stage = stage();
    let device = |name: &str| format!("DeviceStateChange ActionID=1 Device={name} State=NOT_INUSE");
    let items = [
        "PJSIP/201",
        "PJSIP/999",
        "PJSIP/carrier",
        "PJSIP/lines",
        "Custom:DND201",
        "Queue:q",
        "Local/1@x",
        "Agent:1001",
        "IAX2/trunk",
    ]
    .map(device);
    stage.give(L::Devices, &items.each_ref().map(String::as_str));
    assert_eq!(stage.reachable(), ["Ann 1", "PJSIP/carrier 1"]);

    // One is learned from its calls, and one has a registration.
    stage.event("Newchannel Channel=PJSIP/lines-1 Uniqueid=1.1 Linkedid=1.1 Context=from-trunk ChannelState=4");
    let registration = "OutboundRegistrationDetail ObjectName=999 ClientUri=sip:u@h ServerUri=sip:h Status=Rejected";
    stage.give(L::EndpointRegistrations, &[registration]);
    assert_eq!(stage.reachable(), ["Ann 1", "PJSIP/999 1", "PJSIP/carrier 1", "PJSIP/lines 1"]);

    // A member's phone is the member's; a configured trunk is one whoever is a member by it.
    stage.event("QueueMemberAdded Queue=q MemberName=Ben Interface=PJSIP/lines Status=1");
    stage.event("QueueMemberAdded Queue=q MemberName=Cat Interface=PJSIP/carrier Status=1");
    assert_eq!(stage.reachable(), ["Ann 1", "Ben 1", "PJSIP/999 1", "PJSIP/carrier 1"]);

    // Other patterns.
    let trunks = Patterns::new(["^PJSIP/lines-"]).unwrap();
    stage.correlator.change_rules(Rules { trunks, ..Rules::default() });
    assert_eq!(stage.reachable(), ["Ann 1", "Cat 1", "PJSIP/999 1", "PJSIP/lines 1"]);
}

#[test]
fn a_registration_has_the_label_of_its_trunk_s_calls() {
    let registration = |name: &str, endpoint: &str| {
        format!(
            "OutboundRegistrationDetail ObjectName={name} Endpoint={endpoint} ClientUri=sip:{name}@h ServerUri=sip:h \
             Status=Registered"
        )
    };
    let mut stage = stage();
    let device =
        |name: &str| format!("DeviceStateChange ActionID=1 Device=PJSIP/{name} State=INUSE");
    let devices = ["carrier", "Lines", "lines-reg-7"].map(device);
    stage.give(L::Devices, &devices.each_ref().map(String::as_str));
    for (name, endpoint, expected) in [
        ("anything", "carrier", "PJSIP/carrier"),
        ("carrier", "", "PJSIP/carrier"),
        ("CARRIER", "", "PJSIP/carrier"),
        ("lines-reg-0", "", "PJSIP/Lines"),
        ("lines-reg-7", "", "PJSIP/lines-reg-7"),
        ("plain", "", "PJSIP/plain"),
        // Neither a number nor an address is a label, unless it is an endpoint's name.
        ("12025550100", "", "PJSIP/unknown"),
        ("12025550100", "12025550100", "PJSIP/12025550100"),
        ("sip.example.org", "", "PJSIP/unknown"),
    ] {
        let item = registration(name, endpoint);
        stage.give(L::EndpointRegistrations, &[&item]);
        assert_eq!(stage.registered(), [format!("{expected} 1")], "{name} {endpoint}");
    }
}

#[test]
fn a_registration_of_chan_sip_is_recognised_by_its_peer_or_the_configuration() {
    let mut stage = stage();
    let peers = [
        peer("carrier", "192.0.2.1", "no", "OK~(1~ms)"),
        peer("east", "192.0.2.2", "no", "Unmonitored"),
        peer("west", "192.0.2.2", "no", "Unmonitored"),
        peer("phone", "192.0.2.3", "yes", "Unmonitored"),
    ];
    stage.give(L::Peers, &peers.each_ref().map(String::as_str));
    for (user, host, expected) in [
        ("u", "carrier", "SIP/carrier"),
        ("u", "192.0.2.1", "SIP/carrier"),
        ("u", "sip.example.com", "SIP/carrier"),
        ("u", "SIP.Example.com", "SIP/carrier"),
        ("branch", "192.0.2.9", "SIP/branch"),
        ("u", "upstream", "SIP/upstream"),
        // Two peers have it, a phone has it by chance, nobody has it.
        ("u", "192.0.2.2", "SIP/unknown"),
        ("u", "192.0.2.3", "SIP/unknown"),
        ("other", "192.0.2.9", "SIP/unknown"),
        ("u", "sip.example.org", "SIP/unknown"),
    ] {
        let item = format!("RegistryEntry Host={host} Username={user} State=Registered");
        stage.give(L::PeerRegistrations, &[&item]);
        assert_eq!(stage.registered(), [format!("{expected} 1")], "{user}@{host}");
    }

    // What the alias names is a trunk from then on.
    stage.give(L::Peers, &[&peer("branch", "192.0.2.9", "no", "OK~(3~ms)")]);
    assert_eq!(stage.reachable(), NONE);
    stage
        .give(L::PeerRegistrations, &["RegistryEntry Host=192.0.2.9 Username=branch State=Failed"]);
    assert_eq!(
        (stage.reachable(), stage.registered()),
        (vec!["SIP/branch 1 3ms".to_owned()], vec!["SIP/branch 0".to_owned()])
    );
}

#[test]
fn events_change_registrations_and_an_answer_that_is_awaited_proves_nothing() {
    let item = |state: &str| format!("RegistryEntry Host=carrier Username=u State={state}");
    let event = |status: &str| {
        format!("Registry ChannelType=SIP Username=u Domain=carrier Status={status}")
    };
    let mut stage = stage();
    stage.give(L::PeerRegistrations, &[&item("Request~Sent")]);
    assert_eq!(stage.registered(), NONE);
    for (status, expected) in [
        ("Request~Sent", "SIP/carrier 0"),
        ("Registered", "SIP/carrier 1"),
        ("No~Authentication", "SIP/carrier 0"),
        ("Registered", "SIP/carrier 1"),
        ("Unregistered", "SIP/carrier 0"),
        ("Rejected", "SIP/carrier 0"),
        ("Failed", "SIP/carrier 0"),
        ("Registered", "SIP/carrier 1"),
    ] {
        stage.event(&event(status));
        assert_eq!(stage.registered(), [expected], "{status}");
    }
    // It is being renewed.
    for state in ["Auth.~Sent", "Request~Sent"] {
        assert_eq!(
            stage.give(L::PeerRegistrations, &[&item(state)]).registered(),
            ["SIP/carrier 1"]
        );
    }
    stage.give(L::PeerRegistrations, &[&item("Unregistered")]);
    assert_eq!(stage.registered(), ["SIP/carrier 0"]);
    // Another user, another technology, and what no list has.
    for other in [
        "Registry ChannelType=SIP Username=v Domain=carrier Status=Registered",
        "Registry ChannelType=IAX2 Username=u Domain=carrier Status=Registered",
    ] {
        assert_eq!(stage.event(other).registered(), ["SIP/carrier 0"], "{other}");
    }

    // An event of PJSIP has the URIs, and two registrations may share them.
    let item = |name: &str| {
        format!(
            "OutboundRegistrationDetail ObjectName={name} ClientUri=sip:u@h ServerUri=sip:h Status=Rejected"
        )
    };
    stage.give(L::EndpointRegistrations, &[&item("a"), &item("b")]);
    stage.event("Registry ChannelType=PJSIP Username=sip:u@h Domain=sip:h Status=Registered");
    assert_eq!(stage.registered(), ["PJSIP/a 1", "PJSIP/b 1", "SIP/carrier 0"]);
}

#[test]
fn nothing_is_known_before_the_end_of_a_list_nor_without_one() {
    let mut stage = stage();
    let item = peer("201", "192.0.2.7", "yes", "OK~(12~ms)");
    let registration = "RegistryEntry Host=carrier Username=u State=Registered";
    stage.correlator.begin_endpoint_list(L::Peers);
    stage.correlator.begin_endpoint_list(L::PeerRegistrations);
    stage.items(L::Peers, &[&item]);
    stage.items(L::PeerRegistrations, &[registration]);
    stage.event("PeerStatus ChannelType=SIP Peer=SIP/201 PeerStatus=Unreachable");
    assert_eq!((stage.reachable(), stage.registered()), (vec![], vec![]));
    // What happened meanwhile is not lost.
    stage.correlator.end_endpoint_list(L::Peers);
    stage.correlator.end_endpoint_list(L::PeerRegistrations);
    assert_eq!(stage.reachable(), ["Ann 0"]);
    assert_eq!(stage.registered(), ["SIP/carrier 1"]);

    // Without its own list chan_sip is known by the states of its devices, no longer with it.
    let mut other = self::stage();
    let device = "DeviceStateChange ActionID=1 Device=SIP/201 State=UNAVAILABLE";
    assert_eq!(other.give(L::Devices, &[device]).reachable(), ["Ann 0"]);
    assert_eq!(
        other.give(L::Peers, &[&item]).give(L::Devices, &[device]).reachable(),
        ["Ann 1 12ms"]
    );
}

#[test]
fn what_the_next_list_does_not_have_is_gone_and_a_gap_forgets_all() {
    let lists = |stage: &mut Stage, peers: &[&str], registrations: &[&str]| {
        let peers: Vec<_> =
            peers.iter().map(|name| peer(name, "192.0.2.7", "no", "UNREACHABLE")).collect();
        let peers: Vec<_> = peers.iter().map(String::as_str).collect();
        let registrations: Vec<_> = registrations
            .iter()
            .map(|host| format!("RegistryEntry Host={host} Username=u State=Failed"))
            .collect();
        let registrations: Vec<_> = registrations.iter().map(String::as_str).collect();
        stage.give(L::Peers, &peers).give(L::PeerRegistrations, &registrations);
        [stage.reachable(), stage.registered()].concat()
    };
    let mut stage = stage();
    let all = ["Ann 0", "SIP/carrier 0", "SIP/carrier 0", "SIP/trunk 0"];
    assert_eq!(lists(&mut stage, &["201", "carrier"], &["carrier", "trunk"]), all);
    assert_eq!(lists(&mut stage, &["201"], &["trunk"]), ["Ann 0", "SIP/trunk 0"]);

    let empty = (vec![], vec![]);
    stage.cut();
    assert_eq!((stage.reachable(), stage.registered()), empty);
    stage.resync(&["QueueParams Queue=q"]);
    stage.event("PeerStatus ChannelType=SIP Peer=SIP/201 PeerStatus=Reachable");
    stage.event("Registry ChannelType=SIP Username=u Domain=trunk Status=Registered");
    assert_eq!((stage.reachable(), stage.registered()), empty);

    lists(&mut stage, &["carrier"], &["trunk"]);
    stage.event("Shutdown");
    assert_eq!((stage.reachable(), stage.registered()), empty);
    lists(&mut stage, &["carrier"], &["trunk"]);
    stage.correlator.begin_session();
    assert_eq!((stage.reachable(), stage.registered()), empty);
}

#[test]
fn however_much_is_listed_no_more_than_so_many_are_kept() {
    let mut stage = stage();
    stage.correlator.begin_endpoint_list(L::Peers);
    stage.correlator.begin_endpoint_list(L::PeerRegistrations);
    for number in 0..KEPT + 10 {
        let (number, name) = (format!("{number}"), format!("trunk{number}"));
        let item = Listed::Registration(crate::event::ListedRegistration {
            technology: "SIP",
            name: b"",
            endpoint: b"",
            user: number.as_bytes(),
            host: b"trunk",
            state: crate::event::Registered::Yes,
        });
        stage.correlator.list_endpoint(L::PeerRegistrations, &item);
        let item = Listed::Peer(crate::event::ListedPeer {
            name: name.as_bytes(),
            address: Some(number.as_bytes()),
            dynamic: false,
            answers: true,
            round_trip: None,
        });
        stage.correlator.list_endpoint(L::Peers, &item);
    }
    stage.correlator.end_endpoint_list(L::Peers);
    stage.correlator.end_endpoint_list(L::PeerRegistrations);
    let state = stage.correlator.state(stage.now);
    assert_eq!((state.registered.len(), state.reachable.len()), (KEPT, KEPT));
}

const KEPT: usize = 65_536;
