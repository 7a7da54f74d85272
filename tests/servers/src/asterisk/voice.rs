//! Voice quality beside real Asterisks: calls between 16 and 22 over a path that loses packets, and
//! each of the two has an exporter.

use std::time::Duration;

use asterisk_exporter::clock::Clock;
use support::Numbers;
use support::program::wait_until;

use super::exporter::Exporter;
use super::hang::retry_if_locked_up;
use super::lossy::{End, LossyPath, Sent};
use super::pbx::{Pbx, Plan, Version};
use super::{BASE_QUEUES, number_of};

/// `ASTERISK_TALK` has the seconds of the calls; in a minute and more reports come as often as
/// usually.
#[test]
fn lost_packets_are_exposed_as_they_were_lost() {
    retry_if_locked_up(|| {
        lost_packets_are_exposed(number_of("ASTERISK_TALK").map_or(12, u64::from));
    });
}

fn lost_packets_are_exposed(seconds: u64) {
    let versions = [Version::V16, Version::V22];
    if versions.iter().any(|version| !version.is_installed()) {
        return;
    }
    let nets = versions.map(|version| version.net(12));
    let path = LossyPath::between([
        End { net: nets[0].clone(), ports: 24_000..=24_007, one_of: 10 },
        End { net: nets[1].clone(), ports: 25_000..=25_007, one_of: 20 },
    ]);
    let interval = if seconds < 60 { 500 } else { 5000 };
    let pbxs = [0, 1].map(|at| {
        let plan = plan(versions[at], &nets[at], &nets[1 - at], 24_000 + 1000 * at, interval);
        Pbx::start(versions[at], "voice", 12, &plan)
    });
    let exporters = [0, 1].map(|at| Exporter::start(&nets[at], &pbxs[at].manager()));
    let recordings = [0, 1].map(|at| exporters[at].record());

    // One over the trunk, and one to the agent of each; the other end takes both for a trunk's.
    originate(&pbxs[0], "7000@carrier-lossy");
    originate(&pbxs[0], "a1001");
    originate(&pbxs[1], "a1001");
    talk(&path, seconds);
    for exporter in &exporters {
        assert!(!exporter.exposition().contains("_voice_"), "nothing has ended");
    }
    pbxs[0].cli("channel request hangup all");
    for pbx in &pbxs {
        assert_eq!(pbx.settle(), Vec::<String>::new());
    }

    for (at, recording) in recordings.into_iter().enumerate() {
        let text = exporters[at].wait_idle();
        let numbers = Numbers::read(&text);
        let [received, sent] = [at, 1 - at].map(|end| Direction::of(&path.sent_to(end)));
        for (whose, label, calls) in [
            ("trunk", format!("{}/carrier-lossy", versions[at].tech()), 2.0),
            ("agent", "Ann".to_owned(), 1.0),
        ] {
            let labels = [(whose, label.as_str())];
            let of = Of { numbers: &numbers, whose, labels, calls };
            of.assert_loss("received", received);
            of.assert_loss("sent", sent);
            of.assert_rest(versions[at]);
        }

        let file = recording.stop(&format!("voice-{}.ami.gz", versions[at].number()));
        assert_eq!(exporters[at].differences_of(&file, &text), Vec::<String>::new());
    }
}

/// The share that was lost of what was sent in one direction.
#[derive(Clone, Copy, Debug)]
struct Direction {
    packets: u64,
    lost: u64,
}

impl Direction {
    fn of(sent: &[Sent]) -> Self {
        assert_eq!(sent.len(), 3, "three calls: {sent:?}");
        let packets = sent.iter().map(|sent| sent.packets).sum();
        let lost = sent.iter().map(|sent| sent.lost).sum();
        Self { packets, lost }
    }

    fn share(self) -> f64 {
        self.lost as f64 / self.packets as f64
    }
}

/// The calls of a trunk or an agent.
struct Of<'a> {
    numbers: &'a Numbers,
    whose: &'static str,
    labels: [(&'a str, &'a str); 1],
    calls: f64,
}

