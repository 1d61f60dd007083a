use super::connection::Step;
use super::poller::Readiness;
use super::{EventLoop, Workload};
use crate::loss::Loss;

/// What goes over the connections.
impl<W: Workload> EventLoop<W> {
    pub(super) fn handle(&mut self, ready: Readiness) {
        if ready.writable {
            self.make_progress(ready.slot);
        }
        // What arrives on the ring's connections does so there.
        if ready.readable && self.connections[ready.slot].on_ring.is_none() {
            self.read(ready);
        }
    }

    /// A socket that can be written may have connected, and takes what was kept.
    fn make_progress(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        if connection.opening.as_ref().is_some_and(|opening| matches!(opening.step, Step::Connecting)) {
            self.connected(slot);
            self.flush(slot);
        } else if connection.socket.is_some() && !connection.may_send() {
            match connection.resume() {
                Ok(()) => self.flush(slot),
                Err(error) => return self.lose(slot, error),
            }
            self.await_room(slot);
        }
    }

    /// Takes what has arrived, and sends what follows from it.
    fn read(&mut self, ready: Readiness) {
        let slot = ready.slot;
        self.context.out.clear();
        loop {
            let length = match self.connections[slot].receive(&mut self.received) {
                Ok(Some(length)) => length,
                Ok(None) => break,
                Err(Loss::Ended) => {
                    // The answer to a close that came with the end is owed all the same (RFC 6455, section 5.5.1), as is a
                    // pong; whether it still arrives is the server's affair.
                    let _ = self.connections[slot].send(&self.context.out);
                    return self.ended(slot);
                }
                Err(loss) => return self.lose(slot, loss),
            };
            let at_ns = self.context.clock.now_ns();
            self.received_ns = at_ns;
            if let Err(loss) = self.take(slot, length, at_ns) {
                return self.lose(slot, loss);
            }
            if length == self.received.len() {
                // There may be more. The others come first, so that none can hold up the loop.
                self.rearm(slot);
                break;
            }
            if !ready.hung_up {
                break;
            }
        }
        self.follow(slot);
    }

    /// Sends what follows from what has arrived.
    pub(super) fn follow(&mut self, slot: usize) {
        self.flush(slot);
        if self.workload.is_over(&self.connections[slot].state) {
            self.hand_over();
            self.connections[slot].end();
        }
    }

    pub(super) fn take(&mut self, slot: usize, length: usize, at_ns: u64) -> Result<(), Loss> {
        let connection = &mut self.connections[slot];
        let mut bytes = &mut self.received[..length];
        if let Some(Step::Upgrading(upgrade)) = connection.opening.as_mut().map(|opening| &mut opening.step) {
            let Some(frames) = upgrade.receive(bytes)? else { return Ok(()) };
            let (frames_bytes, head_bytes) = (frames.len(), upgrade.head_bytes());
            self.opened(slot, at_ns, head_bytes);
            bytes = &mut self.received[length - frames_bytes..length];
        }
        let connection = &mut self.connections[slot];
        let was_in_its_past = self.workload.is_in_its_past(&connection.state);
        self.workload.receive(&mut connection.state, bytes, at_ns, &mut self.context)?;
        let is_in_its_past = self.workload.is_in_its_past(&connection.state);
        if connection.opening.is_some() && self.workload.is_open(&connection.state) {
            // The head of an answer is not told from what has come with it.
            self.opened(slot, at_ns, usize::MAX);
        } else if was_in_its_past && !is_in_its_past {
            self.context.tally.wire.before += self.flows(slot);
        }
        Ok(())
    }

    /// Sends what is due on a connection.
    pub(super) fn flush(&mut self, slot: usize) {
        while self.connections[slot].may_send() {
            let connection = &mut self.connections[slot];
            self.workload.produce(&mut connection.state, &mut self.context);
            if self.context.out.is_empty() {
                return;
            }
            if connection.on_ring.is_some() {
                self.stage(slot);
                continue;
            }
            let sent = connection.send(&self.context.out);
            self.context.out.clear();
            if let Err(error) = sent {
                return self.lose(slot, error);
            }
        }
        // Pongs for one who does not read are dropped: they would pile up.
        self.context.out.clear();
    }

    fn rearm(&mut self, slot: usize) {
        let connection = &self.connections[slot];
        if connection.on_ring.is_none()
            && let Some(socket) = &connection.socket
            && let Err(error) = self.poller.rearm(socket, slot)
        {
            self.lose(slot, error);
        }
    }
}
