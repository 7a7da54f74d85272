//! What an agent does now, beside a real PBX: since when, why paused, in what kind of call, logged in
//! since when; also for an exporter that comes in the middle of it.

use asterisk_exporter::clock::{Clock, Moment};
use support::Numbers;
use support::program::wait_until;

use super::exporter::Exporter;
use super::hang::retry_if_locked_up;
use super::pbx::{Pbx, Plan, Version};
use super::sipp::{Caller, Phone, Phones};
use super::{BASE_QUEUES, DIALPLAN};

#[test]
fn what_an_agent_does_now_on_16() {
    retry_if_locked_up(|| what_an_agent_does_now(Version::V16));
}

#[test]
fn what_an_agent_does_now_on_22() {
    retry_if_locked_up(|| what_an_agent_does_now(Version::V22));
}

fn what_an_agent_does_now(version: Version) {
    if !version.is_installed() {
        return;
    }
    let pbx = Pbx::start(version, "now", 14, &plan(version));
    let phones = Phones::start(&pbx.net);
    let exporter = Exporter::start(&pbx.net, &pbx.manager());
    let mut script = Script { pbx, phones, exporter, clock: Clock::start() };

    let login = script.act("QueueAdd", "QueueMemberAdded", &[("MemberName", "Ann")]);
    let numbers = script.wait_state("available");
    login.has_seen(&numbers, "login");
    login.has_seen(&numbers, "state_since");

    let paused = [("Paused", "true"), ("Reason", "lunch")];
    let pause = script.act("QueuePause", "QueueMemberPause", &paused);
    let numbers = script.wait_state("paused");
    pause.has_seen(&numbers, "state_since");
    let why = [("agent", "Ann"), ("reason", "lunch")];
    assert_eq!(numbers.sum("asterisk_agent_pause_reason", &why), 1.0);
    assert_eq!(numbers.sum("asterisk_agent_logins_total", &[("agent", "Ann")]), 1.0);

    // Another exporter has only the list, and the fields in it.
    script.exporter.restart();
    let numbers = script.wait_state("paused");
    pause.is_told(&numbers, "state_since");
    login.is_told(&numbers, "login");
    assert_eq!(numbers.sum("asterisk_agent_pause_reason", &why), 1.0);
    assert_eq!(numbers.sum("asterisk_agent_logins_total", &[]), 0.0);

    let unpause = script.act("QueuePause", "QueueMemberPause", &[("Paused", "false")]);
    unpause.has_seen(&script.wait_state("available"), "state_since");
    script.outbound();

    let (talk, end) = script.queue_call();
    let numbers = script.wait_state("available");
    end.has_seen(&numbers, "last_call");
    assert_eq!(moment(&numbers, "talk_since"), None);
    println!("Asterisk {}: {talk} s in the queue's call", script.pbx.version.full());

    script
        .act("QueueRemove", "QueueMemberRemoved", &[])
        .has_seen(&script.wait_state("unavailable"), "state_since");
    let numbers = script.exporter.numbers();
    assert_eq!(moment(&numbers, "login"), None);
    assert_eq!(numbers.sum("asterisk_agent_logoffs_total", &[("agent", "Ann")]), 1.0);
}

/// What is being played.
struct Script {
    pbx: Pbx,
    phones: Phones,
    exporter: Exporter,
    clock: Clock,
}

/// Something happened between two moments.
struct Between {
    from: Moment,
    to: Moment,
}

impl Script {
    /// Acts on Ann's place in the queue, and waits for the event.
    fn act(&self, action: &str, event: &str, more: &[(&str, &str)]) -> Between {
        let from = self.clock.now();
        let here = self.pbx.ctl().here();
        let interface = self.interface();
        let mut headers = vec![("Queue", QUEUE), ("Interface", interface.as_str())];
        headers.extend(more);
        let reply = self.pbx.ctl().act(action, &headers);
        assert_eq!(reply.get("Response").map(String::as_str), Some("Success"), "{reply:?}");
        self.pbx.ctl().wait(here, event, &[("Interface", &interface)]);
        Between { from, to: self.clock.now() }
    }

