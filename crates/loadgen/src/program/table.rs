//! Rows and columns, for a terminal and for Markdown.

/// Cells by rows; the first row is the head.
pub(super) struct Table(pub(super) Vec<Vec<String>>);

impl Table {
    /// The first column to the left, the others to the right.
    pub(super) fn to_terminal(&self) -> String {
        self.lines("  ", "", "", false)
    }

    /// As a table of Markdown, whose bars end a cell and must not stand in one.
    pub(super) fn to_markdown(&self) -> String {
        let cell = |cell: &String| cell.replace('|', "\\|");
        let rows = self.0.iter().map(|row| row.iter().map(cell).collect());
        Table(rows.collect()).lines(" | ", "| ", " |", true)
    }

    fn lines(&self, between: &str, before: &str, behind: &str, ruled: bool) -> String {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.0.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).max(3)).collect();
        let mut text = String::new();
        for (at, row) in self.0.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            let line = cells.collect::<Vec<_>>().join(between);
            text += format!("{before}{line}{behind}").trim_end();
            text.push('\n');
            if ruled && at == 0 {
                let rules = widths.iter().enumerate().map(|(column, width)| {
                    if column == 0 { "-".repeat(*width) } else { "-".repeat(width - 1) + ":" }
                });
                let line = rules.collect::<Vec<_>>().join(between);
                text += format!("{before}{line}{behind}").trim_end();
                text.push('\n');
            }
        }
        text
    }
}
