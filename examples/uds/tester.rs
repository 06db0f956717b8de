//! The tester: one request after the other, with the times that the ECU has announced.

use core::time::Duration;

use crate::Outcome;
use isotp_tokio::{Connection, Message};
use uds_protocol::{
    Decode, DiagnosticSessionControlRequest, DiagnosticSessionType, NegativeResponseCode, Request,
    Response,
};

use super::encode;

/// What the way of the frames, and a busy machine, may add to P2.
const MARGIN: Duration = Duration::from_millis(450);

/// A UDS client.
#[derive(Debug)]
pub struct Tester {
    connection: Connection,
    p2: Duration,
    p2_star: Duration,
    pending: u32,
}

impl Tester {
    /// With the times of the standard, until the ECU tells its own.
    #[must_use]
    pub const fn new(connection: Connection) -> Self {
        Self {
            connection,
            p2: Duration::from_millis(50),
            p2_star: Duration::from_secs(5),
            pending: 0,
        }
    }

    /// The positive answer, or the code of a refusal.
    ///
    /// # Errors
    /// The connection failed, no answer came in time, or one that is no UDS.
    pub async fn ask(
        &mut self,
        request: &Request<'_>,
    ) -> Outcome<Result<Message, NegativeResponseCode>> {
        while self.connection.try_recv()?.is_some() {} // answers that came too late
        self.connection.send(encode(request)).await?;
        let mut limit = self.p2;
        loop {
            // P2 ends with the first frame of the answer, however long the rest takes
            let answer = self.connection.recv_timeout(limit + MARGIN).await?;
            match Response::decode(&answer)?.0 {
                Response::NegativeResponse(refusal) => match refusal.nrc() {
                    NegativeResponseCode::RequestCorrectlyReceivedResponsePending => {
                        (self.pending, limit) = (self.pending + 1, self.p2_star);
                    }
                    code => return Ok(Err(code)),
                },
                _ => return Ok(Ok(answer)),
            }
        }
    }

    /// The positive answer, which begins with these bytes.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), a refusal, and an answer that begins with other bytes.
    pub async fn insist(&mut self, request: &Request<'_>, begin: &[u8]) -> Outcome<Message> {
        match self.ask(request).await? {
            Ok(answer) if answer.starts_with(begin) => Ok(answer),
            Ok(answer) => Err(format!("expected {begin:02X?} .., got {:02X?}", &answer[..]).into()),
            Err(code) => Err(format!("the ECU refused: {code:?}").into()),
        }
    }

    /// Changes the session, and keeps to the times that the ECU has in it.
    ///
    /// # Errors
    /// As [`insist`](Self::insist).
    pub async fn enter(&mut self, session: DiagnosticSessionType) -> Outcome {
        let request = DiagnosticSessionControlRequest::new(false, session);
        let request = Request::DiagnosticSessionControl(request);
        let answer = self.insist(&request, &[0x50]).await?;
        let Response::DiagnosticSessionControl(answer) = Response::decode(&answer)?.0 else {
            return Err("expected an answer to the request for a session".into());
        };
        self.p2 = Duration::from_millis(answer.p2_server_max_ms.into());
        self.p2_star = Duration::from_millis(answer.p2_star_server_max.as_millis().into());
        Ok(())
    }

    /// How often the ECU has asked for more time: response pending, 0x78.
    #[must_use]
    pub const fn pending(&self) -> u32 {
        self.pending
    }
}
