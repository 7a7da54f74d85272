//! The true counts, made where the simulation decides.

use std::collections::BTreeMap;
use std::time::Duration;

/// The true counts of a run: what `queue_log` has, and what only the simulation knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// By queue.
    pub queues: BTreeMap<String, QueueTruth>,
    /// Dialled legs, by trunk.
    pub trunk_attempts: BTreeMap<String, u64>,
    /// Calls of agents to customers, click-to-call with a second leg included.
    pub outbound: u64,
    /// Calls from agent to agent.
    pub internal: u64,
    /// Inbound calls to one agent or to an announcement, without a queue.
    pub inbound_direct: u64,
    /// Inbound calls to a queue, refused ones included.
    pub inbound_queued: u64,
    /// Click-to-calls whose first leg was not answered.
    pub originate_failed: u64,
}

/// One queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueTruth {
    /// ENTERQUEUE.
    pub entered: u64,
    /// CONNECT.
    pub connected: u64,
    /// COMPLETECALLER.
    pub completed_by_caller: u64,
    /// COMPLETEAGENT.
    pub completed_by_agent: u64,
    /// BLINDTRANSFER.
    pub blind_transfers: u64,
    /// ATTENDEDTRANSFER.
    pub attended_transfers: u64,
    /// ABANDON.
    pub abandoned: u64,
    /// EXITWITHTIMEOUT.
    pub timed_out: u64,
    /// EXITEMPTY.
    pub left_empty: u64,
    /// EXITWITHKEY.
    pub exit_key: u64,
    /// RINGNOANSWER after the ring time.
    pub ring_no_answer: u64,
    /// RINGNOANSWER of a phone that was busy.
    pub ring_busy: u64,
    /// RINGNOANSWER of a phone that could not be reached.
    pub ring_failed: u64,
    /// Ring attempts of ring-all that another agent won, and those whose caller left.
    pub ring_canceled: u64,
    /// `maxlen`: no line in queue_log.
    pub refused_full: u64,
    /// `joinempty`: no line in queue_log.
    pub refused_empty: u64,
    /// Connected calls with a recording.
    pub recorded: u64,
    /// From Join to AgentConnect, all connected calls.
    pub hold_answered: Duration,
    /// From Join to Leave, all other stays.
    pub hold_unanswered: Duration,
    /// From the later BridgeEnter of caller and dialled leg to the earlier of AgentComplete and
    /// the moment the leg is in no bridge any more.
    pub talk: Duration,
}

impl QueueTruth {
    /// Stays that have ended or become calls.
    pub fn exits(&self) -> u64 {
        self.connected + self.abandoned + self.timed_out + self.left_empty + self.exit_key
    }

    /// Connected calls that have ended.
    pub fn completed(&self) -> u64 {
        self.completed_by_caller
            + self.completed_by_agent
            + self.blind_transfers
            + self.attended_transfers
    }

    /// Ring attempts that have ended.
    pub fn rings(&self) -> u64 {
        self.connected
            + self.ring_no_answer
            + self.ring_busy
            + self.ring_failed
            + self.ring_canceled
    }
}
