//! What the file says of the process that serves it, as plain data.

use crate::config::document::Place;
use crate::config::raw::At;
use crate::config::reader::{Reader, Shape};

/// The keys of the file that are of the process and not of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawServe {
    /// Where it listens; none if nothing is said.
    pub listen: Option<At<Vec<RawListener>>>,
    /// Where it answers its operators.
    pub admin: Option<At<String>>,
    /// How many workers.
    pub workers: Option<At<String>>,
    /// Whose word on clients is believed.
    pub trusted_proxies: Vec<At<String>>,
    /// What is logged of requests, and where.
    pub access_log: Option<RawAccessLog>,
    /// How long requests may take to finish when it stops.
    pub drain_timeout: Option<At<String>>,
    /// Limits of every connection.
    pub limits: RawLimits,
    /// What it calls itself in `Via`.
    pub via: Option<At<String>>,
}

/// An element of `listen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawListener {
    /// `host:port`. If absent, a fault has said so.
    pub address: Option<At<String>>,
    /// With which certificates it speaks TLS.
    pub tls: Option<At<RawTls>>,
    /// Whether it only sends clients to https.
    pub redirect_to_https: Option<At<RawRedirectToHttps>>,
}

/// A listener's `tls`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTls {
    /// The certificates. If absent, a fault has said so.
    pub certificates: Option<At<Vec<RawCertificate>>>,
    /// The file with the authorities of clients.
    pub client_ca: Option<At<String>>,
    /// Whether clients must have a certificate.
    pub client_auth: Option<At<String>>,
    /// The oldest version that is spoken.
    pub min_version: Option<At<String>>,
    /// The protocols that are offered.
    pub alpn: Option<At<Vec<At<String>>>>,
}

/// A certificate with its key. If a file is absent, a fault has said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawCertificate {
    /// The file with the chain.
    pub cert: Option<At<String>>,
    /// The file with the key.
    pub key: Option<At<String>>,
}

/// What `redirect_to_https` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawRedirectToHttps {
    /// `true` or `false`.
    Is(bool),
    /// Another port than 443.
    Port(Option<At<String>>),
}

/// `access_log`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawAccessLog {
    /// Where to.
    pub to: Option<At<String>>,
    /// In which form.
    pub format: Option<At<String>>,
}

/// `limits`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawLimits {
    /// Of a header.
    pub header_bytes: Option<At<String>>,
    /// Of a header.
    pub header_fields: Option<At<String>>,
    /// Of a target.
    pub uri_bytes: Option<At<String>>,
    /// Of a worker.
    pub connections: Option<At<String>>,
    /// Of an HTTP/2 connection.
    pub streams: Option<At<String>>,
    /// Of a backend.
    pub in_flight_per_backend: Option<At<String>>,
    /// Of the requests.
    pub retry_percent: Option<At<String>>,
    /// Beside those.
    pub retries_per_second: Option<At<String>>,
    /// To read a header.
    pub header_timeout: Option<At<String>>,
    /// Of a kept connection.
    pub idle_timeout: Option<At<String>>,
}

/// The keys of a listener that is not just a text.
pub(in crate::config) const LISTENER: Shape<3> = Shape {
    what: "a listener",
    keys: ["address", "tls", "redirect_to_https"],
    not_built: &[],
    example: "{address: \"0.0.0.0:80\", redirect_to_https: true}",
};

/// The keys of a listener's `tls`.
pub(in crate::config) const TLS: Shape<5> = Shape {
    what: "`tls`",
    keys: [
        "certificates",
        "client_ca",
        "client_auth",
        "min_version",
        "alpn",
    ],
    not_built: &[],
    example: "{certificates: [{cert: cert.pem, key: key.pem}]}",
};

/// The keys of a certificate.
pub(in crate::config) const CERTIFICATE: Shape<2> = Shape {
    what: "a certificate",
    keys: ["cert", "key"],
    not_built: &[],
    example: "{cert: cert.pem, key: key.pem}",
};

/// The keys of a `redirect_to_https` that is not just `true`.
pub(in crate::config) const REDIRECT_TO_HTTPS: Shape<1> = Shape {
    what: "`redirect_to_https`",
    keys: ["port"],
    not_built: &[],
    example: "{port: 8443}, true or false",
};

/// The keys of an `access_log` that is not just a text.
pub(in crate::config) const ACCESS_LOG: Shape<2> = Shape {
    what: "`access_log`",
    keys: ["to", "format"],
    not_built: &[],
    example: "{to: stdout, format: json}",
};

/// The keys of `limits`.
pub(in crate::config) const LIMITS: Shape<10> = Shape {
    what: "`limits`",
    keys: [
        "header_bytes",
        "header_fields",
        "uri_bytes",
        "connections",
        "streams",
        "in_flight_per_backend",
        "retry_percent",
        "retries_per_second",
        "header_timeout",
        "idle_timeout",
    ],
    not_built: &[],
    example: "{header_bytes: 32KiB, connections: 10000}",
};

