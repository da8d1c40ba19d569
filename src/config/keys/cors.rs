//! `cors`.

use crate::config::read::Presence::{Default, Required, Unset};
use crate::config::read::{Bool, DAY_MS, List, NonEmptySet, Text, Time, object, words};

object! {
    /// Which pages of other origins may call the route (the Fetch standard).
    pub(crate) struct RawCors: "`cors`", "{origins: [\"https://app.example.com\"]}" {
        /// Origins such as `https://app.example.com`, or `null`. `*` alone is any origin.
        origins: NonEmptySet<Text> = Required, "[\"https://app.example.com\"]";
        /// Methods that pages may use, besides `GET`, `HEAD` and `POST`.
        methods: List<Text> = Unset("those that the route admits"), "[PUT, DELETE]";
        /// Header fields that pages may send.
        headers: List<Text> = Unset("those that the preflight asks for"), "[x-tenant]";
        /// Header fields of the response that pages may read.
        expose: List<Text> = Unset("none"), "[x-request-id]";
        /// Whether pages may send cookies and credentials. Not with `*`.
        credentials: Bool = Default("false"), "true";
        /// How long browsers may cache the response to a preflight.
        max_age: Time<0, DAY_MS> = Default("10m"), "1h";
    }
}

words! {
    /// `cors` without rules. Whether any origin is admitted.
    CorsWord: bool { "any" => true, "none" => false }
}