impl Of<'_> {
    /// Sum and count of a histogram.
    fn histogram(&self, what: &str, stream: Option<&str>) -> (f64, f64) {
        let mut labels = self.labels.to_vec();
        labels.extend(stream.map(|stream| ("stream", stream)));
        let [sum, count] = ["sum", "count"].map(|part| {
            self.numbers.sum(&format!("asterisk_{}_voice_{what}_{part}", self.whose), &labels)
        });
        (sum, count)
    }

    /// The mean of the calls is what was lost on the path, as far as it was reported: the last report
    /// is a while before the end.
    fn assert_loss(&self, stream: &str, lost: Direction) {
        let (sum, count) = self.histogram("loss_ratio", Some(stream));
        assert_eq!(count, self.calls, "{:?} {stream}", self.labels);
        let (exposed, expected) = (sum / count, lost.share());
        println!(
            "    {} {stream}: {} of {} packets lost, {expected:.5}; exposed {exposed:.5}",
            self.labels[0].1, lost.lost, lost.packets
        );
        assert!((exposed / expected - 1.0).abs() < 0.1, "{exposed} for {expected}");
    }

    /// A busy machine has any jitter and round trip, but not of a second; a quiet one has no jitter.
    fn assert_rest(&self, version: Version) {
        let has_scores = if version == Version::V16 { 0.0 } else { self.calls };
        let (sum, count) = self.histogram("round_trip_seconds", None);
        assert_eq!(count, self.calls);
        assert!(sum > 0.0 && sum < self.calls, "round trips of {sum} s");

        let (sum, count) = self.histogram("jitter_seconds", Some("received"));
        assert_eq!(count, self.calls);
        assert!(sum < self.calls, "jitter of {sum} s");
        let (sum, count) = self.histogram("jitter_seconds", Some("sent"));
        assert_eq!(count, has_scores);
        assert!(sum < self.calls, "jitter of {sum} s");

        let (sum, count) = self.histogram("score", None);
        assert_eq!(count, has_scores);
        let bounds = 20.0 * has_scores..=90.0 * has_scores;
        assert!(bounds.contains(&sum), "a score of {sum} in {count}");
    }
}

/// Waits until so many seconds of sound were sent in both directions of all three calls.
fn talk(path: &LossyPath, seconds: u64) {
    let clock = Clock::start();
    let begun = clock.now();
    // A step at a time, for nobody waits for a minute.
    for step in 1..=seconds {
        wait_until("the sound of the calls", || {
            let sent = [0, 1].map(|end| path.sent_to(end));
            let has_come = |sent: &Sent| sent.packets >= PACKETS * step;
            sent.iter().all(|sent| sent.len() == 3 && sent.iter().all(has_come)).then_some(())
        });
    }
    let took: Duration = clock.now().since(begun);
    println!("    {seconds} s of sound in {:.1} s", took.as_secs_f64());
}

fn originate(pbx: &Pbx, to: &str) {
    let channel = format!("{}/{to}", pbx.version.tech());
    let headers = [("Channel", channel.as_str()), ("Application", "Milliwatt"), ("Async", "true")];
    let reply = pbx.ctl().act("Originate", &headers);
    assert_eq!(reply.get("Response").map(String::as_str), Some("Success"), "{reply:?}");
}

/// A server whose RTP goes over the path: SDP has the path's address, and the server's own port.
fn plan(version: Version, ours: &str, theirs: &str, port: usize, interval: u32) -> Plan {
    let tech = version.tech();
    let sip = match version {
        // Two peers with one address would be one for what comes from there.
        Version::V16 => format!(
            "[general](+)\nmedia_address={ours}.5\n[carrier-lossy]\ntype=peer\nhost={theirs}.1\ninsecure=port,invite\n\
             context=from-trunk\n[a1001]\ntype=peer\nhost={ours}.66\noutboundproxy={theirs}.1\ncontext=from-agents\n"
        ),
        Version::V22 => format!(
            "[lossy](!,common)\nmedia_address={ours}.5\nbind_rtp_to_media_address=no\n[carrier-lossy](lossy)\n\
             context=from-trunk\naors=carrier-lossy\n[carrier-lossy]\ntype=aor\ncontact=sip:{theirs}.1:5060\n\
             [carrier-lossy]\ntype=identify\nendpoint=carrier-lossy\nmatch={theirs}.1\n[a1001](lossy)\ncontext=from-agents\n\
             aors=a1001\n[a1001]\ntype=aor\ncontact=sip:a1001@{theirs}.1:5060\n"
        ),
    };
    let rtp = format!(
        "[general]\nrtpstart={port}\nrtpend={}\nstrictrtp=no\nrtcpinterval={interval}\n",
        port + 7
    );
    Plan {
        queues: format!("{BASE_QUEUES}[support](base)\nmember => {tech}/a1001,0,Ann\n"),
        dialplan: "[from-trunk]\nexten => 7000,1,Answer()\n same => n,Milliwatt()\nexten => a1001,1,Goto(7000,1)\nexten => s,1,Goto(7000,1)\n"
            .to_owned(),
        sip,
        files: vec![("rtp.conf".to_owned(), rtp)],
        ..Plan::default()
    }
}

/// Packets of a second: each has 20 ms.
const PACKETS: u64 = 50;
