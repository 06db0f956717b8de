//! A tester that speaks UDS: it reads the VIN, and downloads an image into the ECU.
//!
//! `cargo run --example uds_client` has the ECU of `uds_server` in it, on a virtual bus; with a connection
//! string, such as `raw:vcan0` or `isotpserver:localhost:20000`, it looks for one there.
use indicatif::ProgressBar;
use isotp_examples::Outcome;
use isotp_examples::uds::{self, Tester};
use isotp_tokio::{Config, Network};
use sha2::{Digest, Sha256};
use uds_protocol::{
    DataFormatIdentifier, Decode, DiagnosticSessionType, NegativeResponseCode,
    ReadDataByIdentifierRequest, Request, RequestDownloadRequest, RequestTransferExitRequest,
    Response, TransferDataRequest,
};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    isotp_examples::exit(run().await)
}

async fn run() -> Outcome {
    let words = isotp_examples::words("uds_client [CONNECTION]    such as: raw:vcan0");
    let string = words.first();
    let network = Network::open(string.map_or("virtual:uds", String::as_str)).await?;
    if string.is_none() {
        let ecu = network
            .connect(uds::tester()?.reversed(), Config::uds())
            .await?;
        tokio::spawn(uds::serve(ecu));
    }
    let connection = network.connect(uds::tester()?, Config::uds()).await?;
    let mut tester = Tester::new(connection);

    let vin = Request::ReadDataByIdentifier(ReadDataByIdentifierRequest::new(&[uds::VIN_DID]));
    let vin = tester.insist(&vin).await?;
    println!("VIN: {}", String::from_utf8_lossy(&vin[3..]));
    download(&mut tester, 0x0800_0000, &image()).await?;
    println!("the ECU asked for more time {} times", tester.pending());
    assert!(tester.pending() > 0, "erasing takes longer than P2");
    network.close().await;
    Ok(())
}

async fn download(tester: &mut Tester, address: u64, image: &[u8]) -> Outcome {
    let (plain, size) = (DataFormatIdentifier::NONE, image.len() as u64);
    let download = Request::RequestDownload(RequestDownloadRequest::new(plain, address, size));
    let early = tester.ask(&download).await?.err();
    assert_eq!(
        early,
        Some(NegativeResponseCode::ServiceNotSupportedInActiveSession)
    );

    tester
        .enter(DiagnosticSessionType::ProgrammingSession)
        .await?;
    let answer = tester.insist(&download).await?;
    let Response::RequestDownload(answer) = Response::decode(&answer)?.0 else {
        return Err("expected an answer to the request for a download".into());
    };
    let longest = answer.max_number_of_block_length().iter();
    let longest = longest.fold(0, |length, byte| length << 8 | usize::from(*byte));

    let bar = ProgressBar::new(size); // shows nothing where there is no terminal
    for (number, data) in image.chunks(longest - 2).enumerate() {
        let block = TransferDataRequest::new((number + 1) as u8, data);
        let answer = tester.insist(&Request::TransferData(block)).await?;
        assert_eq!(answer[1], (number + 1) as u8, "the counter comes back");
        bar.inc(data.len() as u64);
    }
    let exit = Request::RequestTransferExit(RequestTransferExitRequest::new(&[]));
    let answer = tester.insist(&exit).await?;
    bar.finish();
    let sum = Sha256::digest(image);
    assert_eq!(answer[1..], sum[..], "the ECU has the image");
    println!("downloaded {size} bytes");
    Ok(())
}

/// More than 256 blocks, so that their counter begins again.
fn image() -> Vec<u8> {
    (0..300_000_u32)
        .map(|at| (at.wrapping_mul(0x9E37_79B1) >> 24) as u8)
        .collect()
}
