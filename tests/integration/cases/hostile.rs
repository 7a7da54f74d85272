//! A stream made to bring personal and endless things into labels, over the names of all channel
//! drivers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use support::Numbers;
use support::program::run;

/// What a far end, a caller or chance put into a name: none of it may be in a label.
#[derive(Default)]
struct Stream {
    dice: u64,
    text: String,
    secrets: BTreeSet<String>,
    members: BTreeSet<String>,
    clock: u64,
    channels: u64,
}

impl Stream {
    /// Xorshift: the same stream each time.
    fn dice(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice
    }

    fn secret(&mut self, secret: String) -> String {
        self.secrets.insert(secret.clone());
        secret
    }

    fn number(&mut self) -> String {
        let number = format!("120255501{:02}", self.dice() % 100);
        self.secret(number)
    }

    fn address(&mut self) -> String {
        let net = self.dice() % 3;
        let host = self.dice() % 254 + 1;
        let address = match net {
            0 => format!("203.0.113.{host}"),
            1 => format!("198.51.100.{host}"),
            _ => format!("2001:db8::{host:x}"),
        };
        self.secret(address)
    }

    fn uuid(&mut self) -> String {
        let one = self.dice();
        let two = self.dice();
        let a = one >> 32;
        let b = one >> 16 & 0xffff;
        let c = one & 0xffff;
        let uuid =
            format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", two >> 48, two & 0xffff_ffff_ffff);
        // The end of it would be enough to recognise it by.
        self.secrets.insert(uuid[..23].to_owned());
        uuid
    }

    fn pointer(&mut self) -> String {
        let pointer = format!("0x7f{:010x}", self.dice() & 0xff_ffff_ffff);
        self.secret(pointer)
    }

    fn domain(&mut self) -> String {
        let domain = format!("h{:x}.example", self.dice() & 0xffff_ffff);
        self.secret(domain)
    }

    /// A channel's name, of any driver there is and of some there are not.
    fn channel(&mut self) -> String {
        self.channels += 1;
        let count = self.channels;
        let few = self.dice() % 8;

        match self.dice() % 32 {
            0 => format!("PJSIP/desk{few}-{count:08x}"),
            1 => format!("PJSIP/anonymous-{count:08x}"),
            2 => format!("SIP/phone{few}-{count:08x}"),
            3 => format!("SIP/{}-{count:08x}", self.domain()),
            4 => format!("SIP/{}-{count:08x}", self.address()),
            5 => format!("SIP/{}-{count:08x}", self.number()),
            // A guest whose domain is a word: nothing distinguishes it from a peer, but there is a limit.
            6 => format!("SIP/word{:x}-{count:08x}", self.dice() & 0xfff),
            7 => format!("IAX2/{}:4569-{}", self.address(), count % 32768),
            8 => format!("IAX2/[{}]:4569-{}", self.address(), count % 32768),
            9 | 10 => format!("DAHDI/i{few}/{}-{count:x}", self.number()),
            11 => format!("DAHDI/i{few}/{}:{}-{count:x}", self.number(), self.number()),
            12 => format!("DAHDI/pseudo-{}", self.dice()),
            13 => format!("DAHDI/{few}-1"),
            14 => format!("Local/{}@from-queue-{count:08x};{}", self.number(), few % 2 + 1),
            15 => format!("Motif/{}@{}-{:04x}", self.number(), self.domain(), count),
            16 => format!("OOH323/{}-{count}", self.address()),
            17 => format!("OOH323/{}-{count}", self.number()),
            18 => format!("AudioSocket/{}:9092-{}", self.address(), self.uuid()),
            19 => format!("UnicastRTP/{}:20000-{}", self.address(), self.pointer()),
            20 => format!("MulticastRTP/{}", self.pointer()),
            21 => format!("WebSocket/media{few}/{}", self.pointer()),
            22 => format!("Snoop/17900{:05}.{count}-{count:08x}", self.dice() % 100_000),
            23 => format!("Surrogate/SIP/{}-{count:08x}", self.number()),
            24 => format!("CAPI/ISDN{few}/{}-{count:x}", self.number()),
            25 => format!("USTM/line{few}@desk-{}", self.pointer()),
            26 => format!("Dongle/{}-0100000001", self.number()),
            27 => format!("{}/{}-{count:08x}", self.number(), self.uuid()),
            28 => format!("Woomera/{}/{}-{count:x}", self.address(), self.number()),
            29 => format!("SIP/{}-{count:08x}", self.uuid()),
            30 => format!("DAHDI/{}-1<ZOMBIE>", self.number()),
            _ => format!("{}-{count:08x}", self.uuid()),
        }
    }

    fn send(&mut self, event: &str, headers: &[(&str, &str)]) {
        self.clock += 1;
        let _ = write!(
            self.text,
            "Event: {event}\r\nTimestamp: {}.{:06}\r\n",
            1_790_000_000 + self.clock,
            self.clock
        );
        for (key, value) in headers {
            let _ = write!(self.text, "{key}: {value}\r\n");
        }
        self.text.push_str("\r\n");
    }

