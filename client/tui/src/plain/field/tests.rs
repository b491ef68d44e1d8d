use super::*;
use proptest::prelude::*;

fn press(field: &mut Field, keys: &[(KeyCode, KeyModifiers)]) {
    for (code, modifiers) in keys {
        field.key(KeyEvent::new(*code, *modifiers));
    }
}

fn control(c: char) -> (KeyCode, KeyModifiers) {
    (KeyCode::Char(c), KeyModifiers::CONTROL)
}

fn filled(text: &str) -> Field {
    let mut field = Field::new(64);
    field.insert(text);
    field
}

#[test]
fn readline_keys_do_what_they_do() {
    let none = KeyModifiers::NONE;
    let mut field = filled("one two");
    press(&mut field, &[control('a'), (KeyCode::Char('X'), KeyModifiers::SHIFT), control('e'), control('w')]);
    assert_eq!(field.text(), "Xone ");
    press(&mut field, &[(KeyCode::Left, none), control('k'), (KeyCode::Backspace, none)]);
    assert_eq!(field.text(), "Xon");
    press(&mut field, &[(KeyCode::Home, none), (KeyCode::Delete, none), control('f'), control('u')]);
    assert_eq!(field.text(), "n");
    press(&mut field, &[control('e'), control('b'), control('d'), control('h'), (KeyCode::Right, none)]);
    assert_eq!(field.text(), "");
    assert!(!field.key(KeyEvent::new(KeyCode::Enter, none)), "Enter is for whoever holds the field");
    assert!(!field.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
}

#[test]
fn words_are_jumped_over() {
    let alt = KeyModifiers::ALT;
    let mut field = filled("one two three");
    press(&mut field, &[(KeyCode::Char('b'), alt), (KeyCode::Left, KeyModifiers::CONTROL), (KeyCode::Char('d'), alt)]);
    assert_eq!(field.text(), "one  three");
    press(&mut field, &[(KeyCode::Right, alt), (KeyCode::Char('f'), alt), (KeyCode::Backspace, alt)]);
    assert_eq!(field.text(), "one  ");
}

#[test]
fn only_what_can_be_shown_in_a_line_gets_in_and_no_more_than_there_is_room() {
    let mut field = Field::new(6);
    field.insert("a\u{1b}[\n\u{202e}b\u{300}");
    assert_eq!(field.text(), "a[b");
    field.insert("日本");
    assert_eq!(field.text(), "a[b日", "a character that does not fit is left out whole");
}

#[test]
fn the_window_follows_the_cursor() {
    let mut field = filled("abc日本語xyz");
    assert_eq!(field.window(5), ("語xyz", 5));
    field.key(KeyEvent::new(KeyCode::Home, KeyModifiers::NONE));
    assert_eq!(field.window(6), ("abc日", 0));
    assert_eq!(field.window(0), ("", 0));
}

#[test]
fn debug_tells_nothing() {
    assert_eq!(format!("{:?}", filled("abandon")), "Field(…)");
}

proptest! {
    #[test]
    fn any_keys_leave_a_sound_field(keys in proptest::collection::vec((0..12usize, any::<char>()), 0..60), width in 0..20usize) {
        let mut field = Field::new(40);
        let room = field.text.capacity();
        for (which, c) in keys {
            let codes = [
                KeyCode::Left, KeyCode::Right, KeyCode::Home, KeyCode::End, KeyCode::Backspace, KeyCode::Delete,
            ];
            let key = match which {
                at @ 0..=5 => (codes[at], KeyModifiers::NONE),
                6 => (KeyCode::Char('w'), KeyModifiers::CONTROL),
                7 => (KeyCode::Char('f'), KeyModifiers::ALT),
                8 => (KeyCode::Char(' '), KeyModifiers::NONE),
                _ => (KeyCode::Char(c), KeyModifiers::NONE),
            };
            press(&mut field, &[key]);
            prop_assert!(field.text.is_char_boundary(field.cursor));
            let (shown, column) = field.window(width);
            prop_assert!(unicode_width::UnicodeWidthStr::width(shown) <= width.max(column));
            prop_assert!(column <= width);
        }
        prop_assert_eq!(room, field.text.capacity(), "no copy was left behind");
    }
}
