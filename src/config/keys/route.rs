//! An item of `routes`.

use crate::config::keys::policy::RawPolicy;
use crate::config::keys::service::RawUpstream;
use crate::config::read::Presence::{Default, Required, Unset};
use crate::config::read::{
    Bool, Boxed, Located, Map, Name, NonEmptySet, Or, Set, Text, True, Word, object, words,
};

object! {
    /// A route sends the requests that match everything it states to its service, unless a more specific route matches too.
    pub(crate) struct RawRoute: "a route", "{path_pattern: /api/users/*, service: users-service}" {
        /// The name in explanations and counters. One line, unique.
        name: Name = Unset("made of what the route matches and its service"), "users";
        /// The path. Segments between `/`: a literal, `{name}` for any one segment, or a final `*` for the whole subtree. Without `*` the match is exact, and a trailing slash counts. A literal segment `v1`, `v2`, ... is the version of the route, unless `version` states another.
        path_pattern: Text = Required, "/api/users/*";
        /// The service. It need not be in `services` if the route has `backends`.
        service: Name = Unset("required without `redirect`"), "users-service";
        /// The version that the route serves: `v2`, `2` or a date. Without one, the route is neutral and serves any version.
        version: Name = Unset("the version segment of the pattern, else neutral"), "v2";
        /// Backends of this route alone: `host`, `host:port` or `https://host:port`. The default port is 80, with https 443.
        backends: Set<Text> = Unset("those of the service"), "[\"users-1:8080\", \"users-2:8080\"]";
        /// Hosts: a name, or `*.suffix` for any depth below it.
        hosts: NonEmptySet<Text> = Unset("any host, or none"), "[api.example.com, \"*.example.com\"]";
        /// Methods, case-sensitive. `GET` also admits `HEAD`.
        methods: NonEmptySet<Text> = Unset("any method"), "[GET, POST]";
        /// Header fields that a request must have: an exact value, `{present: true}` or `{prefix: TEXT}`.
        headers: Map<Constraint> = Unset("none"), "{x-tenant: acme, x-debug: {present: true}}";
        /// Query parameters that a request must have, like `headers`.
        query: Map<Constraint> = Unset("none"), "{page: {prefix: \"1\"}}";
        /// What to remove from the path before forwarding. `true`: the literal segments before the first parameter or `*`. Text: that prefix, which must be whole leading literal segments of the pattern.
        strip_prefix: Located<Or<Bool, Text>> = Default("false"), "/api";
        /// A path that replaces what `strip_prefix` removes; `strip_prefix` is then `true` by default.
        rewrite_prefix: Text = Unset("nothing"), "/internal";
        /// Whether `%2F` and `%5C` are admitted in the path and forwarded as they are, or rejected with 400.
        encoded_slashes: Word<EncodedSlashes> = Default("refuse"), "keep";
        /// Redirects clients instead of forwarding. Text is short for `to`.
        redirect: Boxed<Or<Text, RawRedirect>> = Unset("forward to `service`"), "{to: /api/*, status: 307}";
        ..upstream: RawUpstream;
        ..policy: RawPolicy;
    }
    any_of: &["service", "redirect"],
}

object! {
    /// A redirect to another path or URL.
    pub(crate) struct RawRedirect: "`redirect`", "{to: /new/*, status: 308}" {
        /// A URL or a path. A final `*` stands for what the `*` of the pattern matched. The query is kept.
        to: Text = Required, "https://example.com/*";
        /// The status of the response.
        status: Word<RedirectStatus> = Default("308"), "301";
    }
}

object! {
    /// A constraint other than an exact value.
    pub(crate) struct RawMatch: "a constraint", "{present: true}" {
        /// The field or parameter is present, with any value.
        present: True = Unset("see `prefix`"), "true";
        /// The value begins with this text.
        prefix: Name = Unset("see `present`"), "beta-";
    }
    any_of: &["present", "prefix"],
    exclusive: &["present", "prefix"],
}

/// A value of `headers` or `query`.
pub(crate) type Constraint = Or<Name, RawMatch>;

words! {
    /// `encoded_slashes`.
    EncodedSlashes: bool { "keep" => true, "refuse" => false }
}

words! {
    /// `redirect.status`.
    RedirectStatus: u16 {
        "301" => 301,
        "302" => 302,
        "303" => 303,
        "307" => 307,
        "308" => 308,
    }
    are_numbers: true
}