    /// Ann calls somebody outside.
    fn outbound(&self) {
        let mut call = self.phones.call(&self.caller("9200", Some(DEVICE)));
        let kind = [("agent", "Ann"), ("kind", "outbound")];
        wait_until("an outbound call", || {
            let numbers = self.exporter.numbers();
            (numbers.sum("asterisk_agent_busy_call", &kind) == 1.0).then_some(())
        });
        assert!(call.wait(), "the outbound call did not go as it should");
        let numbers = self.wait_state("available");
        assert_eq!(numbers.sum("asterisk_agent_busy_call", &[]), 0.0);
    }

    /// Ann talks to a caller of the queue: for how long, and when that ended.
    fn queue_call(&self) -> (f64, Between) {
        let ctl = self.pbx.ctl();
        let (from, here) = (self.clock.now(), ctl.here());
        let mut call = self.phones.call(&self.caller("7000", None));
        ctl.wait(here, "AgentConnect", &[("Queue", QUEUE)]);
        let connected = Between { from, to: self.clock.now() };
        let numbers = self.wait_state("talking");
        connected.has_seen(&numbers, "talk_since");
        connected.has_seen(&numbers, "state_since");

        let from = self.clock.now();
        assert!(call.wait(), "the call to the queue did not go as it should");
        ctl.wait(here, "AgentComplete", &[("Queue", QUEUE)]);
        let end = Between { from, to: self.clock.now() };
        (seconds(end.to) - seconds(connected.to), end)
    }

    fn caller(&self, to: &str, device: Option<&str>) -> Caller {
        Caller {
            to: to.to_owned(),
            hold: 4000,
            cancel: None,
            keys: Vec::new(),
            device: device.map(str::to_owned),
            number: "12025550101".to_owned(),
        }
    }

    fn wait_state(&self, state: &str) -> Numbers {
        wait_until(&format!("Ann to be {state}"), || {
            let numbers = self.exporter.numbers();
            let labels = [("agent", "Ann"), ("state", state)];
            (numbers.sum("asterisk_agent_state", &labels) == 1.0).then_some(numbers)
        })
    }

    fn interface(&self) -> String {
        format!("{}/{DEVICE}", self.pbx.version.tech())
    }
}

impl Between {
    /// The exporter saw it as it happened.
    fn has_seen(&self, numbers: &Numbers, name: &str) {
        self.contains(numbers, name, ROUNDED);
    }

    /// The PBX told it afterwards, in whole seconds of its clock.
    fn is_told(&self, numbers: &Numbers, name: &str) {
        self.contains(numbers, name, 1.0 + ROUNDED);
    }

    fn contains(&self, numbers: &Numbers, name: &str, early: f64) {
        let moment = moment(numbers, name).unwrap_or_else(|| panic!("no {name} of Ann"));
        let (from, to) = (seconds(self.from) - early, seconds(self.to) + ROUNDED);
        assert!((from..=to).contains(&moment), "{name}: {moment} from {from} to {to}");
    }
}

fn moment(numbers: &Numbers, name: &str) -> Option<f64> {
    let name = format!("asterisk_agent_{name}_timestamp_seconds");
    let mut moments = numbers.series(&name, &[("agent", "Ann")]).map(|(_, moment)| moment);
    moments.next()
}

fn seconds(moment: Moment) -> f64 {
    moment.since(Moment::EPOCH).as_secs_f64()
}

fn plan(version: Version) -> Plan {
    let own = format!(
        "exten => 7000,1,Answer()\n same => n,Queue({QUEUE},t,,,90)\n same => n,Hangup()\n"
    );
    let dialplan = format!("[from-trunk]\n{own}{}", DIALPLAN.replace("@T@", version.tech()));
    Plan {
        queues: format!("{BASE_QUEUES}[{QUEUE}](base)\nstrategy=linear\n"),
        dialplan,
        phones: vec![(DEVICE.to_owned(), Phone::Answers.port())],
        ..Plan::default()
    }
}

const QUEUE: &str = "now";
const DEVICE: &str = "a1001";
/// Two clocks of one machine that were begun at different moments.
const ROUNDED: f64 = 0.05;
