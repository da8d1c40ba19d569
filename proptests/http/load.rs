//! Many requests at once while processes, tables and backends come and go: none of them fails.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use tollgate::runtime::clock;

use crate::backend::{Backend, ok};
use crate::client::{Client, get, post};
use crate::gateway::{Gateway, table};
use crate::message::PATIENCE;

/// Has clients ask until `work` is done; gives how many requests were answered.
fn under_load(
    clients: usize,
    ask: impl Fn(usize, usize) -> Result<(), String> + Sync,
    work: impl FnOnce(&AtomicUsize),
) -> usize {
    let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for client in 0..clients {
            let (is_over, answered, failed, ask) = (&is_over, &answered, &failed, &ask);
            scope.spawn(move || {
                // Relaxed: numbers and a flag that order nothing.
                for number in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    match ask(client, number) {
                        Ok(()) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                        Err(why) => failed
                            .lock()
                            .unwrap()
                            .push(format!("{client}/{number}: {why}")),
                    }
                }
            });
        }
        work(&answered);
        is_over.store(true, Ordering::Relaxed);
    });
    let failed = failed.into_inner().unwrap();
    let answered = answered.into_inner();
    assert!(
        failed.is_empty(),
        "{} failed, {answered} did not: {failed:#?}",
        failed.len()
    );
    answered
}

/// Waits until so many more requests have been answered.
fn wait_for(answered: &AtomicUsize, more: usize) {
    let most = answered.load(Ordering::Relaxed) + more;
    let begun = clock::now();
    while answered.load(Ordering::Relaxed) < most {
        assert!(begun.elapsed() < PATIENCE, "the load has stopped");
        thread::yield_now();
    }
}

/// One exchange on a connection of its own.
fn anew(gateway: std::net::SocketAddr) -> Result<(), String> {
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

/// One exchange on a kept connection, which may have been closed meanwhile: then, as every client
/// does with a GET (RFC 9112, section 9.3.1), it is made anew, once.
fn kept(slot: &mut Option<Client>, gateway: std::net::SocketAddr) -> Result<(), String> {
    let Some(mut client) = slot.take() else {
        *slot = Some(Client::connect(gateway));
        return kept(slot, gateway);
    };
    let sent = client.wire.send(get("/"));
    match sent.and_then(|()| client.response_to("GET")) {
        Ok(response) if response.text() == "hello" => {
            *slot = (!response.closes()).then_some(client);
            Ok(())
        }
        Ok(response) => Err(response.text()),
        Err(error) => Err(format!("on a kept connection: {error}")),
    }
}

#[test]
fn another_process_takes_over_and_no_request_fails() {
    let backend = Backend::hello();
    let config = table(&[backend.address()], "", "drain_timeout: 10s");
    let mut gateway = Gateway::launch(&config, 2, "127.0.0.1:0".parse().unwrap());
    let address = gateway.address();
    let slots: Vec<Mutex<Option<Client>>> = (0..4).map(|_| Mutex::new(None)).collect();
    let ask = |client: usize, _| match slots.get(client) {
        Some(slot) => kept(&mut slot.lock().unwrap(), address),
        None => anew(address),
    };
    let answered = under_load(8, ask, |answered| {
        for _ in 0..3 {
            wait_for(answered, 200);
            let next = Gateway::launch(&config, 2, address);
            wait_for(answered, 100);
            gateway.signal("TERM");
            let old = std::mem::replace(&mut gateway, next);
            let (status, said) = old.exit();
            assert_eq!(status.code(), Some(0), "{said:?}");
        }
        wait_for(answered, 200);
    });
    assert!(answered >= 1_100);
}

#[test]
fn tables_are_swapped_and_no_request_fails() {
    let (a, b) = (Backend::hello(), Backend::hello());
    let tables = [&a, &b].map(|backend| table(&[backend.address()], "", ""));
    let gateway = Gateway::launch(&tables[0], 2, "127.0.0.1:0".parse().unwrap());
    let address = gateway.address();
    let slots: Vec<Mutex<Option<Client>>> = (0..2).map(|_| Mutex::new(None)).collect();
    let ask = |client: usize, _| match slots.get(client) {
        Some(slot) => kept(&mut slot.lock().unwrap(), address),
        None => anew(address),
    };
    under_load(4, ask, |answered| {
        for number in 1..=10 {
            gateway.reload(&tables[number % 2]);
            wait_for(answered, 100);
        }
    });
    assert!(a.count() > 0 && b.count() > 0);
}

/// What a client of the soak asks, and what it must get.
fn soaked(
    client: &mut Option<Client>,
    gateway: std::net::SocketAddr,
    number: usize,
) -> Result<(), String> {
    let mut at = client.take().unwrap_or_else(|| Client::connect(gateway));
    let body = format!("body {number}");
    let (request, method, expected) = match number % 6 {
        0 | 1 => (get("/echo"), "GET", "GET:".to_owned()),
        2 => (post("/steady", &body), "POST", format!("POST:{body}")),
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
            // One that leaves at once.
            let _ = at.wire.send(get("/echo"));
            at.wire.break_off();
            return Ok(());
        }
        _ => (get("/large"), "GET", "x".repeat(300_000)),
    };
    let sent = at.wire.send(&request);
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
    // One stays; what comes and goes is asked for nothing that must not be asked twice.
    let steady = Backend::start(echo());
    let mut fleeting = Some(Backend::start(echo()));
    let place = fleeting.as_ref().unwrap().socket_address();
    let config = |order: bool| {
        let mut two = [steady.address(), place.to_string()];
        if order {
            two.reverse();
        }
        format!(
            "routes:\n\
             - {{path_pattern: /steady, service: s, backends: [\"{}\"]}}\n\
             - {{path_pattern: /large, service: l, backends: [\"{}\"]}}\n\
             - {{path_pattern: /*, service: e, backends: [\"{}\", \"{}\"]}}\n",
            steady.address(),
            steady.address(),
            two[0],
            two[1]
        )
    };
    let gateway = Gateway::launch(&config(false), 2, "127.0.0.1:0".parse().unwrap());
    let address = gateway.address();
    let slots: Vec<Mutex<Option<Client>>> = (0..6).map(|_| Mutex::new(None)).collect();
    let ask = |client: usize, number| soaked(&mut slots[client].lock().unwrap(), address, number);
    let begun = clock::now();
    let (_never, nothing) = mpsc::channel::<()>();
    let answered = under_load(slots.len(), ask, |_| {
        let mut round = 0;
        while begun.elapsed() < Duration::from_secs(seconds) {
            let _ = nothing.recv_timeout(Duration::from_millis(100));
            round += 1;
            gateway.reload(&config(round % 2 == 0));
            if round % 5 == 0 {
                fleeting = match fleeting.take() {
                    Some(_) => None,
                    None => Some(Backend::start_at(place, echo())),
                };
            }
        }
    });
    assert!(answered > 0);
    assert!(!gateway.has_said("reload failed"));
    for slot in &slots {
        slot.lock().unwrap().take();
    }
    gateway.signal("TERM");
    let (status, _) = gateway.exit();
    assert_eq!(status.code(), Some(0));
}
