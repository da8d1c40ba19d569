//! Settings of a route that `defaults` can set for all routes.

use crate::config::document::Value;
use crate::config::keys::cors::{CorsWord, RawCors};
use crate::config::place::Place;
use crate::config::read::Presence::{Default, Unset};
use crate::config::read::{
    Bool, Count, DAY_MS, Kind, List, Located, Map, Name, OneOrMany, Or, OrNone, Reader, Shape,
    Size, Text, Time, Word, Words, choose, object, words,
};

object! {
    /// Settings of a route. `defaults` sets them for all routes.
    pub(crate) struct RawPolicy: "`defaults`", "{timeout: 15s, retry: {attempts: 2}}" {
        /// From the end of the request to the head of the response, over all attempts. Connecting has its own timeout.
        timeout: Timeout = Default("15s"), "5s";
        /// The same for one attempt, or `none`.
        try_timeout: OrNone<Timeout> = Default("none"), "2s";
        /// To connect to a backend, TLS handshake included.
        connect_timeout: Timeout = Default("2s"), "500ms";
        /// Without a byte in either direction while a body is transferred.
        idle_timeout: Timeout = Default("60s"), "30s";
        /// The whole exchange to the last byte of the response, or `none`.
        max_duration: OrNone<Timeout> = Default("none"), "1h";
        /// When to send a request again, to another backend. `none`: never.
        retry: Or<Word<NoRetry>, RawRetry> = Unset("the defaults of its keys"), "{attempts: 1, on: [reset, 503]}";
        /// Maximum size of a request body, or `none`. A larger one is rejected with 413.
        max_body: OrNone<Size<u64, 0, { 1 << 40 }>> = Default("1GiB"), "8MiB";
        /// The `Host` that the backend receives: that of the client (`keep`), or the backend's own (`rewrite`).
        host: Word<HostWord> = Default("keep"), "rewrite";
        /// Changes to the header fields of requests.
        request_headers: RawHeaderRules = Unset("no changes"), "{set: {x-tenant: acme}, remove: [cookie]}";
        /// Changes to the header fields of responses.
        response_headers: RawHeaderRules = Unset("no changes"), "{remove: [server]}";
        /// Which pages of other origins may call the route (the Fetch standard). `any`: all origins; `none`: add nothing.
        cors: Or<Word<CorsWord>, Located<RawCors>> = Default("none"), "{origins: [\"https://app.example.com\"]}";
    }
    not_built: &["rate_limit"],
}

object! {
    /// When to send a request again, to another backend. A failed connection counts for every method, whether listed or not.
    pub(crate) struct RawRetry: "`retry`", "{attempts: 2, on: [reset, 502, 503]}" {
        /// Maximum number of attempts after the first.
        attempts: Count<u32, 0, 10> = Default("2"), "1";
        /// Failures to retry after, besides failed connections: `reset`, `timeout`, `5xx`, and statuses from 500 to 599.
        on: List<Failure> = Default("[connect-failure, reset, 502, 503]"), "[reset, timeout, 5xx]";
        /// Whether to retry methods that are not idempotent.
        non_idempotent: Bool = Default("false"), "true";
        /// How much of a request body to buffer for a retry. A request with a longer body is not retried once that much was sent.
        buffer: Size<usize, 0, { 16 << 20 }> = Default("64KiB"), "128KiB";
    }
}

object! {
    /// Changes to header fields. Rules for a name replace the rules of `defaults` for that name.
    pub(crate) struct RawHeaderRules: "a set of header rules", "{set: {x-tenant: acme}, remove: [server]}" {
        /// Fields to set: any present value is replaced.
        set: Map<Name> = Unset("none"), "{x-tenant: acme}";
        /// Fields to add to those present: a value or a list of values.
        add: Map<OneOrMany<Name>> = Unset("none"), "{x-tag: [a, b]}";
        /// Fields to remove.
        remove: List<Text> = Unset("none"), "[cookie]";
    }
}

/// A timeout: up to a day.
pub(crate) type Timeout = Time<1, DAY_MS>;

/// A failure in `retry.on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawFailure {
    /// A connection cannot be made.
    Connect,
    /// The connection breaks before the response.
    Reset,
    /// The attempt takes too long.
    Timeout,
    /// Any status from 500 to 599.
    ServerError,
    /// This status, from 500 to 599.
    Status(u16),
}

/// An item of `retry.on`.
pub(crate) enum Failure {}

impl Kind for Failure {
    type Value = RawFailure;

    const SHAPE: &'static Shape = &Shape::OneOf(&[Word::<FailureWord>::SHAPE, Status::SHAPE]);

    fn read(reader: &mut Reader<'_>, place: Place, _: &'static str) -> Option<RawFailure> {
        let (Value::Text(word) | Value::Number(word)) = reader.value(place) else {
            reader.mismatch(place, "a word or a status", None);
            return None;
        };
        match word.parse::<u16>() {
            Ok(status @ 500..=599) => Some(RawFailure::Status(status)),
            Ok(_) => {
                let message = format!("`{word}` is not a status to retry after");
                let help = Some("write a status from 500 to 599".into());
                reader.error(place, "config.value", message, help);
                None
            }
            Err(_) => choose(reader, place, word, FailureWord::WORDS),
        }
    }
}

type Status = Count<u16, 500, 599>;

words! {
    /// A word in `retry.on`.
    FailureWord: RawFailure {
        "connect-failure" => RawFailure::Connect,
        "reset" => RawFailure::Reset,
        "timeout" => RawFailure::Timeout,
        "5xx" => RawFailure::ServerError,
    }
}

words! {
    /// `retry` without rules.
    NoRetry: () { "none" => () }
}

words! {
    /// `host`. Whether it is rewritten.
    HostWord: bool { "keep" => false, "rewrite" => true }
}
