//! A tester that speaks UDS: it reads the VIN, and downloads an image into the ECU.
//!
//! | command | what it does |
//! |---|---|
//! | `cargo run --example uds_client` | both, and checks, with the ECU of `uds_server` in it, on a virtual bus |
//! | `.. uds_client -- CONNECTION` | reads the VIN of the ECU there (ids 7E0, 7E8), in its default session |
//! | `.. uds_client -- CONNECTION download` | also has it erase and overwrite its memory at 0x08000000 |
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

const USAGE: &str = "uds_client [CONNECTION [download]]    such as: raw:vcan0, which reads the VIN; \
    download overwrites memory of the ECU";

#[tokio::main]
async fn main() -> std::process::ExitCode {
    isotp_examples::exit(run().await)
}

async fn run() -> Outcome {
    let words = isotp_examples::words(USAGE);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ([] | [_] | [_, "download"]) = words[..] else {
        return Err(format!("expected {USAGE}").into());
    };
    let network = Network::open(words.first().unwrap_or(&"virtual:uds")).await?;
    let ecu_inside = words.is_empty();
    if ecu_inside {
        let address = uds::tester()?.reversed();
        tokio::spawn(uds::serve(network.connect(address, Config::uds()).await?));
    }
    let mut tester = Tester::new(network.connect(uds::tester()?, Config::uds()).await?);

    tester.enter(DiagnosticSessionType::DefaultSession).await?; // whatever a tester before has left
    let vin = Request::ReadDataByIdentifier(ReadDataByIdentifierRequest::new(&[uds::VIN_DID]));
    let vin = tester.insist(&vin, &[0x62, 0xF1, 0x90]).await?;
    println!("VIN: {}", String::from_utf8_lossy(&vin[3..]));
    if words.len() == 1 {
        return Ok(());
    }

    let (plain, image) = (DataFormatIdentifier::NONE, image());
    let wish = RequestDownloadRequest::new(plain, 0x0800_0000, image.len() as u64);
    let wish = Request::RequestDownload(wish);
    if ecu_inside {
        let refusal = tester.ask(&wish).await?.err();
        let expected = NegativeResponseCode::ServiceNotSupportedInActiveSession;
        assert_eq!(refusal, Some(expected));
    }
    let programming = DiagnosticSessionType::ProgrammingSession;
    tester.enter(programming).await?;
    download(&mut tester, &wish, &image).await?;
    println!("the ECU asked for more time {} times", tester.pending());
    let waited = tester.pending() > 0;
    assert!(waited || !ecu_inside, "erasing takes longer than P2");
    network.close().await;
    Ok(())
}

async fn download(tester: &mut Tester, wish: &Request<'_>, image: &[u8]) -> Outcome {
    let answer = tester.insist(wish, &[0x74]).await?;
    let Response::RequestDownload(answer) = Response::decode(&answer)?.0 else {
        return Err("expected an answer to the request for a download".into());
    };
    let longest = answer.max_number_of_block_length().iter();
    let longest = longest.fold(0, |length, byte| length << 8 | usize::from(*byte));
    let room = longest.checked_sub(2).filter(|room| *room > 0);
    let room = room.ok_or_else(|| format!("blocks of {longest} bytes, expected at least 3"))?;

    let bar = ProgressBar::new(image.len() as u64); // shows nothing where there is no terminal
    for (number, data) in image.chunks(room).enumerate() {
        let counter = (number + 1) as u8;
        let block = Request::TransferData(TransferDataRequest::new(counter, data));
        tester.insist(&block, &[0x76, counter]).await?;
        bar.inc(data.len() as u64);
    }
    let exit = Request::RequestTransferExit(RequestTransferExitRequest::new(&[]));
    let sum = Sha256::digest(image); // how the ECU of `uds_server` shows that it has the image
    let answer = [&[0x77], &sum[..]].concat();
    tester.insist(&exit, &answer).await?;
    bar.finish();
    println!("downloaded {} bytes", image.len());
    Ok(())
}

/// More than 256 blocks, so that their counter begins again.
fn image() -> Vec<u8> {
    (0..300_000_u32)
        .map(|at| (at.wrapping_mul(0x9E37_79B1) >> 24) as u8)
        .collect()
}
