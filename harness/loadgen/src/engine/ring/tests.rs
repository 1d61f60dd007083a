use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::engine::poller::Poller;
use crate::engine::{Waker, try_ring};

/// Long enough for what is on its way on loopback.
const WAIT_NS: u64 = 5_000_000_000;

/// A ring with a poller to watch; `None`, said aloud, where the system has none.
fn ring() -> Option<(Ring, Poller, Waker)> {
    if let Err(error) = try_ring() {
        println!("skipped: no io_uring: {error}");
        return None;
    }
    let waker = Waker::new().expect("an eventfd");
    let poller = Poller::new(waker.clone()).expect("an epoll");
    Some((Ring::new(&poller).expect("a ring"), poller, waker))
}

/// Two ends of a connection, of which the first does not block.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let ours = TcpStream::connect(listener.local_addr().expect("its address")).expect("a connection");
    ours.set_nonblocking(true).expect("a socket");
    (ours, listener.accept().expect("the other end").0)
}

fn ticket(slot: usize) -> Ticket {
    Ticket { slot, life: Ticket::LIVES - 1 }
}

/// Receives until so many bytes are there, or the connection's end.
fn receive(ring: &mut Ring, socket: &TcpStream, bytes: usize) -> Vec<u8> {
    let (mut all, mut received) = (Vec::new(), vec![0; 256 * 1024]);
    while all.len() < bytes {
        ring.wait(WAIT_NS).expect("a wait");
        assert!(ring.arrived() > 0, "nothing arrives behind {} bytes", all.len());
        while let Some(Arrived { ticket, length, is_armed }) = ring.next(&mut received) {
            match length.expect("a connection") {
                Some(0) => return all,
                Some(length) => all.extend_from_slice(&received[..length]),
                None => {}
            }
            if !is_armed {
                ring.receive(ticket, socket);
            }
        }
    }
    all
}

#[test]
fn what_is_sent_leaves_and_what_arrives_names_its_connection() {
    let Some((mut ring, _poller, _waker)) = ring() else { return };
    let connections = (0..3).map(|_| connection()).collect::<Vec<_>>();
    for (slot, (ours, _)) in connections.iter().enumerate() {
        ring.receive(ticket(slot), ours);
        assert!(!ring.has_send(slot));
        ring.send(slot, ours, format!("question {slot}").as_bytes());
        assert!(ring.has_send(slot));
    }
    ring.hand_over().expect("what is staged");
    assert!(ring.unsent().is_none());
    for (slot, (_, theirs)) in connections.iter().enumerate().rev() {
        let mut question = [0; 10];
        (&mut &*theirs).read_exact(&mut question).expect("a question");
        assert_eq!(question, format!("question {slot}").as_bytes());
        (&mut &*theirs).write_all(format!("answer {slot}").as_bytes()).expect("an answer");
    }
    let mut answers = Vec::new();
    while answers.len() < 3 {
        ring.wait(WAIT_NS).expect("a wait");
        let mut received = [0; 100];
        while let Some(Arrived { ticket: Ticket { slot, life }, length, is_armed }) = ring.next(&mut received)
        {
            assert!(is_armed && life == Ticket::LIVES - 1);
            let length = length.expect("a connection").expect("a buffer");
            answers.push((slot, String::from_utf8_lossy(&received[..length]).into_owned()));
        }
    }
    answers.sort();
    assert_eq!(answers, [0, 1, 2].map(|slot| (slot, format!("answer {slot}"))));
}

#[test]
fn what_the_kernel_does_not_take_is_handed_back_to_the_byte() {
    let Some((mut ring, _poller, _waker)) = ring() else { return };
    let (ours, theirs) = connection();
    let bytes = (0..32 << 20).map(|number: u32| (number % 251) as u8).collect::<Vec<_>>();
    ring.send(0, &ours, &bytes);
    ring.hand_over().expect("what is staged");
    let Unsent { slot: 0, rest, error: None } = ring.unsent().expect("more than a socket takes") else {
        panic!("another slot")
    };
    assert!(!rest.is_empty() && rest.len() < bytes.len());
    // A second one finds no room at all.
    ring.send(7, &ours, b"no room");
    ring.hand_over().expect("what is staged");
    let Unsent { slot: 7, rest: none_taken, error: None } = ring.unsent().expect("a full socket") else {
        panic!("another slot")
    };
    assert_eq!(*none_taken, *b"no room");
    drop(ours);
    drop(ring);
    let mut taken = Vec::new();
    (&mut &theirs).read_to_end(&mut taken).expect("a connection that ends");
    assert_eq!(taken.len() + rest.len(), bytes.len());
    assert!([&taken, &*rest].concat() == bytes, "no byte is lost, sent twice or changed");
}

