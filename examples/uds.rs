//! What `uds_client` and `uds_server` share: the address, how messages become bytes, the ECU and the tester.

mod download;
mod ecu;
mod tester;

pub use tester::Tester;

use core::time::Duration;

use isotp_tokio::{Address, Connection, Id};
use tokio::time::{Instant, sleep_until, timeout_at};
use uds_protocol::{Encode, NegativeResponse, NegativeResponseCode, P2StarServerMax};

use crate::Outcome;
use ecu::Ecu;

/// How long the ECU takes at most until an answer begins, in milliseconds: P2.
pub const P2_MS: u16 = 50;
/// The same after it has said that the answer takes longer: P2*.
pub const P2_STAR: P2StarServerMax = P2StarServerMax::from_tens_of_millis(100);
/// Where the tester finds the vehicle identification number.
pub const VIN_DID: u16 = 0xF190;
/// How long the memory takes to be erased: longer than P2, and than any tester waits without word.
const ERASING: Duration = Duration::from_millis(700);

/// The address of the tester; that of the ECU is the [reversed](Address::reversed) one.
///
/// # Errors
/// None: the ids fit.
pub fn tester() -> Outcome<Address> {
    Ok(Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?)
}

/// The bytes of a request or a response.
#[must_use]
pub fn encode(message: &impl Encode<Error = uds_protocol::Error>) -> Vec<u8> {
    let mut bytes = vec![0; message.encoded_size().unwrap_or_default()];
    let written = message.encode_to_slice(&mut bytes).unwrap_or_default();
    bytes.truncate(written);
    bytes
}

/// Answers one request after the other, until the connection is over.
pub async fn serve(connection: Connection) {
    let mut ecu = Ecu::default();
    while let Ok(request) = connection.recv().await {
        let answer = ecu.answer(&request);
        if let ([0x34, ..], [0x74, ..]) = (&request[..], answer.as_deref().unwrap_or_default()) {
            erase(&connection, request[0]).await;
        }
        if let Some(answer) = answer
            && let Err(error) = connection.send(answer).await
        {
            println!("ECU: an answer was not sent: {error}");
        }
    }
}

/// Work that takes longer than P2: the tester hears of it at once, and again before P2* is over.
async fn erase(connection: &Connection, service: u8) {
    let pending = NegativeResponseCode::RequestCorrectlyReceivedResponsePending;
    let pending = encode(&uds_protocol::Response::NegativeResponse(
        NegativeResponse::new_with_sid(service, pending),
    ));
    let work = sleep_until(Instant::now() + ERASING);
    tokio::pin!(work);
    loop {
        connection.send(pending.clone()).await.ok();
        let again = Instant::now() + Duration::from_millis(P2_STAR.as_millis().into()) / 2;
        if timeout_at(again, &mut work).await.is_ok() {
            return;
        }
    }
}
