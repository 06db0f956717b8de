//! The kernel's filters: who is woken by what.

use std::time::Instant;

use isotp_driver::{Address, Bus, FrameKind, FrameView, process_time};
use isotp_socketcan::{Filtering, RawBus, RawSocket};
use isotp_tokio::Tokio;

use super::{case, connect, open, said};
use crate::case::Case;
use crate::deadline::{message, under_tokio, within};
use crate::parameters::{Parameters, id};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("filters/ten-thousand-links", &[], 85, ten_thousand_links),
        case(
            "filters/foreign-frames-wake-nobody",
            &[],
            30,
            foreign_frames,
        ),
        case("filters/a-tap-sees-foreign-frames", &[], 30, tap),
    ]
}

/// A tap opens the filters, and its end closes them again.
fn tap(interface: &str) -> Result<String, String> {
    let peer = RawSocket::open(interface).map_err(said)?;
    let foreign = |value: u16| {
        let sent = FrameView {
            id: id(u32::from(value)),
            kind: FrameKind::Classic,
            data: &[1],
        };
        peer.try_send(sent).map_err(said)
    };
    under_tokio(20, async {
        let socket = RawSocket::open(interface).map_err(said)?;
        let bus = RawBus::new(&Tokio::current(), socket).map_err(said)?;
        let monitor = bus.monitor();
        let network = isotp_tokio::Network::with_bus(bus);
        let connection = connect(&network, &Parameters::default()).await?;
        let tap = network.tap(16).map_err(said)?;
        // the driver has seen the tap when it has served a later command
        let other = connect(&network, &Parameters::default().reversed()).await?;
        foreign(0x123)?;
        let seen = within("a frame at the tap", tap.recv()).await?.frame;
        if seen.id() != id(0x123) {
            return Err(format!("the tap saw {seen}"));
        }
        drop(tap);
        drop(other);
        connection.send([1]).await.map_err(said)?;
        match monitor.filtering() {
            Filtering::Exact(2) => Ok(format!("saw {seen}")),
            other => Err(format!("without the tap: {other:?}")),
        }
    })
}

/// Ten thousand links come one at a time, the last as fast as the first, and work.
fn ten_thousand_links(interface: &str) -> Result<String, String> {
    under_tokio(80, async {
        let socket = RawSocket::open(interface).map_err(said)?;
        let bus = RawBus::new(&Tokio::current(), socket).map_err(said)?;
        let monitor = bus.monitor();
        let network = isotp_tokio::Network::with_bus(bus);
        let peer = open(interface).await?;
        let mut connections = Vec::new();
        let mut thousands = Vec::new();
        let mut begin = Instant::now();
        for link in 0..10_000u32 {
            let parameters = parameters(link)?;
            connections.push(connect(&network, &parameters).await?);
            if link % 1000 == 999 {
                thousands.push(begin.elapsed());
                begin = Instant::now();
            }
        }
        let filtering = monitor.filtering();
        if !matches!(filtering, Filtering::Merged { .. }) {
            return Err(format!("{filtering:?}"));
        }
        let (first, last) = (thousands[0], thousands[9]);
        if last > 4 * first {
            return Err(format!(
                "the first thousand took {first:?}, the last {last:?}"
            ));
        }
        for link in [0, 511, 512, 5000, 9999u32] {
            let other = connect(&peer, &parameters(link)?.reversed()).await?;
            let connection = &connections[link as usize];
            connection.send(vec![7; 100]).await.map_err(said)?;
            crate::endpoint::same(&[7; 100], message(&other).await?.as_ref())?;
            other.send(vec![8; 100]).await.map_err(said)?;
            crate::endpoint::same(&[8; 100], message(connection).await?.as_ref())?;
        }
        Ok(format!(
            "{filtering}; first thousand {first:?}, last {last:?}"
        ))
    })
}

fn parameters(link: u32) -> Result<Parameters, String> {
    let address = Address::normal(id(0x18DA_0000 + link), id(0x10DA_0000 + link));
    Ok(Parameters {
        address: address.map_err(said)?,
        ..Parameters::default()
    })
}

/// A busy bus of other nodes costs a network nothing, with a link and without.
fn foreign_frames(interface: &str) -> Result<String, String> {
    let sender = RawSocket::open(interface).map_err(said)?;
    sender.set_filters(&[]).map_err(said)?;
    under_tokio(25, async {
        let socket = RawSocket::open(interface).map_err(said)?;
        let mut bus = RawBus::new(&Tokio::current(), socket).map_err(said)?;
        let mut frame = isotp_driver::Frame::new();
        let foreign = FrameView {
            id: id(0x555),
            kind: FrameKind::Classic,
            data: &[1, 2, 3],
        };
        let timeout = Some(core::time::Duration::from_secs(1));
        // without a link
        sender.send(foreign, timeout).map_err(said)?;
        tokio::task::yield_now().await;
        // with one, of another id
        bus.connected(&Parameters::default().address);
        bus.flush(process_time()).map_err(said)?;
        sender.send(foreign, timeout).map_err(said)?;
        // what comes first is ours
        let ours = FrameView {
            id: Parameters::default().address.rx().id(),
            ..foreign
        };
        sender.send(ours, timeout).map_err(said)?;
        loop {
            let interest = isotp_driver::Interest::READABLE;
            let ready = core::future::poll_fn(|cx| bus.poll_ready(cx, interest));
            within("the frame that is ours", ready).await?;
            if bus
                .receive(process_time(), &mut frame)
                .map_err(said)?
                .is_some()
            {
                break;
            }
        }
        if frame.view() != ours {
            return Err(format!("woken by {frame}"));
        }
        Ok(String::new())
    })
}
