//! Tables of inputs and their steps, for reads of any size.

mod failures;
mod reading;

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use super::*;
use crate::frontend::stdio::values::grammar::parse_ignored;

/// `=text` for a value, `!line:column<started_line message` for a failure.
fn steps(input: &[u8], reads: &[usize], limits: Limits) -> Vec<String> {
    let flushed = Rc::new(Cell::new(false));
    let reader = Pieces {
        rest: input,
        sizes: reads.iter().cycle(),
        flushed: flushed.clone(),
    };
    let mut values = Values::new(reader, limits);
    let steps = RefCell::new(Vec::new());
    let mut take = |text: &[u8]| {
        let attempt = parse_ignored(text);
        if let Parsed::Complete(length) = attempt {
            steps
                .borrow_mut()
                .push(format!("={}", text[..length].escape_ascii()));
        }
        attempt
    };
    let mut flush = || {
        flushed.set(true);
        Ok(())
    };
    for count in 1.. {
        match values.next(&mut take, &mut flush).unwrap() {
            Step::Value => {}
            Step::Invalid(InvalidText {
                line,
                column,
                message,
                started_line,
            }) => {
                steps
                    .borrow_mut()
                    .push(format!("!{line}:{column}<{started_line} {message}"));
            }
            Step::End => break,
        }
        assert_eq!(steps.borrow().len(), count, "one step a call: {steps:?}");
    }
    assert_eq!(values.next(&mut take, &mut flush).unwrap(), Step::End);
    steps.into_inner()
}

/// Returns `rest` in pieces, and asserts that `flush` was called before each.
struct Pieces<'a, I> {
    rest: &'a [u8],
    sizes: I,
    flushed: Rc<Cell<bool>>,
}

impl<'a, I: Iterator<Item = &'a usize>> Read for Pieces<'_, I> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        assert!(
            self.flushed.replace(false),
            "a read without a flush before it"
        );
        let size = (*self.sizes.next().unwrap()).min(out.len());
        self.rest.read(&mut out[..size])
    }
}

#[track_caller]
fn check_with(limits: Limits, input: &[u8], expected: &[&str]) {
    let reads: &[&[usize]] = &[
        &[usize::MAX],
        &[1],
        &[2],
        &[3],
        &[5],
        &[7],
        &[11],
        &[13],
        &[1, 17],
        &[23],
        &[64, 1, 1],
    ];
    for &reads in reads {
        let found = steps(input, reads, limits);
        assert_eq!(
            found,
            expected,
            "{} in reads of {reads:?}",
            input.escape_ascii()
        );
    }
}

#[track_caller]
fn check(input: &[u8], expected: &[&str]) {
    check_with(Limits::default(), input, expected);
    if input.len() < 100 {
        for first in 1..input.len() {
            let found = steps(input, &[first, usize::MAX], Limits::default());
            assert_eq!(found, expected, "{} split at {first}", input.escape_ascii());
        }
    }
}

