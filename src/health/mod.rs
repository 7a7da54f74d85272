//! The phase of each PBX, written by the supervisor and read by the HTTP pages.
//!
//! It knows neither of them.  Its error texts are shown on the landing page, so they never hold a
//! secret.

mod explain;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use explain::{Explanation, explain};

use crate::clock::Moment;
use crate::correlator::MissingSet;
use crate::pbx::PbxName;

/// The health of all PBXs, each by its number.
#[derive(Debug)]
pub struct Health {
    pbxs: Mutex<BTreeMap<usize, Entry>>,
    signs_every: Duration,
}

#[derive(Debug)]
struct Entry {
    pbx: PbxHealth,
    /// When its task last gave a sign of life; `None` before the first.
    sign: Option<Moment>,
}

/// The state of the link to one PBX.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PbxHealth {
    /// Its configured name.
    pub name: PbxName,
    /// Host and port of its manager interface.
    pub address: String,
    /// How far the link has come.
    pub phase: Phase,
    /// The version of Asterisk, once it is known; the last known one while the link is down.
    pub asterisk: Option<String>,
    /// What prevents the link, kept through every new attempt until it is up.
    pub trouble: Option<Trouble>,
    /// What its numbers lack, and the remedy: a sentence by its subject.
    pub notices: BTreeMap<&'static str, String>,
    /// What it never sends in this session though it must; nothing while the link is down.
    pub missing: MissingSet,
}

/// What prevents the link to a PBX.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    /// The last error, without secrets.
    pub error: String,
    /// When the first attempt in a row failed.
    pub since: Moment,
}

/// How far the link to a PBX has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Nothing was tried yet.
    Starting,
    /// Reaching it and logging in.
    Connecting,
    /// Logged in, taking the snapshot of its queues and channels.
    Synchronising,
    /// The numbers are exact.
    Up {
        /// The end of the synchronisation.
        since: Moment,
    },
    /// The link was lost or refused.
    Down {
        /// Why, without secrets.
        error: String,
        /// When it was noticed.
        since: Moment,
    },
}

impl Phase {
    /// The phase in one word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Connecting => "connecting",
            Self::Synchronising => "synchronising",
            Self::Up { .. } => "up",
            Self::Down { .. } => "down",
        }
    }

    /// Whether the numbers of this PBX are exact now.
    pub const fn is_up(&self) -> bool {
        matches!(self, Self::Up { .. })
    }
}

impl PbxHealth {
    fn enter(&mut self, phase: Phase) {
        match &phase {
            Phase::Up { .. } => self.trouble = None,
            Phase::Down { error, since } => {
                // The first failure in a row is the beginning; the last one has the reason.
                let since = self.trouble.as_ref().map_or(*since, |trouble| trouble.since);
                self.trouble = Some(Trouble { error: error.clone(), since });
                self.missing = MissingSet::default();
            }
            Phase::Starting | Phase::Connecting | Phase::Synchronising => {}
        }
        self.phase = phase;
    }
}

impl Health {
    /// The PBXs by name and address, numbered from 0, none of them tried yet.
    pub fn new(pbxs: impl IntoIterator<Item = (PbxName, String)>) -> Self {
        let health = Self { pbxs: Mutex::default(), signs_every: SIGNS_EVERY };
        for (number, (name, address)) in pbxs.into_iter().enumerate() {
            health.add(number, name, address);
        }
        health
    }

    /// One more PBX, with a number that no other one has, not tried yet.
    pub fn add(&self, number: usize, name: PbxName, address: String) {
        let pbx = PbxHealth {
            name,
            address,
            phase: Phase::Starting,
            asterisk: None,
            trouble: None,
            notices: BTreeMap::new(),
            missing: MissingSet::default(),
        };
        self.lock().insert(number, Entry { pbx, sign: None });
    }

    /// Forgets the PBX of that number.
    pub fn remove(&self, number: usize) {
        self.lock().remove(&number);
    }

    /// The PBX of that number is at another address.
    pub fn set_address(&self, number: usize, address: String) {
        self.with(number, |pbx| pbx.address = address);
    }

