//! Stacks of the tests' own threads.

use std::sync::mpsc;
use std::thread;

use super::*;

#[inline(never)]
fn a_place_with_a_name(done: &mpsc::Receiver<()>, started: &mpsc::Sender<i32>) {
    started.send(fault::thread_number()).expect("the test listens");
    done.recv().expect("the test says when");
}

#[test]
fn another_threads_stack_shows_where_it_waits() {
    fault::catch(false);
    let (started, begun) = mpsc::channel();
    let (end, done) = mpsc::channel();
    let other = thread::spawn(move || a_place_with_a_name(&done, &started));
    let number = begun.recv().expect("it has begun");
    let text = all(number, None);
    end.send(()).expect("it waits");
    other.join().expect("it ends well");
    let first = text.split("\n\n").nth(1).expect("a thread");
    assert!(first.starts_with(&number.to_string()), "{text}");
    assert!(first.contains("a_place_with_a_name"), "{text}");
    assert!(text.contains("STACK TRACE DONE"), "{text}");
}
