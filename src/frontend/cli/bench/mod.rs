//! `tollgate bench`: the time of a routing decision with the routes of a configuration.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

use serde::Serialize;

use crate::config::LoadOptions;
use crate::engine::plan::decide;
use crate::frontend::cli::args::{BenchArgs, Format};
use crate::frontend::cli::bench::requests::{Sample, Samples};
use crate::frontend::cli::output::Output;
use crate::frontend::cli::paint::{Cell, Paint};
use crate::frontend::config_file::{ConfigFile, Unusable};
use crate::runtime::clock;

mod requests;

/// Measures hits and misses, each for half of the time.
pub(super) fn run(args: &BenchArgs, paint: Paint) -> Result<Output, Unusable> {
    let file = ConfigFile::read_or_builtin(args.config.as_deref())?;
    let config = file.name().to_owned();
    let loaded = file.into_loaded(LoadOptions::FILE)?;
    let snapshot = loaded.into_snapshot();
    let samples = Samples::of(&snapshot);
    let half = args.seconds / 2;
    let table = snapshot.table();
    let routes = table.routes().len();
    let report = Report {
        config,
        routes,
        forms: table.listing().len(),
        trie_keys: table.trie_keys().iter().map(Vec::len).sum(),
        router_bytes_per_route: table.router_heap_bytes().checked_div(routes).unwrap_or(0),
        hits: measure(&samples.hits, half, |sample| {
            let plan = decide(&snapshot, &sample.request());
            let _ = black_box(plan.ok().and_then(|plan| plan.pick()));
        }),
        misses: measure(&samples.misses, half, |sample| {
            let _ = black_box(decide(&snapshot, &sample.request()).err());
        }),
        debug_build: cfg!(debug_assertions),
        note: NOTE,
    };
    Ok(match args.format {
        Format::Text => Output::text(text(&report, paint), true),
        Format::Json => Output::json(&report, true),
    })
}

#[derive(Serialize)]
struct Report {
    config: String,
    routes: usize,
    forms: usize,
    trie_keys: usize,
    router_bytes_per_route: usize,
    hits: Option<Timing>,
    misses: Option<Timing>,
    debug_build: bool,
    note: &'static str,
}

/// The time of a decision.
#[derive(Clone, Copy, Debug, Serialize)]
struct Timing {
    /// The number of different requests.
    requests: usize,
    rounds: usize,
    /// Nanoseconds per decision, median of all rounds.
    ns: f64,
    /// Nanoseconds per decision in the fastest round.
    fastest_ns: f64,
    /// Decisions per second on one thread.
    per_second: f64,
}

/// Warms up, then measures rounds over all samples until `budget` has passed; `None` if there are no
/// samples.
fn measure(
    samples: &[Sample],
    budget: Duration,
    mut decide_one: impl FnMut(&Sample),
) -> Option<Timing> {
    let per_pass = f64::from(
        u32::try_from(samples.len())
            .ok()
            .filter(|count| *count > 0)?,
    );
    let mut timed = |passes: u32| {
        let started_at = clock::now();
        for _ in 0..passes {
            for sample in samples {
                decide_one(black_box(sample));
            }
        }
        started_at.elapsed()
    };
    let passes = passes_per_round(budget / 10, &mut timed);
    let mut rounds = Vec::new();
    let end = clock::now() + budget;
    while rounds.len() < MIN_ROUNDS || clock::now() < end {
        let seconds = timed(passes).as_secs_f64();
        rounds.push(seconds * 1e9 / (f64::from(passes) * per_pass));
    }
    rounds.sort_by(f64::total_cmp);
    let ns = rounds.get(rounds.len() / 2).copied()?;
    Some(Timing {
        requests: samples.len(),
        rounds: rounds.len(),
        ns: tenths(ns),
        fastest_ns: tenths(*rounds.first()?),
        per_second: (1e9 / ns).round(),
    })
}

/// Warms up, and returns how many passes over the samples take at least [`MIN_ROUND`].
fn passes_per_round(budget: Duration, timed: &mut impl FnMut(u32) -> Duration) -> u32 {
    let mut passes = 1;
    let mut elapsed = Duration::ZERO;
    loop {
        let took = timed(passes);
        elapsed += took;
        if took >= MIN_ROUND || elapsed >= budget {
            return passes;
        }
        passes = passes.saturating_mul(2);
    }
}

/// Rounds to a tenth of a nanosecond; the rest is noise.
fn tenths(ns: f64) -> f64 {
    (ns * 10.0).round() / 10.0
}

fn text(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    paint.add(&mut out, &Cell::strong(&report.config));
    out.push_str("\n\n");
    let fact = |name: &str, value: usize, more: &str| {
        let value = format!("{}{more}", grouped(value));
        vec![Cell::quiet(name), Cell::plain(value)]
    };
    let facts = [
        fact("routes", report.routes, ""),
        fact("patterns", report.forms, ", derived ones included"),
        fact("trie keys", report.trie_keys, ""),
        fact("bytes per route", report.router_bytes_per_route, BYTES),
    ];
    paint.columns(&mut out, "  ", &facts);
    out.push('\n');
    let row = |name: &str, what: &str, timing: Option<Timing>| match timing {
        None => vec![Cell::quiet(name), Cell::plain(what)],
        Some(timing) => vec![
            Cell::quiet(name),
            Cell::good(format!("{:.1} ns", timing.ns)),
            Cell::plain(format!("{} per second", grouped(timing.per_second))),
            Cell::plain(format!(
                "fastest {:.1} ns; {what}; requests: {}, rounds: {}",
                timing.fastest_ns,
                grouped(timing.requests),
                grouped(timing.rounds)
            )),
        ],
    };
    let (hit, miss) = match (report.hits, report.misses) {
        (None, _) => ("none: there are no routes", "none"),
        (_, None) => (HIT, "none: the routes match every path"),
        _ => (HIT, "rejected with a reason"),
    };
    let rows = [
        row("hit", hit, report.hits),
        row("miss", miss, report.misses),
    ];
    paint.columns(&mut out, "  ", &rows);
    let _ = writeln!(out, "\n{}", report.note);
    if report.debug_build {
        paint.add(
            &mut out,
            &Cell::bad("This is a debug build: a release build is much faster."),
        );
        out.push('\n');
    }
    out
}

/// A whole number with thousands separators: `1,234,567`.
fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The minimum duration of a round, which makes the cost of reading the clock negligible.
const MIN_ROUND: Duration = Duration::from_millis(2);
const MIN_ROUNDS: usize = 5;

const BYTES: &str = ", heap without the tries";
const HIT: &str = "decided, and a backend picked";
const NOTE: &str =
    "The median time of one decision on one thread of this machine; other machines differ.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_separators() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
        assert_eq!(grouped(16_393_443.0_f64), "16,393,443");
    }

    #[test]
    fn no_samples_no_timing() {
        assert!(measure(&[], Duration::from_millis(1), |_| ()).is_none());
    }
}
