//! Connections to backends: names to addresses, address after address.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};

use crate::engine::backend::Address;
use crate::runtime::stream::Stream;
use crate::runtime::sweep::Watch;
use crate::runtime::upstream::fault::UpstreamFault;
use crate::runtime::upstream::secure::Secure;
use crate::runtime::wire::Wire;

/// The addresses that a name had when it was last asked for.
#[derive(Debug, Default)]
pub struct Resolved {
    known: RefCell<Option<(u64, Vec<SocketAddr>)>>,
}

/// A name is asked for again after this long, and after no address of it could be reached.
const MOST_AGE_MS: u64 = 5_000;

impl Resolved {
    async fn addresses(&self, to: &Address, now: u64) -> io::Result<Vec<SocketAddr>> {
        let host = to.host().trim_matches(['[', ']']);
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, to.port())]);
        }
        if let Some((since, known)) = &*self.known.borrow()
            && now.saturating_sub(*since) < MOST_AGE_MS
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
    pub async fn connect(
        &self,
        to: &Address,
        secure: Option<&Secure>,
        time: Duration,
        watch: &Watch,
    ) -> Result<Wire, UpstreamFault> {
        watch.set(watch.after(Some(time)));
        let connected = within(watch, self.connect_whole(to, secure, watch.now())).await;
        watch.clear();
        let connected = connected.unwrap_or(Err(UpstreamFault::ConnectTimeout));
        if connected.is_err() {
            *self.known.borrow_mut() = None;
        }
        connected
    }

    async fn connect_whole(
        &self,
        to: &Address,
        secure: Option<&Secure>,
        now: u64,
    ) -> Result<Wire, UpstreamFault> {
        let tcp = self.connect_any(to, now).await?;
        // Small requests shall not wait for acknowledgements of others.
        let _ = tcp.set_nodelay(true);
        Ok(Wire::new(match secure {
            Some(secure) => secure.connect(tcp).await?,
            None => Stream::Plain(tcp),
        }))
    }

    async fn connect_any(&self, to: &Address, now: u64) -> Result<TcpStream, UpstreamFault> {
        let addresses = self.addresses(to, now).await;
        let mut last = io::ErrorKind::NotFound.into();
        for address in addresses.map_err(UpstreamFault::NameUnresolved)? {
            match TcpStream::connect(address).await {
                Ok(tcp) => return Ok(tcp),
                Err(error) => last = error,
            }
        }
        Err(UpstreamFault::ConnectFailed(last))
    }
}

/// What a future gives; none if the deadline is over first.
pub async fn within<F: Future>(watch: &Watch, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if watch.is_over(cx) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}