    /// The same with signs of life so often, every 5 s by default.
    #[must_use]
    pub fn with_signs_every(self, every: Duration) -> Self {
        Self { signs_every: every, ..self }
    }

    /// How often the task of a PBX gives a sign of life.
    pub const fn signs_every(&self) -> Duration {
        self.signs_every
    }

    /// The task of the PBX of that number lives; an unknown number changes nothing.
    pub fn sign_of_life(&self, number: usize, now: Moment) {
        if let Some(entry) = self.lock().get_mut(&number) {
            entry.sign = Some(now);
        }
    }

    /// The PBXs whose task is stuck, and since when: six signs of life did not come.
    ///
    /// A task that waits for its PBX, or for the time of the next attempt, is not.
    pub fn stuck(&self, now: Moment) -> Vec<(PbxName, Moment)> {
        let pbxs = self.lock();
        let all = pbxs.values().filter_map(|entry| Some((entry.pbx.name.clone(), entry.sign?)));
        all.filter(|(_, last)| now.since(*last) > self.signs_every * 6).collect()
    }

    /// The PBX of that number entered `phase`; an unknown number changes nothing.
    pub fn set(&self, number: usize, phase: Phase) {
        self.with(number, |pbx| pbx.enter(phase));
    }

    /// The PBX of that number runs this version of Asterisk; an unknown number changes nothing.
    pub fn set_version(&self, number: usize, version: String) {
        self.with(number, |pbx| pbx.asterisk = Some(version));
    }

    /// Shows what the numbers of the PBX of that number lack, or no longer does; an unknown number
    /// changes nothing.
    pub fn notice(&self, number: usize, subject: &'static str, notice: Option<String>) {
        self.with(number, |pbx| match notice {
            Some(notice) => drop(pbx.notices.insert(subject, notice)),
            None => drop(pbx.notices.remove(subject)),
        });
    }

    /// Whether something is shown of that subject.
    pub fn has_notice(&self, number: usize, subject: &str) -> bool {
        let pbxs = self.lock();
        pbxs.get(&number).is_some_and(|entry| entry.pbx.notices.contains_key(subject))
    }

    /// The PBX of that number never sends these; an unknown number changes nothing.
    pub fn set_missing(&self, number: usize, missing: MissingSet) {
        self.with(number, |pbx| pbx.missing = missing);
    }

    /// A copy of all, in the order of the configuration; what was added later comes last.
    pub fn all(&self) -> Vec<PbxHealth> {
        self.lock().values().map(|entry| entry.pbx.clone()).collect()
    }

    /// The PBXs that are not up.
    pub fn waiting_for(&self) -> Vec<PbxName> {
        let pbxs = self.lock();
        let down = pbxs.values().filter(|entry| !entry.pbx.phase.is_up());
        down.map(|entry| entry.pbx.name.clone()).collect()
    }

    fn with(&self, number: usize, change: impl FnOnce(&mut PbxHealth)) {
        if let Some(entry) = self.lock().get_mut(&number) {
            change(&mut entry.pbx);
        }
    }

    /// A panic leaves no write half done, so what a poisoned lock guards is still consistent.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Entry>> {
        self.pbxs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Often enough to notice a stuck task within half a minute.
const SIGNS_EVERY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlator::Missing;

    fn two() -> Health {
        Health::new([
            (PbxName::new("hq"), "10.0.0.5:5038".to_owned()),
            (PbxName::new("branch"), "10.0.1.5:5038".to_owned()),
        ])
    }

    #[test]
    fn a_pbx_is_waited_for_until_it_is_up() {
        let health = two();
        assert_eq!(health.waiting_for(), [PbxName::new("hq"), PbxName::new("branch")]);
        health.set(0, Phase::Up { since: Moment::from_secs(5) });
        health.set(1, Phase::Synchronising);
        assert_eq!(health.waiting_for(), [PbxName::new("branch")]);
        health.set(1, Phase::Up { since: Moment::from_secs(6) });
        assert!(health.waiting_for().is_empty());
    }

