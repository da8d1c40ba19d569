//! HTTP/2 negotiated by ALPN on both sides: one gateway in front of another.

use std::fs;
use std::path::Path;

use tollgate::config::serve::{Alpn, TlsVersion};
use tollgate::engine::upstream::Protocol;
use tollgate::frontend::http::listener::ListenerService;
use tollgate::runtime::tls::{CertificateFiles, TlsFiles};

use crate::backend::{Counters, over_http2};
use crate::client::{Client, request, send, whole};
use crate::rig::Rig;

/// A listener with a self-signed certificate.
fn service() -> ListenerService {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let name = format!("http2-{}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    ListenerService::Tls(TlsFiles {
        certificates: vec![CertificateFiles { cert, key }],
        client_auth: None,
        min_version: TlsVersion::V12,
        alpn: vec![Alpn::H2, Alpn::Http11],
    })
}

#[tokio::test]
async fn alpn_negotiates_http2_on_both_sides() {
    let (backend, counters) = over_http2().await;
    let behind = Rig::serving(service(), Protocol::H2, &[backend.to_string()], |_| {});
    let behind_tls = format!("https://{}", behind.address);
    for (protocol, via) in [(Protocol::H2, "2 tollgate"), (Protocol::H1, "1.1 tollgate")] {
        let before = Rig::serving(
            ListenerService::Plain,
            protocol,
            std::slice::from_ref(&behind_tls),
            |_| {},
        );
        let mut client = Client::connect(before.address).await;
        let (response, mut body) = client.begin(request("POST", "/p"), false).await;
        send(&mut body, vec![b'x'; 1_000_000].into()).await.unwrap();
        body.send_data("".into(), true).unwrap();
        let response = whole(response).await.unwrap();
        assert_eq!(response.body.len(), 1_000_000);
        let vias = response.head.headers().get_all("got-via");
        let vias: Vec<_> = vias.iter().map(|it| it.to_str().unwrap()).collect();
        assert_eq!(vias, ["2 tollgate", via]);
        assert_eq!(response.field("got-x-forwarded-proto"), Some("https"));
    }
    assert_eq!(Counters::count(&counters.connections), 1);
}
