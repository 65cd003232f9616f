//! The code of a source file: without comments, literals, visibilities and tests.

pub fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the text with each comment and each literal replaced by a space.
pub fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match comment_length(rest).or_else(|| literal_length(rest)) {
            Some(length) => {
                code.push(' ');
                rest = &rest[length..];
            }
            None => {
                code.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    code
}

/// Returns the length of the comment that `text` starts with.
fn comment_length(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.starts_with("/*")
        .then(|| text.find("*/").map_or(text.len(), |end| end + 2))
}

/// Returns the length of the string or character literal that `text` starts with.
fn literal_length(text: &str) -> Option<usize> {
    if let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let body = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", &raw[..hashes]);
        let length = body.find(&end).map_or(body.len(), |at| at + end.len());
        return Some(text.len() - body.len() + length);
    }
    let quote = text.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            _ if c == quote => return Some(at + 1),
            // A quote that does not close behind one character starts a lifetime.
            _ if quote == '\'' && !text[at + c.len_utf8()..].starts_with('\'') => return None,
            _ => {}
        }
    }
    Some(text.len())
}

/// Removes every item under `#[cfg(test)]`.
pub fn without_test_items(code: &str) -> String {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some((before, item)) = rest.split_once(ATTRIBUTE) {
        kept.push_str(before);
        rest = &item[item_length(item)..];
    }
    kept + rest
}

/// Returns the length of the item that `code` starts with: up to its `;`, or to the end of its body.
fn item_length(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && (c == ';' || c == '}') {
            return at + 1;
        }
    }
    code.len()
}
