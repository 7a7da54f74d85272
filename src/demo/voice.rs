//! What a channel reports of its sound as it ends, in the form of Asterisk 22.

use std::time::Duration;

use fastrand::Rng;

use super::channel::{Channel, ChannelState, Owner};
use super::model::World;
use super::wire::{Class, Message};

impl World {
    /// VarSet RTPAUDIOQOS, which a channel of PJSIP with sound sends before its Hangup.
    pub(super) fn report_voice(&mut self, channel: &Channel) {
        if channel.owner == Owner::Local || channel.state != ChannelState::Up {
            return;
        }
        // By numbers and a time of its own, so that the calls of a seed are the same with it.
        let mut rng =
            Rng::with_seed(u64::from_str_radix(serial(&channel.name), 16).unwrap_or_default());
        let at = self.clock.after(Duration::from_micros(1));
        let packets = at.since(channel.created).as_millis() as u64 / PACKET_MILLIS;

        let message = Message::live("VarSet", Class::Dialplan, at).channel("", Some(channel));
        let message =
            message.with("Variable", "RTPAUDIOQOS").with("Value", report(&mut rng, packets));
        self.send(Class::Dialplan, message);
    }
}

/// A report of a call of so many packets each way; of one in ten the line is bad.
fn report(rng: &mut Rng, packets: u64) -> String {
    let (ssrc, theirs) = (rng.u32(..), rng.u32(..));
    if packets < REPORT_PACKETS {
        return format!(
            "ssrc={ssrc};themssrc={theirs};lp=0;rxjitter=0.000000;rxcount={packets};txjitter=0.000000;\
             txcount={packets};rlp=0;rtt=0.000000;rxmes=0.000000;txmes=0.000000"
        );
    }

    let worst = if rng.u32(0..10) == 0 { 0.06 } else { 0.004 };
    let [lost, far_lost] = [(); 2].map(|()| (packets as f64 * worst * rng.f64()) as u64);
    let [jitter, far_jitter] = [(); 2].map(|()| 0.001 + rng.f64() * worst / 2.0);
    let round_trip = 0.012 + rng.f64() * 0.06;
    let score = 88.0 - 400.0 * lost as f64 / packets as f64;
    format!(
        "ssrc={ssrc};themssrc={theirs};lp={lost};rxjitter={far_jitter:.6};rxcount={received};\
         txjitter={jitter:.6};txcount={packets};rlp={far_lost};rtt={round_trip:.6};rxmes={score:.6};txmes={score:.6}",
        received = packets - lost
    )
}

/// The part of a channel's name that no other one has.
fn serial(name: &str) -> &str {
    name.rsplit_once('-').map_or("", |(_, serial)| serial)
}

const PACKET_MILLIS: u64 = 20;
/// RTCP reports every five seconds.
const REPORT_PACKETS: u64 = 5_000 / PACKET_MILLIS;
