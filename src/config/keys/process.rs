//! Keys that configure the process: listeners, logs, limits. An `init` message cannot set them.

use crate::config::keys::service::MaxInFlight;
use crate::config::read::Presence::{Default, Required, Unset};
use crate::config::read::{
    Bool, Count, DAY_MS, List, Located, NonEmpty, NonEmptySet, OneOrMany, Or, Size, Text, Time,
    Word, object, words,
};
use crate::config::serve::{Alpn, LogFormat, TlsVersion};

object! {
    /// Settings of the process. They take effect at start; a reload and an `init` message do not change them.
    pub(crate) struct RawProcess: "the settings of the process", "{listen: 127.0.0.1:8080}" {
        /// Where to listen: `host:port`, or a list of these and of listeners. Port 0 is any free port; an IPv6 host is in brackets.
        listen: OneOrMany<Or<Text, RawListener>> = Default("127.0.0.1:8080"), "[\"0.0.0.0:80\", {address: \"0.0.0.0:443\", tls: {certificates: [{cert: cert.pem, key: key.pem}]}}]";
        /// Where to serve `/health/live`, `/health/ready` and `/stats` to operators: `host:port`.
        admin: Text = Unset("nowhere"), "127.0.0.1:9901";
        /// Number of worker threads.
        workers: Count<u16, 1, 256> = Unset("one per core"), "4";
        /// IP addresses and networks of trusted proxies. Their `X-Forwarded-*` and `Forwarded` fields are trusted; those of other clients are replaced or removed.
        trusted_proxies: List<Text> = Default("[]"), "[10.0.0.0/8, \"fd00::/8\"]";
        /// The access log. Text is short for `to`.
        access_log: Or<Text, RawAccessLog> = Default("none"), "{to: access.log, format: combined}";
        /// How long requests in flight may take to complete after a stop signal.
        drain_timeout: Time<0, DAY_MS> = Default("30s"), "1m30s";
        /// Limits of connections, requests and retries.
        limits: RawLimits = Unset("the defaults of its keys"), "{header_bytes: 64KiB, connections: 20000}";
        /// The name of the gateway in `Via`: a token.
        via: Text = Default("tollgate"), "edge";
    }
    is_of_process: true,
}

object! {
    /// An address that accepts connections.
    pub(crate) struct RawListener: "a listener", "{address: \"0.0.0.0:80\", redirect_to_https: true}" {
        /// The address: `host:port`.
        address: Text = Required, "0.0.0.0:443";
        /// Serve TLS.
        tls: Located<RawListenerTls> = Unset("plain text"), "{certificates: [{cert: cert.pem, key: key.pem}]}";
        /// Only redirect clients to https, on port 443 or another. Not with `tls`.
        redirect_to_https: Located<Or<Bool, RawRedirectToHttps>> = Default("false"), "true";
    }
    exclusive: &["tls", "redirect_to_https"],
}

object! {
    /// How a listener serves TLS. Files are in PEM, relative to the folder of the configuration, and reloaded when they change.
    pub(crate) struct RawListenerTls: "`tls`", "{certificates: [{cert: cert.pem, key: key.pem}]}" {
        /// Certificates with their keys. SNI selects by the names in the certificates; the first is for all other clients.
        certificates: NonEmpty<RawCertificate> = Required, "[{cert: cert.pem, key: key.pem}]";
        /// A file with the authorities of client certificates.
        client_ca: Text = Unset("clients are not asked for a certificate"), "tls/ca.pem";
        /// Whether a client without a certificate is rejected. Only with `client_ca`.
        client_auth: Located<Word<ClientAuthWord>> = Default("required"), "optional";
        /// The oldest TLS version.
        min_version: Word<MinVersion> = Default("\"1.2\""), "\"1.3\"";
        /// The protocols to offer by ALPN, in order of preference.
        alpn: NonEmptySet<Located<Word<AlpnWord>>> = Default("[h2, http/1.1]"), "[http/1.1]";
    }
}

object! {
    /// A certificate with its key, both in PEM.
    pub(crate) struct RawCertificate: "a certificate", "{cert: cert.pem, key: key.pem}" {
        /// The file with the certificate chain, the server's own certificate first.
        cert: Text = Required, "tls/cert.pem";
        /// The file with the private key.
        key: Text = Required, "tls/key.pem";
    }
}

object! {
    /// A redirect to https on a port of the same host.
    pub(crate) struct RawRedirectToHttps: "`redirect_to_https`", "{port: 8443}" {
        /// The port. 443 is omitted from the URL.
        port: Count<u16, 1, 65_535> = Default("443"), "8443";
    }
}

object! {
    /// The access log: one line per request.
    pub(crate) struct RawAccessLog: "`access_log`", "{to: stdout, format: json}" {
        /// `stdout`, `stderr`, `none` or a file, relative to the folder of the configuration.
        to: Text = Default("none"), "logs/access.log";
        /// JSON objects, or the combined log format of Apache and nginx.
        format: Word<Format> = Default("json"), "combined";
    }
}

object! {
    /// Limits of connections, requests and retries.
    pub(crate) struct RawLimits: "`limits`", "{header_bytes: 32KiB, connections: 10000}" {
        /// Maximum size of a request head.
        header_bytes: Size<usize, 1_024, MAX_HEADER_BYTES> = Default("32KiB"), "64KiB";
        /// Maximum number of header fields.
        header_fields: Count<usize, 8, 4_096> = Default("100"), "200";
        /// Maximum size of a request target.
        uri_bytes: Size<usize, 256, MAX_HEADER_BYTES> = Default("8KiB"), "4096";
        /// Maximum number of connections per worker.
        connections: Count<usize, 1, 1_000_000> = Default("10000"), "20000";
        /// Maximum number of open streams per HTTP/2 connection.
        streams: Count<u32, 1, 10_000> = Default("100"), "200";
        /// Maximum number of requests in flight to one backend, per worker.
        in_flight_per_backend: MaxInFlight = Default("1000"), "500";
        /// Retry budget: retries per hundred requests.
        retry_percent: Count<u32, 0, 100> = Default("20"), "25";
        /// Retry budget: retries per second in addition, so that a gateway with little traffic can retry too.
        retries_per_second: Count<u32, 0, 100_000> = Default("10"), "0";
        /// From the first byte of a request head to its last. Also the time for a TLS handshake.
        header_timeout: Time<1, DAY_MS> = Default("10s"), "5s";
        /// How long a connection without a request stays open.
        idle_timeout: Time<1, DAY_MS> = Default("60s"), "2m";
    }
}

/// The maximum of `header_bytes` and `uri_bytes`.
const MAX_HEADER_BYTES: u64 = 1 << 20;

words! {
    /// `client_auth`. Whether a certificate is required.
    ClientAuthWord: bool { "required" => true, "optional" => false }
}

words! {
    /// `min_version`.
    MinVersion: TlsVersion { "1.2" => TlsVersion::V12, "1.3" => TlsVersion::V13 }
    are_numbers: true
}

words! {
    /// An item of `alpn`.
    AlpnWord: Alpn { "h2" => Alpn::H2, "http/1.1" => Alpn::Http11 }
}

words! {
    /// `access_log.format`.
    Format: LogFormat { "json" => LogFormat::Json, "combined" => LogFormat::Combined }
}
