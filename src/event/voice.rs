//! What Asterisk measured of the sound of a channel: the variable `RTPAUDIOQOS`, which chan_sip (all
//! versions) and PJSIP (18.17, 20.2 and 21 on) set as the channel ends.
//!
//! The other variables of that name, such as `RTPAUDIOQOSLOSS` and those that end in `BRIDGED`, have
//! nothing more: minima and maxima, in other units by version, and the same of the other channel.
//!
//! Its text is `ssrc=1;themssrc=2;lp=3;rxjitter=0.004;rxcount=5;txjitter=0.006;txcount=7;rlp=8;rtt=0.009`,
//! and from 18.17, 20.2 and 21 on also `;rxmes=10.1;txmes=11.2`.

use std::time::Duration;

use super::field::number;

/// The sound of a channel.  What RTCP gave no measurement of is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Voice {
    /// What Asterisk received.
    pub received: Stream,
    /// What Asterisk sent, as the far end reported it.
    pub sent: Stream,
    /// From Asterisk to the far end and back.
    pub round_trip: Option<Duration>,
    /// Asterisk's Media Experience Score of what it received, from 0 to 100.
    pub score: Option<f64>,
}

/// What was sent in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stream {
    /// Interarrival jitter (RFC 3550), as it was last.
    pub jitter: Option<Duration>,
    /// The share of packets that did not arrive, from 0 to 1.
    pub loss: Option<f64>,
}

impl Voice {
    /// Reads the value of `RTPAUDIOQOS`; `None` if it holds no measurement.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let voice = Fields::parse(text).voice();
        (voice != Self::default()).then_some(voice)
    }
}

/// The fields under their own names.
///
/// Asterisk counts packets and losses from its own side, and names jitter and score from the far
/// end's: `rxcount` are packets that Asterisk received, `txjitter` is the jitter of these (16.28,
/// 22.9: `ast_rtp_get_stat`).
#[derive(Debug, Default)]
struct Fields {
    /// Packets that Asterisk received, up to the end.
    rxcount: u32,
    /// Of those that were sent to it, how many were lost when it last made a report.
    lp: u32,
    txcount: u32,
    /// Of what it sent, how many were lost by the last report of the far end.
    rlp: u32,
    /// In seconds.
    txjitter: f64,
    /// In seconds from 18.17, 20.2 and 21 on.  Before, it is a whole number divided by 65,536.
    rxjitter: f64,
    /// In seconds.
    rtt: f64,
    /// Both scores, if this version has them.
    scores: Option<Scores>,
}

/// Scores, each made with a report: never less than 20, so 0 means that there was none.
#[derive(Clone, Copy, Debug, Default)]
struct Scores {
    /// With the last report of the far end.  It is no score of a call: made of the mean of all packets
    /// that were lost up to each report (22.9: `update_lost_stats`), it falls as the call goes on.
    rxmes: f64,
    /// With the last report of Asterisk.
    txmes: f64,
}

impl Fields {
    fn parse(text: &[u8]) -> Self {
        let mut this = Self::default();
        for field in text.split(|&byte| byte == b';') {
            let Some(at) = field.iter().position(|&byte| byte == b'=') else { continue };
            let value = &field[at + 1..];
            match &field[..at] {
                b"lp" => this.lp = number(value).unwrap_or(0),
                b"rxcount" => this.rxcount = number(value).unwrap_or(0),
                b"rlp" => this.rlp = signed(number(value).unwrap_or(0)),
                b"txcount" => this.txcount = number(value).unwrap_or(0),
                b"rxjitter" => this.rxjitter = decimal(value),
                b"txjitter" => this.txjitter = decimal(value),
                b"rtt" => this.rtt = decimal(value),
                b"rxmes" => this.scores.get_or_insert_default().rxmes = decimal(value),
                b"txmes" => this.scores.get_or_insert_default().txmes = decimal(value),
                _ => {}
            }
        }
        this
    }

    fn voice(&self) -> Voice {
        // Without scores a report of the far end shows that both sent some: its round trip refers to
        // one of Asterisk's.
        let far_reported = self.rtt > 0.0 || self.rlp > 0;
        let (has_far, has_own) = match self.scores {
            Some(scores) => (scores.rxmes > 0.0, scores.txmes > 0.0),
            None => (far_reported, far_reported),
        };

        // Who has received nothing counts one lost packet.
        let has_received = has_own && self.rxcount > 0;
        let received = Stream {
            jitter: length(self.txjitter).filter(|_| has_received),
            loss: share(self.lp, self.lp.saturating_add(self.rxcount)).filter(|_| has_received),
        };
        let has_sent = has_far && self.txcount > 0;
        let sent = Stream {
            jitter: length(self.rxjitter).filter(|_| has_sent && self.scores.is_some()),
            loss: share(self.rlp, self.txcount).filter(|_| has_sent),
        };
        let round_trip = length(self.rtt).filter(|&length| length > Duration::ZERO);
        let score = self.scores.map(|scores| scores.txmes).filter(|_| has_received);
        Voice { received, sent, round_trip, score }
    }
}

