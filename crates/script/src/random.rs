//! `math.random` and `math.randomseed`: the 48-bit linear congruential generator of POSIX's
//! `drand48`, so that the same seed gives the same numbers on every machine, as in Redis.

use crate::stack::{Outcome, Stack};

/// Numbers are below this.
const MAX: u64 = 0x7fff_ffff;
const BITS: u64 = (1 << 48) - 1;
const FACTOR: u64 = 0x5_deec_e66d;
const STEP: u64 = 0xb;
const LOW_SEED: u64 = 0x330e;

/// The generator's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        let mut random = Self(0);
        random.seed(0);
        random
    }
}

impl Random {
    fn seed(&mut self, seed: u32) {
        self.0 = u64::from(seed) << 16 | LOW_SEED;
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(FACTOR).wrapping_add(STEP) & BITS;
        self.0 >> 17
    }
}

/// Sets the functions in the table on top of the stack.
pub(crate) fn open(stack: &mut Stack) {
    stack.set_function(c"random", random);
    stack.set_function(c"randomseed", randomseed);
}

/// math.random([m [, n]])
fn random(stack: &mut Stack) -> Outcome {
    let share = (stack.state().random.next() % MAX) as f64 / MAX as f64;
    let (low, high) = match stack.top() {
        0 => {
            stack.push_number(share);
            return Ok(1);
        }
        1 => (1, stack.check_int(1)),
        2 => (stack.check_int(1), stack.check_int(2)),
        _ => return stack.fail(b"wrong number of arguments"),
    };
    if low > high {
        return stack.fail_argument(stack.top(), c"interval is empty");
    }
    stack.push_number((share * (high as f64 - low as f64 + 1.0)).floor() + low as f64);
    Ok(1)
}

/// math.randomseed(n)
fn randomseed(stack: &mut Stack) -> Outcome {
    let seed = stack.check_int(1);
    stack.state().random.seed(seed as u32);
    Ok(0)
}
