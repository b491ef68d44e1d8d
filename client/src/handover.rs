//! How far a history is on its way between two devices of one account (rules `HIS-*`), as the store has it.

use aside_engine::EngineError;
use aside_protocol::DeviceId;
use aside_store::Tx;
use aside_store::exports::{Export, ExportState};
use aside_store::imports::{Import, ImportState};

/// How far a history is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// Messages that have got to the relay, or here.
    pub done: u64,
    /// Of so many.
    pub total: u64,
    /// Messages that nobody has any more.
    pub missing: u64,
    /// Over, and why it was given up, if it was.
    pub end: Option<Result<(), String>>,
}

/// What this device hands to another one, which is over once that one is told.
pub(crate) fn handed(tx: &Tx, device: &DeviceId) -> Result<Standing, EngineError> {
    match tx.export(device)? {
        Some(export) => going(tx, &export),
        None => {
            let why = "the device is not one of yours any more".to_owned();
            Ok(Standing { end: Some(Err(why)), ..Standing::default() })
        }
    }
}

fn going(tx: &Tx, export: &Export) -> Result<Standing, EngineError> {
    let told = match export.told {
        Some(row) => tx.message(row)?.is_none_or(|message| message.seq.is_some()),
        None => false,
    };
    let (done, end) = match export.state {
        ExportState::Told => (export.messages, told.then_some(Ok(()))),
        ExportState::Failed => (0, Some(Err(export.error.clone().unwrap_or_default()))),
        _ => (tx.messages_uploaded(&export.device)?, None),
    };
    Ok(Standing { done, total: export.messages, missing: 0, end })
}

/// What another device hands to this one; `expected` is what that one said, until its offer is here.
pub(crate) fn received(tx: &Tx, expected: u64) -> Result<Standing, EngineError> {
    let newest = tx.imports()?.pop();
    Ok(newest.map_or(Standing { total: expected, ..Standing::default() }, |import| coming(&import)))
}

fn coming(import: &Import) -> Standing {
    let end = match import.state {
        ImportState::Done => Some(Ok(())),
        ImportState::Failed => Some(Err(import.error.clone().unwrap_or_default())),
        _ => None,
    };
    Standing { done: import.stored, total: import.messages, missing: import.missing, end }
}

/// Which way a history goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Here,
    Away,
}

/// A history that is on its way at present.
pub(crate) fn on_its_way(tx: &Tx) -> Result<Option<(Way, Standing)>, EngineError> {
    let here = tx.imports()?.iter().map(coming).find(|standing| standing.end.is_none());
    if let Some(standing) = here {
        return Ok(Some((Way::Here, standing)));
    }
    for export in tx.open_exports()? {
        let standing = going(tx, &export)?;
        if standing.end.is_none() {
            return Ok(Some((Way::Away, standing)));
        }
    }
    Ok(None)
}
