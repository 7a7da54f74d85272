//! How a leg was dialled and what came of it.

use super::cause::Cause;
use super::key::ChannelKey;
use super::names::{AgentId, TrunkId};
use super::observation::{CallResult, Direction};

/// How a channel was dialled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialled {
    /// By whom; `None` is an Originate.
    pub by: Option<ChannelKey>,
    /// The first DialEnd: those that follow only report that the leg was cleaned up.
    pub status: Option<DialStatus>,
    /// OriginateResponse's Reason.
    pub reason: Option<u8>,
}

/// Labels of a counted call whose leg is still up: its cause comes later.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallLabels {
    pub direction: Direction,
    pub agent: AgentId,
    pub trunk: TrunkId,
}

/// DialEnd's DialStatus.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DialStatus {
    Answer,
    Busy,
    Congestion,
    NoAnswer,
    Cancel,
    /// The set is open: CHANUNAVAIL, DONTCALL, results of a Gosub, …
    Other,
}

impl DialStatus {
    pub(super) fn parse(status: &[u8]) -> Self {
        match status {
            b"ANSWER" => Self::Answer,
            b"BUSY" => Self::Busy,
            b"CONGESTION" => Self::Congestion,
            b"NOANSWER" => Self::NoAnswer,
            b"CANCEL" => Self::Cancel,
            _ => Self::Other,
        }
    }
}

impl Dialled {
    /// What became of the leg.  DialStatus differs between versions (22 says NOANSWER where 16 says
    /// BUSY), the cause does not: it goes first, and the status only where the cause says
    /// nothing.
    pub(super) fn result(&self, cause: Cause, up: bool) -> CallResult {
        if up || self.status == Some(DialStatus::Answer) {
            return CallResult::Answered;
        }

        // The Reason is the last control frame of the leg: ringing, answer, busy or congestion.
        match (self.by, self.reason) {
            (None, Some(3)) => return CallResult::NoAnswer,
            (None, Some(4)) => return CallResult::Answered,
            (None, Some(5)) => return CallResult::Busy,
            (None, Some(8)) => return CallResult::Congestion,
            _ => {}
        }

        match cause.0 {
            17 => CallResult::Busy,
            18 | 19 => CallResult::NoAnswer,
            34 | 38 | 41..=44 => CallResult::Congestion,
            _ if cause.is_plain() => match self.status {
                Some(DialStatus::NoAnswer) => CallResult::NoAnswer,
                Some(DialStatus::Cancel) => CallResult::Canceled,
                Some(DialStatus::Busy) => CallResult::Busy,
                Some(DialStatus::Congestion) => CallResult::Congestion,
                Some(DialStatus::Answer | DialStatus::Other) | None => CallResult::Failed,
            },
            _ => CallResult::Failed,
        }
    }

    /// An Originate that neither a DialEnd nor an OriginateResponse has reported on yet.
    pub(super) const fn is_silent_originate(&self) -> bool {
        self.by.is_none() && self.status.is_none() && self.reason.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(status: &[u8]) -> Dialled {
        let by = Some(ChannelKey::default());
        Dialled { by, status: Some(DialStatus::parse(status)), reason: None }
    }

    #[test]
    fn the_cause_goes_before_the_status() {
        // 486 and 480 on 22, as recorded
        assert_eq!(leg(b"NOANSWER").result(Cause(17), false), CallResult::Busy);
        assert_eq!(leg(b"BUSY").result(Cause(19), false), CallResult::NoAnswer);
        assert_eq!(leg(b"NOANSWER").result(Cause(34), false), CallResult::Congestion);
        assert_eq!(leg(b"NOANSWER").result(Cause(1), false), CallResult::Failed);
    }

    #[test]
    fn a_plain_cause_leaves_it_to_the_status() {
        for cause in [0, 16, 26, 31, 127] {
            assert_eq!(leg(b"CANCEL").result(Cause(cause), false), CallResult::Canceled);
            assert_eq!(leg(b"NOANSWER").result(Cause(cause), false), CallResult::NoAnswer);
            assert_eq!(leg(b"CHANUNAVAIL").result(Cause(cause), false), CallResult::Failed);
        }
    }

    #[test]
    fn an_originate_goes_by_its_reason() {
        let mut leg = leg(b"NOANSWER");
        leg.by = None;
        leg.status = None;
        assert!(leg.is_silent_originate());
        for (reason, result) in
            [(3, CallResult::NoAnswer), (5, CallResult::Busy), (8, CallResult::Congestion)]
        {
            leg.reason = Some(reason);
            assert_eq!(leg.result(Cause(16), false), result);
        }
        leg.reason = Some(0);
        assert_eq!(leg.result(Cause(17), false), CallResult::Busy);
    }
}
