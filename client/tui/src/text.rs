//! Temporary.
use std::borrow::Cow;
use std::ops::Range;
pub fn harmless(t: &str) -> Cow<'_, str> {
    t.into()
}
pub fn one_line(t: &str) -> String {
    t.replace('\n', " ")
}
pub fn width(t: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(t)
}
pub fn clip(t: &str, c: usize) -> (Cow<'_, str>, usize) {
    if width(t) <= c { (t.into(), width(t)) } else { (t.chars().take(c).collect::<String>().into(), c) }
}
pub fn wrap(t: &str, c: u16) -> Vec<Range<usize>> {
    let mut v = vec![];
    let mut s = 0;
    for l in t.split('\n') {
        let mut a = s;
        for (n, (i, _)) in l.char_indices().enumerate() {
            if n > 0 && n % usize::from(c) == 0 {
                v.push(a..s + i);
                a = s + i;
            }
        }
        v.push(a..s + l.len());
        s += l.len() + 1;
    }
    v
}
pub fn rows(t: &str, c: u16) -> usize {
    wrap(t, c).len()
}
pub fn links(_: &str) -> Vec<Range<usize>> {
    vec![]
}
