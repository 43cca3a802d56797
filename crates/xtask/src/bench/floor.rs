//! The null responder: what a server on this kernel costs when it does no work at all.
//!
//! It answers `+OK` once for every `*` it receives and looks at nothing else, so requests that are
//! measured against it must not carry that byte in keys or values. Messages to subscribers, which
//! `+OK` would not measure, are `fan_floor`'s.

use std::io::{ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::fan_floor::Fan;

const LISTENER: Token = Token(usize::MAX);
const REPLY: &[u8] = b"+OK\r\n";
const READ_SIZE: usize = 64 * 1024;

/// One client: its socket and how many replies the kernel has not taken yet, in bytes.
struct Peer {
    stream: TcpStream,
    unsent: usize,
}

/// Serves until the process is killed.
///
/// # Errors
/// An address that cannot be bound, or a poller that fails.
pub(super) fn serve(address: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("floor on {address}: {error}");
    let parsed = address.parse().map_err(|_| format!("floor: bad address '{address}'"))?;
    let mut listener = TcpListener::bind(parsed).map_err(failed)?;
    let mut poll = Poll::new().map_err(failed)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).map_err(failed)?;
    let mut events = Events::with_capacity(1024);
    let mut peers: Vec<Option<Peer>> = Vec::new();
    let mut input = vec![0; READ_SIZE];
    let output = REPLY.repeat(READ_SIZE);
    let mut fan = Fan::default();
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.map_err(failed)?,
        }
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut peers);
                continue;
            }
            let Token(token) = event.token();
            let Some(mut peer) = peers.get_mut(token).and_then(Option::take) else { continue };
            if answer(&mut peer, token, &mut input, &output, (&mut fan, &mut peers)) {
                peers[token] = Some(peer);
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, peers: &mut Vec<Option<Peer>>) {
    while let Ok((mut stream, _)) = listener.accept() {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let ready = stream.set_nodelay(true).is_ok()
            && poll.registry().register(&mut stream, Token(peers.len()), interest).is_ok();
        if ready {
            peers.push(Some(Peer { stream, unsent: 0 }));
        }
    }
}

/// False once the client is gone. What a subscriber's socket does not take of a message is lost:
/// the bench sends no more than subscribers read.
fn answer(
    peer: &mut Peer,
    token: usize,
    input: &mut [u8],
    output: &[u8],
    (fan, peers): (&mut Fan, &mut [Option<Peer>]),
) -> bool {
    let mut send_to = |token: usize, message: &[u8]| {
        if let Some(Some(peer)) = peers.get_mut(token) {
            let _ = peer.stream.write(message);
        }
    };
    loop {
        match peer.stream.read(input) {
            Ok(0) => return false,
            Ok(count) => {
                if let Some(answers) = fan.publish(&input[..count], &mut send_to) {
                    return peer.stream.write_all(&answers).is_ok();
                }
                fan.join(&input[..count], token);
                let stars = memchr::memchr_iter(b'*', &input[..count]).count();
                peer.unsent += stars * REPLY.len();
                if !send(peer, output) {
                    return false;
                }
                if count < input.len() {
                    return true;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return send(peer, output),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}

fn send(peer: &mut Peer, output: &[u8]) -> bool {
    while peer.unsent > 0 {
        // The first byte to send is the one at which the last partial write stopped.
        let phase = (REPLY.len() - peer.unsent % REPLY.len()) % REPLY.len();
        let until = (phase + peer.unsent).min(output.len());
        match peer.stream.write(&output[phase..until]) {
            Ok(count) => peer.unsent -= count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}
