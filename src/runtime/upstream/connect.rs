//! Opens connections to a backend: resolves its name and connects to its addresses in order.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::engine::upstream::Address;
use crate::runtime::connection::{Http1Connection, Socket};
use crate::runtime::deadline::Deadline;
use crate::runtime::upstream::error::UpstreamError;
use crate::runtime::upstream::tls::BackendTls;

/// The cached addresses of one backend.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    cached: RefCell<Option<(u64, Vec<SocketAddr>)>>,
}

/// How long addresses are cached. They are also dropped when connecting fails.
const MAX_AGE_MS: u64 = 5_000;

impl Resolver {
    async fn addresses(&self, to: &Address, now: u64) -> io::Result<Vec<SocketAddr>> {
        let host = to.host().trim_matches(['[', ']']);
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, to.port())]);
        }
        if let Some((since, cached)) = &*self.cached.borrow()
            && now.saturating_sub(*since) < MAX_AGE_MS
        {
            return Ok(cached.clone());
        }
        let found: Vec<SocketAddr> = lookup_host((host, to.port())).await?.collect();
        if found.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        *self.cached.borrow_mut() = Some((now, found.clone()));
        Ok(found)
    }

    /// Opens a connection, with TLS if `tls` is set. `time` bounds all of it.
    ///
    /// # Errors
    /// If the name does not resolve, no address accepts in time, or the TLS handshake fails.
    pub(crate) async fn connect(
        &self,
        to: &Address,
        tls: Option<&BackendTls>,
        time: Duration,
        deadline: &Deadline,
    ) -> Result<Http1Connection, UpstreamError> {
        deadline.set(deadline.after(Some(time)));
        let connected = deadline
            .within(self.connect_inner(to, tls, time, deadline.now()))
            .await;
        deadline.clear();
        let connected = connected.unwrap_or(Err(UpstreamError::ConnectTimeout));
        if connected.is_err() {
            *self.cached.borrow_mut() = None;
        }
        connected
    }

    async fn connect_inner(
        &self,
        to: &Address,
        tls: Option<&BackendTls>,
        time: Duration,
        now: u64,
    ) -> Result<Http1Connection, UpstreamError> {
        let tcp = self.connect_any(to, time, now).await?;
        // Small requests must not wait for acknowledgements.
        let _ = tcp.set_nodelay(true);
        Ok(Http1Connection::new(match tls {
            Some(tls) => tls.connect(tcp).await?,
            None => Socket::Plain(tcp),
        }))
    }

    /// Connects to the addresses in order. They share the time equally, so that one that does not
    /// respond leaves time for the others.
    async fn connect_any(
        &self,
        to: &Address,
        time: Duration,
        now: u64,
    ) -> Result<TcpStream, UpstreamError> {
        let addresses = self.addresses(to, now).await;
        let addresses = addresses.map_err(UpstreamError::NameUnresolved)?;
        let mut last = io::ErrorKind::NotFound.into();
        for address in &addresses {
            let connecting = TcpStream::connect(*address);
            let connected = match u32::try_from(addresses.len()).unwrap_or(u32::MAX) {
                0 | 1 => connecting.await,
                count => match timeout(time / count, connecting).await {
                    Ok(connected) => connected,
                    Err(_) => Err(io::ErrorKind::TimedOut.into()),
                },
            };
            match connected {
                Ok(tcp) => return Ok(tcp),
                Err(error) => last = error,
            }
        }
        Err(UpstreamError::ConnectFailed(last))
    }
}

#[cfg(test)]
mod tests {
    use socket2::{Domain, Socket, Type};

    use super::*;
    use crate::runtime::deadline::Deadlines;

    /// A listener whose queue is full: it neither accepts nor rejects connections.
    fn silent() -> (SocketAddr, Vec<Socket>) {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let listener = socket();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = vec![listener];
        held.extend((0..4).map(|_| {
            let filler = socket();
            filler.set_nonblocking(true).unwrap();
            let _ = filler.connect(&address);
            filler
        }));
        (address.as_socket().unwrap(), held)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_unresponsive_address_leaves_time_for_the_next() {
        let (silent, _held) = silent();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let resolver = Resolver::default();
        let cached = vec![silent, listener.local_addr().unwrap()];
        *resolver.cached.borrow_mut() = Some((0, cached));
        let deadline = std::rc::Rc::new(Deadlines::new(Box::new(|| 0))).register();
        let to = Address::parse("a-name:1").unwrap();
        let time = Duration::from_millis(200);
        let connected = resolver.connect(&to, None, time, &deadline).await;
        assert!(connected.is_ok(), "{connected:?}");
    }
}
