//! `cargo xtask soak`: a server under everything at once for an hour, and whether it is then as it
//! was.

use std::time::Duration;

use testkit::soak::{Options, Window, run as soak};

const USAGE: &str = "soak [--seconds 3600] [--window 30] [--threads 2] [--limit MB] [--seed N]";

/// Runs the task.
pub fn run(args: &[String]) -> Result<(), String> {
    let mut options = Options {
        time: Duration::from_secs(3600),
        window: Duration::from_secs(30),
        save_every: Duration::from_secs(10),
        threads: 2,
        limit: 192,
        seed: fastrand::u64(..1 << 32),
    };
    for pair in args.chunks(2) {
        let [name, number] = pair else { return Err(USAGE.to_owned()) };
        let number: u32 = number.parse().map_err(|_| USAGE.to_owned())?;
        match name.as_str() {
            "--seconds" => options.time = Duration::from_secs(number.into()),
            "--window" => options.window = Duration::from_secs(number.into()),
            "--threads" => options.threads = number,
            "--limit" => options.limit = number,
            "--seed" => options.seed = number.into(),
            _ => return Err(USAGE.to_owned()),
        }
    }
    println!("seed {}, {} workers, {} MB", options.seed, options.threads, options.limit);
    println!("seconds     op/s  p50 ms  p99  p99.9    max  used MB  RSS MB  fds  evicted  expired");
    let outcome = soak(&options, print)?;
    let (before, after) = outcome.descriptors;
    println!("descriptors {before} before, {after} after; digests {:?}", outcome.digests);
    let faults = outcome.faults();
    println!("{} windows, {} faults", outcome.windows.len(), faults.len());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

fn print(window: &Window) {
    let [median, p99, p999, longest] = window.latency.map(|time| time.as_secs_f64() * 1e3);
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let (at, rate) = (window.at.as_secs(), window.rate);
    print!("{at:>7} {rate:>8} {median:>7.2} {p99:>4.1} {p999:>6.1} {longest:>6.1} ");
    println!(
        "{:>8.1} {:>7.1} {:>4} {:>8} {:>8}",
        megabytes(window.used),
        megabytes(window.resident),
        window.descriptors,
        window.evicted,
        window.expired,
    );
}
