//! json.rs: a small JSON reader, so that a plugin needs no crate for its configuration and inputs. Strict: the whole text
//! is one value, no key stands twice, and what is nested deeper than DEPTH_MAX is refused. Writing is `json_string`.
const DEPTH_MAX: u32 = 64;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// In the order in which they were written.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Read a text that is one value. Err says what is wrong, and where.
    pub fn read(text: &[u8]) -> Result<Json, String> {
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        let mut reader = Reader { text: text.as_bytes(), at: 0, depth: 0 };
        let value = reader.value()?;
        reader.blanks();
        if reader.at < reader.text.len() {
            return Err(reader.wrong("more after the end"));
        }
        Ok(value)
    }
    /// A member of an object; None when it is not there, or this is no object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
    pub fn integer(&self) -> Option<i64> {
        match self {
            Json::Number(number) => number.parse().ok(),
            _ => None,
        }
    }
    /// The first key of an object that is none of these.
    pub fn unknown_key(&self, known: &[&str]) -> Option<&str> {
        match self {
            Json::Object(members) => members.iter().map(|(name, _)| name.as_str()).find(|name| !known.contains(name)),
            _ => None,
        }
    }
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    depth: u32,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> String {
        format!("{} at byte {}", what, self.at)
    }
    fn blanks(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }
    fn next(&mut self) -> Option<u8> {
        self.blanks();
        self.text.get(self.at).copied()
    }
    /// Is this the next? Then it is taken.
    fn takes(&mut self, byte: u8) -> bool {
        let is = self.next() == Some(byte);
        self.at += usize::from(is);
        is
    }
    fn word(&mut self, word: &str, value: Json) -> Result<Json, String> {
        if !self.text[self.at..].starts_with(word.as_bytes()) {
            return Err(self.wrong("no JSON"));
        }
        self.at += word.len();
        Ok(value)
    }
    fn value(&mut self) -> Result<Json, String> {
        match self.next() {
            Some(b'{') => self.nested(Reader::object),
            Some(b'[') => self.nested(Reader::list),
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.wrong("no JSON")),
        }
    }
    fn nested(&mut self, body: fn(&mut Self) -> Result<Json, String>) -> Result<Json, String> {
        if self.depth == DEPTH_MAX {
            return Err(self.wrong("nested too deeply"));
        }
        self.at += 1;
        self.depth += 1;
        let value = body(self)?;
        self.depth -= 1;
        Ok(value)
    }
    fn list(&mut self) -> Result<Json, String> {
        let mut values = Vec::new();
        if self.takes(b']') {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value()?);
            if self.takes(b']') {
                return Ok(Json::List(values));
            }
            if !self.takes(b',') {
                return Err(self.wrong("neither , nor ]"));
            }
        }
    }
    fn object(&mut self) -> Result<Json, String> {
        let mut members: Vec<(String, Json)> = Vec::new();
        if self.takes(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            if self.next() != Some(b'"') {
                return Err(self.wrong("no key"));
            }
            let key = self.string()?;
            if members.iter().any(|(name, _)| *name == key) {
                return Err(self.wrong("a key that stands twice"));
            }
            if !self.takes(b':') {
                return Err(self.wrong("no colon"));
            }
            let value = self.value()?;
            members.push((key, value));
            if self.takes(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.takes(b',') {
                return Err(self.wrong("neither , nor }"));
            }
        }
    }
    fn digits(&mut self) -> usize {
        let from = self.at;
        while matches!(self.text.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - from
    }
    fn number(&mut self) -> Result<Json, String> {
        let from = self.at;
        self.at += usize::from(self.text[self.at] == b'-');
        let zero = self.text.get(self.at) == Some(&b'0');
        let digits = self.digits();
        if digits == 0 || (zero && digits > 1) {
            return Err(self.wrong("no number"));
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.wrong("no number"));
            }
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.text.get(self.at), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err(self.wrong("no number"));
            }
        }
        Ok(Json::Number(String::from_utf8_lossy(&self.text[from..self.at]).into_owned()))
    }
    fn hex(&mut self) -> Result<u32, String> {
        let digits = self.text.get(self.at..self.at + 4).and_then(|hex| std::str::from_utf8(hex).ok());
        let code = digits.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).ok_or_else(|| self.wrong("no \\u escape"))?;
        self.at += 4;
        Ok(code)
    }
    fn escape(&mut self) -> Result<char, String> {
        self.at += 1;
        let letter = self.text.get(self.at).copied();
        self.at += 1;
        let code = match letter {
            Some(b'"') => '"' as u32,
            Some(b'\\') => '\\' as u32,
            Some(b'/') => '/' as u32,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => 10,
            Some(b'r') => 13,
            Some(b't') => 9,
            Some(b'u') => match self.hex()? {
                high @ 0xd800..=0xdbff if self.text[self.at..].starts_with(b"\\u") => {
                    self.at += 2;
                    match self.hex()? {
                        low @ 0xdc00..=0xdfff => 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                        _ => return Err(self.wrong("half a surrogate pair")),
                    }
                }
                code => code,
            },
            _ => return Err(self.wrong("no escape")),
        };
        char::from_u32(code).ok_or_else(|| self.wrong("half a surrogate pair"))
    }
    fn string(&mut self) -> Result<String, String> {
        let mut text = Vec::new();
        self.at += 1;
        loop {
            match self.text.get(self.at).copied() {
                None | Some(0..=0x1f) => return Err(self.wrong("a string without an end")),
                Some(b'"') => break,
                Some(b'\\') => {
                    let letter = self.escape()?;
                    text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(byte) => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        String::from_utf8(text).map_err(|error| error.to_string())
    }
}
