//! The message loop: reads values, has a session process them, and writes replies in batches.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::time::Instant;

use crate::control::Reconciler;
use crate::frontend::stdio::session::Session;
use crate::frontend::stdio::values::{Limits, Step, Values};
use crate::http1::HeadLimits;

/// Options of the interface.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether replies include address, upstream path and route. Default: `false`.
    pub is_verbose: bool,
    /// Limits on one value.
    pub limits: Limits,
    /// Limits on the head of a request, as over HTTP.
    pub head_limits: HeadLimits,
}

/// Processes every value of `input` and writes the replies to `output` until the input ends.
///
/// Replies are batched only while more input is buffered: every finished reply is written before
/// any read that may block.
///
/// # Errors
/// If reading or writing fails; `BrokenPipe` if the output is closed.
pub fn serve(
    reconciler: &mut Reconciler,
    options: Options,
    clock: fn() -> Instant,
    input: impl Read,
    output: impl Write,
) -> io::Result<()> {
    let session = Session::new(reconciler, options.is_verbose, clock);
    let session = session.with_head_limits(options.head_limits);
    run(session, options.limits, input, output)
}

/// Has a session process every value until the input ends.
pub(super) fn run(
    mut session: Session<'_>,
    limits: Limits,
    input: impl Read,
    output: impl Write,
) -> io::Result<()> {
    let mut values = Values::new(input, limits);
    let output = RefCell::new(Output {
        to: output,
        batch: Vec::with_capacity(2 * MAX_BATCH_BYTES),
    });
    loop {
        if !session.has_capacity() {
            output.borrow_mut().flush()?;
            session.wait_for_capacity();
        }
        let mut take = |text: &[u8]| session.take(text, &mut output.borrow_mut().batch);
        let step = values.next(&mut take, &mut || output.borrow_mut().flush())?;
        let mut output = output.borrow_mut();
        match step {
            Step::Value => {}
            Step::Invalid(text) => session.reject(&text, &mut output.batch),
            Step::End => return output.flush(),
        }
        if output.batch.len() >= MAX_BATCH_BYTES {
            output.flush()?;
        }
    }
}

/// A batch of replies is written when it has reached this size.
const MAX_BATCH_BYTES: usize = 64 << 10;

struct Output<W> {
    to: W,
    batch: Vec<u8>,
}

impl<W: Write> Output<W> {
    fn flush(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.to.write_all(&self.batch)?;
        self.batch.clear();
        self.to.flush()
    }
}