    #[test]
    fn the_version_outlives_the_link() {
        let health = two();
        health.set_version(1, "22.5.2".to_owned());
        health.set(
            1,
            Phase::Down { error: "connection lost".to_owned(), since: Moment::from_secs(9) },
        );
        let branch = &health.all()[1];
        assert_eq!(branch.asterisk.as_deref(), Some("22.5.2"));
        assert_eq!(branch.phase.word(), "down");
    }

    #[test]
    fn a_notice_is_kept_until_it_is_taken_back() {
        let health = two();
        health.notice(0, "trunks", Some("no trunk was seen".to_owned()));
        health.set(
            0,
            Phase::Down { error: "connection lost".to_owned(), since: Moment::from_secs(9) },
        );
        assert_eq!(health.all()[0].notices["trunks"], "no trunk was seen");
        health.notice(0, "trunks", None);
        assert_eq!(health.all(), [health.all()[0].clone(), two().all()[1].clone()]);
        assert!(health.all()[0].notices.is_empty());
    }

    #[test]
    fn what_is_missing_is_known_of_a_session_and_goes_with_it() {
        let health = two();
        let missing: MissingSet = [Missing::ClassAgent].into_iter().collect();
        health.set_missing(0, missing);
        health.set(0, Phase::Up { since: Moment::from_secs(5) });
        assert_eq!(health.all()[0].missing, missing);
        health.set(
            0,
            Phase::Down { error: "connection lost".to_owned(), since: Moment::from_secs(9) },
        );
        assert!(health.all()[0].missing.is_empty());
    }

    #[test]
    fn trouble_lasts_through_new_attempts_until_the_pbx_is_up() {
        let health = two();
        let down = |error: &str, second| Phase::Down {
            error: error.to_owned(),
            since: Moment::from_secs(second),
        };
        health.set(0, down("refused", 3));
        health.set(0, Phase::Connecting);
        health.set(0, down("no greeting", 9));
        health.set(0, Phase::Connecting);
        let expected = Trouble { error: "no greeting".to_owned(), since: Moment::from_secs(3) };
        assert_eq!(health.all()[0].trouble, Some(expected));
        health.set(0, Phase::Up { since: Moment::from_secs(12) });
        assert_eq!(health.all()[0].trouble, None);
    }

    #[test]
    fn a_task_without_a_sign_of_life_for_half_a_minute_is_stuck() {
        let health = two();
        let at = Moment::from_secs;
        assert!(health.stuck(at(1000)).is_empty(), "a task that was not started yet");
        health.sign_of_life(0, at(1000));
        health.sign_of_life(1, at(1001));
        assert!(health.stuck(at(1030)).is_empty());
        assert_eq!(health.stuck(at(1031)), [(PbxName::new("hq"), at(1000))]);
        health.sign_of_life(0, at(1031));
        assert!(health.stuck(at(1031)).is_empty());
    }

    #[test]
    fn a_pbx_that_goes_is_waited_for_no_more_and_its_number_is_nobodys() {
        let health = two();
        health.sign_of_life(0, Moment::from_secs(1000));
        health.remove(0);
        health.add(2, PbxName::new("new"), "10.0.2.5:5038".to_owned());
        health.set_address(2, "10.0.2.6:5038".to_owned());
        health.set(0, Phase::Connecting);
        assert_eq!(health.waiting_for(), [PbxName::new("branch"), PbxName::new("new")]);
        assert_eq!(health.all()[1].address, "10.0.2.6:5038");
        assert!(health.stuck(Moment::from_secs(9000)).is_empty());
    }

    #[test]
    fn an_unknown_number_changes_nothing() {
        let health = two();
        let before = health.all();
        health.set(2, Phase::Connecting);
        health.set_version(2, "1".to_owned());
        health.set_missing(2, [Missing::Hangup].into_iter().collect());
        health.sign_of_life(2, Moment::from_secs(1));
        assert_eq!(health.all(), before);
    }
}
