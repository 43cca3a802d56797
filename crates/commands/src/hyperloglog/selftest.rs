//! PFSELFTEST: counters tried with random registers and elements.

use value::hll::{self, Encoding, REGISTERS, Registers};

use crate::{Args, Ctx, Error};

const CYCLES: usize = 1000;
const ELEMENTS: u64 = 1_000_000;
/// What is tolerated, in standard errors.
const ERRORS_MAX: f64 = 6.0;

/// PFSELFTEST - O(1), a fraction of a second.
pub(super) fn pfselftest(ctx: &mut Ctx<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let tried = registers_are_kept(ctx).and_then(|()| estimates_are_close(ctx));
    match tried {
        Ok(()) => ctx.out.ok(),
        Err(failure) => ctx.out.error(&format!("ERR TESTFAILED {failure}")),
    }
    Ok(())
}

/// Dense registers hold what is written to them, each on its own.
fn registers_are_kept(ctx: &mut Ctx<'_, '_>) -> Result<(), String> {
    let mut bytes = dense();
    for cycle in 0..CYCLES {
        let register = ctx.rng.usize(..REGISTERS);
        let mut before = Registers::default();
        let kept = before.merge(&bytes);
        let old = before.values()[register];
        let new = ctx.rng.u8(old..64);
        let raised = hll::raise(&mut bytes, register, new, 0);
        let mut after = Registers::default();
        let merged = after.merge(&bytes);
        let mut expected = before.values().to_vec();
        expected[register] = new;
        let fine = kept.and(merged).is_ok() && raised == Ok(new > old);
        if !fine || after.values() != expected {
            return Err(format!("Register {register} is wrong in cycle {cycle}"));
        }
    }
    Ok(())
}

/// Both encodings estimate the same, close to how many elements were counted.
fn estimates_are_close(ctx: &mut Ctx<'_, '_>) -> Result<(), String> {
    let sparse_max = ctx.settings.limits.hll_sparse_bytes;
    let (mut dense, mut sparse) = (dense(), hll::empty());
    let seed = ctx.rng.u64(..);
    let mut checkpoint = 1;
    for number in 1..=ELEMENTS {
        let element = (number ^ seed).to_ne_bytes();
        let added = hll::add(&mut dense, &element, sparse_max);
        if added != hll::add(&mut sparse, &element, sparse_max) {
            return Err("dense/sparse disagree".into());
        }
        if number == checkpoint {
            if number < sparse_max as u64 / 2 && hll::encoding(&sparse) != Some(Encoding::Sparse) {
                return Err("sparse encoding not used".into());
            }
            check_estimate(number, hll::count(&dense).ok(), hll::count(&sparse).ok())?;
            checkpoint *= 10;
        }
    }
    Ok(())
}

fn check_estimate(number: u64, dense: Option<u64>, sparse: Option<u64>) -> Result<(), String> {
    let (Some(estimate), true) = (dense, dense == sparse) else {
        return Err("dense/sparse disagree".into());
    };
    let relative = 1.04 / (REGISTERS as f64).sqrt();
    let error_max = (relative * ERRORS_MAX * number as f64).ceil() as u64;
    let error = estimate.abs_diff(number);
    if error > error_max {
        return Err(format!("Too big error. card:{number} abserr:{error}"));
    }
    Ok(())
}

fn dense() -> Vec<u8> {
    let mut bytes = hll::empty();
    hll::to_dense(&mut bytes).expect("an empty counter is well formed");
    bytes
}
