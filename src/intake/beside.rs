//! Lists of trunks and phones.  They are asked for one at a time, and taken item by item beside the
//! events: nothing waits for them, and one without an end changes nothing but their own gauges.

use super::answer::Answer;
use crate::ami::action::Action;
use crate::ami::frame::Frame;
use crate::ami::id::ActionId;
use crate::correlator::EndpointList;

/// The list that is on its way, if any.
#[derive(Debug, Default)]
pub(super) struct Beside {
    open: Option<(EndpointList, ActionId)>,
}

impl Beside {
    /// Takes an answer: the list that begins with it.
    pub(super) fn begin(&mut self, answer: &Answer) -> Option<EndpointList> {
        let word = answer.id().word();
        let list = EndpointList::ALL.into_iter().find(|&list| action_for(list).name() == word)?;
        if !answer.is_accepted() {
            return None;
        }
        self.open = Some((list, answer.id().clone()));
        Some(list)
    }

    /// The list that an item belongs to.
    pub(super) fn list_of(&self, frame: &Frame<'_>) -> Option<EndpointList> {
        self.open.as_ref().filter(|(_, id)| id.marks(frame)).map(|&(list, _)| list)
    }

    /// Takes an event that is of no other use: the list that ends with it.
    pub(super) fn end(&mut self, frame: &Frame<'_>) -> Option<EndpointList> {
        let ended = self.open.take_if(|(list, id)| frame.is_event(done(*list)) && id.marks(frame));
        ended.map(|(list, _)| list)
    }
}

/// The action that asks for a list of trunks or phones.
pub const fn action_for(list: EndpointList) -> Action<'static> {
    match list {
        EndpointList::Peers => Action::SipPeers,
        EndpointList::Devices => Action::DeviceStateList,
        EndpointList::PeerRegistrations => Action::SipShowRegistry,
        EndpointList::EndpointRegistrations => Action::PjsipShowRegistrationsOutbound,
    }
}

/// The event behind its last item.
const fn done(list: EndpointList) -> &'static str {
    match list {
        EndpointList::Peers => "PeerlistComplete",
        EndpointList::Devices => "DeviceStateListComplete",
        EndpointList::PeerRegistrations => "RegistrationsComplete",
        EndpointList::EndpointRegistrations => "OutboundRegistrationDetailComplete",
    }
}
