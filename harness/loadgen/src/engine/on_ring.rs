use std::io;
use std::net::Shutdown;
use std::num::NonZeroU32;

use super::ring::{Arrived, Ticket, Unsent};
use super::{EventLoop, Workload};

/// What goes over connections by the ring, if there is one.
impl<W: Workload> EventLoop<W> {
    /// A connection that is open goes over from the poller to the ring.
    pub(super) fn go_over(&mut self, slot: usize) {
        if self.ring.is_none() {
            return;
        }
        let connection = &mut self.connections[slot];
        if let Some(socket) = &connection.socket {
            // If it stays there, what the poller says of it is passed over.
            let _ = self.poller.remove(socket);
        }
        // From 1 on: none is 0.
        self.lives = self.lives % (Ticket::LIVES - 1) + 1;
        connection.on_ring = NonZeroU32::new(self.lives);
        self.receive_on_ring(slot);
        self.await_room(slot);
    }

    /// A connection is about to be closed: the ring, which holds its socket open, is to let go of it.
    pub(super) fn leave_ring(&mut self, slot: usize) {
        self.unsendable.remove(&slot);
        let connection = &mut self.connections[slot];
        if connection.on_ring.take().is_some()
            && let (Some(ring), Some(socket)) = (&mut self.ring, &connection.socket)
        {
            ring.forget(slot);
            // Closing it does not, as long as the ring holds it.
            let _ = self.poller.remove(socket);
            // It may have ended by itself.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Waits: how many sockets are ready, and how many receives have come to something.
    pub(super) fn wait_on_ring(&mut self, timeout_ns: u64) -> io::Result<(usize, usize)> {
        let Some(ring) = &mut self.ring else { return Ok((0, 0)) };
        let is_polled = ring.wait(timeout_ns)?;
        let arrived = ring.arrived();
        self.keep_unsent();
        Ok((if is_polled { self.poller.wait(0)? } else { 0 }, arrived))
    }

    /// Takes what the next receive has come to, and stages what follows from it.
    pub(super) fn take_from_ring(&mut self) {
        let next = self.ring.as_mut().and_then(|ring| ring.next(&mut self.received));
        let Some(Arrived { ticket: Ticket { slot, life }, length, is_armed }) = next else { return };
        if self.connections[slot].on_ring.map(NonZeroU32::get) != Some(life) {
            return;
        }
        self.context.out.clear();
        match length {
            Ok(Some(0)) => {
                return match self.unsendable.remove(&slot) {
                    Some(error) => self.lose(slot, error),
                    None => self.ended(slot),
                };
            }
            Ok(Some(length)) => {
                let at_ns = self.context.clock.now_ns();
                self.received_ns = at_ns;
                if let Err(loss) = self.take(slot, length, at_ns) {
                    return self.lose(slot, loss);
                }
                self.follow(slot);
            }
            Ok(None) => {}
            Err(error) => return self.lose(slot, error),
        }
        if !is_armed {
            self.receive_on_ring(slot);
        }
    }

    /// Stages what is to be sent on a connection.
    pub(super) fn stage(&mut self, slot: usize) {
        // Others may be lost meanwhile, whose bytes are dropped from there.
        let mut out = std::mem::take(&mut self.context.out);
        if self.ring.as_ref().is_some_and(|ring| ring.has_send(slot)) {
            self.hand_over();
        }
        let connection = &mut self.connections[slot];
        match (&mut self.ring, &connection.socket) {
            (Some(ring), Some(socket)) if connection.may_send() => ring.send(slot, socket, &out),
            // Something that was sent before is unsent now.
            _ => connection.keep(&out),
        }
        out.clear();
        self.context.out = out;
        if self.ring.as_ref().is_some_and(super::Ring::is_full) {
            self.hand_over();
        }
    }

    /// Has all leave that is staged.
    pub(super) fn hand_over(&mut self) {
        if let Some(ring) = &mut self.ring
            && let Err(error) = ring.hand_over()
        {
            self.failure = Some(error);
            self.ring = None;
        }
        self.keep_unsent();
    }

    /// Has the poller tell when a connection on the ring takes what is unsent.
    pub(super) fn await_room(&mut self, slot: usize) {
        let connection = &self.connections[slot];
        if connection.on_ring.is_some()
            && !connection.may_send()
            && let Some(socket) = &connection.socket
        {
            // Of one that is there it has told, which it does once.
            let _ = self.poller.remove(socket);
            if let Err(error) = self.poller.add_until_writable(socket, slot) {
                self.lose(slot, error);
            }
        }
    }

    fn keep_unsent(&mut self) {
        while let Some(Unsent { slot, rest, error }) = self.ring.as_mut().and_then(super::Ring::unsent) {
            self.connections[slot].keep(&rest);
            match error {
                None => self.await_room(slot),
                // What has arrived before is taken first, and the end then: nothing more is sent meanwhile.
                Some(error) => drop(self.unsendable.insert(slot, error)),
            }
        }
    }

    fn receive_on_ring(&mut self, slot: usize) {
        let connection = &self.connections[slot];
        if let (Some(ring), Some(socket), Some(life)) =
            (&mut self.ring, &connection.socket, connection.on_ring)
        {
            ring.receive(Ticket { slot, life: life.get() }, socket);
        }
    }
}
