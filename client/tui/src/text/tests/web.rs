//! What is a link, and where it is on the screen.

use crate::text::{LinkSpan, MAX_LINK, links, safe_link, wrap};

fn found(text: &str) -> Vec<&str> {
    links(text).into_iter().map(|link| &text[link]).collect()
}

#[test]
fn addresses_end_where_the_sentence_goes_on() {
    let cases: [(&str, &[&str]); 12] = [
        ("see https://example.com/a?b=c#d, or", &["https://example.com/a?b=c#d"]),
        ("(https://en.example/wiki/Rust_(language)).", &["https://en.example/wiki/Rust_(language)"]),
        ("[http://a.b/c[1]]!", &["http://a.b/c[1]"]),
        ("<https://a.b> \"http://c.d/\"", &["https://a.b", "http://c.d/"]),
        ("HTTP://A.B/ and http://[::1]:80/", &["HTTP://A.B/", "http://[::1]:80/"]),
        ("見てhttps://a.b/c。", &["https://a.b/c"]),
        ("https://a.b/漢字", &["https://a.b/"]),
        ("https://a.b/x\u{301}", &["https://a.b/"]),
        ("https://a.b…", &["https://a.b"]),
        ("xhttp://a.b ftp://a.b javascript://a http:// http://.", &[]),
        ("http://http://a.b", &["http://http://a.b"]),
        ("https://a.b\nhttps://c.d", &["https://a.b", "https://c.d"]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(text), expected, "{text:?}");
    }
}

#[test]
fn an_address_that_leads_elsewhere_is_no_link() {
    let deceiving = [
        "https://bank.example@evil.example/",
        "https://bücher.example/",
        "https://pay<U+200B>pal.example",
        "https://pay␛pal.example",
        "https://pay\u{301}pal.example",
        "https://раураl.example",
    ];
    for text in deceiving {
        assert_eq!(found(text), [""; 0], "{text:?}");
    }
}

#[test]
fn overlong_addresses_are_no_links() {
    let long = |size: usize| format!("https://a.b/{}", "x".repeat(size - 12));
    assert_eq!(found(&long(MAX_LINK)).len(), 1);
    assert_eq!(found(&long(MAX_LINK + 1)), [""; 0]);
    assert!(links(&"http://".repeat(10_000)).is_empty());
    assert!(links(&"://".repeat(20_000)).is_empty());
}

#[test]
fn only_plain_web_addresses_are_given_to_terminals() {
    assert!(safe_link("https://a.b/;x=%20"));
    for url in
        ["https://a.b/ c", "https://a.b/\u{1b}\\", "https://a.b/\u{7}", "https://ä.b", "file:///etc", "", "http:/"]
    {
        assert!(!safe_link(url), "{url:?}");
    }
}

#[test]
fn a_link_over_two_rows_has_a_span_in_each() {
    let text = "漢 https://example.com/long x";
    let found = links(text);
    let spans: Vec<_> =
        (0..).zip(wrap(text, 14)).flat_map(|(y, row)| LinkSpan::of_row(text, &row, &found, 5, y)).collect();
    let url = "https://example.com/long".to_owned();
    let span = |y, x_from, x_to| LinkSpan { y, x_from, x_to, url: url.clone() };
    assert_eq!(spans, [span(1, 5, 19), span(2, 5, 15)]);
    assert_eq!(LinkSpan::of_row("漢https://a.b", &(0..14), &links("漢https://a.b"), 0, 0)[0].x_from, 2);
}