#[test]
fn values_are_found_wherever_they_lie() {
    check(b"", &[]);
    check(b" \r\n\t\n", &[]);
    check(b"{}", &["={}"]);
    check(b"{}\n[1]\n", &["={}", "=[1]"]);
    check(
        b"\xef\xbb\xbf{}\r\n\r\n{\"a\":1}\r\n",
        &["={}", "={\\\"a\\\":1}"],
    );
    check(
        b"{} {}{}[]\"a\"\"b\" 1 2\n3",
        &[
            "={}",
            "={}",
            "={}",
            "=[]",
            r#"=\"a\""#,
            r#"=\"b\""#,
            "=1",
            "=2",
            "=3",
        ],
    );
    check(
        b"{\n\"a\":\n[1,\n2]}\n{}",
        &[r#"={\n\"a\":\n[1,\n2]}"#, "={}"],
    );
    check(
        b"{\n} {\n} []\n[\n][\n]",
        &[r"={\n}", r"={\n}", "=[]", r"=[\n]", r"=[\n]"],
    );
    check(
        b"12\n34 -5.6e7 true\nfalse null",
        &["=12", "=34", "=-5.6e7", "=true", "=false", "=null"],
    );
    check(
        b"1{}2\"\"3[]",
        &["=1", "={}", "=2", r#"=\"\""#, "=3", "=[]"],
    );
    check(
        b"\"}\\\"]\"{\"\\\\\":\"{\"}",
        &[r#"=\"}\\\"]\""#, r#"={\"\\\\\":\"{\"}"#],
    );
    check(
        b"\"\\u00e9\\ud83d\\ude00\"",
        &[r#"=\"\\u00e9\\ud83d\\ude00\""#],
    );
}

#[test]
fn the_end_of_input_may_cut_a_value_off() {
    check(
        b"{\"a\":1}\n{\"b\"",
        &[r#"={\"a\":1}"#, "!2:5<2 the input ends inside a value"],
    );
    check(b"[1,\n2,\n", &["!3:1<1 the input ends inside a value"]);
    check(b"-", &["!1:2<1 the input ends inside a value"]);
    check(b"tru", &["!1:4<1 the input ends inside a value"]);
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    let text = |depth: usize| format!("={}", nested(depth).escape_ascii());
    let input = [&nested(128)[..], b"\n", &nested(129), b" {}\n{}\n"].concat();
    check(
        &input,
        &[&text(128), "!2:129<2 nested deeper than 128", "={}"],
    );
    let late = [b"[\n", &nested(128)[..], b"]\n[]\n{}"].concat();
    check(&late, &["!2:128<1 nested deeper than 128", "={}"]);
    // An error before the 129th bracket is reported there, however long the line is.
    let early = [&[b'{'; 300][..], b"\n1"].concat();
    check(&early, &["!1:2<1 expected a key in double quotes", "=1"]);
    // Brackets beside one another or in strings do not count.
    let wide = [
        b"[".to_vec(),
        b"[],{},".repeat(200),
        b"\"".to_vec(),
        vec![b'['; 200],
        b"\"]".to_vec(),
    ]
    .concat();
    let expected = format!("={}", wide.escape_ascii());
    check(
        &[&wide[..], &wide, &nested(129)].concat(),
        &[&expected, &expected, "!1:2937<1 nested deeper than 128"],
    );
}

#[test]
fn length_is_limited() {
    let limits = Limits {
        max_value_bytes: 6,
        max_depth: 128,
    };
    check_with(limits, b"[1234] {}\n", &["=[1234]", "={}"]);
    check_with(
        limits,
        b"[12345] {}\n{}",
        &["!1:7<1 a value longer than 6 bytes", "={}"],
    );
    check_with(limits, b"123456 123456", &["=123456", "=123456"]);
    check_with(
        limits,
        b"1234567 1\n1",
        &["!1:7<1 a value longer than 6 bytes", "=1"],
    );
    check_with(limits, b"1234567", &["!1:7<1 a value longer than 6 bytes"]);
    check_with(
        limits,
        b"[\n1,\n23]\n{}",
        &["!3:2<1 a value longer than 6 bytes", "={}"],
    );
    check_with(limits, b"[1,2,x\n{}", &["!1:6<1 expected a value", "={}"]);
}

#[test]
fn attempts_distinguish_complete_incomplete_and_invalid() {
    let broken = |offset, message: &str| Parsed::Invalid {
        offset,
        message: message.to_owned(),
    };
    let cases: &[(&[u8], Parsed)] = &[
        (b"{} {", Parsed::Complete(2)),
        (b"12,", Parsed::Complete(2)),
        (b"", Parsed::Incomplete),
        (b"-", Parsed::Incomplete),
        (b"[1.", Parsed::Incomplete),
        (b"\"\xc3", Parsed::Incomplete),
        (b"[}", broken(1, "expected a value")),
        (
            b"[\"\x01\"]",
            broken(2, "control character in a string; escape it"),
        ),
        (b"\"\xc3\"", broken(1, "invalid UTF-8")),
        (b"\"\\u12 4\"", broken(5, "invalid escape")),
        (b"\"\\ud800\"", Parsed::Complete(8)),
        (b"1e999", Parsed::Complete(5)),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_ignored(text), *expected, "{}", text.escape_ascii());
    }
}