/// The keys of the file that are read here, as its last; an `init` may not have them.
pub(in crate::config) const SERVE_KEYS: [&str; 8] = [
    "listen",
    "admin",
    "workers",
    "trusted_proxies",
    "access_log",
    "drain_timeout",
    "limits",
    "via",
];

/// What stands at [`SERVE_KEYS`].
pub(super) fn serve(reader: &mut Reader<'_>, fields: [Option<Place>; 8]) -> RawServe {
    let [
        listen,
        admin,
        workers,
        trusted_proxies,
        access_log,
        drain_timeout,
        limits,
        via,
    ] = fields;
    let trusted_proxies = trusted_proxies.and_then(|place| reader.texts(place));
    RawServe {
        listen: listen.map(|place| At {
            value: listeners(reader, place),
            place,
        }),
        admin: admin.and_then(|place| reader.plain_text(place)),
        workers: workers.and_then(|place| reader.quantity(place)),
        trusted_proxies: trusted_proxies.map(|list| list.value).unwrap_or_default(),
        access_log: access_log.and_then(|place| self::access_log(reader, place)),
        drain_timeout: drain_timeout.and_then(|place| reader.quantity(place)),
        limits: limits
            .and_then(|place| self::limits(reader, place))
            .unwrap_or_default(),
        via: via.and_then(|place| reader.plain_text(place)),
    }
}

fn listeners(reader: &mut Reader<'_>, place: Place) -> Vec<RawListener> {
    let items = reader.one_or_items(place).into_iter();
    items.filter_map(|item| listener(reader, item)).collect()
}

fn listener(reader: &mut Reader<'_>, place: Place) -> Option<RawListener> {
    if !reader.is_map(place) {
        return Some(RawListener {
            address: Some(reader.plain_text(place)?),
            tls: None,
            redirect_to_https: None,
        });
    }
    let [address, tls, redirect] = reader.fields(place, &LISTENER)?;
    if address.is_none() {
        reader.missing(place, &LISTENER, "`address`");
    }
    Some(RawListener {
        address: address.and_then(|place| reader.plain_text(place)),
        tls: tls.and_then(|place| self::tls(reader, place)),
        redirect_to_https: redirect.and_then(|place| redirect_to_https(reader, place)),
    })
}

fn tls(reader: &mut Reader<'_>, place: Place) -> Option<At<RawTls>> {
    let [certificates, client_ca, client_auth, min_version, alpn] = reader.fields(place, &TLS)?;
    if certificates.is_none() {
        reader.missing(place, &TLS, "`certificates`");
    }
    let certificates = certificates.and_then(|place| {
        let form = "[{cert: cert.pem, key: key.pem}]";
        let items = reader.items(place, "a list of certificates", form)?;
        let items = items.into_iter();
        let value = items.filter_map(|item| certificate(reader, item)).collect();
        Some(At { value, place })
    });
    let value = RawTls {
        certificates,
        client_ca: client_ca.and_then(|place| reader.plain_text(place)),
        client_auth: client_auth.and_then(|place| reader.plain_text(place)),
        min_version: min_version.and_then(|place| reader.quantity(place)),
        alpn: alpn.and_then(|place| reader.texts(place)),
    };
    Some(At { value, place })
}

fn certificate(reader: &mut Reader<'_>, place: Place) -> Option<RawCertificate> {
    let [cert, key] = reader.fields(place, &CERTIFICATE)?;
    for (name, found) in [("`cert`", cert), ("`key`", key)] {
        if found.is_none() {
            reader.missing(place, &CERTIFICATE, name);
        }
    }
    Some(RawCertificate {
        cert: cert.and_then(|place| reader.plain_text(place)),
        key: key.and_then(|place| reader.plain_text(place)),
    })
}

fn redirect_to_https(reader: &mut Reader<'_>, place: Place) -> Option<At<RawRedirectToHttps>> {
    let value = match reader.truth(place) {
        Some(is) => RawRedirectToHttps::Is(is),
        None => {
            let [port] = reader.quantity_fields(place, &REDIRECT_TO_HTTPS)?;
            RawRedirectToHttps::Port(port)
        }
    };
    Some(At { value, place })
}

fn access_log(reader: &mut Reader<'_>, place: Place) -> Option<RawAccessLog> {
    if let Some(to) = reader.word(place) {
        return Some(RawAccessLog {
            to: Some(to),
            format: None,
        });
    }
    let [to, format] = reader.fields(place, &ACCESS_LOG)?;
    Some(RawAccessLog {
        to: to.and_then(|place| reader.plain_text(place)),
        format: format.and_then(|place| reader.plain_text(place)),
    })
}

fn limits(reader: &mut Reader<'_>, place: Place) -> Option<RawLimits> {
    let [
        header_bytes,
        header_fields,
        uri_bytes,
        connections,
        streams,
        in_flight_per_backend,
        retry_percent,
        retries_per_second,
        header_timeout,
        idle_timeout,
    ] = reader.quantity_fields(place, &LIMITS)?;
    Some(RawLimits {
        header_bytes,
        header_fields,
        uri_bytes,
        connections,
        streams,
        in_flight_per_backend,
        retry_percent,
        retries_per_second,
        header_timeout,
        idle_timeout,
    })
}
