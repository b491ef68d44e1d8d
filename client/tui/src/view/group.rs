//! Who is in a group or channel, what is due, and the question before a change.

use super::popup;
use crate::data::{Group, Member, Role};
use crate::model::overlay::{Asking, Members};
use crate::text;
use crate::theme::Theme;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

/// Most rows for what is due.
const DUE: usize = 3;

/// With fewer columns devices are not counted.
const ROOMY: usize = 44;

/// Columns of the role.
const ROLE: usize = 8;

pub(super) fn view(members: &Members, theme: Theme, frame: &mut Frame, area: Rect) {
    let columns = area.width.saturating_sub(4).min(64);
    let Some(group) = &members.group else {
        popup::frame(frame, area, (columns, 3), "Members", "Esc close", theme);
        return;
    };
    let head = head(group, members.asking.as_ref(), theme);
    let want = head.len() + group.members.len() + 1;
    let want = u16::try_from(want).unwrap_or(u16::MAX).saturating_add(2);
    let title = text::one_line(&format!("{}{}", group.kind.mark(), group.title));
    let inner = popup::frame(frame, area, (columns, want), &title, hint(members, group), theme);
    let head = Paragraph::new(head).wrap(Wrap { trim: false });
    let rows = u16::try_from(popup::wrapped_rows(&head, inner.width)).unwrap_or(u16::MAX);
    let rows = rows.min(inner.height.saturating_sub(3).max(1));
    frame.render_widget(head, Rect { height: rows.min(inner.height), ..inner });
    let below = (inner.y + rows + 1).min(inner.bottom());
    let list = Rect { y: below, height: inner.bottom() - below, ..inner };
    let fit = usize::from(list.height);
    let from = (members.cursor + 1).saturating_sub(fit);
    let shown = group.members.iter().enumerate().skip(from).take(fit);
    let lines: Vec<Line> =
        shown.map(|(index, who)| line(who, usize::from(list.width), index == members.cursor, theme)).collect();
    frame.render_widget(Paragraph::new(lines), list);
}

fn head(group: &Group, asking: Option<&Asking>, theme: Theme) -> Vec<Line<'static>> {
    if let Some(asking) = asking {
        return vec![Line::styled(question(group, asking), theme.alert())];
    }
    let kind = group.kind.word();
    let many = group.members.len();
    let people = if many == 1 { "1 member".to_owned() } else { format!("{many} members") };
    let stands = match group.role {
        Some(role) => format!("you are {}", article(role)),
        None => "you are not in it any more".to_owned(),
    };
    let mut lines = vec![Line::raw(format!("A {kind} with {people}; {stands}. Id {}", group.id))];
    let due = group.due.iter().take(DUE);
    lines.extend(due.map(|due| Line::styled(format!("Not yet in effect: {}", text::one_line(due)), theme.unread())));
    if group.due.len() > DUE {
        lines.push(Line::styled(format!("and {} more", group.due.len() - DUE), theme.unread()));
    }
    lines
}

fn article(role: Role) -> &'static str {
    match role {
        Role::Member => "a member",
        Role::Admin => "an admin",
        Role::Owner => "an owner",
    }
}

fn question(group: &Group, asking: &Asking) -> String {
    match asking {
        Asking::Remove(_, name) => format!("Remove {}? They read nothing that follows.", text::one_line(name)),
        Asking::Owner(_, name) => format!("Make {} an owner? Owners may do everything.", text::one_line(name)),
        Asking::Leave => {
            format!("Leave this {}? You read nothing that follows; what is here stays here.", group.kind.word())
        }
        Asking::Rename(title) => format!("New name: {}_", text::one_line(title)),
    }
}

fn hint(members: &Members, group: &Group) -> &'static str {
    match (&members.asking, group.role) {
        (Some(Asking::Rename(_)), _) => "Enter rename  Esc close",
        (Some(_), _) => "y yes  any other key no",
        (None, Some(Role::Owner)) => "a add  x remove  o d m role  n name  l leave  Esc",
        (None, Some(Role::Admin)) => "a add  x remove  n name  l leave  Esc",
        (None, Some(Role::Member)) => "l leave  Esc close",
        (None, None) => "Esc close",
    }
}

/// Name, role, devices, and what there is to know about the key.
fn line(who: &Member, columns: usize, chosen: bool, theme: Theme) -> Line<'static> {
    let mark = match who {
        who if who.own => "you",
        who if who.key_changed => "new key!",
        who if who.verified => "✓ verified",
        _ => "",
    };
    let devices = match who.devices {
        0 => String::new(),
        1 => "1 device".to_owned(),
        many => format!("{many} devices"),
    };
    // Where there is little room, names come before counts.
    let devices = if columns < ROOMY { String::new() } else { format!("{devices:>10} ") };
    let right = format!("{:<ROLE$}{devices}{mark:>10}", who.role.word());
    let room = columns.saturating_sub(text::width(&right) + 1);
    let name = text::clip(&text::one_line(&who.name), room).0.into_owned();
    let gap = " ".repeat(columns.saturating_sub(text::width(&name) + text::width(&right)));
    let style = if chosen { theme.chosen() } else { Style::new() };
    let name_style = if chosen { theme.own_name() } else { theme.name(who.account.as_ref()) };
    Line::from(vec![Span::styled(name, name_style), Span::raw(gap), Span::raw(right)]).style(style)
}
