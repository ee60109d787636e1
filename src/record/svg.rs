//! A trace as a picture: one lane a thread, one for the network, time downwards.

mod layout;

use std::fmt::Write;

use layout::{Item, LANE, Layout, MARGIN, ROW, Tone};

use super::Trace;

/// Everything that the picture needs to look the same everywhere; a dark page gets dark paper.
const STYLE: &str = "
  svg { font: 12px ui-sans-serif, system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; background: #fff }
  .paper { fill: #fff } .lane { fill: #f6f7f9 } .wire { fill: #f2f6fb }
  .title { font-size: 17px; font-weight: 600; fill: #1c2430 } .sum, .clock, .result, .gap { fill: #6b7683 }
  .head { font-weight: 600; fill: #3a4552 } .clock { font-variant-numeric: tabular-nums; text-anchor: end; font-size: 11px }
  .name { font-weight: 600; fill: #1c2430 } .detail { fill: #56616e } .call { stroke-width: 1 } .rule { stroke: #d5dbe2 }
  .gap { font-size: 11px; font-style: italic } .break { stroke: #c3ccd6; stroke-dasharray: 2 4 }
  .progress { fill: #fff; stroke: #b9c3ce } .progress-text { fill: #4a5561 } .note { fill: #8a6d1a; font-style: italic }
  .mistake { font-weight: 700 } .mistake-error { fill: #b3001b } .mistake-error-text { fill: #fff }
  .mistake-warn { fill: #ffd24d } .mistake-warn-text { fill: #3b2a00 } .mistake-note { fill: #e6ebf2 } .mistake-note-text { fill: #1c2430 }
  .done-text, .error-text, .last-text { fill: #fff; font-weight: 600 } .error { fill: #c62f3b } .last { fill: #5b6572 }
  .bad { fill: #c62f3b; font-weight: 600 } .flow { stroke: #5b87b8; stroke-width: 1.4; fill: none } .carried { fill: #2f5680 }
  .broken { stroke: #c62f3b } .late { fill: #fdf3f4 }
  @media (prefers-color-scheme: dark) {
    svg { background: #14181d } .paper { fill: #14181d } .lane { fill: #1b2027 } .wire { fill: #19222c } .rule { stroke: #313a45 }
    .title, .name { fill: #e8edf2 } .head { fill: #c3ccd6 } .detail, .sum, .clock, .result, .gap { fill: #93a0ad }
    .progress { fill: #222932; stroke: #46525e } .progress-text { fill: #c3ccd6 } .carried { fill: #9cc3ee } .call { fill-opacity: .12 }
    .late { fill: #33191c }
  }
";

/// Hues of handles, in the order in which they appear.
const HUES: [u32; 8] = [212, 158, 268, 32, 340, 186, 90, 300];

impl Trace {
    /// A picture of its own, without anything from elsewhere: a lane for each thread and one for the network, time
    /// downwards, calls as bars around what happened inside them, failures in red. Virtual time that passes is a broken
    /// line, not room. Each handle has a colour; what a shape stands for in full is its tooltip.
    pub fn to_svg(&self) -> String {
        let layout = Layout::of(self);
        let (width, height) = (layout.width(), layout.height());
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             role=\"img\" aria-label=\"What WinHTTP was asked and told\">\n<style>{STYLE}</style>\n\
             <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
             <path d=\"M0 0 8 4 0 8z\" fill=\"#5b87b8\"/></marker></defs>\n\
             <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n\
             <text class=\"title\" x=\"{MARGIN}\" y=\"32\">WinHTTP</text>\
             <text class=\"sum\" x=\"{}\" y=\"32\">{}</text>\n",
            MARGIN + 104,
            escape(&layout.summary),
        );
        for (number, lane) in layout.lanes.iter().enumerate() {
            let (x, class) = (layout.x(number), if lane.network { "wire" } else { "lane" });
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{x}\" y=\"48\" width=\"{}\" height=\"{}\" rx=\"8\"/>\
                 <text class=\"head\" x=\"{}\" y=\"69\">{}</text>",
                LANE - 10,
                height - 62,
                x + 14,
                escape(&lane.name),
            );
        }
        layout.items.iter().for_each(|item| draw(&mut svg, item));
        svg + "</svg>\n"
    }
}

fn draw(svg: &mut String, item: &Item) {
    match item {
        Item::Clock { y, text } => {
            let _ =
                writeln!(svg, "<text class=\"clock\" x=\"{}\" y=\"{}\">{}</text>", MARGIN + 62, y + 15, escape(text));
        }
        Item::Gap { y, right, text } => {
            let middle = y + ROW / 2;
            let _ = writeln!(
                svg,
                "<path class=\"break\" d=\"M{} {middle}H{right}\"/><rect class=\"paper\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"16\"/>\
                 <text class=\"gap\" x=\"{}\" y=\"{}\">{}</text>",
                MARGIN + 70,
                MARGIN + 82,
                middle - 8,
                text.chars().count() * 6 + 12,
                MARGIN + 88,
                middle + 4,
                escape(text),
            );
        }
        Item::Call { x, y, right, bottom, hue, name, handle, detail, result, failed, tip } => {
            let hue = HUES[*hue % HUES.len()];
            let class = if *failed { "bad" } else { "result" };
            let room = (right - x).saturating_sub(drawn(name, true) + drawn(handle, true) + 34);
            let result = clip(result, room, *failed);
            // In a row of its own the result takes no room from the arguments.
            let alone = bottom - y > ROW;
            let detail = clip(detail, room.saturating_sub(if alone { 0 } else { drawn(&result, *failed) }), false);
            let _ = writeln!(
                svg,
                "<g><title>{}</title><rect class=\"call\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"5\" \
                 fill=\"hsl({hue} 65% 95%)\" stroke=\"hsl({hue} 45% 70%)\"/>\
                 <text x=\"{}\" y=\"{}\"><tspan class=\"name\">{}</tspan> <tspan fill=\"hsl({hue} 55% 42%)\" font-weight=\"600\">{}</tspan> \
                 <tspan class=\"detail\">{}</tspan></text><text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text></g>",
                escape(tip),
                right - x,
                bottom - y,
                x + 8,
                y + 15,
                escape(name),
                escape(handle),
                escape(&detail),
                right - 8,
                bottom - 6,
                escape(&result),
            );
        }
        Item::Told { x, y, right, hue, tone, text, tip } => {
            let hue = HUES[*hue % HUES.len()];
            let bold = *tone != Tone::Progress;
            let text = clip(text, right - x - 18, bold);
            let width = (drawn(&text, bold) + 18).min(right - x);
            let (class, fill) = match tone {
                Tone::Progress => ("progress", String::new()),
                Tone::Done => ("done", format!(" fill=\"hsl({hue} 55% 44%)\"")),
                Tone::Error => ("error", String::new()),
                Tone::Last => ("last", String::new()),
            };
            let _ = writeln!(
                svg,
                "<g><title>{}</title><rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"17\" rx=\"8.5\"{fill}/>\
                 <text class=\"{class}-text\" x=\"{}\" y=\"{}\">{}</text></g>",
                escape(tip),
                y + 2,
                x + 9,
                y + 15,
                escape(&text),
            );
        }
        Item::Traffic { x, y, out, failed, text, tip } => {
            let middle = y + ROW / 2 - 1;
            let (from, to) = if *out { (x - 6, x + 26) } else { (x + 26, x - 6) };
            let (flow, class) = if *failed { ("flow broken", "bad") } else { ("flow", "carried") };
            let _ = writeln!(
                svg,
                "<g><title>{}</title><path class=\"{flow}\" d=\"M{from} {middle}H{to}\" marker-end=\"url(#tip)\"/>\
                 <text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text></g>",
                escape(tip),
                x + 36,
                y + 15,
                escape(&clip(text, LANE - 72, *failed)),
            );
        }
        Item::Note { x, y, right, level, text } => {
            let bold = level.is_some();
            if let Some(level) = level {
                let width = right - x;
                let _ = writeln!(
                    svg,
                    "<rect class=\"mistake-{level}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"18\" rx=\"3\"/>",
                    y + 2
                );
            }
            let class = level.map_or("note".to_owned(), |level| format!("mistake mistake-{level}-text"));
            let shown = escape(&clip(text, LANE - 40, bold));
            let tip = escape(text);
            let _ = writeln!(
                svg,
                "<g><title>{tip}</title><text class=\"{class}\" x=\"{}\" y=\"{}\">{shown}</text></g>",
                x + 8,
                y + 15
            );
        }
    }
}

/// About how wide a text is, in pixels: whatever font it is drawn in, it must not leave its pill.
fn drawn(text: &str, bold: bool) -> usize {
    let tenths = |character: char| match character {
        ' ' | '.' | ',' | ':' | '/' | '(' | ')' | 'i' | 'l' | 'I' => 45,
        'A'..='Z' | 'm' | 'w' => 88,
        character if character.is_ascii() => 72,
        _ => 110,
    };
    text.chars().map(tenths).sum::<usize>() * if bold { 11 } else { 10 } / 100
}

/// As much of a text as so many pixels hold.
fn clip(text: &str, room: usize, bold: bool) -> String {
    if drawn(text, bold) <= room {
        return text.to_owned();
    }
    let mut clipped = String::new();
    for character in text.chars() {
        clipped.push(character);
        if drawn(&clipped, bold) + 11 > room {
            clipped.pop();
            break;
        }
    }
    clipped + "…"
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no way to write them.
            control if control.is_control() && !matches!(control, '\n' | '\t') => escaped.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
