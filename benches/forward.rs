//! The forwarding path: a worker between clients and a backend in the same process, over loopback. For
//! comparison, the same clients connect to the backend directly; the difference is the cost of the
//! gateway. A round is one request on each of 64 persistent connections.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tollgate::config::{LoadOptions, load_file};
use tollgate::control::Reconciler;
use tollgate::frontend::http::listener::Listener;
use tollgate::frontend::http::server::Server;

const CONNECTIONS: u64 = 64;
const REQUEST: &[u8] = b"GET /api/users/123 HTTP/1.1\r\nHost: api.example.com\r\n\
    User-Agent: bench\r\nAccept: */*\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 14:00:00 GMT\r\n\
    Content-Type: application/json\r\nContent-Length: 28\r\n\r\n{\"id\": 123, \"name\": \"Alice\"}";

/// Starts a backend on a new thread. It sends the same response to each request.
fn start_backend() -> SocketAddr {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            sender
                .send(listener.local_addr().expect("an address"))
                .expect("the receiver waits");
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(async move {
                    let mut bytes = [0; 4096];
                    // A request arrives in one piece, and the next one after its response.
                    while matches!(stream.read(&mut bytes).await, Ok(length) if length > 0) {
                        if stream.write_all(RESPONSE).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
    });
    receiver.recv().expect("an address")
}

fn start_gateway(backend: SocketAddr) -> Server {
    let table = format!(
        "routes: [{{path_pattern: /api/users/*, service: users, backends: [\"{backend}\"]}}]"
    );
    let loaded = load_file(&table, LoadOptions::FILE).expect("a table");
    let reconciler = Reconciler::new(loaded, Reconciler::DEFAULT_MAX_REGISTRATIONS);
    let listener = Listener::plain(SocketAddr::from(([127, 0, 0, 1], 0)));
    Server::start(&reconciler.reader(), &Arc::default(), &[listener], 1, None).expect("a server")
}

/// Sends a request on each connection, and reads the responses.
fn round(clients: &mut [TcpStream]) {
    for client in &mut *clients {
        client.write_all(REQUEST).expect("a request goes out");
    }
    let mut bytes = [0; 4096];
    for client in clients {
        let mut length = 0;
        while !bytes.get(..length).is_some_and(|it| it.ends_with(b"}")) {
            let space = bytes.get_mut(length..).expect("the response is short");
            let read = client.read(space).expect("a response arrives");
            assert!(read > 0, "the connection persists");
            length += read;
        }
        assert!(bytes.starts_with(b"HTTP/1.1 200 OK"));
    }
}

fn forward(criterion: &mut Criterion) {
    let backend = start_backend();
    let server = start_gateway(backend);
    let gateway = *server.addresses().first().expect("it listens");
    let mut group = criterion.benchmark_group("forward");
    group.throughput(Throughput::Elements(CONNECTIONS));
    for (name, address) in [("direct", backend), ("tollgate", gateway)] {
        let connect = |_| {
            let client = TcpStream::connect(address).expect("it listens");
            client.set_nodelay(true).expect("a socket");
            client
        };
        let mut clients: Vec<_> = (0..CONNECTIONS).map(connect).collect();
        group.bench_function(name, |bencher| bencher.iter(|| round(&mut clients)));
    }
    group.finish();
    server.drain();
}

criterion_group!(benches, forward);
criterion_main!(benches);
