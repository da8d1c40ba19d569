//! A backend that does as it is told, and tells what it saw.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use socket2::{Domain, Socket, Type};

use crate::message::{Message, PATIENCE, Wire};

pub(crate) struct Backend {
    address: SocketAddr,
    seen: Arc<Seen>,
}

/// What a backend has seen so far.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) requests: Vec<Message>,
    /// How many connections there have been.
    pub(crate) connections: usize,
    /// How many of them are over.
    pub(crate) closed: usize,
    open: Vec<(usize, TcpStream)>,
    is_stopped: bool,
}

#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    changed: Condvar,
}

/// One connection, as the backend sees it.
pub(crate) struct Peer {
    pub(crate) wire: Wire,
    seen: Arc<Seen>,
}

impl Backend {
    /// A backend that treats each connection so, and closes it then.
    pub(crate) fn start(serve: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), serve)
    }

    pub(crate) fn start_at(
        address: SocketAddr,
        serve: impl Fn(&mut Peer) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let of_thread = Arc::clone(&seen);
        thread::spawn(move || accept(&listener, &of_thread, &Arc::new(serve)));
        Self { address, seen }
    }

    /// A backend that gives these bytes for a request, and keeps connections.
    pub(crate) fn answering(answer: impl Fn(&Message) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(move |peer| {
            while let Some(request) = peer.request() {
                if peer.wire.send(answer(&request)).is_err() {
                    return;
                }
            }
        })
    }

    /// A backend that says `hello`, whatever it is asked.
    pub(crate) fn hello() -> Self {
        Self::answering(|_| ok("hello"))
    }

    /// A backend that says of itself in the body who it is.
    pub(crate) fn named(name: &'static str) -> Self {
        Self::answering(move |_| ok(name))
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) const fn socket_address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until this holds of what it has seen.
    pub(crate) fn wait(&self, mut holds: impl FnMut(&State) -> bool) {
        let state = self.seen.state.lock().unwrap();
        let waited = self
            .seen
            .changed
            .wait_timeout_while(state, PATIENCE, |it| !holds(it));
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
        self.seen.state.lock().unwrap().requests.clone()
    }

    /// The only request that there was.
    pub(crate) fn only_request(&self) -> Message {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.state.lock().unwrap().requests.len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.state.lock().unwrap().connections
    }
}

/// It refuses connections from then on, and breaks those off that are open.
impl Drop for Backend {
    fn drop(&mut self) {
        let mut state = self.seen.state.lock().unwrap();
        state.is_stopped = true;
        for (_, stream) in &state.open {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        drop(state);
        self.seen.changed.notify_all();
        let _ = TcpStream::connect(self.address);
    }
}

impl Peer {
    /// The head of the next request, recorded; none once the gateway has closed.
    pub(crate) fn head(&mut self) -> Option<Message> {
        let head = self.wire.head().ok()??;
        self.record(head.clone());
        Some(head)
    }

    /// The next request with its body, recorded; none once the gateway has closed.
    pub(crate) fn request(&mut self) -> Option<Message> {
        let mut request = self.wire.head().ok()??;
        self.wire.request_body(&mut request).ok()?;
        self.record(request.clone());
        Some(request)
    }

    /// Sends this; whether the gateway takes it shows elsewhere.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.wire.send(bytes);
    }

    /// Waits until the gateway has closed.
    pub(crate) fn wait_closed(&mut self) {
        self.wire.rest();
    }

    /// Reads nothing, as long as the test goes on.
    pub(crate) fn wait_for_nothing(&self) {
        let state = self.seen.state.lock().unwrap();
        let stopped = self.seen.changed.wait_while(state, |it| !it.is_stopped);
        drop(stopped.unwrap());
    }

    fn record(&self, request: Message) {
        self.seen.state.lock().unwrap().requests.push(request);
        self.seen.changed.notify_all();
    }
}

fn accept(
    listener: &TcpListener,
    seen: &Arc<Seen>,
    serve: &Arc<impl Fn(&mut Peer) + Send + Sync + 'static>,
) {
    loop {
        let (stream, _) = listener.accept().unwrap();
        let mut state = seen.state.lock().unwrap();
        if state.is_stopped {
            return;
        }
        let number = state.connections;
        state.connections += 1;
        state.open.push((number, stream.try_clone().unwrap()));
        drop(state);
        seen.changed.notify_all();
        let (seen, serve) = (Arc::clone(seen), Arc::clone(serve));
        thread::spawn(move || {
            let mut peer = Peer {
                wire: Wire::new(stream),
                seen: Arc::clone(&seen),
            };
            serve(&mut peer);
            let mut state = seen.state.lock().unwrap();
            state.open.retain(|(known, _)| *known != number);
            drop(peer);
            state.closed += 1;
            drop(state);
            seen.changed.notify_all();
        });
    }
}

pub(crate) fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", body)
}

pub(crate) fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// An address that refuses connections as long as this is held: nobody else can get it.
pub(crate) struct Refusing(Socket);

impl Refusing {
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

/// An address at which connections neither come about nor are refused.
pub(crate) struct BlackHole {
    address: SocketAddr,
    _full: (Socket, Vec<Socket>),
}

impl BlackHole {
    pub(crate) fn new() -> Self {
        let listener = Refusing::new().0;
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
