//! Opening the sockets to listen on.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use listenfd::ListenFd;
use tokio::net::TcpListener;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {}", plain(cause))]
pub struct BindError {
    /// The address as configured.
    pub address: SocketAddr,
    /// What the system said.
    pub cause: io::Error,
}

/// Listens on every address, or on none if one of them is refused.
///
/// `[::]` takes IPv4 as well, as Linux does by default, and means `0.0.0.0` where there is no IPv6.
///
/// # Errors
/// The first address that is refused.
pub async fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for &address in addresses {
        listeners.push(bind_one(address).await.map_err(|cause| BindError { address, cause })?);
    }
    Ok(listeners)
}

/// Why there is no socket of systemd's.
#[derive(Debug, thiserror::Error)]
pub enum InheritError {
    /// systemd has started us without a socket unit, or not at all.
    #[error("systemd has opened no socket: there must be a socket unit")]
    None,
    /// One is of another kind.
    #[error("systemd has opened a socket that is not for TCP")]
    NotTcp(#[source] io::Error),
    /// The system refuses it.
    #[error("systemd has opened a socket that cannot be used")]
    Unusable(#[source] io::Error),
}

/// The sockets that systemd has opened for us (`ListenStream=` of a socket unit).
///
/// # Errors
/// There is none, or one is not for TCP.
pub fn inherit() -> Result<Vec<TcpListener>, InheritError> {
    let mut sockets = ListenFd::from_env();
    let mut listeners = Vec::with_capacity(sockets.len());
    for index in 0..sockets.len() {
        let listener = sockets.take_tcp_listener(index).map_err(InheritError::NotTcp)?;
        let usable = |listener: std::net::TcpListener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        };
        listeners.extend(listener.map(usable).transpose().map_err(InheritError::Unusable)?);
    }
    if listeners.is_empty() { Err(InheritError::None) } else { Ok(listeners) }
}

async fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let error = match TcpListener::bind(address).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    let everywhere = address.ip() == Ipv6Addr::UNSPECIFIED;
    if !everywhere || matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) {
        return Err(error);
    }
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await.map_err(|_| error)
}

/// The usual causes in their short, lower-case form; the system's own words end in an error number.
fn plain(cause: &io::Error) -> String {
    match cause.kind() {
        kind @ (ErrorKind::AddrInUse
        | ErrorKind::AddrNotAvailable
        | ErrorKind::PermissionDenied) => kind.to_string(),
        _ => cause.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(port: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, port).into()
    }

    #[tokio::test]
    async fn a_taken_port_is_named_with_its_cause() {
        let taken = bind(&[local(0)]).await.unwrap();
        let address = taken[0].local_addr().unwrap();
        let error = bind(&[local(0), address]).await.unwrap_err();
        assert_eq!(error.to_string(), format!("{address}: address in use"));
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_named_with_its_cause() {
        let elsewhere: SocketAddr = "192.0.2.1:15038".parse().unwrap();
        let error = bind(&[elsewhere]).await.unwrap_err();
        assert_eq!(error.to_string(), "192.0.2.1:15038: address not available");
    }

    #[tokio::test]
    async fn everywhere_takes_ipv4_as_well() {
        let listeners = bind(&[(Ipv6Addr::UNSPECIFIED, 0).into()]).await.unwrap();
        let port = listeners[0].local_addr().unwrap().port();
        tokio::net::TcpStream::connect(local(port)).await.unwrap();
    }
}
