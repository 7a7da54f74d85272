//! One scenario on a real PBX: its queues, phones and dialplan, what it does, and what must come
//! out.

use std::sync::{Arc, Condvar, Mutex};

use support::program::PATIENCE;

use super::ami::Message;
use super::pbx::{Pbx, Plan, Version};
use super::sipp::{Caller, Phone, Phones, Sipp};

/// A scenario.  In its texts `@Q@` is its name, `@T@` SIP or PJSIP, `@Dn@` the number of its nth
/// phone, `@Mn@` the name of the member behind it, and `@G@` what separates Queue's AGI from its
/// Gosub.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Queues: what follows the name, options, and the phones that are members.
    pub(crate) queues: &'static [(&'static str, &'static str, &'static [Phone])],
    /// Further phones.
    pub(crate) phones: &'static [Phone],
    /// The steps of the dialplan behind the scenario's number.
    pub(crate) plan: &'static str,
    pub(crate) drive: fn(&Stage<'_>),
    /// What queue_log must say, by queue: verbs in any order; `A|B` is one of both, `A+` one or
    /// more.
    pub(crate) verbs: &'static [(&'static str, &'static str)],
    /// What the exporter must show when a gap is over.
    pub(crate) after_gap: &'static [Want],
    /// What the exporter must count beside it.
    pub(crate) wants: &'static [Want],
    /// The same, but it may be more, and must be there.
    pub(crate) at_least: &'static [Want],
    /// The same, but it may be less.
    pub(crate) at_most: &'static [Want],
}

/// A metric, some of its labels, and their sum.
pub(crate) type Want = (&'static str, &'static [(&'static str, &'static str)], f64);

/// A scenario that is being played.
pub(crate) struct Stage<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) pbx: &'a Pbx,
    phones: &'a Phones,
    index: usize,
    /// Where all that are played meet, before and after what is hidden.
    meeting: Option<&'a Meeting>,
}

/// Everybody waits for everybody else.
pub(crate) struct Meeting {
    parties: usize,
    arrived: Mutex<usize>,
    change: Condvar,
}

impl Meeting {
    pub(crate) fn of(parties: usize) -> Self {
        Self { parties, arrived: Mutex::new(0), change: Condvar::new() }
    }

    /// Arrives, and goes on when all have: for the `nth` time.
    pub(crate) fn meet(&self, nth: usize) {
        let mut arrived = self.arrived.lock().expect("the meeting");
        *arrived += 1;
        self.change.notify_all();
        let all = nth * self.parties;
        let waited = self.change.wait_timeout_while(arrived, PATIENCE, |arrived| *arrived < all);
        let met = *waited.expect("the meeting").0 >= all;
        assert!(met, "somebody did not come to meeting {nth}");
    }
}

impl Scenario {
    /// The most usual one: a caller, one queue, `hold` milliseconds.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            queues: &[("", "", &[Phone::Answers])],
            phones: &[],
            plan: "Answer()\nQueue(@Q@,t,,,90)\nHangup()",
            drive: |stage| stage.call(8000),
            verbs: &[],
            after_gap: &[],
            wants: &[],
            at_least: &[],
            at_most: &[],
        }
    }

    /// Whether either of two verbs may end a talk in its first queue, one of them a transfer's.
    pub(crate) fn has_two_ends(&self) -> bool {
        let pattern = self.verbs.iter().find(|(suffix, _)| suffix.is_empty());
        pattern.is_some_and(|(_, verbs)| verbs.contains("TRANSFER|"))
    }

    /// Puts its queues, phones and extension into the server's configuration.
    pub(crate) fn install(&self, index: usize, version: Version, plan: &mut Plan) {
        let fill = |text: &str| fill(self, index, version, text);
        let mut next = 0;
        let mut device = |plan: &mut Plan, phone: Phone| {
            let number = number(index, next);
            let port = if phone == Phone::Desk { desk_port(index) } else { phone.port() };
            plan.phones.push((format!("a{number}"), port));
            next += 1;
            next - 1
        };

        for (suffix, options, members) in self.queues {
            // app_queue never changes a queue from linear to something else, so it is no default of
            // the template.
            let strategy = if options.contains("strategy=") { "" } else { "strategy=linear" };
            plan.queues.push_str(&fill(&format!("[@Q@{suffix}](base)\n{strategy}\n{options}\n")));
            for &phone in *members {
                let at = device(plan, phone);
                plan.queues
                    .push_str(&fill(&format!("member => @T@/a@D{at}@,0,@M{at}@,@T@/a@D{at}@\n")));
            }
        }

        for &phone in self.phones {
            device(plan, phone);
        }
        for (at, step) in self.plan.lines().enumerate() {
            let priority = if at == 0 { "1" } else { "n" };
            plan.dialplan
                .push_str(&fill(&format!("exten => {},{priority},{step}\n", extension(index))));
        }

        for at in 0..next {
            plan.dialplan.push_str(&fill(&format!("exten => @D{at}@,hint,@T@/a@D{at}@\n")));
            // The same with a key for "do not disturb".
            plan.dialplan.push_str(&fill(&format!(
                "exten => dnd@D{at}@,hint,@T@/a@D{at}@&Custom:dnd@D{at}@\n"
            )));
        }
    }

    /// The text with everything it stands for.
    pub(crate) fn fill(&self, index: usize, version: Version, text: &str) -> String {
        fill(self, index, version, text)
    }
}

