//! Two servers in one run: their rounds alternate, so that a machine that gets slower meanwhile
//! slows both.

use std::io::Write;

use super::measure::{Measured, Target, measure};
use super::options::Options;
use super::suite::Test;
use super::table::Table;
use super::{Failure, say, write_results};

/// What is compared.
type Figure<'a> = &'a dyn Fn(&Measured) -> f64;

/// Runs all tests against both servers and shows them beside each other.
pub(super) fn run(
    options: &Options,
    program: &str,
    tests: &[Test],
    targets: &[Target; 2],
) -> Result<(), Failure> {
    loop {
        let mut results: [Vec<Measured>; 2] = Default::default();
        for test in tests {
            for round in 0..options.rounds {
                for turn in 0..2 {
                    // Neither is always first.
                    let at = ((round + turn) % 2) as usize;
                    let measured = measure(options, test, &targets[at], options.rounds)
                        .map_err(|failure| at_server(failure, &targets[at]))?;
                    if round == 0 {
                        results[at].push(measured);
                    } else if let Some(sum) = results[at].last_mut() {
                        sum.add(&measured);
                    }
                }
            }
            note(options, &results);
        }
        let both = [&results[0][..], &results[1][..]];
        if !options.is_piped() {
            say(&if options.csv { csv(both) } else { table(both, options).to_terminal() })?;
        }
        write_results(options, program, &both)?;
        if !options.looped {
            return Ok(());
        }
    }
}

fn at_server(failure: Failure, target: &Target) -> Failure {
    match failure {
        Failure::Told(why) if !why.contains(&target.name) => {
            Failure::Told(format!("{}: {why}", target.name))
        }
        other => other,
    }
}

/// The tests that are through, while others still run.
fn note(options: &Options, results: &[Vec<Measured>; 2]) {
    if let (false, Some(ours), Some(theirs)) = (options.quiet, results[0].last(), results[1].last())
    {
        let ratio = ours.per_second() / theirs.per_second();
        // Where nobody listens there is nobody to tell.
        writeln!(std::io::stderr(), "{}: {ratio:.2} times the requests", ours.title).ok();
    }
}

/// Figures of the first server, of the second, and how the first compares.
pub(super) fn table([first, second]: [&[Measured]; 2], options: &Options) -> Table {
    let mut head = vec!["test".to_owned()];
    for what in ["req/s", "p50 ms", "p99 ms", "p99.9 ms"] {
        head.extend([format!("{what} A"), format!("{what} B"), "A/B".to_owned()]);
    }
    let mut rows = vec![head];
    for (first, second) in first.iter().zip(second) {
        let mut row = vec![first.title.clone()];
        let figures: [(Figure<'_>, usize); 4] = [
            (&Measured::per_second, 0),
            (&|measured| measured.quantile_ms(0.5), 3),
            (&|measured| measured.quantile_ms(0.99), 3),
            (&|measured| measured.quantile_ms(0.999), 3),
        ];
        for (figure, digits) in figures {
            let (a, b) = (figure(first), figure(second));
            row.extend([format!("{a:.digits$}"), format!("{b:.digits$}"), format!("{:.2}", a / b)]);
        }
        rows.push(row);
    }
    if let (Some(first), Some(second)) = (first.first(), second.first()) {
        let rounds = options.rounds;
        let legend = format!("A {}, B {}, {rounds} rounds", first.server, second.server);
        rows[0][0] = format!("test ({legend})");
    }
    Table(rows)
}

fn csv([first, second]: [&[Measured]; 2]) -> String {
    let mut text =
        "\"test\",\"server\",\"rps\",\"rps_ratio\",\"p50_latency_ms\",\"p99_latency_ms\",\
                    \"p999_latency_ms\",\"max_latency_ms\"\n"
            .to_owned();
    for (first, second) in first.iter().zip(second) {
        for measured in [first, second] {
            let ratio = measured.per_second() / second.per_second();
            text += &format!(
                "\"{}\",\"{}\",\"{:.2}\",\"{ratio:.3}\",\"{:.3}\",\"{:.3}\",\"{:.3}\",\"{:.3}\"\n",
                measured.title,
                measured.server,
                measured.per_second(),
                measured.quantile_ms(0.5),
                measured.quantile_ms(0.99),
                measured.quantile_ms(0.999),
                measured.quantile_ms(1.0)
            );
        }
    }
    text
}
