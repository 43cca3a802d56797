//! Tables for the terminal and for Markdown, and the files they are kept in.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// One measurement's results; becomes one file.
pub(super) struct Section {
    name: &'static str,
    title: &'static str,
    intro: String,
    pub(super) tables: Vec<Table>,
    pub(super) notes: Vec<String>,
    /// An SVG document that goes beside the Markdown.
    pub(super) chart: Option<String>,
}

/// Cells of text; a short row is filled up with empty cells.
pub(super) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Table {
        Table { head: head.iter().map(|cell| (*cell).to_owned()).collect(), rows: Vec::new() }
    }

    pub(super) fn push(&mut self, mut row: Vec<String>) {
        row.resize(self.head.len(), String::new());
        self.rows.push(row);
    }

    fn widths(&self) -> Vec<usize> {
        let width = |at: usize| {
            let cells = self.rows.iter().map(|row| row[at].chars().count());
            cells.chain([self.head[at].chars().count()]).max().unwrap_or(0)
        };
        (0..self.head.len()).map(width).collect()
    }

    fn to_terminal(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in std::iter::once(&self.head).chain(&self.rows) {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| pad(cell, width));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    fn to_markdown(&self) -> String {
        let mut text = format!("| {} |\n|", self.head.join(" | "));
        // The figures read better when their digits stand in line.
        for at in 0..self.head.len() {
            text.push_str(if self.is_numeric(at) { "---:|" } else { "---|" });
        }
        text.push('\n');
        for row in &self.rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text
    }

    fn is_numeric(&self, at: usize) -> bool {
        let starts = |row: &Vec<String>| {
            row[at].is_empty() || row[at].starts_with(|c: char| c.is_ascii_digit())
        };
        self.rows.iter().all(starts)
    }
}

impl Section {
    pub(super) fn new(name: &'static str, title: &'static str, intro: String) -> Section {
        Section { name, title, intro, tables: Vec::new(), notes: Vec::new(), chart: None }
    }

    pub(super) fn to_terminal(&self) -> String {
        let mut text = format!("\n{}\n{}\n\n", self.title, self.intro);
        for table in &self.tables {
            text.push_str(&table.to_terminal());
            text.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        text
    }

    /// Writes `<name>.md`, and `<name>.svg` if there is a chart.
    ///
    /// # Errors
    /// What the file system reports, with the path.
    pub(super) fn write(&self, dir: &Path, machine: &[String]) -> Result<(), String> {
        fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        let mut text = format!("# {}\n\n{}\n\n", self.title, self.intro);
        if self.chart.is_some() {
            let _ = writeln!(text, "![CPU an operation]({}.svg)\n", self.name);
        }
        for table in &self.tables {
            text.push_str(&table.to_markdown());
            text.push('\n');
        }
        for line in machine.iter().chain(&self.notes) {
            let _ = writeln!(text, "- {line}");
        }
        put(&dir.join(self.name).with_extension("md"), &text)?;
        match &self.chart {
            Some(chart) => put(&dir.join(self.name).with_extension("svg"), chart),
            None => Ok(()),
        }
    }
}

fn put(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn pad(cell: &str, width: usize) -> String {
    let blanks = " ".repeat(width - cell.chars().count());
    if cell.starts_with(|c: char| c.is_ascii_digit()) {
        blanks + cell
    } else {
        cell.to_owned() + &blanks
    }
}

/// The middle of the values, or the mean of the two in the middle; 0 for none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

/// Microseconds with as many digits as mean something.
pub(super) fn micros(value: f64) -> String {
    if value < 1.0 { format!("{value:.3}") } else { format!("{value:.2}") }
}

/// `value / other`; empty if there is nothing to divide by.
pub(super) fn ratio(value: f64, other: f64) -> String {
    if other > 0.0 { format!("{:.2}", value / other) } else { String::new() }
}

#[cfg(test)]
mod tests;