/// The number of lost packets in a report is signed and has 24 bits: where more arrive than were sent
/// it is below zero.
const fn signed(lost: u32) -> u32 {
    if lost < 1 << 23 { lost } else { 0 }
}

/// A number with decimals that is not negative, else 0.
fn decimal(text: &[u8]) -> f64 {
    let number: Option<f64> = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.filter(|number| number.is_finite() && *number > 0.0).unwrap_or(0.0)
}

fn length(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|&length| length <= LONGEST)
}

fn share(part: u32, of: u32) -> Option<f64> {
    (of > 0).then(|| (f64::from(part) / f64::from(of)).min(1.0))
}

/// No talk is possible with more.  A round trip below zero, by a clock that was set, is reported as
/// 65,535 s, and a leap of RTP time stamps looks like a jitter of hours.
const LONGEST: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: f64) -> Option<Duration> {
        Some(Duration::from_secs_f64(millis / 1000.0))
    }

    #[test]
    fn counts_are_asterisk_s_and_jitter_and_score_are_named_by_the_far_end() {
        let text = b"ssrc=1;themssrc=2;lp=25;rxjitter=0.004000;rxcount=75;txjitter=0.006000;txcount=200;rlp=20;\
                     rtt=0.009000;rxmes=70.500000;txmes=60.250000";
        let received = Stream { jitter: millis(6.0), loss: Some(0.25) };
        let sent = Stream { jitter: millis(4.0), loss: Some(0.1) };
        let (round_trip, score) = (millis(9.0), Some(60.25));
        assert_eq!(Voice::parse(text), Some(Voice { received, sent, round_trip, score }));
    }

    /// Before 18.17 the jitter that the far end reports is divided by 65,536 as a whole number.
    #[test]
    fn an_old_version_has_no_score_and_no_jitter_of_what_it_sent() {
        let text = b"ssrc=1;themssrc=2;lp=25;rxjitter=3.000000;rxcount=75;txjitter=0.006000;txcount=200;rlp=20;\
                     rtt=0.009000";
        let received = Stream { jitter: millis(6.0), loss: Some(0.25) };
        let sent = Stream { jitter: None, loss: Some(0.1) };
        let round_trip = millis(9.0);
        assert_eq!(Voice::parse(text), Some(Voice { received, sent, round_trip, score: None }));
    }

    #[test]
    fn without_a_report_nothing_is_measured() {
        for text in [
            "",
            "x",
            "lp=0;rlp=;rtt=nan;txjitter=-1;rxcount=4294967296",
            // 16, where no RTCP came: the jitter is that of packets
            "ssrc=1;themssrc=2;lp=0;rxjitter=0.000000;rxcount=1500;txjitter=0.006000;txcount=1500;rlp=0;rtt=0.000000",
            // also losses that Asterisk reported to who reports nothing: of a call without any
            // nobody would know
            "ssrc=1;themssrc=2;lp=9;rxjitter=0.000000;rxcount=1500;txjitter=0.006000;txcount=1500;rlp=0;rtt=0.000000",
            "ssrc=1;themssrc=0;lp=0;rxjitter=0.000000;rxcount=0;txjitter=0.000000;txcount=211;rlp=0;rtt=0.000000;rxmes=0.000000;txmes=0.000000",
            // a report of what was never received has one lost packet
            "ssrc=1;themssrc=0;lp=1;rxjitter=0.000000;rxcount=0;txjitter=0.000000;txcount=211;rlp=0;rtt=0.000000;rxmes=0.000000;txmes=86.000000",
        ] {
            assert_eq!(Voice::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn one_who_hears_only_is_measured_in_one_direction() {
        let text = b"lp=0;rxcount=0;txcount=100;rlp=0;rtt=0.010000;rxmes=88.000000;txmes=86.000000";
        let sent = Stream { jitter: millis(0.0), loss: Some(0.0) };
        let received = Stream::default();
        let round_trip = millis(10.0);
        assert_eq!(Voice::parse(text), Some(Voice { received, sent, round_trip, score: None }));
    }

    #[test]
    fn impossible_numbers_are_no_measurements() {
        let text =
            b"lp=0;rxcount=100;txjitter=26843.545312;txcount=100;rlp=16777214;rtt=65535.999000";
        let received = Stream { jitter: None, loss: Some(0.0) };
        // more arrived than were sent
        let sent = Stream { jitter: None, loss: Some(0.0) };
        assert_eq!(
            Voice::parse(text),
            Some(Voice { received, sent, round_trip: None, score: None })
        );

        // more lost than sent, as after a stream that began anew
        let text = b"lp=4294967295;rxcount=100;txcount=10;rlp=30;rtt=0.001";
        let voice = Voice::parse(text).unwrap();
        assert_eq!((voice.received.loss, voice.sent.loss), (Some(1.0), Some(1.0)));
    }
}
