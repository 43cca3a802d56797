//! `cargo xtask linearize`: many connections to one server, and whether what they saw could have
//! come from a server that does one thing after another.

use std::time::Duration;

use testkit::Server;
use testkit::linear::{Options, run as record};

const USAGE: &str = "linearize [--seconds 600] [--threads 2] [--connections 8] [--operations 25] \
                     [--seed N]";

/// Runs the task.
pub fn run(args: &[String]) -> Result<(), String> {
    let (mut seconds, mut threads, mut connections, mut operations) = (600, 2, 8, 25);
    let mut seed = fastrand::u64(..);
    for pair in args.chunks(2) {
        let [name, number] = pair else { return Err(USAGE.to_owned()) };
        let number: u64 = number.parse().map_err(|_| USAGE.to_owned())?;
        match name.as_str() {
            "--seconds" => seconds = number,
            "--threads" => threads = number,
            "--connections" => connections = number,
            "--operations" => operations = number,
            "--seed" => seed = number,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let server = Server::start(&[("threads", &threads.to_string()), ("save", "")]);
    println!("seed {seed}, {connections} connections, {threads} workers, {seconds} s");
    let totals = record(&Options {
        port: server.port(),
        connections: connections as usize,
        operations: operations as usize,
        time: Duration::from_secs(seconds),
        seed,
    })?;
    println!("{totals:?}");
    println!("1 passed, 0 failed");
    Ok(())
}
