//! Many concurrent requests while processes, tables and backends are replaced: none of them fails.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use tollgate::runtime::clock;

use crate::backend::{Backend, ok};
use crate::client::{Client, get, post};
use crate::gateway::{Gateway, table};
use crate::message::TEST_TIMEOUT;

/// Runs clients that send requests until `work` returns; returns the number of completed requests.
fn under_load(
    clients: usize,
    ask: impl Fn(usize, usize) -> Result<(), String> + Sync,
    work: impl FnOnce(&AtomicUsize),
) -> usize {
    let (is_finished, completed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for client in 0..clients {
            let (is_finished, completed, failed, ask) = (&is_finished, &completed, &failed, &ask);
            scope.spawn(move || {
                // Relaxed: counters and a flag that order nothing.
                for number in 0.. {
                    if is_finished.load(Ordering::Relaxed) {
                        return;
                    }
                    match ask(client, number) {
                        Ok(()) => drop(completed.fetch_add(1, Ordering::Relaxed)),
                        Err(why) => failed
                            .lock()
                            .unwrap()
                            .push(format!("{client}/{number}: {why}")),
                    }
                }
            });
        }
        work(&completed);
        is_finished.store(true, Ordering::Relaxed);
    });
    let failed = failed.into_inner().unwrap();
    let completed = completed.into_inner();
    assert!(
        failed.is_empty(),
        "{} failed, {completed} did not: {failed:#?}",
        failed.len()
    );
    completed
}

/// Waits until `more` further requests have completed.
fn wait_for(completed: &AtomicUsize, more: usize) {
    let target = completed.load(Ordering::Relaxed) + more;
    let started = clock::now();
    while completed.load(Ordering::Relaxed) < target {
        assert!(started.elapsed() < TEST_TIMEOUT, "the load has stopped");
        thread::yield_now();
    }
}

/// One exchange on a new connection.
fn on_new_connection(gateway: std::net::SocketAddr) -> Result<(), String> {
    let mut client = Client::connect(gateway);
    client.send(get("/"));
    let response = client
        .response_to("GET")
        .map_err(|error| error.to_string())?;
    match response.text() {
        text if text == "hello" => Ok(()),
        text => Err(text),
    }
}

/// One exchange on a persistent connection, or on a new one if `slot` is empty.
fn on_persistent_connection(
    slot: &mut Option<Client>,
    gateway: std::net::SocketAddr,
) -> Result<(), String> {
    let Some(mut client) = slot.take() else {
        *slot = Some(Client::connect(gateway));
        return on_persistent_connection(slot, gateway);
    };
    let sent = client.connection.send(get("/"));
    match sent.and_then(|()| client.response_to("GET")) {
        Ok(response) if response.text() == "hello" => {
            *slot = (!response.closes()).then_some(client);
            Ok(())
        }
        Ok(response) => Err(response.text()),
        Err(error) => Err(format!("on a persistent connection: {error}")),
    }
}

#[test]
fn a_hot_restart_fails_no_request() {
    let backend = Backend::hello();
    let config = table(&[backend.address()], "", "drain_timeout: 10s");
    let mut gateway = Gateway::launch(&config, 2, "127.0.0.1:0".parse().unwrap());
    let address = gateway.address();
    let slots: Vec<Mutex<Option<Client>>> = (0..4).map(|_| Mutex::new(None)).collect();
    let ask = |client: usize, _| match slots.get(client) {
        Some(slot) => on_persistent_connection(&mut slot.lock().unwrap(), address),
        None => on_new_connection(address),
    };
    let completed = under_load(8, ask, |completed| {
        for _ in 0..3 {
            wait_for(completed, 200);
            let next = Gateway::launch(&config, 2, address);
            wait_for(completed, 100);
            gateway.signal("TERM");
            let old = std::mem::replace(&mut gateway, next);
            let (status, stderr_lines) = old.exit();
            assert_eq!(status.code(), Some(0), "{stderr_lines:?}");
        }
        wait_for(completed, 200);
    });
    assert!(completed >= 1_100);
}

