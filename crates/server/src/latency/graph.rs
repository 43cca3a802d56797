//! A series as a picture in text: a column a sample, and below it how long ago it was.

use super::Series;

/// Columns of a picture; what is more goes into further pictures below.
const COLUMNS: usize = 80;
/// Lines that a column is high.
const ROWS: usize = 4;
/// What the top of a column looks like, lowest first; each is a third of a line.
const TOPS: [u8; 3] = *b"_o#";
/// What is below the top.
const STEM: u8 = b'|';

/// The head line, a rule, and the pictures.
pub(super) fn draw(event: &str, series: &Series, now_s: i64) -> String {
    let all = || series.samples.iter().map(|sample| sample.ms);
    let (low, high) = (all().min().unwrap_or(0), all().max().unwrap_or(0));
    let mut text =
        format!("{event} - high {high} ms, low {low} ms (all time high {} ms)\n", series.max);
    text.push_str(&"-".repeat(COLUMNS));
    text.push('\n');
    let columns: Vec<(usize, String)> = series
        .samples
        .iter()
        .map(|sample| (height(sample.ms, low, high), age(now_s - sample.seconds)))
        .collect();
    for (at, part) in columns.chunks(COLUMNS).enumerate() {
        if at > 0 {
            text.push('\n');
        }
        picture(part, &mut text);
    }
    text
}

/// The step that a value reaches between the lowest and the highest.
fn height(value: u64, low: u64, high: u64) -> usize {
    let steps = ROWS * TOPS.len();
    let share = (value - low) as u128 * steps as u128 / u128::from((high - low).max(1));
    (share as usize).min(steps - 1)
}

/// How long ago, in the largest unit that fits.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86_400 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// The columns, an empty line, and the ages written downwards.
fn picture(columns: &[(usize, String)], text: &mut String) {
    let mut line = |byte: &dyn Fn(&(usize, String)) -> u8| {
        text.extend(columns.iter().map(|column| char::from(byte(column))));
        text.push('\n');
    };
    for row in (0..ROWS).rev() {
        line(&|(height, _)| match height.checked_sub(row * TOPS.len()) {
            None => b' ',
            Some(step) => TOPS.get(step).copied().unwrap_or(STEM),
        });
    }
    line(&|_| b' ');
    let longest = columns.iter().map(|(_, age)| age.len()).max().unwrap_or(0);
    for at in 0..longest {
        line(&|(_, age)| age.as_bytes().get(at).copied().unwrap_or(b' '));
    }
}
