//! Vanished TCP peers.

use core::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// When a TCP peer that says nothing is asked whether it is still there.
///
/// One that vanished is found out after 25 seconds, if nothing is on its way to it: reading then fails.
/// What is on its way is resent by the system until it gives up, by its own rules: on Linux after some 15
/// minutes. That is not shortened (`TCP_USER_TIMEOUT`), since a limit would count for a peer as well that
/// answers but has no room, because its bus is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence before the first probe.
    pub idle: Duration,
    /// Between two probes.
    pub interval: Duration,
    /// How many probes without an answer are the end.
    pub probes: u32,
}

impl Keepalive {
    /// Asks the peer of this stream so, where the system can; and what is written goes at once.
    ///
    /// For the [`Stream`](crate::Stream)s of a runtime. Some systems refuse it where the connection is over already: that
    /// is no error here, reading will tell.
    #[cfg(unix)]
    pub fn set_up(self, stream: &impl std::os::fd::AsFd) {
        self.apply(&SockRef::from(stream));
    }

    /// Asks the peer of this stream so, where the system can; and what is written goes at once.
    ///
    /// For the [`Stream`](crate::Stream)s of a runtime. Some systems refuse it where the connection is over already: that
    /// is no error here, reading will tell.
    #[cfg(windows)]
    pub fn set_up(self, stream: &impl std::os::windows::io::AsSocket) {
        self.apply(&SockRef::from(stream));
    }

    fn apply(self, socket: &SockRef<'_>) {
        let keepalive = TcpKeepalive::new().with_time(self.idle);
        #[cfg(any(
            target_os = "android",
            target_os = "freebsd",
            target_os = "ios",
            target_os = "linux",
            target_os = "macos",
            target_os = "netbsd",
            target_os = "windows",
        ))]
        let keepalive = keepalive
            .with_interval(self.interval)
            .with_retries(self.probes);
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_tcp_keepalive(&keepalive);
    }
}

impl Default for Keepalive {
    /// 10 seconds of silence, then 3 probes, 5 seconds apart.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(10),
            interval: Duration::from_secs(5),
            probes: 3,
        }
    }
}
