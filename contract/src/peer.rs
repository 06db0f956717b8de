//! A node that is no connection: it hears frames, and says what it is told to.

use core::future::poll_fn;
use core::task::Poll;

#[cfg(target_os = "linux")]
use async_io::Async;
use isotp_driver::{Bus, Connection, Frame, FrameKind, FrameView, Id, Interest};
#[cfg(target_os = "linux")]
use isotp_socketcan::RawSocket;
use isotp_virtual::Port;

pub(crate) struct Peer {
    node: Node,
    says: Id,
    hears: Vec<Id>,
}

pub(crate) enum Node {
    Port(Port),
    #[cfg(target_os = "linux")]
    Socket(Async<RawSocket>),
}

impl Peer {
    pub(crate) fn new(node: Node, says: Id, hears: Vec<Id>) -> Self {
        Self { node, says, hears }
    }

    /// Sends a frame.
    pub(crate) fn play(&mut self, data: &[u8]) {
        self.play_on(self.says, data);
    }

    /// Sends a frame of another id.
    pub(crate) fn play_on(&mut self, id: Id, data: &[u8]) {
        let frame = FrameView {
            id,
            kind: FrameKind::Classic,
            data,
        };
        match &mut self.node {
            Node::Port(port) => assert!(port.send_frame(frame), "no room for {data:02X?}"),
            #[cfg(target_os = "linux")]
            Node::Socket(socket) => socket.get_ref().try_send(frame).unwrap(),
        }
    }

    /// Has the connection hear all that was said until now.
    pub(crate) async fn is_heard_by(&mut self, connection: &Connection) {
        self.play(&[2, 0xEE, 0xEE]);
        assert_eq!(connection.recv().await.unwrap(), [0xEE; 2]);
    }

    /// The data of the next frame that it hears.
    pub(crate) async fn heard(&mut self) -> Vec<u8> {
        self.frame().await.view().data.to_vec()
    }

    /// The next frame that it hears.
    pub(crate) async fn frame(&mut self) -> Frame {
        loop {
            let frame = self.any_frame().await;
            if self.hears.contains(&frame.view().id) {
                return frame;
            }
        }
    }

    /// The next frame of the bus.
    async fn any_frame(&mut self) -> Frame {
        match &mut self.node {
            Node::Port(port) => {
                poll_fn(|cx| {
                    loop {
                        if let Some(frame) = port.try_frame() {
                            return Poll::Ready(frame);
                        }
                        if port.poll_ready(cx, Interest::READABLE).is_pending() {
                            return Poll::Pending;
                        }
                    }
                })
                .await
            }
            #[cfg(target_os = "linux")]
            Node::Socket(socket) => {
                let mut frame = Frame::new();
                loop {
                    match socket.get_ref().try_receive(&mut frame) {
                        Ok(received) if received.is_echo() => {}
                        Ok(_) => return frame,
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                            socket.readable().await.unwrap();
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        }
    }
}
