//! Connections to backends: names to addresses, address after address.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::engine::upstream::backend::Address;
use crate::runtime::connection::Http1Connection;
use crate::runtime::connection::Socket;
use crate::runtime::deadline::Deadline;
use crate::runtime::upstream::error::UpstreamError;
use crate::runtime::upstream::secure::Secure;

/// The addresses that a name had when it was last asked for.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    known: RefCell<Option<(u64, Vec<SocketAddr>)>>,
}

/// A name is asked for again after this long, and after no address of it could be reached.
const MAX_AGE_MS: u64 = 5_000;

impl Resolved {
    async fn addresses(&self, to: &Address, now: u64) -> io::Result<Vec<SocketAddr>> {
        let host = to.host().trim_matches(['[', ']']);
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, to.port())]);
        }
        if let Some((since, known)) = &*self.known.borrow()
            && now.saturating_sub(*since) < MAX_AGE_MS
        {
            return Ok(known.clone());
        }
        let found: Vec<SocketAddr> = lookup_host((host, to.port())).await?.collect();
        if found.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        *self.known.borrow_mut() = Some((now, found.clone()));
        Ok(found)
    }

    /// A new connection to a backend, with TLS if it is asked for.
    ///
    /// # Errors
    /// If the name has no address, none of its addresses can be reached in time, or TLS fails.
    pub(crate) async fn connect(
        &self,
        to: &Address,
        secure: Option<&Secure>,
        time: Duration,
        deadline: &Deadline,
    ) -> Result<Http1Connection, UpstreamError> {
        deadline.set(deadline.after(Some(time)));
        let connected = deadline
            .within(self.connect_whole(to, secure, time, deadline.now()))
            .await;
        deadline.clear();
        let connected = connected.unwrap_or(Err(UpstreamError::ConnectTimeout));
        if connected.is_err() {
            *self.known.borrow_mut() = None;
        }
        connected
    }

    async fn connect_whole(
        &self,
        to: &Address,
        secure: Option<&Secure>,
        time: Duration,
        now: u64,
    ) -> Result<Http1Connection, UpstreamError> {
        let tcp = self.connect_any(to, time, now).await?;
        // Small requests shall not wait for acknowledgements of others.
        let _ = tcp.set_nodelay(true);
        Ok(Http1Connection::new(match secure {
            Some(secure) => secure.connect(tcp).await?,
            None => Socket::Plain(tcp),
        }))
    }

    /// Tries address after address. Where there are several, each has its share of the time: one
    /// that is silent must not use up that of the others.
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

    /// A listener whose queue is full: to its address connections neither come about nor are
    /// refused.
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
    async fn an_address_that_is_silent_leaves_time_for_the_next() {
        let (silent, _held) = silent();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let resolved = Resolved::default();
        let known = vec![silent, listener.local_addr().unwrap()];
        *resolved.known.borrow_mut() = Some((0, known));
        let deadline = std::rc::Rc::new(Deadlines::new(Box::new(|| 0))).register();
        let to = Address::parse("a-name:1").unwrap();
        let time = Duration::from_millis(200);
        let connected = resolved.connect(&to, None, time, &deadline).await;
        assert!(connected.is_ok(), "{connected:?}");
    }
}