impl<'a> Stage<'a> {
    pub(crate) const fn new(
        scenario: &'a Scenario,
        index: usize,
        pbx: &'a Pbx,
        phones: &'a Phones,
    ) -> Self {
        Self { scenario, pbx, phones, index, meeting: None }
    }

    /// Together with others.
    pub(crate) const fn meeting(self, meeting: &'a Meeting) -> Self {
        Self { meeting: Some(meeting), ..self }
    }

    /// Does something while the exporter cannot see.
    pub(crate) fn hidden(&self, act: impl FnOnce()) {
        let meeting = self.meeting.expect("a scenario with a gap");
        meeting.meet(1);
        meeting.meet(2);
        act();
        meeting.meet(3);
        meeting.meet(4);
    }

    pub(crate) fn text(&self, text: &str) -> String {
        fill(self.scenario, self.index, self.pbx.version, text)
    }

    /// Somebody outside calls the scenario's number and hangs up after that many milliseconds, if
    /// nobody did before.
    pub(crate) fn caller(&self, hold: u32) -> Caller {
        Caller {
            to: extension(self.index),
            hold,
            cancel: None,
            keys: Vec::new(),
            device: None,
            number: format!("1202555{:04}", self.index),
        }
    }

    pub(crate) fn start(&self, caller: &Caller) -> Sipp {
        self.phones.call(caller)
    }

    /// Makes a call and waits for its end.
    pub(crate) fn call(&self, hold: u32) {
        self.play(&self.caller(hold));
    }

    /// The same of a call that is not the usual one.
    pub(crate) fn play(&self, caller: &Caller) {
        assert!(
            self.start(caller).wait(),
            "{}: the call did not go as it should",
            self.scenario.name
        );
    }

    /// The phone of that number calls somebody.
    pub(crate) fn device_calls(&self, phone: usize, to: &str, hold: u32) -> Caller {
        let device = Some(self.text(&format!("a@D{phone}@")));
        Caller { to: self.text(to), device, ..self.caller(hold) }
    }

    /// The phone's port, if it is a desk phone.
    pub(crate) fn desk_port(&self) -> u16 {
        desk_port(self.index)
    }

    /// Waits for an event of one of the scenario's queues.
    pub(crate) fn wait(&self, event: &str) -> Arc<Message> {
        self.wait_nth(event, "", 0)
    }

    /// The same, of a queue with a suffix, and not the first.
    pub(crate) fn wait_nth(&self, event: &str, suffix: &str, nth: usize) -> Arc<Message> {
        let queue = self.text(&format!("@Q@{suffix}"));
        let fits = |m: &Message| m["Event"] == event && m.get("Queue") == Some(&queue);
        self.pbx.ctl().wait_nth(&format!("{event} {nth} of {queue}"), 0, nth, fits)
    }

    /// Waits for any event whose header holds the text.
    pub(crate) fn wait_any(&self, event: &str, header: &str, text: &str) -> Arc<Message> {
        let text = self.text(text);
        let fits = |m: &Message| {
            m["Event"] == event && m.get(header).is_some_and(|value| value.contains(&text))
        };
        self.pbx.ctl().wait_for(&format!("{event} of {text}"), 0, fits)
    }

    /// An action of the manager.
    pub(crate) fn act(&self, action: &str, headers: &[(&str, &str)]) {
        let filled: Vec<_> = headers.iter().map(|(key, value)| (*key, self.text(value))).collect();
        let headers: Vec<_> = filled.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let reply = self.pbx.ctl().act(action, &headers);
        let fine = reply.get("Response").is_some_and(|response| response == "Success");
        assert!(fine, "{}: {action} {headers:?}: {reply:?}", self.scenario.name);
    }
}

/// The number one dials for a scenario.
fn extension(index: usize) -> String {
    format!("7{index:03}")
}

fn number(index: usize, phone: usize) -> usize {
    1000 + 10 * index + phone
}

fn desk_port(index: usize) -> u16 {
    4100 + u16::try_from(index).expect("few scenarios")
}

fn fill(scenario: &Scenario, index: usize, version: Version, text: &str) -> String {
    let mut text = text
        .replace("@Q@", scenario.name)
        .replace("@T@", version.tech())
        .replace("@G@", version.gosub());
    for phone in 0..PHONES {
        text = text.replace(&format!("@D{phone}@"), &number(index, phone).to_string());
        text = text.replace(&format!("@M{phone}@"), &format!("{} {phone}", scenario.name));
    }
    text
}

/// The most phones a scenario has.
const PHONES: usize = 4;
