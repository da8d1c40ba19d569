//! A request, independent of the interface.

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct ClientRequest {
    pub(crate) method: String,
    /// `/path?query` or `*`.
    pub(crate) target: String,
    /// The scheme and the authority of a target in absolute form, such as `http://a.test`.
    pub(crate) absolute: Option<(String, String)>,
    /// The value of `Host`; it may be empty.
    pub(crate) host: String,
    /// The other fields; framing is not among them.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    /// Whether the body goes out in chunks, without its length, where the interface can do that.
    pub(crate) is_chunked: bool,
}

impl ClientRequest {
    /// A request for a target at `a.test`, without other fields and without a body.
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            absolute: None,
            host: "a.test".into(),
            fields: Vec::new(),
            body: None,
            is_chunked: false,
        }
    }

    pub(crate) fn host(self, host: &str) -> Self {
        Self {
            host: host.into(),
            ..self
        }
    }

    pub(crate) fn absolute(self, scheme: &str, authority: &str) -> Self {
        Self {
            absolute: Some((scheme.into(), authority.into())),
            ..self
        }
    }

    pub(crate) fn body(self, body: &str) -> Self {
        Self {
            body: Some(body.into()),
            ..self
        }
    }

    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// The target as HTTP/1.1 and a message write it: a whole URL in absolute form.
    pub(crate) fn written_target(&self) -> String {
        match &self.absolute {
            Some((scheme, authority)) => format!("{scheme}://{authority}{}", self.target),
            None => self.target.clone(),
        }
    }

    /// The authority that the request names: that of an absolute form replaces `Host` (RFC 9112,
    /// section 3.2.2).
    pub(crate) fn authority(&self) -> &str {
        match &self.absolute {
            Some((_, authority)) => authority,
            None => &self.host,
        }
    }

    /// All values of a field that are lists of tokens, in lower case.
    fn tokens(&self, name: &str) -> Vec<String> {
        let fields = self.fields.iter();
        let values = fields.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let tokens = values.flat_map(|(_, value)| value.split(','));
        tokens.map(|it| it.trim().to_ascii_lowercase()).collect()
    }

    /// The fields that end at the next hop of HTTP/1.1 (RFC 9110, section 7.6.1), which a client
    /// cannot send over HTTP/2 (RFC 9113, section 8.2.2), and those that `Connection` names. A `Cookie` stays although it is named there:
    /// no client means it for one hop.
    pub(crate) fn is_of_connection(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        ["connection", "keep-alive", "proxy-connection"].contains(&&*name)
            || name != "cookie" && self.tokens("connection").contains(&name)
    }
}
