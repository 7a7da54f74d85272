use super::*;
use crate::ami::frame::{Decoder, Item, Limits};
use crate::correlator::Patterns;

fn pseudonymizer(rules: Rules) -> Pseudonymizer {
    Pseudonymizer::new(Key::of_salt(b"a salt that is long enough").unwrap(), rules)
}

fn pseudonym(digits: &str) -> String {
    let mut bytes = digits.as_bytes().to_vec();
    pseudonymizer(Rules::default()).key.number(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

/// What becomes of frames, one after the other; plain line ends.
fn rewritten(pseudonymizer: &mut Pseudonymizer, text: &str) -> String {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(text.replace('\n', "\r\n").as_bytes());
    let mut out = Vec::new();
    while let Some(Item::Frame(frame)) = decoder.next_item() {
        pseudonymizer.learn(&frame);
        pseudonymizer.rewrite(&frame, &mut out);
    }
    String::from_utf8(out).unwrap().replace("\r\n", "\n")
}

fn plainly(text: &str) -> String {
    rewritten(&mut pseudonymizer(Rules::default()), text)
}

#[test]
fn a_caller_is_replaced_in_every_header_and_the_rest_stays() {
    let other = pseudonym("12025550123");
    let name = pseudonymizer(Rules::default()).key.name(b"Ivan \\\"K\\\"");
    let frame = |number: &str, name: &str| {
        format!(
            "Event: AgentConnect\nPrivilege: agent,all\nTimestamp: 1795473979.130001\n\
             Channel: SIP/{number}-00000012\nChannelState: 6\nCallerIDNum: +{number}\nCallerIDName: {name}\n\
             ConnectedLineNum: 101\nConnectedLineName: <unknown>\nContext: from-74951234567\nExten: {number}\n\
             Uniqueid: 1795473976.1234567\nLinkedid: pbx12345678-1795473976.1\n\
             DestChannel: Local/{number}@out-00000010;1\nDestConnectedLineNum: {number}\nDestConnectedLineName: {name}\n\
             DestUniqueid: 1795473976.2\nQueue: 74951234567\nInterface: PJSIP/101\nMemberName: Amelia 123456\n\
             HoldTime: 1000000\nDialString: carrier/9{number}\n\n"
        )
    };
    let nine = pseudonym("912025550123");
    let expected = frame(&other, &name).replace(&format!("9{other}"), &nine);
    assert_eq!(plainly(&frame("12025550123", "Ivan \\\"K\\\"")), expected);
}

#[test]
fn names_and_numbers_that_are_none_stay() {
    for (key, value) in [
        ("CallerIDName", "<unknown>"),
        ("CallerIDName", "unknown"),
        ("CallerIDName", ""),
        ("CallerIDNum", "<unknown>"),
        ("CallerIDNum", "Anonymous"),
        ("CallerIDNum", "a109"),
        ("CallerIDNum", "12345"),
        ("CallerIDName", "101"),
    ] {
        let frame = format!("Event: Newchannel\n{key}: {value}\n\n");
        assert_eq!(plainly(&frame), frame);
    }
    // A number for a name is that number.
    let number = plainly("Event: Newchannel\nCallerIDName: 12025550123\n\n");
    assert!(number.contains(&format!("CallerIDName: {}\n", pseudonym("12025550123"))), "{number}");
    assert!(
        plainly("Event: Newchannel\nCallerIDNum: ivan.petrov\n\n").contains("CallerIDNum: Caller ")
    );
}

#[test]
fn free_text_stays_only_where_it_is_the_destination_of_a_call() {
    let other = pseudonym("12025550123");
    let step = |application: &str, data: &str| {
        plainly(&format!("Event: Newexten\nApplication: {application}\nAppData: {data}\n\n"))
    };
    assert!(step("Queue", "74951234567,t,,,30").contains("AppData: 74951234567,t,,,30\n"));
    assert!(
        step("Dial", "PJSIP/12025550123@carrier,20")
            .contains(&format!("AppData: PJSIP/{other}@carrier,20\n"))
    );
    assert!(step("Set", "CALLERID(name)=Ivan").contains("AppData: (hidden)\n"));
    assert!(step("Answer", "").contains("AppData: \n"));
    let set = |name: &str, value: &str| {
        plainly(&format!("Event: VarSet\nVariable: {name}\nValue: {value}\n\n"))
    };
    assert!(set("QUEUESTATUS", "TIMEOUT").contains("Value: TIMEOUT\n"));
    assert!(set("__DIALEDPEERNUMBER", "12025550123").contains(&format!("Value: {other}\n")));
    assert!(
        set("MEMBERINTERFACE", "Local/12025550123@q")
            .contains(&format!("Value: Local/{other}@q\n"))
    );
    let sound = "ssrc=1928374655;themssrc=2;lp=3;rxjitter=0.1;rxcount=123456789;rlp=8;rtt=0.009000";
    assert!(set("RTPAUDIOQOS", sound).contains(&format!("Value: {sound}\n")));
    for not_sound in ["12025550123", "lp=1;caller=12025550123", "lp=Ivan", "lp=1;", "lp"] {
        assert!(set("RTPAUDIOQOS", not_sound).contains("Value: (hidden)\n"), "{not_sound}");
    }
    for name in ["MEMBERNAME", "MIXMONITOR_FILENAME"] {
        assert!(set(name, "/x/John Miller").contains("Value: (hidden)\n"), "{name}");
    }
    assert!(!set("~HASH~crm~John Miller~", "1").contains("John"));
    assert!(set("CRM_TOKEN", "hush").contains("Value: (hidden)\n"));
    let carried =
        plainly("Event: Hangup\nChanVariable: QUEUESTATUS=FULL\nDestChanVariable: CNAM=Ivan\n\n");
    assert!(
        carried.contains("ChanVariable: QUEUESTATUS=FULL\nDestChanVariable: CNAM=(hidden)\n"),
        "{carried}"
    );
    let named = step("Dial", "PJSIP/101,20,f(\"Ivan\" <12025550123>)");
    assert!(
        !named.contains("Ivan") && named.contains("\"Caller ") && named.contains(&other),
        "{named}"
    );
}

#[test]
fn events_that_others_make_keep_their_ids_only() {
    let ids = "Privilege: user,all\nTimestamp: 1795473979.130001\nChannel: PJSIP/a104-00000012\n\
        Uniqueid: 1795473976.130\nLinkedid: 1795473976.1\n";
    for first in ["Event: UserEvent", "Event: Surprise"] {
        let text = plainly(&format!(
            "{first}\n{ids}Message: caller 12025550177 John Miller\nReason: John\nResult: John\nStatus: John\n\
             Queue: 12025550177\nCompleted: John Miller\nMemberName: 12025550177\nUniqueid: John Miller\n\
             ActionID: call-12025550177\nChannel: John\nCallerIDName: John\n12025550177: John\n\n"
        ));
        assert!(text.starts_with(&format!("{first}\n{ids}Message: (hidden)\n")), "{text}");
        assert!(!text.contains("12025550177") && !text.contains("John"), "{text}");
    }
    let known = plainly("Event: Newchannel\nAccountCode: John Miller\nDestAccountCode: John\n\n");
    assert_eq!(known, "Event: Newchannel\nAccountCode: (hidden)\nDestAccountCode: (hidden)\n\n");
}

#[test]
fn members_are_learned_from_their_queues_only() {
    let call = "Event: Newchannel\nCallerIDNum: 12025550188\nCallerIDName: Jane Roe\n\n";
    let after = |first: &str| {
        let member = "MemberName: Jane Roe\nInterface: SIP/12025550188\nMemberName: 12025550188\n";
        let text = plainly(&format!("{first}\n{member}\n{call}"));
        text.split_once("\n\n").unwrap().1.to_owned()
    };
    assert_eq!(after("Event: QueueMemberAdded"), call);
    for first in ["Event: UserEvent", "Event: Surprise", "Event: Newexten", "Response: Success"] {
        let text = after(first);
        assert!(!text.contains("12025550188") && !text.contains("Jane"), "{first}: {text}");
    }
}

#[test]
fn what_members_are_reached_by_stays_everywhere() {
    let member =
        "Event: QueueMember\nQueue: q\nName: Amelia\nLocation: Local/+79161234567@from-queue/n\n\n";
    let call = "Event: Newchannel\nChannel: Local/+79161234567@from-queue-00000001;1\nCallerIDNum: 79161234567\n\
        CallerIDName: Amelia\nExten: 79161234567\n\n";
    let text = format!("{member}{call}");
    assert_eq!(plainly(&text), text);
    assert!(!plainly(call).contains("79161234567") && !plainly(call).contains("Amelia"));
}

#[test]
fn devices_the_configuration_recognises_by_number_stay() {
    let trunks = Patterns::new(["^SIP/74951234567-", "^SIP/carrier"]).unwrap();
    let mut pseudonymizer = pseudonymizer(Rules { trunks, ..Rules::default() });
    let mut channel = |name: &str| {
        let out = rewritten(&mut pseudonymizer, &format!("Event: Hangup\nChannel: {name}\n\n"));
        out.lines().nth(1).unwrap().trim_start_matches("Channel: ").to_owned()
    };
    assert_eq!(channel("SIP/74951234567-00000001"), "SIP/74951234567-00000001");
    assert_eq!(
        channel("SIP/12025550123-00000001"),
        format!("SIP/{}-00000001", pseudonym("12025550123"))
    );
    assert_eq!(channel("SIP/carrier-00000001"), "SIP/carrier-00000001");
}

#[test]
fn a_hint_means_the_same_behind_pseudonyms() {
    let member = "Event: QueueMember\nQueue: q\nName: Ann\nLocation: Local/200123@from-queue/n\n\
                  StateInterface: hint:200123@ext-local\n\n";
    let hint = |exten: &str, device: &str| {
        format!(
            "Event: ExtensionStatus\nActionID: ae-9-ExtensionStateList\nExten: {exten}\nContext: ext-local\n\
             Hint: {device}&Custom:DND{exten},CustomPresence:{exten}\nStatus: 0\n\n"
        )
    };
    // The member's extension stays everywhere; another's is another number, the same in both
    // headers.
    let other = pseudonym("200124");
    let text = [member, &hint("200123", "PJSIP/200123"), &hint("200124", "PJSIP/200124")].concat();
    let expected =
        [member, &hint("200123", "PJSIP/200123"), &hint(&other, &format!("PJSIP/{other}"))]
            .concat();
    assert_eq!(plainly(&text), expected);
    let end = "Event: ExtensionStateListComplete\nActionID: ae-9-ExtensionStateList\nEventList: Complete\nListItems: 2\n\n";
    assert_eq!(plainly(end), end);
}

#[test]
fn a_registration_is_found_again_behind_pseudonyms_and_no_setting_of_it_stays() {
    let listed = "Event: OutboundRegistrationDetail\nActionID: ae-9-PJSIPShowRegistrationsOutbound\nObjectName: carrier\n\
                  ClientUri: sip:12025550188@sip.example.com\nServerUri: sip:sip.example.com\nEndpoint: carrier\n\
                  ContactUser: jane\nOutboundAuth: jane\nStatus: Registered\n\n";
    let event = "Event: Registry\nPrivilege: system,all\nChannelType: PJSIP\nUsername: sip:12025550188@sip.example.com\n\
                 Domain: sip:sip.example.com\nStatus: Rejected\n\n";
    let text = plainly(&[listed, event].concat());
    for hidden in ["12025550188", "example", "jane"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    let header = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_else(|| panic!("{key}: {text}")).trim_end().to_owned()
    };
    assert_eq!(header("ClientUri: "), header("Username: "));
    assert_eq!(header("ServerUri: "), header("Domain: "));
    assert_ne!(header("ClientUri: "), header("ServerUri: "));
    assert_eq!(
        (header("ObjectName: "), header("Status: ")),
        ("carrier".into(), "Registered".into())
    );

    let peer = "Event: PeerEntry\nActionID: ae-9-SIPpeers\nObjectName: carrier\nIPaddress: 192.0.2.1\nDynamic: no\n\
                Status: OK (12 ms)\nDescription: Jane\n\n";
    let entry = "Event: RegistryEntry\nActionID: ae-9-SIPshowregistry\nHost: 192.0.2.1\nUsername: jane\n\
                 State: Registered\n\n";
    let text = plainly(&[peer, entry].concat());
    assert!(!text.contains("192.0.2.1") && !text.to_lowercase().contains("jane"), "{text}");
    let header =
        |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
    assert_eq!(header("IPaddress: "), header("Host: "));
    assert_eq!(header("Status: ").as_deref().map(str::trim_end), Some("OK (12 ms)"));
    let nowhere = peer.replace("192.0.2.1", "-none-");
    assert!(plainly(&nowhere).contains("IPaddress: -none-"));
}
