//! The JSON-lines front end: `tollgate stdio`.
//!
//! It translates, and decides nothing: values from standard input become messages, messages
//! become calls to the gateway, and what comes of them goes to standard output, one line a value.

mod discover;
mod faces;
mod fields;
pub mod forward;
mod headers;
mod message;
mod reply;
pub mod sample;
pub mod session;
mod text;
pub mod values;

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use crate::frontend::stdio::forward::Forwarding;
use crate::frontend::stdio::session::Session;
use crate::frontend::stdio::values::{Limits, Step, Values};
use crate::runtime::gateway::Gateway;

/// How the front end answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether an answer names address, upstream path and route. Default: `false`.
    pub is_verbose: bool,
    /// How much one value may demand.
    pub limits: Limits,
}

/// Answers every value of `input` on `output` until the input ends.
///
/// Answers are held back only while more input is at hand: all that is finished is written before
/// any read that may block.
///
/// # Errors
/// If reading or writing fails; a closed output is such a failure, of the kind `BrokenPipe`.
pub fn serve(
    gateway: &Gateway,
    options: Options,
    clock: fn() -> Instant,
    input: impl Read,
    output: impl Write,
) -> io::Result<()> {
    let session = Session::new(gateway, options.is_verbose, clock);
    converse(session, options.limits, input, output)
}

/// Answers every value of `input` on `output`, and forwards requests to their backends concurrently,
/// until the input ends and every request is answered.
///
/// It returns as soon as the output is closed; the thread that reads then ends with its next read.
///
/// # Errors
/// If reading or writing fails, or the system provides no thread. A closed output is an error of the
/// kind `BrokenPipe`.
pub fn serve_forwarding(
    gateway: &Arc<Gateway>,
    options: Options,
    forwarding: Forwarding,
    clock: fn() -> Instant,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
) -> io::Result<()> {
    let reader = Arc::clone(gateway);
    let read = move |forwarder, output| {
        let session = Session::new(&reader, options.is_verbose, clock).forwarding(forwarder);
        converse(session, options.limits, input, output)
    };
    forward::run(gateway, forwarding, options.is_verbose, output, read)
}

/// Lets a session answer every value until the input ends.
fn converse(
    mut session: Session<'_>,
    limits: Limits,
    input: impl Read,
    output: impl Write,
) -> io::Result<()> {
    let mut values = Values::new(input, limits);
    let output = RefCell::new(Output {
        to: output,
        held: Vec::with_capacity(2 * MAX_HELD),
    });
    loop {
        if !session.has_room() {
            output.borrow_mut().flush()?;
            session.wait_for_room();
        }
        let mut take = |text: &[u8]| session.take(text, &mut output.borrow_mut().held);
        let step = values.next(&mut take, &mut || output.borrow_mut().flush())?;
        let mut output = output.borrow_mut();
        match step {
            Step::Taken => {}
            Step::Broken(broken) => session.refuse(&broken, &mut output.held),
            Step::End => return output.flush(),
        }
        if output.held.len() >= MAX_HELD {
            output.flush()?;
        }
    }
}

/// How many bytes of answers are held back at most, before the last of them.
const MAX_HELD: usize = 64 << 10;

struct Output<W> {
    to: W,
    held: Vec<u8>,
}

impl<W: Write> Output<W> {
    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        self.to.write_all(&self.held)?;
        self.held.clear();
        self.to.flush()
    }
}
