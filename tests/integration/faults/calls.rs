//! Calls as the manager interface reports them, with as few events as count.

/// A caller begins to wait in the queue `support`.
pub(super) fn joined(call: u32) -> String {
    let caller = caller(call);
    format!(
        "Event: Newchannel\n{caller}ChannelState: 4\n\n\
         Event: QueueCallerJoin\n{caller}Queue: support\nPosition: 1\nCount: 1\n\n"
    )
}

/// The same caller gives up.
pub(super) fn abandoned(call: u32) -> String {
    let caller = caller(call);
    format!(
        "Event: HangupRequest\n{caller}\n\
         Event: QueueCallerAbandon\n{caller}Queue: support\nHoldTime: 3\n\n\
         Event: QueueCallerLeave\n{caller}Queue: support\n\n\
         Event: VarSet\n{caller}Variable: QUEUEPOSITION\nValue: 1\n\n\
         Event: Hangup\n{caller}Cause: 16\n\n"
    )
}

/// Or an agent answers.
pub(super) fn connected(call: u32) -> String {
    let caller = caller(call);
    format!(
        "Event: QueueCallerLeave\n{caller}Queue: support\n\n\
         Event: VarSet\n{caller}Variable: QUEUEPOSITION\nValue: 1\n\n\
         Event: AgentConnect\n{caller}Queue: support\nDestChannel: PJSIP/201-{call}\n\
         DestUniqueid: 900.{call}\nInterface: PJSIP/201\nMemberName: Ann\nHoldTime: 3\nRingTime: 1\n\n"
    )
}

fn caller(call: u32) -> String {
    format!("Channel: PJSIP/carrier-{call}\nUniqueid: 100.{call}\nLinkedid: 100.{call}\n")
}
