//! The interface for operators: the admin listener, the sample services, signals.

use std::fs;
use std::sync::{Arc, Barrier};

use serde_json::Value as Json;

use crate::backend::{Backend, ok};
use crate::client::{Client, get};
use crate::gateway::{Gateway, table};
use crate::message::Message;

/// A backend that responds to `/slow` only after both sides have reached the barrier.
fn slow(barrier: &Arc<Barrier>) -> Backend {
    let barrier = Arc::clone(barrier);
    Backend::start(move |peer| {
        while let Some(request) = peer.request() {
            if request.target() == "/slow" {
                barrier.wait();
            }
            peer.send(ok("done"));
        }
    })
}

/// Sends a request to the admin listener.
fn ask(gateway: &Gateway, target: &str) -> Message {
    let line = gateway.wait_for_line("admin interface on http://");
    let (_, address) = line.rsplit_once('/').unwrap();
    Client::connect(address.parse().unwrap()).get(target)
}

#[test]
fn the_admin_listener_reports_the_state() {
    let barrier = Arc::new(Barrier::new(2));
    let backend = slow(&barrier);
    let gateway = Gateway::start(&table(&[backend.address()], "", "admin: 127.0.0.1:0"));
    assert_eq!(ask(&gateway, "/health/live").status(), 200);
    assert_eq!(ask(&gateway, "/health/ready").status(), 200);
    let unknown = ask(&gateway, "/health");
    assert_eq!(unknown.status(), 404);
    assert!(unknown.text().contains("admin.not_found"), "{unknown:?}");
    assert_eq!(gateway.client().get("/").text(), "done");
    let stats: Json = serde_json::from_slice(&ask(&gateway, "/stats").body).unwrap();
    assert_eq!(stats["requests_total"], 1, "{stats}");
    let mut idle = gateway.client();
    assert!(idle.is_alive());
    let mut client = gateway.client();
    client.send(get("/slow"));
    backend.wait(|state| state.requests.len() == 3);
    gateway.signal("TERM");
    idle.expect_closed();
    assert_eq!(ask(&gateway, "/health/ready").status(), 503);
    assert_eq!(ask(&gateway, "/health/live").status(), 200);
    barrier.wait();
    assert_eq!(client.response().text(), "done");
    assert_eq!(gateway.exit().0.code(), Some(0));
}

#[test]
fn regression_the_next_process_shares_the_admin_port() {
    let backend = Backend::hello();
    let config = |admin: &str| table(&[backend.address()], "", &format!("admin: {admin}"));
    let old = Gateway::start(&config("127.0.0.1:0"));
    let line = old.wait_for_line("admin interface on http://");
    let admin = line.rsplit_once('/').unwrap().1;
    let new = Gateway::launch(&config(admin), 1, old.address());
    assert_eq!(ask(&new, "/health/live").status(), 200);
    old.signal("TERM");
    assert_eq!(old.exit().0.code(), Some(0));
    assert_eq!(ask(&new, "/health/ready").status(), 200);
    assert_eq!(new.client().get("/").text(), "hello");
}

#[test]
fn a_second_signal_stops_at_once() {
    let barrier = Arc::new(Barrier::new(2));
    let backend = slow(&barrier);
    let gateway = Gateway::before(&backend);
    let (mut idle, mut client) = (gateway.client(), gateway.client());
    assert!(idle.is_alive());
    client.send(get("/slow"));
    backend.wait(|state| state.requests.len() == 2);
    gateway.signal("TERM");
    idle.expect_closed();
    gateway.signal("TERM");
    let (status, stderr_lines) = gateway.exit();
    assert_eq!(status.code(), Some(2), "{stderr_lines:?}");
    assert!(
        stderr_lines
            .iter()
            .any(|line| line.contains("second signal")),
        "{stderr_lines:?}"
    );
    assert!(client.response_to("GET").is_err());
    barrier.wait();
}

#[test]
fn a_reload_keeps_the_sample_services() {
    let gateway = Gateway::demo();
    let mut client = gateway.client();
    let ask = |client: &mut Client, target| client.get(target).text();
    assert_eq!(
        ask(&mut client, "/api/users/123"),
        "{\"id\": 123, \"name\": \"Alice\"}"
    );
    let second = ask(&mut client, "/api/v2/users/123");
    assert!(second.contains("alice@example.com"), "{second}");
    gateway.signal("HUP");
    gateway.wait_for_line("there is no configuration file to reload");
    assert_eq!(ask(&mut client, "/api/v2/users/123"), second);
    assert_eq!(client.get("/api/unknown").status(), 404);
}

#[test]
fn an_access_log_that_is_not_read_blocks_nothing() {
    let backend = Backend::hello();
    let gateway = Gateway::unread(&table(&[backend.address()], "", "access_log: stdout"));
    let mut client = gateway.client();
    // More lines than a pipe holds.
    for _ in 0..600 {
        assert_eq!(client.get("/").text(), "hello");
    }
    gateway.signal("USR1");
    gateway.signal("TERM");
    let (status, stderr_lines) = gateway.exit();
    assert_eq!(status.code(), Some(0), "{stderr_lines:?}");
    assert!(
        stderr_lines.iter().any(|line| line.contains("are lost")),
        "{stderr_lines:?}"
    );
}

#[test]
fn an_unreadable_authority_keeps_the_old_table() {
    let backend = Backend::hello();
    let good = table(&[backend.address()], "", "");
    let gateway = Gateway::start(&good);
    fs::write(gateway.file("ca.pem"), "no certificate").unwrap();
    gateway.reload(
        "routes: [{path_pattern: /*, service: s}]\n\
         services: {s: {tls: {ca: ca.pem}, backends: [\"https://127.0.0.1:1\"]}}\n",
    );
    let line = gateway.wait_for_line("reload failed");
    assert!(line.contains("ca.pem"), "{line}");
    assert_eq!(gateway.client().get("/").text(), "hello");
}
