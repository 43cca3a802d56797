//! Tests of the checker: it accepts what has an order, and refuses what has none.

use fastrand::Rng;

use super::check::{Model, Operation, check};
use super::store::{Command, Reply, Store};

type One = Operation<Command, Reply>;

fn operation(connection: usize, times: (u64, u64), input: Command, output: Reply) -> One {
    Operation { connection, input, output, invoked: times.0, returned: times.1 }
}

fn is_linear(history: &[One]) -> bool {
    check(Store::new(4), history).is_ok()
}

fn set(connection: usize, times: (u64, u64), value: i64, before: Option<i64>) -> One {
    let before = before.map_or(Reply::Nothing, Reply::Number);
    operation(connection, times, Command::Swap(0, value), before)
}

fn get(connection: usize, times: (u64, u64), value: Option<i64>) -> One {
    let value = value.map_or(Reply::Nothing, Reply::Number);
    operation(connection, times, Command::Get(0), value)
}

#[test]
fn nothing_is_linear() {
    assert!(is_linear(&[]));
}

#[test]
fn a_read_beside_a_write_may_see_it_or_not() {
    for value in [None, Some(1)] {
        assert!(is_linear(&[set(0, (0, 10), 1, None), get(1, (5, 6), value)]));
    }
    assert!(!is_linear(&[set(0, (0, 10), 1, None), get(1, (5, 6), Some(2))]));
}

#[test]
fn a_read_behind_a_write_must_see_it() {
    assert!(!is_linear(&[set(0, (0, 10), 1, None), get(1, (11, 12), None)]));
    assert!(is_linear(&[set(0, (0, 10), 1, None), get(1, (11, 12), Some(1))]));
}

#[test]
fn what_was_seen_is_not_unseen() {
    let write = set(0, (0, 100), 1, None);
    let (seen, unseen) = (get(1, (10, 20), Some(1)), get(2, (30, 40), None));
    assert!(!is_linear(&[write.clone(), seen.clone(), unseen]));
    assert!(is_linear(&[write, seen, get(2, (15, 40), None)]));
}

#[test]
fn an_update_is_not_lost() {
    let count = |connection, times, value| {
        operation(connection, times, Command::Count, Reply::Number(value))
    };
    assert!(is_linear(&[count(0, (0, 10), 2), count(1, (0, 10), 1)]));
    assert!(!is_linear(&[count(0, (0, 10), 1), count(1, (0, 10), 1)]));
}

#[test]
fn writes_of_several_keys_are_one() {
    let both = |a, b| {
        let part = |v: i64| if v == 0 { Reply::Nothing } else { Reply::Number(v) };
        Reply::Several(vec![part(a), part(b), Reply::Nothing])
    };
    let write = operation(0, (0, 10), Command::SetAll(vec![(0, 1), (1, 1)]), Reply::Done);
    let read = |reply| operation(1, (5, 6), Command::GetAll, reply);
    assert!(is_linear(&[write.clone(), read(both(0, 0))]));
    assert!(is_linear(&[write.clone(), read(both(1, 1))]));
    assert!(!is_linear(&[write, read(both(1, 0))]));
}

#[test]
fn an_element_is_popped_once_and_a_wait_is_not_given_up_beside_it() {
    let push = operation(0, (0, 10), Command::Push(0, 7), Reply::Number(1));
    let popped = Reply::Several(vec![Reply::Number(0), Reply::Number(7)]);
    let wait = |connection, times, reply| operation(connection, times, Command::WaitPop(0), reply);
    assert!(is_linear(&[push.clone(), wait(1, (0, 20), popped.clone())]));
    let twice = [push.clone(), wait(1, (0, 20), popped.clone()), wait(2, (0, 20), popped)];
    assert!(!is_linear(&twice));
    assert!(is_linear(&[push.clone(), wait(1, (5, 20), Reply::Nothing)]));
    assert!(!is_linear(&[push, wait(1, (11, 20), Reply::Nothing)]));
}

#[test]
fn a_watched_key_that_changed_stops_exec_and_only_that() {
    let watch = operation(0, (0, 1), Command::WatchString(0), Reply::Done);
    let exec = |reply| operation(0, (20, 30), Command::Transaction(vec![Command::Count]), reply);
    let ran = Reply::Several(vec![Reply::Number(1)]);
    let write = set(1, (5, 6), 1, None);
    assert!(is_linear(&[watch.clone(), write.clone(), exec(Reply::Nothing)]));
    assert!(!is_linear(&[watch.clone(), write, exec(ran.clone())]));
    assert!(!is_linear(&[watch.clone(), exec(Reply::Nothing)]));
    assert!(is_linear(&[watch.clone(), exec(ran)]));
    let late = set(1, (25, 40), 1, None);
    assert!(is_linear(&[watch, late, exec(Reply::Nothing)]));
}

/// A history that has an order: each operation runs at a moment between its two times.
fn made(rng: &mut Rng) -> Vec<One> {
    let mut store = Store::new(4);
    let mut free = [0u64; 4];
    let mut history = Vec::new();
    for moment in (0..60).map(|number| (number + 1) * 100) {
        let connection = rng.usize(0..4);
        if free[connection] >= moment {
            continue;
        }
        let value = moment as i64;
        let input = match rng.u8(0..7) {
            0 => Command::Swap(rng.usize(0..3), value),
            1 => Command::GetAll,
            2 => Command::Push(rng.usize(0..2), value),
            3 => Command::WaitPop(rng.usize(0..2)),
            4 => Command::WatchString(rng.usize(0..3)),
            5 => Command::Transaction(vec![Command::Count, Command::Range(0)]),
            _ => Command::Move(rng.usize(0..2), rng.usize(0..2)),
        };
        let output = store.apply(connection, &input);
        let invoked = rng.u64(free[connection]..moment);
        let returned = moment + rng.u64(1..500);
        free[connection] = returned + 1;
        history.push(operation(connection, (invoked, returned), input, output));
    }
    history
}

#[test]
fn what_was_made_in_an_order_is_accepted_and_a_false_reply_is_not() {
    let mut rng = Rng::with_seed(7);
    let mut spoiled = 0;
    for _ in 0..200 {
        let mut history = made(&mut rng);
        assert!(is_linear(&history), "{history:#?}");
        // A value that nobody wrote, in place of one that was read.
        let place = rng.usize(0..history.len());
        if let Reply::Number(number) = &mut history[place].output {
            *number += 1;
            assert!(!is_linear(&history), "{place}: {history:#?}");
            spoiled += 1;
        }
    }
    assert!(spoiled > 20, "{spoiled}");
}
