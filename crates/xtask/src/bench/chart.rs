//! A bar chart as SVG: for each pipeline depth a panel, in it a group of bars for each command,
//! each bar divided into user and system time. Colours follow the reader's light or dark theme.

use std::fmt::Write as _;

/// One bar.
pub(super) struct Bar {
    pub(super) command: &'static str,
    pub(super) depth: usize,
    /// Keys that one operation touches; the bar shows the cost of one of them.
    pub(super) keys: usize,
    /// `ours`, `peer` or `floor`: the class that colours it.
    pub(super) server: &'static str,
    pub(super) user_us: f64,
    pub(super) system_us: f64,
}

impl Bar {
    fn height(&self, operation_us: f64) -> f64 {
        operation_us / self.keys as f64
    }
}

/// More commands than these would make the bars too thin to read.
const SHOWN: [&str; 4] = ["GET", "SET", "INCR", "MSET"];
const PANEL_WIDTH: f64 = 260.0;
const PANEL_GAP: f64 = 48.0;
const PLOT_TOP: f64 = 62.0;
const PLOT_HEIGHT: f64 = 180.0;
const LEFT: f64 = 44.0;

const STYLE: &str = "text{font:12px sans-serif;fill:#444}.t{font-size:14px}.n{font-size:10px}\
line{stroke:#999;stroke-width:.5}.ours{fill:#a63d2f}.peer{fill:#5b7a99}.floor{fill:#9a9a9a}\
.s{opacity:.45}.e{text-anchor:end}.m{text-anchor:middle}\
@media(prefers-color-scheme:dark){text{fill:#ccc}.ours{fill:#d4604f}.peer{fill:#7fa3c7}}";

/// The document, or one without panels if there are no bars to show. `names` are the classes of the
/// bars and what the legend calls them.
pub(super) fn render(bars: &[Bar], names: &[(&'static str, String)]) -> String {
    let bars: Vec<&Bar> = bars.iter().filter(|bar| SHOWN.contains(&bar.command)).collect();
    let mut depths: Vec<usize> = bars.iter().map(|bar| bar.depth).collect();
    depths.dedup();
    depths.sort_unstable();
    depths.dedup();
    let width = LEFT + depths.len().max(1) as f64 * (PANEL_WIDTH + PANEL_GAP);
    let height = PLOT_TOP + PLOT_HEIGHT + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
         <title>Server CPU an operation, in microseconds</title>\n<style>{STYLE}</style>\n"
    );
    legend(&mut svg, names);
    for (at, &depth) in depths.iter().enumerate() {
        let panel: Vec<&Bar> = bars.iter().copied().filter(|bar| bar.depth == depth).collect();
        let left = LEFT + at as f64 * (PANEL_WIDTH + PANEL_GAP);
        draw_panel(&mut svg, left, depth, &panel);
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String, names: &[(&'static str, String)]) {
    label(svg, (LEFT, 18.0), "t", "Server CPU an operation, µs (pale: in the kernel)");
    for (at, (class, name)) in names.iter().enumerate() {
        let x = LEFT + 430.0 + at as f64 * 130.0;
        rectangle(svg, class, (x, 9.0), (10.0, 10.0));
        label(svg, (x + 15.0, 18.0), "", name);
    }
}

fn draw_panel(svg: &mut String, left: f64, depth: usize, bars: &[&Bar]) {
    let top = bars.iter().map(|bar| bar.height(bar.user_us + bar.system_us)).fold(0.0, f64::max);
    let step = tick(top);
    let scale = PLOT_HEIGHT / (top / step).ceil().max(1.0) / step;
    let base = PLOT_TOP + PLOT_HEIGHT;
    label(svg, (left, PLOT_TOP - 16.0), "", &format!("pipeline {depth}"));
    let mut value = 0.0;
    while value * scale <= PLOT_HEIGHT + 0.5 {
        let y = base - value * scale;
        let right = left + PANEL_WIDTH;
        let _ =
            writeln!(svg, "<line x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
        let digits = if step < 0.1 { 2 } else { usize::from(step < 1.0) };
        label(svg, (left - 5.0, y + 4.0), "n e", &format!("{value:.digits$}"));
        value += step;
    }
    let commands: Vec<&str> =
        SHOWN.into_iter().filter(|name| bars.iter().any(|bar| bar.command == *name)).collect();
    let group = PANEL_WIDTH / commands.len().max(1) as f64;
    for (at, command) in commands.into_iter().enumerate() {
        let x = left + at as f64 * group;
        let inside: Vec<&&Bar> = bars.iter().filter(|bar| bar.command == command).collect();
        let many = inside.iter().any(|bar| bar.keys > 1);
        let name = if many { format!("{command}, a key") } else { command.to_owned() };
        label(svg, (x + group / 2.0, base + 16.0), "m", &name);
        let width = group * 0.8 / inside.len() as f64;
        for (place, bar) in inside.into_iter().enumerate() {
            let x = x + group * 0.1 + place as f64 * width;
            let user = bar.height(bar.user_us) * scale;
            let system = bar.height(bar.system_us) * scale;
            rectangle(svg, bar.server, (x, base - user), (width - 2.0, user));
            let class = format!("{} s", bar.server);
            rectangle(svg, &class, (x, base - user - system), (width - 2.0, system));
        }
    }
}

/// A round distance between lines that gives two to five of them.
fn tick(top: f64) -> f64 {
    let rough = (top / 5.0).max(1e-3);
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= rough)
        .unwrap_or(rough)
}

fn label(svg: &mut String, (x, y): (f64, f64), class: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>");
}

fn rectangle(svg: &mut String, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
    let place = format!("x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"");
    let _ = writeln!(svg, "<rect class=\"{class}\" {place}/>");
}
