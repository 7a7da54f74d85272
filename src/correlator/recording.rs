//! Recordings (MixMonitor files), and which connected calls were recorded.

use super::Correlator;
use super::channels::Channels;
use super::key::{ChannelKey, Shortlist, StayKey};
use super::observation::{Observation, Observe};
use super::recorded::OfChannel;

/// Recordings that go on, of all channels.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    count: usize,
    /// By channel and number, also some that are over.
    by_age: Shortlist<(ChannelKey, u32)>,
}

impl Recordings {
    /// How many go on.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// One begins.
    fn begin(&mut self, channel: ChannelKey, channels: &mut Channels) {
        let of_channel = &mut channels.all[channel].ensure_rare().recordings;
        let number = of_channel.begin();
        self.count += 1;
        self.by_age.add((channel, number), |one| goes_on(channels, one));
    }

    /// Gives up the oldest.  Whether there is any.
    pub(super) fn give_up(&mut self, channels: &mut Channels) -> bool {
        let oldest = self.by_age.oldest(|one| goes_on(channels, one));
        let of_channel = oldest.and_then(|(channel, _)| of(channels, channel));
        let is_given_up = of_channel.is_some_and(OfChannel::end);
        self.count -= usize::from(is_given_up);
        is_given_up
    }
}

fn goes_on(channels: &Channels, (channel, number): (ChannelKey, u32)) -> bool {
    let channel = channels.all.get(channel);
    channel.is_some_and(|channel| channel.rare().recordings.has(number))
}

fn of(channels: &mut Channels, channel: ChannelKey) -> Option<&mut OfChannel> {
    let rare = channels.all.get_mut(channel)?.rare_mut()?;
    Some(&mut rare.recordings)
}

impl Correlator {
    pub(super) fn on_recording_start(&mut self, channel: ChannelKey, out: &mut dyn Observe) {
        self.recordings_announced = true;
        self.recordings.begin(channel, &mut self.channels);

        // FreePBX records on the half of a member's Local channel that runs the dialplan.
        let data = &self.channels.all[channel];
        let connected =
            data.as_caller.stays.iter().copied().find(|&key| self.stays[key].is_talking());
        let beside = data.rare().peer.and_then(|peer| self.find_talk(peer));
        if let Some(key) = self.find_talk(channel).or(connected).or(beside) {
            self.mark_recorded(key, out);
        }
    }

    pub(super) fn on_recording_stop(&mut self, channel: ChannelKey, out: &mut dyn Observe) {
        if of(&mut self.channels, channel).is_some_and(OfChannel::end) {
            self.recordings.count -= 1;
            self.emit(Observation::RecordingEnded, out);
        }
    }

    /// MixMonitorStop is sent for an explicit stop only: the others end with their channel.
    pub(super) fn end_recordings(&mut self, channel: ChannelKey, out: &mut dyn Observe) {
        let Some(of_channel) = of(&mut self.channels, channel) else { return };
        let count = std::mem::take(of_channel).count();
        self.recordings.count -= count as usize;
        for _ in 0..count {
            self.emit(Observation::RecordingEnded, out);
        }
    }

    /// The test framework reports that a file was closed: all that 16.16, 18.2 and older send about
    /// recordings.
    pub(super) fn on_recording_end(&mut self, file: &[u8], out: &mut dyn Observe) {
        if self.recordings_announced {
            return;
        }
        self.emit(Observation::RecordingEnded, out);

        // The event names no channel: the file's name holds a Uniqueid, where it follows the custom
        // of FreePBX and most dialplans.
        let base = file.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let ids: Vec<_> = ids(&base[..base.len().min(NAME_MAX)]).collect();
        let found = ids.iter().find_map(|id| self.channels.find(id));
        let stays = match found.map(|key| &self.channels.all[key].as_caller.stays) {
            Some(stays) if !stays.is_empty() => stays.to_vec(),
            // A Local caller's stay is its second half's: the file is named by the first channel.
            _ => self.find_stays_by_linkedid(&ids),
        };

        // Only a connected stay counts as recorded.
        for key in stays {
            if self.stays.get(key).is_some_and(|stay| !stay.taken_by.is_none()) {
                self.mark_recorded(key, out);
            }
        }
    }

    /// Stays whose callers have one of these Linkedids.
    pub(super) fn find_stays_by_linkedid(&self, ids: &[&[u8]]) -> Vec<StayKey> {
        let callers = ids.iter().flat_map(|id| self.channels.callers(id));
        callers.flat_map(|caller| &self.channels.all[caller].as_caller.stays).copied().collect()
    }

    /// Counts a connected call as recorded, once.
    pub(super) fn mark_recorded(&mut self, key: StayKey, out: &mut dyn Observe) {
        let Some(stay) = self.stays.get_mut(key) else { return };
        if !std::mem::replace(&mut stay.recorded, true) {
            let queue = stay.queue;
            let agent = stay.taken_by;
            self.emit_of(key, Observation::RecordedCall { queue, agent }, out);
        }
    }
}

/// What may be a Uniqueid in a file's name: `epoch.number`, maybe with a system's name before it,
/// dash by dash.
fn ids(base: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_id = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let starts =
        (0..base.len()).filter(move |&at| is_id(base[at]) && (at == 0 || !is_id(base[at - 1])));
    starts.flat_map(move |start| {
        let length = base[start..].iter().take_while(|&&byte| is_id(byte)).count();
        let end = start + base[start..start + length].trim_ascii_end().len();
        let end = if base[..end].ends_with(b".") { end - 1 } else { end };
        let prefixes = (0..start)
            .rev()
            .filter(move |&at| at == 0 || base[at - 1] == b'-' || base[at - 1] == b'_');
        std::iter::once(start).chain(prefixes).map(move |from| &base[from..end])
    })
}

/// The longest name a file can have on the systems Asterisk runs on.
const NAME_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_may_hold_the_id_anywhere() {
        let found = |name: &str| {
            ids(name.as_bytes())
                .map(|id| String::from_utf8_lossy(id).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(found("1606403878.1115"), ["1606403878.1115"]);
        assert!(found("lab-1795444384.327.wav").contains(&"1795444384.327".to_owned()));
        assert!(
            found("q-pbx1-1606403878.1115-in.wav").contains(&"pbx1-1606403878.1115".to_owned())
        );
        assert!(found("lab-second").is_empty());
    }
}
