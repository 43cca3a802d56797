//! Several generator threads as one.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::{Outcome, Plan, Seen, run};
use crate::error::Error;
use crate::usage::Usage;

/// Runs all plans at once, each on a thread of its own, and `beside` on the calling one meanwhile;
/// it is told through the flag that they are through. The outcomes become one.
///
/// # Errors
/// Of the first thread that fails; the others end then.
pub fn run_all<'a>(
    plans: Vec<Plan<'a>>,
    halt: &'a AtomicBool,
    beside: impl FnOnce(&AtomicBool),
) -> Result<Outcome, Error> {
    let done = AtomicBool::new(false);
    let left = std::sync::atomic::AtomicUsize::new(plans.len());
    let outcomes: Vec<Result<Outcome, Error>> = std::thread::scope(|scope| {
        let caller = std::thread::current();
        let threads: Vec<_> = plans
            .into_iter()
            .map(|plan| {
                let (done, left, caller) = (&done, &left, caller.clone());
                scope.spawn(move || {
                    let outcome = run(Plan { halt: Some(halt), ..plan });
                    if outcome.is_err() {
                        halt.store(true, Ordering::Relaxed);
                    }
                    if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                        done.store(true, Ordering::Release);
                        caller.unpark();
                    }
                    outcome
                })
            })
            .collect();
        beside(&done);
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Error::Halted))).collect()
    });
    merge(outcomes)
}

fn merge(outcomes: Vec<Result<Outcome, Error>>) -> Result<Outcome, Error> {
    let mut whole: Option<Outcome> = None;
    let mut halted = None;
    for outcome in outcomes {
        match outcome {
            Ok(outcome) => match &mut whole {
                Some(whole) => add(whole, &outcome),
                None => whole = Some(outcome),
            },
            // What made the others end says more than that they did.
            Err(Error::Halted) => halted = Some(Error::Halted),
            Err(error) => return Err(error),
        }
    }
    match (halted, whole) {
        (None, Some(whole)) => Ok(whole),
        (error, _) => Err(error.unwrap_or(Error::Halted)),
    }
}

fn add(whole: &mut Outcome, other: &Outcome) {
    let both = |whole: &mut Vec<Seen>, other: &[Seen]| {
        for (mine, theirs) in whole.iter_mut().zip(other) {
            mine.add(theirs);
        }
    };
    both(&mut whole.seen, &other.seen);
    both(&mut whole.each, &other.each);
    whole.elapsed = whole.elapsed.max(other.elapsed);
    whole.own_ns += other.own_ns;
    let Usage { busy_ns, waited_ns, user_ticks, system_ticks } = other.usage;
    whole.usage.busy_ns += busy_ns;
    whole.usage.waited_ns += waited_ns;
    whole.usage.user_ticks += user_ticks;
    whole.usage.system_ticks += system_ticks;
}