#[test]
fn more_than_the_buffers_hold_is_received_whole() {
    let Some((mut ring, _poller, _waker)) = ring() else { return };
    let (ours, theirs) = connection();
    let bytes = (0..16 << 20).map(|number: u32| (number % 241) as u8).collect::<Vec<_>>();
    ring.receive(ticket(0), &ours);
    ring.hand_over().expect("what is staged");
    let received = std::thread::scope(|scope| {
        scope.spawn(|| (&mut &theirs).write_all(&bytes).expect("all is read"));
        receive(&mut ring, &ours, bytes.len())
    });
    assert!(received == bytes, "no byte is lost, received twice or changed");
    drop(theirs);
    assert!(receive(&mut ring, &ours, 1).is_empty(), "the end");
}

#[test]
fn one_without_a_buffer_is_asked_for_again() {
    let Some((mut ring, _poller, _waker)) = ring() else { return };
    // A byte takes a buffer, and there are more connections than buffers.
    let connections = (0..1100).map(|_| connection()).collect::<Vec<_>>();
    for (slot, (ours, theirs)) in connections.iter().enumerate() {
        (&mut &*theirs).write_all(b"x").expect("a byte");
        ring.receive(ticket(slot), ours);
    }
    let (mut came, mut starved, mut received) = (vec![0; connections.len()], 0, [0; 100]);
    // All of them are received before the first buffer is given back.
    while came.contains(&0) {
        ring.wait(WAIT_NS).expect("a wait");
        assert!(ring.arrived() > 0, "nothing arrives any more");
        while let Some(Arrived { ticket, length, is_armed }) = ring.next(&mut received) {
            match length.expect("a connection") {
                Some(length) => came[ticket.slot] += length,
                None => starved += 1,
            }
            if !is_armed {
                ring.receive(ticket, &connections[ticket.slot].0);
            }
        }
    }
    assert!(came.iter().all(|&bytes| bytes == 1));
    assert!(starved > 0, "this test tests nothing unless the buffers run out");
}

#[test]
fn sends_to_one_who_is_gone_fail_by_their_cause() {
    let Some((mut ring, _poller, _waker)) = ring() else { return };
    let (ours, theirs) = connection();
    socket2::SockRef::from(&theirs).set_linger(Some(std::time::Duration::ZERO)).expect("a socket");
    drop(theirs);
    let mut errors = Vec::new();
    for _ in 0..2 {
        ring.send(0, &ours, b"hello");
        ring.hand_over().expect("what is staged");
        errors.extend(ring.unsent().and_then(|unsent| unsent.error).map(|error| error.kind()));
    }
    assert_eq!(errors.first(), Some(&io::ErrorKind::ConnectionReset));
}

#[test]
fn what_is_forgotten_is_not_sent() {
    let Some((mut ring, _poller, _waker)) = ring() else { return };
    let (ours, theirs) = connection();
    ring.send(0, &ours, b"never");
    ring.send(1, &ours, b"this");
    ring.forget(0);
    ring.hand_over().expect("what is staged");
    let mut came = [0; 4];
    (&mut &theirs).read_exact(&mut came).expect("four bytes");
    assert_eq!(&came, b"this");
}

#[test]
fn no_more_than_a_batch_is_staged() {
    let Some((mut ring, _poller, _waker)) = ring() else { return };
    let (ours, _theirs) = connection();
    for slot in 0..SENDS {
        assert!(!ring.is_full());
        ring.send(slot, &ours, b"x");
    }
    assert!(ring.is_full());
    ring.hand_over().expect("what is staged");
    assert!(!ring.is_full() && !ring.has_send(0));
    ring.send(0, &ours, &vec![0; SENT_BYTES]);
    assert!(ring.is_full(), "however few they are");
}

#[test]
fn the_epoll_ends_a_wait_each_time_it_has_something() {
    let Some((mut ring, mut poller, waker)) = ring() else { return };
    for _ in 0..3 {
        assert!(!ring.wait(1_000_000).expect("a wait"), "the time is up");
        waker.wake();
        assert!(ring.wait(WAIT_NS).expect("a wait"));
        assert_eq!(poller.wait(0).expect("a wait"), 1);
    }
}
