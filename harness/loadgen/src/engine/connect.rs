use std::io;

use super::{EventLoop, Role, Workload};
use crate::http::Upgrade;
use crate::loss::Loss;

/// Connections of one loop that are on their way at a time: far below any backlog of a listener.
const MAX_OPENING: usize = 256;

/// How connections begin and end.
impl<W: Workload> EventLoop<W> {
    /// Opens all connections, as far as that can be done until `deadline_ns`. How many are open and counted.
    ///
    /// # Errors
    /// The system fails to wait for events.
    pub(crate) fn connect(&mut self, deadline_ns: u64) -> io::Result<u64> {
        let roles = self.connections.iter().map(|connection| self.workload.role(&connection.state));
        self.context.tally.connections.asked = roles.filter(Role::is_counted).count() as u64;
        let mut slots = 0..self.connections.len();
        loop {
            let now_ns = self.context.clock.now_ns();
            if now_ns >= deadline_ns {
                break;
            }
            while self.opening < MAX_OPENING
                && let Some(slot) = slots.next()
            {
                self.begin(slot, now_ns);
            }
            if self.opening == 0 && slots.is_empty() {
                break;
            }
            self.turn(deadline_ns - now_ns)?;
        }
        let late =
            (0..slots.start).filter(|&slot| self.connections[slot].opening.is_some()).collect::<Vec<_>>();
        for slot in late.into_iter().chain(slots) {
            self.lose(slot, Loss::TimedOut);
        }
        Ok(self.context.tally.connections.established)
    }

    fn begin(&mut self, slot: usize, now_ns: u64) {
        self.opening += 1;
        let begun = self.connections[slot].begin(self.context.target, now_ns);
        if let Err(error) = begun.and_then(|socket| self.poller.add(socket, slot)) {
            self.lose(slot, error);
        }
    }

    /// TCP has connected, or failed to: asks for the upgrade, if there is to be one.
    pub(super) fn connected(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        let (Some(socket), Some(opening)) = (&connection.socket, &mut connection.opening) else { return };
        if let Ok(Some(error)) | Err(error) = socket.take_error() {
            return self.lose(slot, error);
        }
        match self.workload.role(&connection.state) {
            Role::WebSocket(path) => {
                let context = &mut self.context;
                context.out.clear();
                opening.upgrade =
                    Some(Upgrade::request(context.target, path, &mut context.random, &mut context.out));
                if let Err(error) = connection.send(&context.out) {
                    self.lose(slot, error);
                }
                self.context.out.clear();
            }
            Role::Helper(_) => {
                let now_ns = self.context.clock.now_ns();
                self.opened(slot, now_ns);
            }
        }
    }

    /// The connection is open.
    pub(super) fn opened(&mut self, slot: usize, at_ns: u64) {
        let connection = &mut self.connections[slot];
        let Some(opening) = connection.opening.take() else { return };
        self.opening -= 1;
        self.open += 1;
        if self.workload.role(&connection.state).is_counted() {
            self.context.tally.connections.established += 1;
            self.context.tally.connect.record_ns(at_ns - opening.began_ns);
        }
        self.workload.opened(&mut connection.state);
    }

    /// The connection did not open, or is of no more use.
    pub(super) fn lose(&mut self, slot: usize, loss: impl Into<Loss>) {
        let loss = loss.into();
        // What was meant for this connection must not go to the next.
        self.context.out.clear();
        let connection = &mut self.connections[slot];
        let began = connection.socket.take().is_some();
        let was_opening = connection.opening.take().is_some();
        let was_open = began && !was_opening;
        self.opening -= usize::from(was_opening);
        self.open -= usize::from(was_open);
        let tally = &mut self.context.tally;
        match self.workload.role(&connection.state) {
            Role::Helper(name) => tally.error(format!("{name}: {loss}"), 1),
            Role::WebSocket(_) if was_open => {
                tally.connections.lost += 1;
                tally.error(loss.to_string(), 1);
            }
            Role::WebSocket(_) => tally.failed(loss.to_string()),
        }
        self.workload.lost(&mut connection.state, was_open);
    }
}
