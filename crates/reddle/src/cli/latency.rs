//! `--latency` and its kin: how long a PING takes, and how long the system lets a process wait.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::operator::Operator;
use super::options::{Mode, Output};
use super::{Done, Failure, out};

/// Between two samples.
const PAUSE: Duration = Duration::from_millis(10);

/// The intervals of a distribution: up to so many microseconds, and the sign for it.
const STEPS: [(u64, char); 31] = [
    (10, '.'),
    (125, '-'),
    (250, '*'),
    (500, '#'),
    (1_000, '1'),
    (2_000, '2'),
    (3_000, '3'),
    (4_000, '4'),
    (5_000, '5'),
    (6_000, '6'),
    (7_000, '7'),
    (8_000, '8'),
    (9_000, '9'),
    (10_000, 'A'),
    (20_000, 'B'),
    (30_000, 'C'),
    (40_000, 'D'),
    (50_000, 'E'),
    (100_000, 'F'),
    (200_000, 'G'),
    (300_000, 'H'),
    (400_000, 'I'),
    (500_000, 'J'),
    (1_000_000, 'K'),
    (2_000_000, 'L'),
    (4_000_000, 'M'),
    (8_000_000, 'N'),
    (16_000_000, 'O'),
    (30_000_000, 'P'),
    (60_000_000, 'Q'),
    (u64::MAX, '?'),
];

/// Colours of a terminal with 256 of them, from none to all.
const COLOURS: [u8; 19] =
    [0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 144, 143, 142, 184, 226, 214, 208, 202, 196];
const GREYS: [u8; 13] = [0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 249, 251, 253];

#[derive(Debug, Default)]
struct Samples {
    min: u64,
    max: u64,
    total: u64,
    count: u64,
}

impl Samples {
    fn add(&mut self, milliseconds: u64) {
        self.min = if self.count == 0 { milliseconds } else { self.min.min(milliseconds) };
        self.max = self.max.max(milliseconds);
        self.total += milliseconds;
        self.count += 1;
    }

    fn show(&self, output: Output) {
        let Samples { min, max, count, .. } = self;
        #[allow(clippy::cast_precision_loss)]
        let avg = self.total as f64 / self.count.max(1) as f64;
        out::text(match output {
            Output::Standard => {
                format!("min: {min}, max: {max}, avg: {avg:.2} ({count} samples)")
            }
            Output::Csv => format!("{min},{max},{avg:.2},{count}\n"),
            Output::Raw => format!("{min} {max} {avg:.2} {count}\n"),
            Output::Json | Output::QuotedJson => {
                let numbers = format!("\"avg\": {avg:.2}, \"count\": {count}");
                format!("{{\"min\": {min}, \"max\": {max}, {numbers}}}\n")
            }
        });
    }
}

fn ping(operator: &mut Operator) -> Result<Duration, Failure> {
    let begin = Instant::now();
    operator.quiet_call(&["PING"])?;
    Ok(begin.elapsed())
}

/// Shows the samples as they come on a terminal; else once, or once an interval for the history.
pub(super) fn sample(mut operator: Operator, mode: Mode) -> Done {
    let (output, asked) = (operator.options.output, operator.options.interval);
    let history = mode == Mode::LatencyHistory;
    let given = |default| if asked.is_zero() { Duration::from_secs(default) } else { asked };
    let (once, range) = (given(1), given(15));
    let mut begin = Instant::now();
    let mut samples = Samples::default();
    loop {
        let took = ping(&mut operator)?;
        samples.add(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        if output == Output::Standard {
            out::text("\x1b[0G\x1b[2K");
            samples.show(output);
        } else if history {
            samples.show(output);
        } else if begin.elapsed() > once {
            samples.show(output);
            return Ok(());
        }
        if history && begin.elapsed() > range {
            let seconds = begin.elapsed().as_secs_f64();
            out::text(format_args!(" -- {seconds:.2} seconds range\n"));
            (begin, samples) = (Instant::now(), Samples::default());
        }
        std::thread::sleep(PAUSE);
    }
}

/// A line of coloured signs for each interval.
pub(super) fn distribution(mut operator: Operator) -> Done {
    let colours: &[u8] = if operator.options.monochrome { &GREYS } else { &COLOURS };
    let asked = operator.options.interval;
    let range = if asked.is_zero() { Duration::from_secs(1) } else { asked };
    let (mut begin, mut lines) = (Instant::now(), 0_u32);
    let mut counts = [0_u64; STEPS.len()];
    loop {
        let took = u64::try_from(ping(&mut operator)?.as_micros()).unwrap_or(u64::MAX);
        let step = STEPS.iter().position(|(most, _)| took <= *most).unwrap_or(0);
        counts[step] += 1;
        if begin.elapsed() > range {
            if lines.is_multiple_of(20) {
                legend(colours);
            }
            lines += 1;
            show(&counts, colours);
            (begin, counts) = (Instant::now(), [0; STEPS.len()]);
        }
        std::thread::sleep(PAUSE / 10);
    }
}

fn show(counts: &[u64], colours: &[u8]) {
    let total: u64 = counts.iter().sum();
    let mut line = "\x1b[38;5;0m".to_owned();
    for (count, (_, sign)) in counts.iter().zip(STEPS) {
        let place = (count * (colours.len() as u64 - 1)).div_ceil(total.max(1));
        let colour = colours[usize::try_from(place).unwrap_or(0)];
        line.push_str(&format!("\x1b[48;5;{colour}m{sign}"));
    }
    out::text(line + "\x1b[0m\n");
}

fn legend(colours: &[u8]) {
    const RULE: &str = "---------------------------------------------\n";
    let scale: String = colours.iter().map(|colour| format!("\x1b[48;5;{colour}m ")).collect();
    out::text(format_args!(
        "{RULE}. - * #          .01 .125 .25 .5 milliseconds\n\
         1,2,3,...,9      from 1 to 9     milliseconds\n\
         A,B,C,D,E        10,20,30,40,50  milliseconds\n\
         F,G,H,I,J        .1,.2,.3,.4,.5       seconds\n\
         K,L,M,N,O,P,Q,?  1,2,4,8,16,30,60,>60 seconds\n\
         From 0 to 100%: {scale}\x1b[0m\n{RULE}"
    ));
}

/// The longest that a loop of pure computing took: what the system takes away from any program.
pub(super) fn intrinsic(seconds: u64) -> Done {
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&stop))
        .map_err(|error| Failure::Text(format!("Error: {error}")))?;
    let (begin, limit) = (Instant::now(), Duration::from_secs(seconds));
    let (mut longest, mut runs) = (Duration::ZERO, 0_u64);
    while begin.elapsed() < limit && !stop.load(Ordering::Relaxed) {
        let start = Instant::now();
        compute();
        let took = start.elapsed();
        runs += 1;
        if took.as_micros() > longest.as_micros() {
            longest = took;
            let micros = took.as_micros();
            out::text(format_args!("Max latency so far: {micros} microseconds.\n"));
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let average = begin.elapsed().as_secs_f64() * 1e6 / runs.max(1) as f64;
    let (nanos, times) = (average * 1e3, longest.as_secs_f64() * 1e6 / average);
    out::text(format_args!(
        "\n{runs} total runs (avg latency: {average:.4} microseconds / {nanos:.2} nanoseconds \
         per run).\nWorst run took {times:.0}x longer than the average latency.\n"
    ));
    Ok(())
}

/// Some microseconds of work that the compiler cannot leave out.
fn compute() {
    let mut state = black_box(0x9e37_79b9_7f4a_7c15_u64);
    for _ in 0..2000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state);
}
