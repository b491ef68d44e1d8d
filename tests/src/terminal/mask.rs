//! What differs from run to run, made the same and as wide, so that screens can be compared.

/// Patterns and what takes their place: `#` stands for a digit, `~` for a lower-case hexadecimal digit, anything else
/// for itself. Longer ones first.
const PATTERNS: [(&str, &str); 6] = [
    ("~~~~~~~~-~~~~-~~~~-~~~~-~~~~~~~~~~~~", "iiiiiiii-iiii-iiii-iiii-iiiiiiiiiiii"),
    ("####-##-##", "YYYY-MM-DD"),
    ("127.0.0.1:#####", "127.0.0.1:PPPPP"),
    ("##:##:##", "HH:MM:SS"),
    ("##:##", "HH:MM"),
    // A group of a safety number.
    ("#####", "ddddd"),
];
/// So many hexadecimal digits together are an id.
const ID: usize = 16;
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Times, dates, safety numbers, ports and ids replaced by placeholders of the same width.
pub fn masked(screen: &str) -> String {
    screen.lines().map(|row| mask_row(&with_date(&with_folder(row), "DATE"))).collect::<Vec<_>>().join("\n")
}

/// The name of a temporary folder.
fn with_folder(row: &str) -> String {
    const RANDOM: usize = 6;
    let Some((before, after)) = row.split_once("/.tmp") else { return row.to_owned() };
    let rest: String = after.chars().skip(RANDOM).collect();
    format!("{before}/.tmp{}{rest}", "X".repeat(RANDOM))
}

fn mask_row(row: &str) -> String {
    let mut characters: Vec<char> = row.chars().collect();
    for (pattern, instead) in PATTERNS {
        let pattern: Vec<char> = pattern.chars().collect();
        for at in 0..characters.len() {
            if fits(&characters, at, &pattern) {
                characters.splice(at..at + pattern.len(), instead.chars());
            }
        }
    }
    mask_ids(&mut characters);
    characters.into_iter().collect()
}

/// Neither part of a longer number nor of a word.
fn fits(row: &[char], at: usize, pattern: &[char]) -> bool {
    let Some(there) = row.get(at..at + pattern.len()) else { return false };
    let alone = |index: Option<usize>| index.and_then(|i| row.get(i)).is_none_or(|c| !c.is_ascii_alphanumeric());
    there.iter().zip(pattern).all(|(c, p)| match p {
        '#' => c.is_ascii_digit(),
        '~' => matches!(c, '0'..='9' | 'a'..='f'),
        same => c == same,
    }) && alone(at.checked_sub(1))
        && alone(Some(at + pattern.len()))
}

fn mask_ids(row: &mut [char]) {
    let is_digit = |c: &char| matches!(c, '0'..='9' | 'a'..='f');
    for run in row.chunk_by_mut(|a, b| is_digit(a) && is_digit(b)) {
        if run.len() >= ID {
            run.fill('i');
        }
    }
}

/// A rule with a day in it becomes one with `date`, as wide: dates written out differ in width.
pub fn with_date(text: &str, date: &str) -> String {
    let Some(at) = DAYS.iter().find_map(|day| text.find(&format!("─ {day}, "))) else { return text.to_owned() };
    let before = text[..at].trim_end_matches('─');
    let rule = text[at..].trim_start_matches('─');
    let Some(end) = rule.find('─') else { return text.to_owned() };
    let after = rule[end..].trim_start_matches('─');
    let width = text[before.len()..text.len() - after.len()].chars().count();
    let rest = width.saturating_sub(date.chars().count() + 2);
    let (left, right) = ("─".repeat(rest / 2), "─".repeat(rest - rest / 2));
    format!("{before}{left} {date} {right}{}", with_date(after, date))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_differs_is_masked_and_as_wide() {
        for (row, wanted) in [
            ("│ bob  09:41 │", "│ bob  HH:MM │"),
            ("on 2026-11-22 at 07:05:01", "on YYYY-MM-DD at HH:MM:SS"),
            ("relay 127.0.0.1:43210.", "relay 127.0.0.1:PPPPP."),
            ("12345 67890", "ddddd ddddd"),
            ("│── Sunday, 22 November 2026 ───", "│──────────── DATE ─────────────"),
            ("│─── Friday, 1 May 2026 ────────", "│──────────── DATE ─────────────"),
            ("id 00112233445566778899aabb", "id iiiiiiiiiiiiiiiiiiiiiiii"),
            ("0198ad3c-7f31-7d55-8a90-1234567890ab", "iiiiiiii-iiii-iiii-iiii-iiiiiiiiiiii"),
        ] {
            assert_eq!(masked(row), wanted);
        }
    }

    #[test]
    fn what_people_write_stays() {
        for row in ["1:1", "123:456", "a12:34", "1234 cafe", "fade", "decade of 100000"] {
            assert_eq!(masked(row), row);
        }
    }
}
