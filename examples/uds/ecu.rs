//! What an ECU answers: session, identification and download, without anything that waits.

use uds_protocol::NegativeResponseCode as Nrc;
use uds_protocol::{
    Decode, DiagnosticSessionControlResponse, DiagnosticSessionType, NegativeResponse,
    ReadDataByIdentifierResponse, Request, RequestDownloadResponse, RequestTransferExitResponse,
    Response, TesterPresentResponse, TransferDataResponse,
};

use super::download::{BLOCK, Download};
use super::{P2_MS, P2_STAR, VIN_DID, encode};

const VIN: &[u8; 17] = b"WVWZZZ1JZXW000001";

pub(super) struct Ecu {
    session: DiagnosticSessionType,
    download: Option<Download>,
}

impl Default for Ecu {
    fn default() -> Self {
        Self {
            session: DiagnosticSessionType::DefaultSession,
            download: None,
        }
    }
}

impl Ecu {
    /// The answer; `None` where the request asks for none.
    pub(super) fn answer(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let malformed = Nrc::IncorrectMessageLengthOrInvalidFormat;
        let answer = match Request::decode(request) {
            Ok((request, _)) => self.carry_out(request),
            Err(error) => Err(error.negative_response_code().unwrap_or(malformed)),
        };
        answer.unwrap_or_else(|code| {
            let refusal = NegativeResponse::new_with_sid(request.first().copied()?, code);
            Some(encode(&Response::NegativeResponse(refusal)))
        })
    }

    fn carry_out(&mut self, request: Request<'_>) -> Result<Option<Vec<u8>>, Nrc> {
        let silent = request.is_positive_response_suppressed() == Some(true);
        let programming = self.session == DiagnosticSessionType::ProgrammingSession;
        let answer = match request {
            Request::DiagnosticSessionControl(request) => {
                (self.session, self.download) = (request.session_type, None);
                let answer = DiagnosticSessionControlResponse::new(self.session, P2_MS, P2_STAR);
                encode(&Response::DiagnosticSessionControl(answer))
            }
            Request::TesterPresent(_) => {
                encode(&Response::TesterPresent(TesterPresentResponse::new()))
            }
            Request::ReadDataByIdentifier(request) if request.dids().eq([VIN_DID]) => {
                let record = [&VIN_DID.to_be_bytes()[..], VIN].concat();
                let answer = ReadDataByIdentifierResponse::new(&record);
                encode(&Response::ReadDataByIdentifier(answer))
            }
            Request::ReadDataByIdentifier(_) => return Err(Nrc::RequestOutOfRange),
            Request::RequestDownload(_) if !programming => {
                return Err(Nrc::ServiceNotSupportedInActiveSession);
            }
            Request::RequestDownload(request) => {
                self.download = Some(Download::begin(&request)?);
                let block = BLOCK.to_be_bytes();
                let answer = RequestDownloadResponse::new(&block);
                encode(&Response::RequestDownload(
                    answer.map_err(|_| Nrc::GeneralReject)?,
                ))
            }
            Request::TransferData(block) => {
                let download = self.download.as_mut().ok_or(Nrc::RequestSequenceError)?;
                download.take(&block)?;
                let answer = TransferDataResponse::new(block.block_sequence_counter, &[]);
                encode(&Response::TransferData(answer))
            }
            Request::RequestTransferExit(_) => {
                let whole = self.download.take_if(|download| download.is_whole());
                let sum = whole.ok_or(Nrc::RequestSequenceError)?.sum();
                let answer = RequestTransferExitResponse::new(&sum);
                encode(&Response::RequestTransferExit(answer))
            }
            _ => return Err(Nrc::ServiceNotSupported),
        };
        Ok((!silent).then_some(answer))
    }
}
