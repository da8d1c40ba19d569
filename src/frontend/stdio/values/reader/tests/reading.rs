//! When the input is read, how often the same bytes are examined, and how many are buffered.

use super::*;

#[test]
fn an_endless_value_is_rejected_and_skipped_in_bounded_memory() {
    let endless = io::repeat(b'"')
        .take(1)
        .chain(io::repeat(b'x').take(40 << 20));
    let mut values = Values::new(endless.chain(&b"\n{}"[..]), Limits::default());
    let mut broken = Vec::new();
    let mut flush = || Ok(());
    let mut taken = 0;
    let mut take = |text: &[u8]| {
        let attempt = parse_ignored(text);
        taken += usize::from(matches!(attempt, Parsed::Complete(_)));
        attempt
    };
    loop {
        match values.next(&mut take, &mut flush).unwrap() {
            Step::Value => {}
            Step::Invalid(text) => broken.push((text.column, text.message)),
            Step::End => break,
        }
        assert!(values.buffer.capacity() <= (8 << 20) + (64 << 10));
    }
    assert_eq!(
        broken,
        [((8 << 20) + 1, "a value longer than 8 MiB".to_owned())]
    );
    assert_eq!(taken, 1);
    assert!(
        values.buffer.capacity() <= 256 << 10,
        "the buffer has shrunk"
    );
}

#[test]
fn a_value_is_processed_before_the_next_read() {
    // What each read brings, and how many replies must be written before the next read.
    let cases: &[&[(&[u8], usize)]] = &[
        &[(b"{}", 1), (b"[", 1), (b"]", 2), (b"\n", 2)],
        &[(b"{\"a\":", 0), (b"1}", 1), (b"{\n", 1), (b"}", 2)],
        &[
            (b"{", 0),
            (b"\"", 0),
            (b"a", 0),
            (b"\"", 0),
            (b":", 0),
            (b"1", 0),
            (b"}", 1),
        ],
        &[(b"{} {} [1] {", 3), (b"}", 4)],
        &[
            (b"12 ", 1),
            (b"3", 1),
            (b"4\n", 2),
            (b"\"a\"", 3),
            (b"null,", 5),
        ],
        &[(b"nope", 1), (b" {}", 1), (b"\n{}", 2)],
        &[(b"{\n1", 1), (b"\n", 1), (b"{", 1), (b"}", 2)],
    ];
    for &reads in cases {
        let replies = Cell::new(0);
        let mut place = 0;
        let reader = Scripted(|out: &mut [u8]| {
            if place > 0 {
                assert_eq!(
                    replies.get(),
                    reads[place - 1].1,
                    "after {place} of {reads:?}"
                );
            }
            let piece = reads.get(place).map_or(&b""[..], |read| read.0);
            place += 1;
            out[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        });
        let mut values = Values::new(reader, Limits::default());
        let mut take = |text: &[u8]| {
            let attempt = parse_ignored(text);
            replies.set(replies.get() + usize::from(matches!(attempt, Parsed::Complete(_))));
            attempt
        };
        loop {
            match values.next(&mut take, &mut || Ok(())).unwrap() {
                Step::Value => {}
                Step::Invalid(_) => replies.set(replies.get() + 1),
                Step::End => break,
            }
        }
    }
}

struct Scripted<F>(F);

impl<F: FnMut(&mut [u8]) -> io::Result<usize>> Read for Scripted<F> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        (self.0)(out)
    }
}

#[test]
fn the_work_is_linear_whatever_the_sizes_of_the_reads() {
    let mut value = b"{\"a\":[".to_vec();
    value.extend(b"{\"b\":\"cdefgh\"},\n".repeat(1 << 16));
    value.extend(b"0]}");
    let flat = value
        .iter()
        .copied()
        .filter(|&byte| byte != b'\n')
        .collect::<Vec<_>>();
    for input in [value, flat] {
        for size in [1, 100, 4096, 1 << 16, usize::MAX] {
            let mut handed = 0;
            let reader = Scripted({
                let mut rest = &input[..];
                move |out: &mut [u8]| {
                    let size = size.min(out.len());
                    rest.read(&mut out[..size])
                }
            });
            let mut values = Values::new(reader, Limits::default());
            let mut take = |text: &[u8]| {
                handed += text.len();
                parse_ignored(text)
            };
            assert_eq!(values.next(&mut take, &mut || Ok(())).unwrap(), Step::Value);
            assert_eq!(values.next(&mut take, &mut || Ok(())).unwrap(), Step::End);
            assert!(
                handed <= 3 * input.len(),
                "{handed} bytes for {} by {size}",
                input.len()
            );
        }
    }
}

/// It would take hours if each value of the line were searched again for a newline and for its depth.
#[test]
fn a_line_of_many_values_is_searched_once() {
    let mut input = b"[]{}".repeat(1 << 19);
    input.extend([b'['; 129]);
    let mut values = Values::new(&input[..], Limits::default());
    let mut take = |text: &[u8]| match text {
        [b'[', b']', ..] | [b'{', b'}', ..] => Parsed::Complete(2),
        _ => Parsed::Incomplete,
    };
    for _ in 0..1 << 20 {
        assert_eq!(values.next(&mut take, &mut || Ok(())).unwrap(), Step::Value);
    }
    assert!(matches!(
        values.next(&mut take, &mut || Ok(())).unwrap(),
        Step::Invalid(_)
    ));
}

#[test]
fn errors_of_the_input_are_reported_and_interruptions_retried() {
    let mut script = [
        Ok(&b"[1,"[..]),
        Err(io::ErrorKind::Interrupted),
        Ok(b"2,"),
        Ok(b"3,"),
        Err(io::ErrorKind::TimedOut),
        Ok(b"4]"),
    ]
    .into_iter();
    let reader = Scripted(|out: &mut [u8]| {
        let piece = script.next().unwrap_or(Ok(b""))?;
        out[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    });
    let mut values = Values::new(reader, Limits::default());
    let mut take = |text: &[u8]| parse_ignored(text);
    let error = values.next(&mut take, &mut || Ok(())).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let error = values
        .next(&mut take, &mut || Err(io::ErrorKind::BrokenPipe.into()))
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(values.next(&mut take, &mut || Ok(())).unwrap(), Step::Value);
    assert_eq!(values.next(&mut take, &mut || Ok(())).unwrap(), Step::End);
}
