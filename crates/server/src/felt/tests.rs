//! Tests of the times of arrival.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use crate::clock;
use crate::sys::arrival;

#[test]
#[cfg(target_os = "linux")]
fn the_kernel_tells_when_bytes_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut sender = TcpStream::connect(listener.local_addr().expect("its address")).expect("open");
    let (receiver, _) = listener.accept().expect("a connection");
    arrival::remember(receiver.as_raw_fd());
    // The kernel begins to look at the clock some time after the first socket asked for it.
    for _ in 0..10_000 {
        let before = clock::unix_ns();
        sender.write_all(b"bytes").expect("sent");
        let mut buf = [0; 16];
        let (count, arrived) = arrival::read(receiver.as_raw_fd(), &mut buf);
        let after = clock::unix_ns();
        assert_eq!(count.expect("read"), 5);
        assert_eq!(&buf[..5], b"bytes");
        if let Some(arrived) = arrived {
            assert!((before..=after).contains(&arrived), "{before} {arrived} {after}");
            return;
        }
        std::thread::yield_now();
    }
    panic!("no time of arrival");
}
