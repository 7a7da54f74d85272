//! What tells since when an agent is in a state that nobody saw begin.
//!
//! A change that an event reports began with that event.  What a list shows began some time before: a
//! pause at LastPause, wrap-up at the end of the call, and a talk that goes on over a gap where it
//! began before the gap.  Of all other states nobody can know it.

use super::Member;
use super::agent::Agent;
use super::since::{Since, is_talk};
use crate::clock::Moment;
use crate::correlator::Correlator;
use crate::correlator::names::AgentId;
use crate::correlator::observation::AgentState;

impl Correlator {
    /// What is reported from now on was shown by a list: when it began was not seen.
    pub(in crate::correlator) const fn begin_unseen(&mut self) {
        self.members.unseen = true;
    }

    /// That is over: fields tell when some of it began.
    pub(in crate::correlator) fn end_unseen(&mut self) {
        self.members.unseen = false;
        self.members.settle();

        let mut untold = std::mem::take(&mut self.members.untold);
        untold.sort_unstable();
        untold.dedup();
        for id in untold {
            self.tell_of_agent(id);
        }
    }

    /// Works out since when an agent is in the state that a list, or a first description, has shown.
    pub(super) fn tell_of_agent(&mut self, id: AgentId) {
        let Some(agent) = self.members.agents.get(&id) else { return };
        let since = self.told_since(agent);
        let login = self.told_login(agent);

        if let Some(agent) = self.members.agents.get_mut(&id) {
            agent.since = since;
            agent.login = login;
            agent.lost = None;
        }
    }

    fn told_since(&self, agent: &Agent) -> Since {
        let members = agent.members.values().map(|&key| &self.members.all[key]);
        let state = match agent.state {
            AgentState::Paused => {
                let paused = members.filter(|member| member.state(true) == AgentState::Paused);
                latest(paused.map(|member| self.told_pause(member)))
            }
            AgentState::WrapUp => {
                members.filter_map(|member| Some(member.in_wrap_up?.from())).max()
            }
            AgentState::Talking | AgentState::OnHold => return self.kept_talk(agent),
            AgentState::Ringing
            | AgentState::Busy
            | AgentState::Dnd
            | AgentState::Unavailable
            | AgentState::Available
            | AgentState::Unknown => None,
        };
        Since { state, talk: None }
    }

    /// When a member's pause began to be all there is of it: a call of the queue that went on then, and
    /// its wrap-up, come first.
    fn told_pause(&self, member: &Member) -> Option<Moment> {
        let queue_has = self.rules.wrap_up.of(self.names.queues.name(member.queue));
        let length = member.wrap_up_length(queue_has);
        let free = member.told.last_call.ours().map(|ended| ended.after(length));
        member.told.last_pause.ours().map(|paused| free.map_or(paused, |free| paused.max(free)))
    }

    /// A talk that was seen to begin, and that goes on, began when it did.
    fn kept_talk(&self, agent: &Agent) -> Since {
        let Some(lost) = agent.lost.filter(|lost| is_talk(lost.state)) else {
            return Since::default();
        };
        // What a list lacks may be over.
        let goes_on = agent.members.values().any(|&key| {
            let stays = self.members.all[key].activity.talks();
            let mut sure =
                stays.filter_map(|stay| self.stays.get(stay)).filter(|stay| !stay.doubted);
            sure.any(|stay| stay.talk().is_some_and(|talk| talk.member == key && !talk.adopted))
        });
        match goes_on {
            true => Since {
                state: lost.since.state.filter(|_| lost.state == agent.state),
                talk: lost.since.talk,
            },
            false => Since::default(),
        }
    }

    /// When the first of the places was taken that an agent has had without a break.
    fn told_login(&self, agent: &Agent) -> Option<Moment> {
        if agent.dynamic == 0 {
            return None;
        }
        let members = agent.members.values().map(|&key| &self.members.all[key]);
        let dynamic = members.filter(|member| member.dynamic);
        let first = earliest(dynamic.map(|member| member.told.login.ours()));

        match agent.lost {
            // A place from before the gap: the agent was there all the time.
            Some(lost) if first.is_some_and(|first| first <= lost.at) => agent.login.or(first),
            Some(_) => first,
            None => agent.login.or(first),
        }
    }
}

/// The latest of moments that are all known.
fn latest(mut moments: impl Iterator<Item = Option<Moment>>) -> Option<Moment> {
    moments.try_fold(None, |latest, moment| Some(latest.max(Some(moment?)))).flatten()
}

/// The earliest of moments that are all known.
fn earliest(mut moments: impl Iterator<Item = Option<Moment>>) -> Option<Moment> {
    let first = moments.next()??;
    moments.try_fold(first, |earliest, moment| Some(earliest.min(moment?)))
}