#[test]
fn a_reload_fails_no_request() {
    let (a, b) = (Backend::hello(), Backend::hello());
    let tables = [&a, &b].map(|backend| table(&[backend.address()], "", ""));
    let gateway = Gateway::launch(&tables[0], 2, "127.0.0.1:0".parse().unwrap());
    let address = gateway.address();
    let slots: Vec<Mutex<Option<Client>>> = (0..2).map(|_| Mutex::new(None)).collect();
    let ask = |client: usize, _| match slots.get(client) {
        Some(slot) => on_persistent_connection(&mut slot.lock().unwrap(), address),
        None => on_new_connection(address),
    };
    under_load(4, ask, |completed| {
        for number in 1..=10 {
            gateway.reload(&tables[number % 2]);
            wait_for(completed, 100);
        }
    });
    assert!(a.count() > 0 && b.count() > 0);
}

/// Sends one request of the soak test and checks the response.
fn soak_once(
    client: &mut Option<Client>,
    gateway: std::net::SocketAddr,
    number: usize,
) -> Result<(), String> {
    let mut at = client.take().unwrap_or_else(|| Client::connect(gateway));
    let body = format!("body {number}");
    let (request, method, expected) = match number % 6 {
        0 | 1 => (get("/echo"), "GET", "GET:".to_owned()),
        2 => (post("/stable", &body), "POST", format!("POST:{body}")),
        3 => (
            post("/echo", &body).replace("POST", "PUT"),
            "PUT",
            format!("PUT:{body}"),
        ),
        4 => (
            format!(
                "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                body.len()
            ),
            "PUT",
            format!("PUT:{body}"),
        ),
        _ if number % 12 == 5 => {
            // A client that disconnects at once.
            let _ = at.connection.send(get("/echo"));
            at.connection.reset_on_close();
            return Ok(());
        }
        _ => (get("/large"), "GET", "x".repeat(300_000)),
    };
    let sent = at.connection.send(&request);
    let response = sent.and_then(|()| at.response_to(method));
    let response = response.map_err(|error| format!("{method} {number}: {error}"))?;
    if response.text() != expected {
        let text: String = response.text().chars().take(300).collect();
        return Err(format!("{method} {number}: {} {text}", response.start));
    }
    if !response.closes() && !number.is_multiple_of(50) {
        *client = Some(at);
    }
    Ok(())
}

fn echo() -> impl Fn(&mut crate::backend::Peer) + Send + Sync + 'static {
    let large = ok(&"x".repeat(300_000));
    move |peer| {
        while let Some(request) = peer.request() {
            if request.target() == "/large" {
                peer.send(&large);
            } else {
                peer.send(ok(&format!("{}:{}", request.method(), request.text())));
            }
        }
    }
}

#[test]
fn a_soak() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(4, |seconds| seconds.parse().unwrap());
    // One backend stays. The other one is replaced, and so gets only requests that may be retried.
    let stable = Backend::start(echo());
    let mut replaced = Some(Backend::start(echo()));
    let place = replaced.as_ref().unwrap().socket_address();
    let config = |order: bool| {
        let mut two = [stable.address(), place.to_string()];
        if order {
            two.reverse();
        }
        format!(
            "routes:\n\
             - {{path_pattern: /stable, service: s, backends: [\"{}\"]}}\n\
             - {{path_pattern: /large, service: l, backends: [\"{}\"]}}\n\
             - {{path_pattern: /*, service: e, backends: [\"{}\", \"{}\"]}}\n",
            stable.address(),
            stable.address(),
            two[0],
            two[1]
        )
    };
    let gateway = Gateway::launch(&config(false), 2, "127.0.0.1:0".parse().unwrap());
    let address = gateway.address();
    let slots: Vec<Mutex<Option<Client>>> = (0..6).map(|_| Mutex::new(None)).collect();
    let ask =
        |client: usize, number| soak_once(&mut slots[client].lock().unwrap(), address, number);
    let started = clock::now();
    let (_never, nothing) = mpsc::channel::<()>();
    let completed = under_load(slots.len(), ask, |_| {
        let mut round = 0;
        while started.elapsed() < Duration::from_secs(seconds) {
            let _ = nothing.recv_timeout(Duration::from_millis(100));
            round += 1;
            gateway.reload(&config(round % 2 == 0));
            if round % 5 == 0 {
                replaced = match replaced.take() {
                    Some(_) => None,
                    None => Some(Backend::start_at(place, echo())),
                };
            }
        }
    });
    assert!(completed > 0);
    assert!(!gateway.has_line("reload failed"));
    for slot in &slots {
        slot.lock().unwrap().take();
    }
    gateway.signal("TERM");
    let (status, _) = gateway.exit();
    assert_eq!(status.code(), Some(0));
}
