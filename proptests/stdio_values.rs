//! Compares `Values` with a naive reader that has the whole input at once and its own grammar.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a panic is how a test fails"
)]

#[path = "stdio_values/naive.rs"]
mod naive;

use std::cell::RefCell;
use std::io::{self, Read};

use proptest::prelude::*;
use tollgate::frontend::stdio::values::{Limits, Parsed, Step, Values, parse_ignored};

use naive::naive_steps;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_the_same_steps_as_the_naive_reader(
        input in prop_oneof![noise(), mutated_stream()],
        reads in reads(),
        limits in limits(),
    ) {
        let expected = naive_steps(&input, limits);
        prop_assert_eq!(&steps(&input, &[usize::MAX], limits), &expected, "in one read");
        prop_assert_eq!(&steps(&input, &reads, limits), &expected, "in many reads");
    }

    #[test]
    fn valid_values_are_found_unchanged(
        values in prop::collection::vec((value(), blank()), 0..8),
        reads in reads(),
    ) {
        let mut input = Vec::new();
        for (value, blank) in &values {
            input.extend_from_slice(value.as_bytes());
            input.extend_from_slice(blank.as_bytes());
        }
        let expected: Vec<_> =
            values.into_iter().map(|(value, _)| Found::Value(value.into_bytes())).collect();
        prop_assert_eq!(steps(&input, &reads, Limits::default()), expected);
    }
}

#[derive(Debug, PartialEq)]
enum Found {
    Value(Vec<u8>),
    Broken {
        line: usize,
        column: usize,
        started_line: usize,
    },
}

fn steps(input: &[u8], reads: &[usize], limits: Limits) -> Vec<Found> {
    let reader = Pieces {
        rest: input,
        sizes: reads.iter().cycle(),
    };
    let mut values = Values::new(reader, limits);
    let found = RefCell::new(Vec::new());
    let mut take = |text: &[u8]| {
        assert!(text.len() <= limits.max_value_bytes);
        let attempt = parse_ignored(text);
        if let Parsed::Complete(length) = attempt {
            found
                .borrow_mut()
                .push(Found::Value(text[..length].to_vec()));
        }
        attempt
    };
    for count in 1.. {
        match values.next(&mut take, &mut || Ok(())).unwrap() {
            Step::Value => {}
            Step::Invalid(text) => found.borrow_mut().push(Found::Broken {
                line: text.line,
                column: text.column,
                started_line: text.started_line,
            }),
            Step::End => break,
        }
        assert_eq!(found.borrow().len(), count, "one step per call");
    }
    found.into_inner()
}

struct Pieces<'a, I> {
    rest: &'a [u8],
    sizes: I,
}

impl<'a, I: Iterator<Item = &'a usize>> Read for Pieces<'_, I> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let size = (*self.sizes.next().unwrap()).min(out.len());
        self.rest.read(&mut out[..size])
    }
}

fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![
        Just(Limits::default()),
        (1..80_usize, 1..8_usize).prop_map(|(max_value_bytes, max_depth)| Limits {
            max_value_bytes,
            max_depth
        }),
    ]
}

fn reads() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        Just(vec![1]),
        prop::collection::vec(1..4_usize, 1..6),
        prop::collection::vec(1..200_usize, 1..6),
    ]
}

/// Bytes of the JSON grammar in random order, and a few others.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        9 => prop::sample::select(&b"{}[]\"\\:, \n\n\n\r1-0.eutrnlfas/\0\xef\xbb\xbf\xc3\xa9"[..]),
        1 => any::<u8>(),
    ];
    let piece = prop_oneof![
        19 => byte.prop_map(|byte| vec![byte]),
        1 => Just(b"\xef\xbb\xbf".to_vec()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Consecutive values with some bytes removed, inserted or replaced.
fn mutated_stream() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(&b"{}[]\"\\:,\n\nu1e\0\xff"[..]);
    let mutation = (any::<prop::sample::Index>(), 0..3, byte);
    let stream = prop::collection::vec((value(), blank()), 1..8);
    (stream, prop::collection::vec(mutation, 0..4)).prop_map(|(stream, mutations)| {
        let pieces = stream
            .iter()
            .flat_map(|(value, blank)| [value.as_str(), blank.as_str()]);
        let mut bytes = pieces.collect::<String>().into_bytes();
        for (index, kind, byte) in mutations {
            if bytes.is_empty() {
                break;
            }
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

/// JSON white space of at least one byte.
fn blank() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just("\n".to_owned()), 1 => "[ \t\r\n]{1,4}"]
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(&["null", "true", "false", "0", "-1.5e+3", "12", "{}", "[]"][..])
            .prop_map(str::to_owned),
        r#""([a-z{}\[\] é]|\\["\\/bfnrt]|\\u00[0-9a-fA-F]{2}){0,6}""#,
    ];
    leaf.prop_recursive(6, 24, 4, |inner| {
        let items = prop::collection::vec(inner, 0..4);
        (
            items,
            any::<bool>(),
            prop::sample::select(&["", " ", "\n", "\r\n"][..]),
        )
            .prop_map(|(items, object, blank)| {
                let key = if object {
                    format!("\"k\"{blank}:")
                } else {
                    String::new()
                };
                let items: Vec<_> = items.iter().map(|item| format!("{key}{item}")).collect();
                let (open, close) = if object { ('{', '}') } else { ('[', ']') };
                format!(
                    "{open}{blank}{}{blank}{close}",
                    items.join(&format!(",{blank}"))
                )
            })
    })
}
