//! Latency by percentile as a chart: a line for each test, and for each server one of its own
//! stroke. Each nine takes as much room as the one before; the heights are logarithmic.

use std::fmt::Write as _;

use super::measure::Measured;
use super::options::Options;

const LEFT: f64 = 64.0;
const TOP: f64 = 40.0;
const WIDTH: f64 = 620.0;
const HEIGHT: f64 = 320.0;
const LEGEND: f64 = 18.0;
const COLOURS: [&str; 8] =
    ["#a63d2f", "#3f6f9e", "#4c8a4a", "#8a5a9e", "#b07d2b", "#3d8a8a", "#9e3f6f", "#6f6f6f"];
const STYLE: &str = "text{font:12px sans-serif;fill:#444}.g{stroke:#999;stroke-width:.4}\
.e{text-anchor:end}.m{text-anchor:middle}path{fill:none;stroke-width:1.6}\
@media(prefers-color-scheme:dark){text{fill:#ccc}}";

/// What the heights stand for, in milliseconds.
struct Scale {
    low: f64,
    high: f64,
    nines: f64,
}

/// The document.
pub(super) fn chart(_: &Options, _: &str, servers: &[&[Measured]]) -> String {
    let all = || servers.iter().copied().flatten();
    let scale = Scale::of(all());
    let height = TOP + HEIGHT + 44.0 + LEGEND * all().count() as f64;
    let width = LEFT + WIDTH + 24.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         role=\"img\">\n<title>Latency by percentile</title>\n<style>{STYLE}</style>\n"
    );
    text(&mut svg, (LEFT, 20.0), "", "Latency by percentile, ms");
    scale.grid(&mut svg);
    let mut line = 0;
    for (server, tests) in servers.iter().enumerate() {
        for (at, measured) in tests.iter().enumerate() {
            let colour = COLOURS[at % COLOURS.len()];
            let dash = if server == 0 { "" } else { " stroke-dasharray=\"5 3\"" };
            let path = scale.path(measured);
            let _ = writeln!(svg, "<path stroke=\"{colour}\"{dash} d=\"{path}\"/>");
            let y = TOP + HEIGHT + 44.0 + LEGEND * f64::from(line);
            let start = LEFT + 26.0;
            let _ = writeln!(
                svg,
                "<path stroke=\"{colour}\"{dash} d=\"M{LEFT:.1} {:.1}H{start:.1}\"/>",
                y - 4.0
            );
            let name = format!("{}, {}", measured.title, measured.server);
            text(&mut svg, (start + 8.0, y), "", &name);
            line += 1;
        }
    }
    svg + "</svg>\n"
}

impl Scale {
    fn of<'a>(all: impl Iterator<Item = &'a Measured> + Clone) -> Scale {
        let low = all.clone().map(|measured| measured.seen.latency.min() as f64 / 1e6);
        let high = all.clone().map(|measured| measured.quantile_ms(1.0));
        let count = all.map(|measured| measured.seen.operations).max().unwrap_or(1).max(10);
        let power = |ms: f64| ms.max(1e-4).log10();
        let low = power(low.fold(f64::INFINITY, f64::min)).floor();
        let high = power(high.fold(0.0, f64::max)).ceil().max(low + 1.0);
        Scale { low, high, nines: (count as f64).log10().ceil().clamp(2.0, 7.0) }
    }

    fn x(&self, quantile: f64) -> f64 {
        let nines = -(1.0 - quantile).max(10f64.powf(-self.nines)).log10();
        LEFT + nines / self.nines * WIDTH
    }

    fn y(&self, ms: f64) -> f64 {
        let part = (ms.max(1e-4).log10() - self.low) / (self.high - self.low);
        TOP + HEIGHT * (1.0 - part.clamp(0.0, 1.0))
    }

    fn grid(&self, svg: &mut String) {
        let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
        for power in self.low as i32..=self.high as i32 {
            let (y, ms) = (self.y(10f64.powi(power)), 10f64.powi(power));
            let _ = writeln!(svg, "<path class=\"g\" d=\"M{LEFT:.1} {y:.1}H{right:.1}\"/>");
            text(svg, (LEFT - 6.0, y + 4.0), "e", &format!("{ms}"));
        }
        for nines in 0..=self.nines as i32 {
            let quantile = 1.0 - 10f64.powi(-nines);
            let x = self.x(quantile);
            let _ = writeln!(svg, "<path class=\"g\" d=\"M{x:.1} {TOP:.1}V{bottom:.1}\"/>");
            let digits = (nines - 2).max(0) as usize;
            let name = format!("{:.digits$} %", quantile * 100.0);
            text(svg, (x, bottom + 16.0), "m", &name);
        }
    }

    fn path(&self, measured: &Measured) -> String {
        let mut path = String::new();
        let steps = (self.nines * 40.0) as i32;
        for step in 0..=steps {
            let quantile = 1.0 - 10f64.powf(-f64::from(step) / 40.0);
            let (x, y) = (self.x(quantile), self.y(measured.quantile_ms(quantile)));
            let lead = if step == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{lead}{x:.1} {y:.1}");
        }
        path
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), class: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\"{class}>{text}</text>");
}
