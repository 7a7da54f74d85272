//! Completions that queue_log has twice for one CONNECT.
//!
//! Seen on 16.28: after a transfer by feature code, the party that hangs up and the transfer itself may each write a
//! line (COMPLETECALLER, then BLINDTRANSFER).  A call still ends once; the second line is no second call.

use std::collections::{HashSet, VecDeque};

use crate::queue_log::{Line, Verb};

/// Calls whose talk is over, by queue: the latest ones.
#[derive(Debug, Default)]
pub(super) struct Ended {
    calls: HashSet<(usize, Box<[u8]>)>,
    order: VecDeque<(usize, Box<[u8]>)>,
}

impl Ended {
    /// Takes a line of the queue at that spot; whether it ends a talk that was over before.
    pub(super) fn again(&mut self, spot: usize, line: &Line<'_>) -> bool {
        match line.verb {
            // served once more (option c), with an end of its own
            Verb::Connected { .. } => {
                self.calls.remove(&(spot, line.call.into()));
                false
            }
            Verb::CompletedByCaller { .. } | Verb::CompletedByAgent { .. } | Verb::Transferred { .. } => {
                let call = (spot, Box::from(line.call));
                if !self.calls.insert(call.clone()) {
                    return true;
                }
                self.order.push_back(call);
                if self.order.len() > KEPT
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.calls.remove(&oldest);
                }
                false
            }
            _ => false,
        }
    }
}

/// Far more than end between two lines of one call.
const KEPT: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn again(ended: &mut Ended, spot: usize, text: &str) -> bool {
        ended.again(spot, &Line::parse(text.as_bytes()).expect("a line"))
    }

    #[test]
    fn a_talk_ends_once_for_each_connect() {
        let mut ended = Ended::default();
        let connect = "100|1.1|q|Ann|CONNECT|1|1.2|1";
        let (caller, transfer) = ("105|1.1|q|Ann|COMPLETECALLER|1|5|1", "105|1.1|q|Ann|BLINDTRANSFER|1990|x|1|5|1");
        let said = [connect, caller, transfer, connect, transfer].map(|line| again(&mut ended, 0, line));
        assert_eq!(said, [false, false, true, false, false]);
        // the same call in another queue, and another call
        assert!(!again(&mut ended, 1, caller));
        assert!(!again(&mut ended, 0, &caller.replace("1.1", "1.3")));
    }

    #[test]
    fn calls_are_forgotten_in_the_end() {
        let mut ended = Ended::default();
        let ends = |call: usize| format!("105|{call}.1|q|Ann|COMPLETECALLER|1|5|1");
        (0..=KEPT).for_each(|call| assert!(!again(&mut ended, 0, &ends(call))));
        assert!(!again(&mut ended, 0, &ends(0)));
        assert!(again(&mut ended, 0, &ends(KEPT)));
    }
}
