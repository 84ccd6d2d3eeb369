//! Who holds which watcher. What fires a watcher the session says.

use crate::Event;
use crate::session::WatcherId;
use std::collections::HashMap;
use tokio::sync::{mpsc, oneshot};
use zk_proto::EventType;

/// The watchers of a session by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    last: u64,
    senders: HashMap<WatcherId, Sender>,
}

#[derive(Debug)]
enum Sender {
    Once(oneshot::Sender<Event>),
    Stream(mpsc::UnboundedSender<Event>),
}

impl Listeners {
    pub(crate) fn once(&mut self) -> (WatcherId, oneshot::Receiver<Event>) {
        let (sender, receiver) = oneshot::channel();
        (self.add(Sender::Once(sender)), receiver)
    }

    pub(crate) fn stream(&mut self) -> (WatcherId, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (self.add(Sender::Stream(sender)), receiver)
    }

    fn add(&mut self, sender: Sender) -> WatcherId {
        self.last += 1;
        let id = WatcherId(self.last);
        self.senders.insert(id, sender);
        id
    }

    /// Says whether it was there: what has heard its last event is not.
    pub(crate) fn remove(&mut self, id: WatcherId) -> bool {
        self.senders.remove(&id).is_some()
    }

    /// Who went away meanwhile does not hear it.
    pub(crate) fn tell(&mut self, id: WatcherId, event: Event) {
        match self.senders.get(&id) {
            Some(Sender::Stream(stream)) => {
                let is_last = is_last(&event);
                let _ = stream.send(event);
                if is_last {
                    self.senders.remove(&id);
                }
            }
            Some(Sender::Once(_)) => {
                if let Some(Sender::Once(once)) = self.senders.remove(&id) {
                    let _ = once.send(event);
                }
            }
            None => {}
        }
    }
}

/// Whether a watch that stays ends with this event.
const fn is_last(event: &Event) -> bool {
    match event.kind {
        EventType::PersistentWatchRemoved => true,
        EventType::None => event.is_end(),
        _ => false,
    }
}