    /// One call, over any channels, some through a queue.
    fn call(&mut self) {
        let caller = self.channel();
        let leg = self.channel();
        let (number, other) = (self.number(), self.number());
        let (one, two) = (
            format!("1790000000.{}", self.channels * 2),
            format!("1790000000.{}", self.channels * 2 + 1),
        );
        self.secrets.extend([one.clone(), two.clone()]);
        let by_queue = self.dice().is_multiple_of(3);
        let member = format!("Member {}", self.dice() % 30);
        let from = [
            ("Channel", &*caller),
            ("Uniqueid", &one),
            ("Linkedid", &one),
            ("CallerIDNum", &number),
        ];
        let dest = [
            ("DestChannel", &*leg),
            ("DestUniqueid", &two),
            ("DestLinkedid", &one),
            ("DestExten", &other),
        ];
        let both = [&from[..], &dest].concat();
        let own =
            [("Channel", &*leg), ("Uniqueid", &two), ("Linkedid", &one), ("CallerIDNum", &other)];

        self.send("Newchannel", &[&from[..], &[("ChannelState", "4"), ("Exten", &other)]].concat());
        self.send(
            "Newexten",
            &[&from[..], &[("Application", "NoOp"), ("AppData", &number)]].concat(),
        );
        if by_queue {
            self.send(
                "QueueCallerJoin",
                &[&from[..], &[("Queue", "q"), ("Position", "1")]].concat(),
            );
        }
        self.send("Newchannel", &[&own[..], &[("ChannelState", "0")]].concat());
        let interface = leg.rsplit_once('-').map_or(&*leg, |(device, _)| device).to_owned();
        let agent = [("Queue", "q"), ("Interface", &*interface), ("MemberName", &member)];
        if by_queue {
            self.members.insert(member.clone());
            self.send("AgentCalled", &[&both[..], &agent].concat());
        }
        self.send("DialBegin", &[&both[..], &[("DialString", &other)]].concat());
        self.send("DialEnd", &[&both[..], &[("DialStatus", "ANSWER")]].concat());
        if by_queue {
            self.send(
                "QueueCallerLeave",
                &[&from[..], &[("Queue", "q"), ("Position", "1")]].concat(),
            );
            self.send(
                "AgentConnect",
                &[&both[..], &agent, &[("HoldTime", "3"), ("RingTime", "1")]].concat(),
            );
        }
        for block in [&from, &own] {
            self.send("BridgeEnter", &[&block[..], &[("BridgeUniqueid", &one)]].concat());
        }
        if by_queue {
            let reason = [("HoldTime", "3"), ("TalkTime", "4"), ("Reason", "caller")];
            self.send("AgentComplete", &[&both[..], &agent, &reason].concat());
        }
        for block in [&from, &own] {
            self.send("BridgeLeave", &[&block[..], &[("BridgeUniqueid", &one)]].concat());
            self.send("Hangup", &[&block[..], &[("Cause", "16")]].concat());
        }
    }
}

/// Every value of every label.
fn values(text: &str) -> BTreeSet<&str> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .flat_map(|line| line.split("=\"").skip(1).filter_map(|rest| rest.split('"').next()))
        .collect()
}

#[test]
fn no_label_holds_what_a_far_end_can_choose_and_no_member_is_crowded_out() {
    let mut stream = Stream { dice: 0x2545_f491_4f6c_dd1d, ..Stream::default() };
    stream.text.push_str("Asterisk Call Manager/9.0.0\r\n");
    for _ in 0..3000 {
        stream.call();
    }
    assert!(stream.secrets.len() > 8000, "{} secrets", stream.secrets.len());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let events = folder.join("hostile.ami");
    std::fs::write(&events, &stream.text).expect("a scratch file");

    let broad = "^(PJSIP|SIP|IAX2|DAHDI|OOH323|Motif|CAPI|Dongle|Woomera|[0-9]+)/";
    let rules = [
        // Nobody, 30 members, 12 devices and `other`; the eight spans or interfaces.  In two cases one
        // of the 12 devices that are kept is in no call that was counted.
        ("devices", "trunks: ['^DAHDI/i']".to_owned(), 43, 8),
        ("agents", format!("trunks: ['^CAPI/']\n    agents: ['{broad}']"), 44, 8),
        ("everything", "trunks: ['/i[0-9]']\n    agents: ['']".to_owned(), 43, 8),
        // Those who are left are few, but the trunks are more than 12.
        ("trunks", format!("trunks: ['{broad}']"), 38, 13),
    ];
    for (name, rules, agents, trunks) in rules {
        let config = folder.join(format!("hostile-{name}.yml"));
        let limits = "limits: {agents: 30, devices: 12, trunks: 12}";
        std::fs::write(&config, format!("pbx:\n  - name: t\n    {rules}\n{limits}\n"))
            .expect("a scratch file");
        let path = |path: &PathBuf| path.to_str().expect("a plain path").to_owned();
        let output =
            run(&["replay", "--format", "text", "--config", &path(&config), &path(&events)]);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");

        for value in values(&text) {
            let found = stream.secrets.iter().find(|secret| value.contains(&***secret));
            assert_eq!(found, None, "{name}: {value}");
        }

        let numbers = Numbers::read(&text);
        numbers.assert_conserved(name);
        let rung = numbers.values("asterisk_queue_rings_total", "agent");
        assert!(stream.members.iter().all(|member| rung.contains(member)), "{name}: {rung:?}");
        assert_eq!(
            numbers.sum("asterisk_exporter_label_overflow_total", &[("label", "agent")]),
            0.0,
            "{name}"
        );
        assert_eq!(numbers.values("asterisk_calls_total", "agent").len(), agents, "{name}");
        assert_eq!(numbers.values("asterisk_trunk_calls_active", "trunk").len(), trunks, "{name}");
        let series = text.lines().filter(|line| !line.starts_with('#')).count();
        // Half of them begin at zero before anybody calls.
        assert!(series < 11_000, "{name}: {series} series of 3,000 calls");
    }
}
