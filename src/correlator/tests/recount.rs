//! The state worked out by walking everything that is held: what the kept counts must equal.

use super::*;
use crate::correlator::stay::Stay;

/// Fails if the counts that are kept are not those of what is held.
pub(in crate::correlator) fn assert_same(correlator: &Correlator, now: Moment, kept: &State) {
    assert!(correlator.members.is_settled(), "members are not settled");
    assert!(correlator.stays.is_settled(), "stays are not settled");
    assert!(correlator.calls.is_settled(), "calls are not settled");
    let walked = recount(correlator, now);
    assert_eq!(*kept, walked, "kept, and walked");
}

fn recount(correlator: &Correlator, now: Moment) -> State {
    let open = |stay: &&Stay| stay.is_waiting() || stay.is_talking();
    State {
        started: correlator.boot.started(),
        queues: queues(correlator, now),
        agents: agents(correlator),
        calls: calls(correlator),
        trunks: trunks(correlator),
        // They are walked in any case.
        registered: correlator.registered_trunks(),
        reachable: correlator.reachable(),
        tracked: Tracked {
            channels: correlator.channels.all.values().filter(|channel| channel.is_live()).count()
                as u64,
            stays: correlator.stays.values().filter(open).count() as u64,
            calls: correlator.calls.len() as u64,
        },
        missing: correlator.missing(now),
    }
}

fn queues(correlator: &Correlator, now: Moment) -> Vec<QueueState> {
    let idle = |queue| {
        let members = AgentState::ALL.iter().map(|&state| (state, 0)).collect();
        QueueState { queue, waiting: 0, talking: 0, longest_wait: Duration::ZERO, members }
    };
    let mut queues: BTreeMap<QueueId, QueueState> =
        correlator.queues.ids().map(|queue| (queue, idle(queue))).collect();
    for member in correlator.members.present() {
        let members = queues.get_mut(&member.queue()).map(|queue| &mut queue.members);
        add_one(members.into_iter().flatten(), member.state(correlator.synchronised));
    }
    for stay in correlator.stays.values() {
        let queue = queues.entry(stay.queue).or_insert_with(|| idle(stay.queue));
        if stay.is_waiting() {
            queue.waiting += 1;
            let joined = stay.joined.and_then(|joined| joined.read.dated());
            let age = joined.map_or(Duration::ZERO, |joined| now.since(joined));
            queue.longest_wait = queue.longest_wait.max(age);
        }
        queue.talking += u64::from(stay.is_talking());
    }
    queues.into_values().collect()
}

/// The first state any member of an agent is in; paused only if every one is.
fn agents(correlator: &Correlator) -> Vec<AgentNow> {
    let last_if_paused = |state: &AgentState| match state {
        AgentState::Paused => AgentState::Unknown,
        other => *other,
    };
    let of = |now: AgentNow| {
        let agent = now.agent;
        let members = correlator.members.present().filter(|member| member.agent() == agent);
        let first = members.map(|member| member.state(true)).min_by_key(last_if_paused);
        let state = first.unwrap_or(AgentState::Unavailable);
        AgentNow { state: if correlator.synchronised { state } else { AgentState::Unknown }, ..now }
    };
    correlator.agents_now().into_iter().map(of).collect()
}

fn calls(correlator: &Correlator) -> Vec<(Direction, u64)> {
    let mut calls: Vec<_> = Direction::ALL.iter().map(|&direction| (direction, 0)).collect();
    for call in correlator.calls.values().filter(|call| !call.ended) {
        add_one(&mut calls, correlator.direction(call));
    }
    calls
}

fn trunks(correlator: &Correlator) -> Vec<(TrunkId, u64)> {
    let mut trunks: BTreeMap<TrunkId, u64> =
        correlator.trunks.iter().map(|&trunk| (trunk, 0)).collect();
    for channel in correlator.channels.all.values().filter(|channel| channel.is_live()) {
        if let Some(count) = trunks.get_mut(&channel.trunk()) {
            *count += 1;
        }
    }
    trunks.into_iter().collect()
}

fn add_one<'c, W: Word + PartialEq>(counts: impl IntoIterator<Item = &'c mut (W, u64)>, word: W) {
    if let Some((_, count)) = counts.into_iter().find(|(other, _)| *other == word) {
        *count += 1;
    }
}
