//! The checker: is there an order of the operations that agrees with their times, and in which a
//! sequential model gives the replies that were seen?
//!
//! The algorithm is that of Wing and Gong ("Testing and verifying concurrent objects", 1993) with
//! Lowe's memory of what was tried ("Testing for linearizability", 2017): operations are taken one
//! after another from those that had begun before any of the rest returned; where the model
//! disagrees the last one is put back. A set of operations taken that led to a state which was
//! seen before with the same set is not followed again.

use std::collections::HashSet;
use std::hash::Hash;

/// What a thing does when one operation runs after another.
pub trait Model: Clone + Eq + Hash {
    /// An operation.
    type Input;
    /// What it replies.
    type Output: PartialEq;

    /// Runs an operation of a connection.
    fn apply(&mut self, connection: usize, input: &Self::Input) -> Self::Output;
}

/// One operation of a history. Times are of one clock, in any unit.
#[derive(Clone, Debug)]
pub struct Operation<I, O> {
    /// Who asked.
    pub connection: usize,
    /// For what.
    pub input: I,
    /// What was replied.
    pub output: O,
    /// When it was asked.
    pub invoked: u64,
    /// When the reply had arrived.
    pub returned: u64,
}

/// No order explains a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The longest order that was found, as places in the history.
    pub longest: Vec<usize>,
}

/// An end of an operation in the list of all, which is in the order of time.
#[derive(Clone, Copy)]
struct Event {
    operation: usize,
    /// Where the operation returns; none when this is its return.
    returns: Option<usize>,
    next: usize,
    before: usize,
}

/// The head of the list; it ends there as well.
const HEAD: usize = 0;

/// Looks for an order from a first state on.
///
/// # Errors
/// When there is none.
pub fn check<M: Model>(
    first: M,
    history: &[Operation<M::Input, M::Output>],
) -> Result<(), Refusal> {
    let mut events = in_order(history);
    let mut state = first;
    let mut taken = vec![0u64; history.len().div_ceil(64)];
    let mut tried: HashSet<(Vec<u64>, M)> = HashSet::new();
    let mut order: Vec<(usize, M)> = Vec::new();
    let mut longest = Vec::new();
    let mut at = events[HEAD].next;
    while events[HEAD].next != HEAD {
        let Event { operation, returns, next, .. } = events[at];
        if returns.is_some() {
            let asked = &history[operation];
            let mut after = state.clone();
            let agrees = after.apply(asked.connection, &asked.input) == asked.output;
            taken[operation / 64] |= 1 << (operation % 64);
            if agrees && tried.insert((taken.clone(), after.clone())) {
                order.push((at, std::mem::replace(&mut state, after)));
                lift(&mut events, at);
                at = events[HEAD].next;
            } else {
                taken[operation / 64] &= !(1 << (operation % 64));
                at = next;
            }
            continue;
        }
        // Its operation must have run by now, so one that was taken before is at the wrong place.
        if order.len() > longest.len() {
            longest = order.iter().map(|(event, _)| events[*event].operation).collect();
        }
        let Some((last, before)) = order.pop() else { return Err(Refusal { longest }) };
        let operation = events[last].operation;
        taken[operation / 64] &= !(1 << (operation % 64));
        state = before;
        put_back(&mut events, last);
        at = events[last].next;
    }
    Ok(())
}

/// Both ends of all operations as a list. At equal times what begins comes first: then it is at
/// the same time as what ends.
fn in_order<I, O>(history: &[Operation<I, O>]) -> Vec<Event> {
    let mut ends: Vec<(u64, bool, usize)> = Vec::with_capacity(history.len() * 2);
    for (number, operation) in history.iter().enumerate() {
        ends.push((operation.invoked, false, number));
        ends.push((operation.returned.max(operation.invoked), true, number));
    }
    ends.sort_unstable();
    let count = ends.len() + 1;
    let mut events =
        vec![Event { operation: 0, returns: None, next: 1 % count, before: count - 1 }];
    let mut begins = vec![0; history.len()];
    for (place, (_, is_return, operation)) in ends.into_iter().enumerate() {
        let at = place + 1;
        if is_return {
            events[begins[operation]].returns = Some(at);
        } else {
            begins[operation] = at;
        }
        let next = (at + 1) % count;
        events.push(Event { operation, returns: None, next, before: place });
    }
    events
}

/// Takes an operation's two ends out of the list.
fn lift(events: &mut [Event], at: usize) {
    let both = [Some(at), events[at].returns];
    for end in both.into_iter().flatten() {
        let Event { next, before, .. } = events[end];
        events[before].next = next;
        events[next].before = before;
    }
}

/// Undoes [`lift`]; what was lifted last must be put back first.
fn put_back(events: &mut [Event], at: usize) {
    let both = [events[at].returns, Some(at)];
    for end in both.into_iter().flatten() {
        let Event { next, before, .. } = events[end];
        events[before].next = end;
        events[next].before = end;
    }
}
