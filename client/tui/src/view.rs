//! Draws the model; changes nothing. One file a pane.

mod chooser;
mod composer;
mod connection;
mod conversation;
mod devices;
mod group;
mod help;
mod info;
mod link;
mod list;
mod popup;
mod readers;
mod status;
mod switcher;
mod unsent;

#[cfg(test)]
mod tests;

use crate::LinkSpan;
use crate::layout;
use crate::model::{Desk, Focus, Model, Overlay, Stage};
use crate::theme::Theme;
use ratatui::Frame;
use ratatui::text::Text;
use ratatui::widgets::{Paragraph, Wrap};

/// Draws everything; returns where links are.
pub fn view(model: &Model, frame: &mut Frame) -> Vec<LinkSpan> {
    let theme = Theme::new(model.colours);
    let area = frame.area();
    if layout::is_too_small((area.width, area.height)) {
        frame.render_widget(Paragraph::new("Too small: make the window larger.").wrap(Wrap { trim: true }), area);
        return Vec::new();
    }
    match &model.stage {
        Stage::Opening => frame.render_widget(Text::raw("Opening…"), area),
        Stage::Setup(setup) => setup.view(frame, area),
        Stage::Closed(closed) => closed.view(frame, area),
        Stage::Desk(desk) => return desk_view(model, desk, theme, frame),
    }
    Vec::new()
}

fn desk_view(model: &Model, desk: &Desk, theme: Theme, frame: &mut Frame) -> Vec<LinkSpan> {
    let area = frame.area();
    let areas = layout::areas((area.width, area.height), desk);
    if areas.list.width > 0 {
        list::view(model, desk, theme, frame, areas.list);
    }
    let mut links = Vec::new();
    if areas.history.width > 0 {
        links = conversation::view(model, desk, theme, frame, &areas);
        composer::view(desk, theme, frame, areas.composer);
    }
    status::view(model, desk, theme, frame, areas.status);
    match &desk.overlay {
        None => return links,
        Some(Overlay::Help(down)) => help::view(*down, theme, frame, area),
        Some(Overlay::Switcher(switcher)) => switcher::view(desk, switcher, theme, frame, area),
        Some(Overlay::Info { info, down, .. }) => info::view(desk, info.as_ref(), *down, theme, frame, area),
        Some(Overlay::Unsent { items, why, cursor, .. }) => {
            unsent::view(items.as_deref(), why.as_deref(), *cursor, model, theme, frame, area);
        }
        Some(Overlay::Group(members)) => group::view(members, theme, frame, area),
        Some(Overlay::Chooser(chooser)) => chooser::view(desk, chooser, theme, frame, area),
        Some(Overlay::Readers { row, readers, down, .. }) => {
            readers::view(desk, (*row, readers.as_deref()), *down, theme, frame, area);
        }
        Some(Overlay::Link { link, .. }) => link::channel(link.as_ref(), theme, frame, area),
        Some(Overlay::Devices(devices)) => devices::view(devices, &model.zone, theme, frame, area),
        Some(Overlay::Connection) => connection::view(&model.link, desk, theme, frame, area),
    }
    // What an overlay covers is no link.
    Vec::new()
}

/// Whether the composer has the keys, so that the cursor belongs there.
fn is_writing(desk: &Desk) -> bool {
    desk.focus == Focus::Composer && desk.overlay.is_none()
}
