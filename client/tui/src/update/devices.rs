//! The user's devices: shown, removed, and another one let in. Nothing is decided by a key that was pressed for something
//! else: the questions are answered with letters of their own.

use crate::cmd::Cmd;
use crate::data::devices::{Admission, Decision, Device, History};
use crate::model::overlay::Devices;
use crate::model::{Model, Overlay};
use aside_protocol::Millis;
use crossterm::event::{KeyCode, KeyEvent};

/// What counts as recent history, in ms.
const RECENT: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Shows them.
pub(super) fn open(model: &mut Model) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    desk.overlay = Some(Overlay::Devices(Devices::default()));
    vec![Cmd::LoadDevices]
}

/// They were read; the chosen one stays chosen.
pub(super) fn heard(model: &mut Model, known: Vec<Device>) {
    let Some(devices) = shown(model) else { return };
    let chosen = chosen(devices).map(|device| device.id);
    let at = known.iter().position(|device| Some(device.id) == chosen);
    devices.cursor = at.unwrap_or(devices.cursor).min(known.len().saturating_sub(1));
    devices.list = Some(known);
}

/// Begins to let another one in.
pub(super) fn admit(model: &mut Model) -> Vec<Cmd> {
    let Some(devices) = shown(model) else { return Vec::new() };
    devices.admission = Some(Admission::Opening);
    devices.agreed = false;
    vec![Cmd::Admit]
}

/// Asks whether to remove the chosen one.
pub(super) fn revoke(model: &mut Model) -> Vec<Cmd> {
    let Some(device) = shown(model).and_then(|devices| chosen(devices).cloned()) else { return Vec::new() };
    match (device.this, device.leaving) {
        (true, _) => model.say("This is the device you are at. Remove it from another one."),
        (_, true) => model.say("It is being removed already."),
        _ => {
            let name = device.machine.unwrap_or_else(|| "this device".into());
            shown(model).into_iter().for_each(|devices| devices.revoking = Some((device.id, name.clone())));
        }
    }
    Vec::new()
}

/// Letting one in has come further; whoever has turned away is told how it ended.
pub(super) fn come(model: &mut Model, admission: Admission) {
    match (shown(model), admission) {
        (Some(devices), admission) if devices.admission.is_some() => devices.admission = Some(admission),
        (_, Admission::Over(sentence)) if !sentence.is_empty() => model.say(sentence),
        _ => {}
    }
}

/// The overlay is gone: nobody is there to be asked.
pub(super) fn closed(devices: &Devices) -> Vec<Cmd> {
    let open = matches!(devices.admission, Some(Admission::Opening | Admission::Code(_) | Admission::Asks { .. }));
    if open { vec![Cmd::EndAdmission] } else { Vec::new() }
}

/// Moving, and answers to questions.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let now = model.now;
    let Some(devices) = shown(model) else { return Vec::new() };
    if let Some((device, _)) = devices.revoking.take() {
        return if key.code == KeyCode::Char('y') { vec![Cmd::Revoke(device)] } else { Vec::new() };
    }
    match &devices.admission {
        None => move_by(model, key.code),
        Some(Admission::Asks { .. }) => return decide(devices, key.code, now),
        Some(Admission::Over(_)) => {
            if matches!(key.code, KeyCode::Enter | KeyCode::Char('q')) {
                devices.admission = None;
                return vec![Cmd::LoadDevices];
            }
        }
        Some(Admission::Opening | Admission::Code(_) | Admission::Adding) => {}
    }
    Vec::new()
}

fn decide(devices: &mut Devices, code: KeyCode, now: Millis) -> Vec<Cmd> {
    let decision = match (devices.agreed, code) {
        (false, KeyCode::Char('y')) => {
            devices.agreed = true;
            return Vec::new();
        }
        (false, KeyCode::Char('n')) => Decision::Refuse,
        (true, KeyCode::Char('a')) => Decision::Admit(History::All),
        (true, KeyCode::Char('m')) => Decision::Admit(History::Since(Millis(now.0.saturating_sub(RECENT)))),
        (true, KeyCode::Char('n')) => Decision::Admit(History::None),
        _ => return Vec::new(),
    };
    devices.admission = Some(Admission::Adding);
    vec![Cmd::Decide(decision)]
}

fn move_by(model: &mut Model, code: KeyCode) {
    let by = match code {
        KeyCode::Up => -1,
        KeyCode::Down => 1,
        KeyCode::Enter | KeyCode::Char('q') => {
            model.desk_mut().into_iter().for_each(|desk| desk.overlay = None);
            return;
        }
        _ => return,
    };
    if let Some(devices) = shown(model) {
        let last = devices.list.as_ref().map_or(0, |list| list.len().saturating_sub(1));
        devices.cursor = devices.cursor.saturating_add_signed(by).min(last);
    }
}

fn chosen(devices: &Devices) -> Option<&Device> {
    devices.list.as_ref()?.get(devices.cursor)
}

fn shown(model: &mut Model) -> Option<&mut Devices> {
    match model.desk_mut()?.overlay.as_mut()? {
        Overlay::Devices(devices) => Some(devices),
        _ => None,
    }
}
