//! A scripted backend that records the requests it receives.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use socket2::{Domain, Socket, Type};

use crate::message::{Connection, Message, TEST_TIMEOUT};

pub(crate) struct Backend {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What a backend has recorded so far.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) requests: Vec<Message>,
    /// The number of accepted connections.
    pub(crate) connections: usize,
    /// The number of them that are closed.
    pub(crate) closed: usize,
    open: Vec<(usize, TcpStream)>,
    is_stopped: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// One connection of a backend.
pub(crate) struct Peer {
    pub(crate) connection: Connection,
    shared: Arc<Shared>,
}

impl Backend {
    /// A backend that runs `serve` for each connection and then closes it.
    pub(crate) fn start(serve: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), serve)
    }

    pub(crate) fn start_at(
        address: SocketAddr,
        serve: impl Fn(&mut Peer) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &for_thread, &Arc::new(serve)));
        Self { address, shared }
    }

    /// A backend that responds to each request with these bytes and keeps connections open.
    pub(crate) fn responding(
        respond: impl Fn(&Message) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::start(move |peer| {
            while let Some(request) = peer.request() {
                if peer.connection.send(respond(&request)).is_err() {
                    return;
                }
            }
        })
    }

    /// A backend that responds `hello` to every request.
    pub(crate) fn hello() -> Self {
        Self::responding(|_| ok("hello"))
    }

    /// A backend that responds with its name.
    pub(crate) fn named(name: &'static str) -> Self {
        Self::responding(move |_| ok(name))
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) const fn socket_address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until `holds` is true of its state.
    pub(crate) fn wait(&self, mut holds: impl FnMut(&State) -> bool) {
        let state = self.shared.state.lock().unwrap();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, TEST_TIMEOUT, |it| !holds(it));
        let (state, timeout) = waited.unwrap();
        let counts = (state.connections, state.closed, state.requests.clone());
        drop(state);
        let (connections, closed, requests) = counts;
        assert!(
            !timeout.timed_out(),
            "{connections} connections, {closed} closed: {requests:?}"
        );
    }

    pub(crate) fn requests(&self) -> Vec<Message> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    /// The only request received.
    pub(crate) fn only_request(&self) -> Message {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.shared.state.lock().unwrap().requests.len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.state.lock().unwrap().connections
    }
}

/// Closes the listener and all open connections.
impl Drop for Backend {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock().unwrap();
        state.is_stopped = true;
        for (_, stream) in &state.open {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        drop(state);
        self.shared.changed.notify_all();
        let _ = TcpStream::connect(self.address);
    }
}

impl Peer {
    /// Reads and records the head of the next request; `None` once the gateway has closed.
    pub(crate) fn head(&mut self) -> Option<Message> {
        let head = self.connection.head().ok()??;
        self.record(head.clone());
        Some(head)
    }

    /// Reads and records the next request with its body; `None` once the gateway has closed.
    pub(crate) fn request(&mut self) -> Option<Message> {
        let mut request = self.connection.head().ok()??;
        self.connection.request_body(&mut request).ok()?;
        self.record(request.clone());
        Some(request)
    }

    /// Sends bytes; errors are ignored.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.connection.send(bytes);
    }

    /// Waits until the gateway closes the connection.
    pub(crate) fn wait_closed(&mut self) {
        self.connection.rest();
    }

    /// Reads nothing until the backend is dropped.
    pub(crate) fn wait_until_stopped(&self) {
        let state = self.shared.state.lock().unwrap();
        let stopped = self.shared.changed.wait_while(state, |it| !it.is_stopped);
        drop(stopped.unwrap());
    }

    fn record(&self, request: Message) {
        self.shared.state.lock().unwrap().requests.push(request);
        self.shared.changed.notify_all();
    }
}

fn accept(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    serve: &Arc<impl Fn(&mut Peer) + Send + Sync + 'static>,
) {
    loop {
        let (stream, _) = listener.accept().unwrap();
        let mut state = shared.state.lock().unwrap();
        if state.is_stopped {
            return;
        }
        let number = state.connections;
        state.connections += 1;
        state.open.push((number, stream.try_clone().unwrap()));
        drop(state);
        shared.changed.notify_all();
        let (shared, serve) = (Arc::clone(shared), Arc::clone(serve));
        thread::spawn(move || {
            let mut peer = Peer {
                connection: Connection::new(stream),
                shared: Arc::clone(&shared),
            };
            serve(&mut peer);
            let mut state = shared.state.lock().unwrap();
            state.open.retain(|(known, _)| *known != number);
            drop(peer);
            state.closed += 1;
            drop(state);
            shared.changed.notify_all();
        });
    }
}

pub(crate) fn ok(body: &str) -> Vec<u8> {
    response_with("200 OK", body)
}

pub(crate) fn response_with(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// A bound port that does not listen, so that connecting fails. No other process can bind it.
pub(crate) struct ClosedPort(Socket);

impl ClosedPort {
    pub(crate) fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        socket.bind(&any.into()).unwrap();
        Self(socket)
    }

    pub(crate) fn address(&self) -> String {
        let address = self.0.local_addr().unwrap().as_socket().unwrap();
        address.to_string()
    }
}

/// An address at which connecting neither succeeds nor fails.
pub(crate) struct BlackHole {
    address: SocketAddr,
    _full: (Socket, Vec<Socket>),
}

impl BlackHole {
    pub(crate) fn new() -> Self {
        let listener = ClosedPort::new().0;
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let fillers: Vec<Socket> = (0..4)
            .map(|_| {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                socket.set_nonblocking(true).unwrap();
                let _ = socket.connect(&address);
                socket
            })
            .collect();
        Self {
            address: address.as_socket().unwrap(),
            _full: (listener, fillers),
        }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }
}
