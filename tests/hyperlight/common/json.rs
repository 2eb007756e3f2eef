// SPDX-License-Identifier: MIT
//! One line of JSON per span, the same from both hosts: see ../compare.

/// A span or an event of either host, all texts.
#[derive(Default)]
pub struct Line {
    pub id: String,
    pub parent: String,
    pub name: String,
    pub start_ns: u128,
    pub end_ns: u128,
    pub flags: u32,
    pub fields: Vec<(String, String)>,
    pub events: Vec<Line>,
}

fn text(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => json += "\\\"",
            '\\' => json += "\\\\",
            c if (c as u32) < 32 => json += &format!("\\u{:04x}", c as u32),
            c => json.push(c),
        }
    }
    json + "\""
}

impl Line {
    pub fn json(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(key, value)| format!("[{},{}]", text(key), text(value)))
            .collect();
        let events: Vec<String> = self.events.iter().map(Line::json).collect();
        format!(
            "{{\"id\":{},\"parent\":{},\"name\":{},\"start_ns\":{},\"end_ns\":{},\"flags\":{},\"fields\":[{}],\"events\":[{}]}}",
            text(&self.id),
            text(&self.parent),
            text(&self.name),
            self.start_ns,
            self.end_ns,
            self.flags,
            fields.join(","),
            events.join(",")
        )
    }
}
